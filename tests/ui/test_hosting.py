"""Hosting over real HTTP: limits, users, health, GPU time, MCP and the default model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from app.fields import Defaults
from app.serving.hosting import (
    EVENTS_KEPT,
    SESSIONS_KEPT,
    check_mcp,
    default_model,
    gpu,
    gpu_seconds,
    seconds_for,
)
from app.serving.visitors import already_waiting, busy, forget_leavers, name_visitor
from ladi.types import SettingError
from ladi.weights import catalog
from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811


def test_health_follows_the_model_and_the_queue(serve: Callable[..., Server]) -> None:
    """Prevents a load balancer from sending visitors to a server that cannot paint yet, or ever."""
    server = serve()
    code, told = server.health()
    assert (code, told["status"], told["model"], told["version"]) == (503, "loading", "mini", "0.1.0")
    server.readiness.state = "failed"
    assert server.health()[0] == 503 and server.health()[1]["status"] == "failed"
    server.readiness.state = "ready"
    assert server.health()[0] == 200
    for session in "ab":
        server.call(session=session)
    server.wait_for(waiting=1, running=1, status="ready")
    server.go.set()
    server.wait_for(waiting=0, running=0)


def test_health_needs_no_login_and_the_rest_does(serve: Callable[..., Server]) -> None:
    """Prevents a container behind a login from being restarted for ever, and a login that lets all in."""
    server = serve("--auth", "anna:secret", "--auth", "ben:word")
    server.readiness.state = "ready"
    assert server.health()[0] == 200
    assert httpx.get(f"{server.address}config").status_code == 401
    assert server.call().status_code == 401
    for user in (("anna", "wrong"), ("carl", "word")):
        with pytest.raises(ValueError, match="Could not login"):
            Client(server.address, auth=user, verbose=False)
    server.go.set()
    assert Client(server.address, auth=("ben", "word"), verbose=False).predict(None, api_name="/paint")


def test_one_visitor_cannot_fill_the_queue(serve: Callable[..., Server]) -> None:
    """Prevents one impatient visitor from keeping all others out, and limits that are never given back."""
    server = serve("--visitor-limit", "2")
    assert [server.call(session="a").status_code for _ in range(2)] == [200, 200]
    refused = server.call(session="a")
    assert refused.status_code == 429
    assert refused.json()["detail"] == already_waiting(2)
    assert already_waiting(2) == (
        "You already have 2 pictures in the making: wait for one to finish, or cancel it."
    )
    assert server.call("look", session="a").status_code == 200  # what does not compute is free
    assert server.call(session="b").status_code == 200
    server.go.set()
    server.wait_for(waiting=0, running=0)
    assert server.call(session="a").status_code == 200


def test_closing_the_page_gives_its_places_back(serve: Callable[..., Server]) -> None:
    """Prevents a visitor from being locked out by requests that a closed page took along."""
    server = serve("--visitor-limit", "2")
    server.call(session="other")
    server.wait_for(running=1)
    events = [server.call(session="a").json()["event_id"] for _ in range(2)]
    assert server.call(session="a").status_code == 429
    body = {"session_hash": "a", "fn_index": 0, "event_id": events[0]}
    assert httpx.post(f"{server.address}gradio_api/cancel", json=body).status_code == 200
    server.wait_for(waiting=1)
    assert server.call(session="a").status_code == 200


def test_a_full_queue_says_that_it_is_busy(serve: Callable[..., Server]) -> None:
    """Prevents endless waiting, Gradio's own words, and uploads refused for others' work."""
    server = serve("--queue-size", "2")
    server.call()
    server.wait_for(running=1)
    assert [server.call().status_code for _ in range(2)] == [200, 200]
    refused = server.call()
    assert (refused.status_code, refused.json()["detail"]) == (429, busy(2))
    assert busy(2) == "This page is busy: 2 others are waiting already. Please try again in a few minutes."
    assert server.call("look").status_code == 200
    server.go.set()
    server.wait_for(waiting=0, running=0)
    assert server.call().status_code == 200


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("127.0.0.1", "page-1"),
        ("10.0.0.7", "page-1"),
        ("93.184.216.34", "93.184.216.34"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81b::"),
        ("testclient", "page-1"),
    ],
)
def test_who_a_visitor_is(address: str, name: str) -> None:
    """Prevents one limit for all behind a proxy, and a fresh one for every reload of the page."""
    request: Any = SimpleNamespace(client=SimpleNamespace(host=address), headers={})
    assert name_visitor("page-1", request, None) == name
    assert name_visitor("page-1", request, "anna") == "user anna"
    unnamed = "" if name == "page-1" else name
    assert name_visitor(None, request, None) == unnamed
    request.headers["x-gradio-user"] = "mcp"  # all of them share a session
    assert name_visitor("mcp-session", request, None) == unnamed


@pytest.mark.browser
def test_the_page_shows_the_sentence(serve: Callable[..., Server]) -> None:
    """Prevents a refusal that a visitor does not see, or sees in Gradio's words."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    server = serve("--queue-size", "1")
    server.call()
    server.wait_for(running=1)
    server.call()
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.goto(server.address)
        page.get_by_role("button", name="Paint").click()
        page.get_by_text(busy(1)).wait_for(timeout=20_000)
        chromium.close()


