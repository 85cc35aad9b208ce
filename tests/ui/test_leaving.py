"""Whoever cancels, closes the page or loses the connection: nothing is computed for them after a step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import Status

from tests.ui.conftest import page_values
from tests.ui.fake import FakeEngine
from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811

LONG = 1000
"""Steps of the fake engine: twenty seconds, so that nothing here waits for the end of them."""
SOON = 2.0
"""Seconds within which work must have stopped; a step takes a fiftieth."""


def until(told: Callable[[], bool], seconds: float = SOON) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if told():
            return True
        time.sleep(0.01)
    return told()


def post(address: str, person: Path, garment: Path) -> str:
    """Ask for a picture as programs do; the event's name."""
    with person.open("rb") as one, garment.open("rb") as other:
        sent = httpx.post(f"{address}gradio_api/upload", files=[("files", one), ("files", other)])
    records = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in sent.json()]
    data = [*records, None, *page_values()]
    told = httpx.post(f"{address}gradio_api/call/try_on", json={"data": data})
    assert told.status_code == 200, told.text
    return told.json()["event_id"]


def test_a_cancelled_call_stops(engine: FakeEngine, client: Client, person: Path, garment: Path) -> None:
    """Prevents a program's cancelled request from painting all its steps."""
    engine.steps = LONG
    job = client.submit(handle_file(str(person)), handle_file(str(garment)), api_name="/try_on")
    assert until(lambda: engine.running == 1 and job.status().code is Status.PROCESSING, 20)
    job.cancel()
    assert until(lambda: engine.running == 0)


def test_a_lost_connection_stops(engine: FakeEngine, address: str, person: Path, garment: Path) -> None:
    """Prevents a script that is killed from keeping the server busy."""
    engine.steps = LONG
    event = post(address, person, garment)
    with httpx.stream("GET", f"{address}gradio_api/call/try_on/{event}", timeout=10):
        assert until(lambda: engine.running == 1, 10)
    assert until(lambda: engine.running == 0)


def test_a_closed_page_stops(engine: FakeEngine, address: str, person: Path, garment: Path) -> None:
    """Prevents a closed tab, whose stream of news ends, from being painted for."""
    engine.steps = LONG
    config = httpx.get(f"{address}config").json()
    index = next(one["id"] for one in config["dependencies"] if one["api_name"] == "try_on")
    with person.open("rb") as one, garment.open("rb") as other:
        sent = httpx.post(f"{address}gradio_api/upload", files=[("files", one), ("files", other)]).json()
    records = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in sent]
    body = {"data": [*records, None, *page_values()], "fn_index": index, "session_hash": "closing"}
    assert httpx.post(f"{address}gradio_api/queue/join", json=body).status_code == 200
    with httpx.stream("GET", f"{address}gradio_api/queue/data?session_hash=closing", timeout=10):
        assert until(lambda: engine.running == 1, 10)
    assert until(lambda: engine.running == 0)


def test_after_ten_cancelled_requests_the_next_one_is_served_at_once(
    engine: FakeEngine, client: Client, person: Path, garment: Path
) -> None:
    """Prevents a stranger's ten clicks on Cancel from keeping everybody else waiting for minutes."""
    pictures = handle_file(str(person)), handle_file(str(garment))

    def seconds_of_two_steps() -> float:
        engine.steps = 2
        began = time.monotonic()
        client.predict(*pictures, api_name="/try_on")
        return time.monotonic() - began

    own = seconds_of_two_steps()
    engine.steps = LONG
    engine.requests.clear()
    for begun in range(1, 11):
        job = client.submit(*pictures, api_name="/try_on")
        # The client can cancel only what it knows to have begun.
        assert until(lambda job=job: job.status().code is Status.PROCESSING, 20)  # type: ignore[misc]
        assert until(lambda begun=begun: len(engine.requests) == begun, 20)  # type: ignore[misc]
        job.cancel()
    assert seconds_of_two_steps() < own + SOON
    assert engine.most_at_once == 1


def test_what_is_computed_counts_after_it_was_cancelled(serve: Callable[..., Server]) -> None:
    """Prevents a visitor from having any number of pictures computed, by cancelling each at once."""
    server = serve("--visitor-limit", "1")
    event = server.call(session="a").json()["event_id"]
    server.wait_for(running=1)
    body = {"session_hash": "a", "fn_index": server.index("paint"), "event_id": event}
    assert httpx.post(f"{server.address}gradio_api/cancel", json=body).status_code == 200
    assert server.call(session="a").status_code == 429
    assert server.health()[1]["running"] == 1
    server.go.set()
    server.wait_for(running=0)
    assert server.call(session="a").status_code == 200


@pytest.mark.parametrize("route", ["run", "api"])
def test_nothing_passes_the_queue(route: str, engine: FakeEngine, address: str) -> None:
    """Prevents the limits, and the order of the queue, from being passed by another route."""
    for name in ("try_on", "prepare", "compare"):
        told = httpx.post(f"{address}gradio_api/{route}/{name}", json={"data": [None, None, None]})
        assert told.status_code == 404 and "queue" in told.json()["detail"]
    assert not engine.requests and not engine.looks


def test_the_pages_own_unqueued_events_work(engine: FakeEngine, address: str) -> None:
    """Prevents a Cancel that is refused because direct calls are."""
    told: list[Any] = json.loads(httpx.get(f"{address}config").text)["dependencies"]
    direct = [one for one in told if one["queue"] is False and one["backend_fn"]]
    assert len(direct) >= 4  # three times Cancel, and the examples, of which the first is asked for
    for one in direct:
        body = {"data": [0] * len(one["inputs"]), "fn_index": one["id"], "session_hash": "me"}
        assert httpx.post(f"{address}gradio_api/run/predict", json=body).status_code == 200


def test_all_other_events_have_a_limit_too(serve: Callable[..., Server]) -> None:
    """Prevents ten thousand looks at pictures from waiting in memory, while paintings are limited."""
    server = serve("--visitor-limit", "1")
    codes = [server.call("wait", session="a").status_code for _ in range(12)]
    assert codes == [200] * 8 + [429] * 4
    assert server.call("wait", session="b").status_code == 200
