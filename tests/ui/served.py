"""A small page behind the real hosting, for tests of what holds for any page."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import gradio as gr
import httpx
import numpy as np
import pytest
from PIL import Image

from app.long_work import Runs
from app.serving.hosting import Readiness, launch_page
from app.serving.options import parse
from app.serving.privacy import PictureFolder
from app.serving.visitors import GPU, take_ticket

PATIENCE = 30
"""Seconds that an answer may take on a busy machine; a client's own five are too few there."""


class Server:
    """A small page, whose one computing event waits until it is let go."""

    def __init__(self, *flags: str, keep_seconds: float = 60.0) -> None:
        self.pictures = PictureFolder(keep_seconds)
        self.go = threading.Event()
        self.runs = Runs(take_ticket)
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
            gr.Button().click(lambda: str(self.go.wait(60)), None, gr.Textbox(), api_name="wait")
        self.page = page
        self.readiness = Readiness("mini")
        _, self.address, _ = launch_page(page, parse(list(flags)), self.readiness, self.pictures, quiet=True)

    def paint(self, upload: dict[str, Any] | None) -> np.ndarray:
        assert self.runs.result(None, lambda task: self.go.wait(60))
        return np.asarray(Image.open(upload["path"])) if upload else np.zeros((9, 9, 3), np.uint8)

    def call(self, name: str = "paint", session: str | None = None) -> httpx.Response:
        """Put something into the queue."""
        body = {"data": [None] if name == "paint" else [], "session_hash": session}
        if session is None:
            return httpx.post(
                f"{self.address}gradio_api/call/{name}", json={"data": body["data"]}, timeout=PATIENCE
            )
        body["fn_index"] = self.index(name)
        return httpx.post(f"{self.address}gradio_api/queue/join", json=body, timeout=PATIENCE)

    def index(self, name: str) -> int:
        """By which number Gradio knows an event."""
        return next(index for index, fn in self.page.fns.items() if fn.api_name == name)

    def health(self) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.address}health", timeout=PATIENCE)
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


class Closing(Protocol):
    """Something that is served until it is closed."""

    def close(self) -> None: ...


Served = TypeVar("Served", bound=Closing)


def served_apart(
    make: Callable[[Path], Served], folders: pytest.TempPathFactory, name: str
) -> Iterator[Served]:
    """What is made of a folder of its own, with Gradio's pictures in another, until the tests are over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        patch.setenv("GRADIO_TEMP_DIR", str(folders.mktemp(name)))
        made = make(folders.mktemp("own"))
        yield made
        made.close()