def test_many_at_once_are_counted_right(serve: Callable[..., Server]) -> None:
    """Prevents a limit that holds only for those who come one after the other."""
    server = serve("--queue-size", "3")
    server.call()
    server.wait_for(running=1)
    with ThreadPoolExecutor(8) as pool:
        codes = [answer.status_code for answer in pool.map(lambda _: server.call(), range(12))]
    assert sorted(codes) == [200] * 3 + [429] * 9


def test_gpu_time_is_asked_for_where_it_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a Space whose calls are cut off for their length, and an import that other hosts lack."""
    asked: list[object] = []

    def paint(steps: int) -> int:
        return steps

    fake = SimpleNamespace(GPU=lambda *, duration: lambda function: asked.append(duration) or function)
    real = __import__("importlib").import_module
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert gpu(paint, gpu_seconds) is paint
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("importlib.import_module", lambda name: fake if name == "spaces" else real(name))
    assert gpu(paint, gpu_seconds) is paint and asked == [gpu_seconds]
    assert gpu_seconds(20) < gpu_seconds(50) < gpu_seconds(50, 2) <= gpu_seconds(100, 8) == 120


def test_a_missing_package_for_mcp_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents Gradio's traceback for a flag whose package is optional."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingError, match=rf"pip install 'gradio\[mcp\]=={gr.__version__}'"):
        check_mcp()


def test_the_default_model_is_one_that_this_machine_can_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prevents a CPU host that paints for an hour because a full-size model lies on its disk."""
    (tmp_path / "model_index.json").write_text("{}")
    monkeypatch.setitem(catalog.MODELS, "vitonhd", tmp_path)
    assert default_model("cpu") == "mini"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert default_model("cpu") == "mini" and default_model("cuda") == "vitonhd"
    assert default_model(None) == "vitonhd"


def test_gpu_time_follows_the_pages_settings() -> None:
    """Prevents: a comparison that is cut off because it asked for the time of one picture."""
    values = {**Defaults().values, "steps": 20, "pictures": 2}
    assert seconds_for(tuple(values.values())) == gpu_seconds(20, 2)
    assert seconds_for(tuple(values.values()), pictures=8) == gpu_seconds(20, 8)
    assert seconds_for(tuple({**values, "steps": "many"}.values())) == gpu_seconds(1)


def test_gradio_remembers_little(serve: Callable[..., Server]) -> None:
    """Prevents memory that grows with every call: its session was kept, and what its event took."""
    server = serve()
    for _ in range(4):
        server.call("look")
    holder = server.page.app.state_holder
    assert holder.capacity == SESSIONS_KEPT
    assert server.page._queue.ANALYTICS_MAX_EVENTS == EVENTS_KEPT
    server.wait_for(waiting=0, running=0)
    assert len(server.page._queue.event_analytics) <= EVENTS_KEPT


def test_a_programs_call_leaves_no_session_but_a_clients_stays(serve: Callable[..., Server]) -> None:
    """Prevents 0.4 MB more for every call of a program, and a client that is forgotten between two calls."""
    server = serve()
    sessions = server.page.app.state_holder.session_data
    client = Client(server.address, verbose=False)
    client.predict(api_name="/look")
    assert client.session_hash in sessions
    for _ in range(3):
        joined = server.call("look", session=None).json()
        answer = httpx.get(f"{server.address}gradio_api/call/look/{joined['event_id']}", timeout=60)
        assert "event: complete" in answer.text
        assert joined["event_id"] not in sessions or _soon_gone(joined["event_id"], sessions)
    assert client.session_hash in sessions


def test_a_closed_pages_session_goes_and_an_open_ones_stays(serve: Callable[..., Server]) -> None:
    """Prevents 0.4 MB for each page that was ever open, up to 500 of them; Gradio empties them, no more."""
    server = serve(keep_seconds=1.0)
    holder = server.page.app.state_holder

    def opened(session: str) -> Any:  # as a page is, with something asked in it
        beat = f"{server.address}gradio_api/heartbeat/{session}"
        page = pages.enter_context(httpx.stream("GET", beat, timeout=60))
        server.call("look", session=session)
        answer = httpx.get(f"{server.address}gradio_api/queue/data?session_hash={session}", timeout=60)
        assert "process_completed" in answer.text and session in holder.session_data
        return page

    with ExitStack() as pages:
        opened("stays")
        opened("leaves").close()
        assert _soon_gone("leaves", holder.session_data) and "leaves" not in holder.time_last_used
        assert "stays" in holder.session_data


def test_whoever_comes_back_soon_finds_the_session(serve: Callable[..., Server]) -> None:
    """Prevents a page that a phone put to sleep from losing its settings at the next sweep."""
    server = serve()
    client = Client(server.address, verbose=False)
    client.predict(api_name="/look")
    holder = server.page.app.state_holder
    holder.session_data[client.session_hash].is_closed = True
    assert forget_leavers(server.page, 60.0) == 0 and client.session_hash in holder.session_data
    assert forget_leavers(server.page, 0.0) == 1 and client.session_hash not in holder.session_data


def _soon_gone(name: str, sessions: Mapping[str, object]) -> bool:
    """Whether a session goes within seconds: it does so right after its answer."""
    deadline = time.monotonic() + 10
    while name in sessions and time.monotonic() < deadline:
        time.sleep(0.05)
    return name not in sessions
