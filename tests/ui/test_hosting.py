"""Hosting over real HTTP: limits, users, health, and what becomes of visitors' pictures and the log."""

from __future__ import annotations

import io
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from app.hosting import Readiness, check_mcp, default_model, gpu, gpu_seconds, launch_page, own_files
from app.options import parse
from app.privacy import PREFIX, PictureFolder, PrivateFormatter, remove_abandoned
from app.visitors import GPU, already_waiting, busy, name_visitor
from ladi import shelf
from ladi.types import SettingError

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A small page, whose one computing event waits until it is let go."""

    def __init__(self, *flags: str, keep_seconds: float = 60.0) -> None:
        self.pictures = PictureFolder(keep_seconds)
        self.go = threading.Event()
        example = self.pictures.path.parent / "example.png"
        Image.new("RGB", (20, 20), "green").save(example)
        with gr.Blocks() as page:
            picture, result = gr.Image(type="filepath"), gr.Image(format="png")
            gr.Examples([str(example)], picture)
            paint = gr.Button("Paint")
            paint.click(
                self.paint,
                picture,
                result,
                api_name="paint",
                preprocess=False,
                concurrency_id=GPU,
                concurrency_limit=1,
            )
            gr.Button().click(lambda: "looked", None, gr.Textbox(), api_name="look")
        self.page = page
        self.readiness = Readiness("mini")
        _, self.address, _ = launch_page(page, parse(list(flags)), self.readiness, self.pictures, quiet=True)

    def paint(self, upload: dict[str, Any] | None) -> np.ndarray:
        assert self.go.wait(60)
        return np.asarray(Image.open(upload["path"])) if upload else np.zeros((9, 9, 3), np.uint8)

    def call(self, name: str = "paint", session: str | None = None) -> httpx.Response:
        """Put something into the queue."""
        body = {"data": [None] if name == "paint" else [], "session_hash": session}
        if session is None:
            return httpx.post(f"{self.address}gradio_api/call/{name}", json={"data": body["data"]})
        body["fn_index"] = next(index for index, fn in self.page.fns.items() if fn.api_name == name)
        return httpx.post(f"{self.address}gradio_api/queue/join", json=body)

    def health(self) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.address}health")
        return answer.status_code, answer.json()

    def wait_for(self, **wanted: object) -> None:
        """Wait until the health endpoint tells this."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            told = self.health()[1]
            if all(told[name] == value for name, value in wanted.items()):
                return
            time.sleep(0.02)
        pytest.fail(f"never told {wanted}, last {told}")

    def close(self) -> None:
        self.go.set()
        self.page.close(verbose=False)
        self.pictures.close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Serves with these flags; closed afterwards."""
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    for name in list(os.environ):
        if name.startswith("LADI_"):
            monkeypatch.delenv(name)
    servers: list[Server] = []

    def start(*flags: str, **more: Any) -> Server:
        servers.append(Server(*flags, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


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


def break_off_an_upload(address: str, name: str) -> None:
    """Begin to send a file, and hang up."""
    host, port = address.removeprefix("http://").strip("/").split(":")
    head = f'--B\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    lines = ("POST /gradio_api/upload HTTP/1.1", "Host: x", "Content-Type: multipart/form-data; boundary=B")
    with socket.create_connection((host, int(port))) as connection:
        start = "\r\n".join([*lines, "Content-Length: 99999", "", ""]).encode()
        connection.sendall(start + head + b"x" * 5000)
        time.sleep(0.3)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {".in-use"}


def test_pictures_are_deleted_while_the_server_runs(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Prevents photos that outlive the promised minutes: uploads, also broken off ones, and results."""
    server = serve(keep_seconds=1.5)
    server.go.set()
    folder = server.pictures.path
    photo = tmp_path / "anna.png"
    Image.new("RGB", (30, 20), "red").save(photo)
    own = files_in(folder)
    client = Client(server.address, verbose=False, download_files=str(tmp_path / "downloads"))
    client.predict(handle_file(photo), api_name="/paint")
    break_off_an_upload(server.address, "broken.png")
    there = files_in(folder)
    assert {"anna.png", "image.png"} <= there and len(there - own) >= 3
    deadline = time.monotonic() + 15
    while files_in(folder) - own and time.monotonic() < deadline:
        time.sleep(0.1)
    assert files_in(folder) == own
    [example] = [path for path in own_files(server.page) if path.endswith("example.png")]
    assert httpx.get(f"{server.address}gradio_api/file={example}").status_code == 200
    client.predict(handle_file(photo), api_name="/paint")
    server.close()
    assert not folder.exists()


def test_a_used_file_is_kept_and_a_fresh_copy_of_an_old_one_too(tmp_path: Path) -> None:
    """Prevents deleting what somebody has just sent because the file was written long ago."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    pictures = PictureFolder(60)
    new = pictures.path / "a" / "new.png"
    new.parent.mkdir()
    new.write_bytes(b"x")
    os.utime(new, (1, 1))
    assert pictures.sweep() == 0 and new.exists()
    pictures._keep_seconds = -1
    assert pictures.sweep([str(new)]) == 0 and new.exists()
    assert pictures.sweep() == 1 and not new.parent.exists()
    pictures.close()
    pictures.close()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)
    patch.undo()


def test_what_a_killed_server_left_is_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents photos that stay for ever after a crash, and deleting those of a server that runs beside."""
    script = (
        "import os, sys; from app.privacy import PictureFolder; folder = PictureFolder(60);"
        "open(folder.path / 'photo.png', 'w').close(); print(folder.path, flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        monkeypatch.setattr("app.privacy.STARTING_SECONDS", -1)
        remove_abandoned(tmp_path)
        assert (folder / "photo.png").exists()
        other.kill()
    remove_abandoned(tmp_path)
    assert not folder.exists() and folder.name.startswith(PREFIX)


def test_no_file_name_reaches_the_log(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Prevents names of people, which files often have, from staying in a log after the photos are gone."""
    server = serve()
    name = "anna-smith.png"
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(PrivateFormatter(server.pictures.path))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        break_off_an_upload(server.address, name)
        log = logging.getLogger("app.handlers")
        log.warning("refused: %s", f"“{name}” is not a picture that can be read; give a JPEG.")
        try:
            (server.pictures.path / "0f" / name).read_bytes()
        except OSError:
            log.exception("a try-on failed")
        deadline = time.monotonic() + 5
        while "ClientDisconnect" not in told.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        root.removeHandler(handler)
    text = told.getvalue()
    assert "refused: … is not a picture that can be read" in text and "FileNotFoundError" in text
    assert "ClientDisconnect" in text  # the web server's own complaint takes the same way
    assert "anna" not in text and str(server.pictures.path) not in text


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
    monkeypatch.setitem(shelf.MODELS, "vitonhd", tmp_path)
    assert default_model("cpu") == "mini"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert default_model("cpu") == "mini" and default_model("cuda") == "vitonhd"
    assert default_model(None) == "vitonhd"
