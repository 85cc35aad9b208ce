"""The real page with the embedded model, served by ``python app.py``, and a headless Chromium before it.

Server and browser are started once for this folder and ended after it: Playwright keeps an event loop running
in this thread, which other tests must not meet.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.chromium import ADVICE, find_chromium, launch
from ladi.weights.catalog import MODELS
from tests.browser.visitor import Visitor
from tests.conftest import ROOT

STARTING = 90
"""Seconds that the server may take until its model is ready, on a busy machine."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser.

    Two processes and a network lie between a test and what it looks at, on machines that other work may slow
    down at any moment: what fails is tried once more, and fails if it fails again.
    """
    again = config.pluginmanager.hasplugin("rerunfailures")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if again:
                item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """A headless Chromium; skips where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    found = find_chromium()
    if found is None:
        pytest.skip(ADVICE)
    with api.sync_playwright() as playwright:
        browser = launch(playwright, found)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def address(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is, its model ready."""
    if not (MODELS["mini"] / "model_index.json").is_file():
        pytest.skip("this checkout has no embedded model")
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LADI_")}
    command = [
        sys.executable,
        str(ROOT / "app.py"),
        "--port",
        str(port),
        "--model",
        "mini",
        "--device",
        "cpu",
    ]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=env | {"GRADIO_TEMP_DIR": str(folder)}, stdout=log, stderr=log
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(f"{url}health", server, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the page was not served:\n{log.read_text()}")


@pytest.fixture(scope="package")
def contexts() -> list[Any]:
    """Those of the visitors who are there."""
    return []


@pytest.fixture(autouse=True)
def _visitors_leave(contexts: list[Any]) -> Iterator[None]:
    """Who came for one test goes after it: their pages would ask the server for news till the last one."""
    before = len(contexts)
    yield
    while len(contexts) > before:
        contexts.pop().close()


@pytest.fixture(scope="package")
def enter(chromium: Any, address: str, contexts: list[Any]) -> Iterator[Callable[..., Visitor]]:
    """Opens the page as somebody new, with a browser context of their own."""

    def open_page(
        *,
        width: int = 1360,
        height: int = 1000,
        dark: bool = False,
        touch: bool = False,
        at: str = "",
        ready: str = "#try-on-button",
    ) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        context.set_default_timeout(40_000)
        return Visitor(context.new_page(), address + at, ready)

    yield open_page
    while contexts:
        contexts.pop().close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core; skips where it is not installed."""
    named = os.environ.get("AXE_CORE")
    file = Path(named) if named else ROOT / "node_modules/axe-core/axe.min.js"
    if not file.is_file():
        pytest.skip("axe-core is not installed; name its axe.min.js by AXE_CORE")
    return file.read_text("utf-8")
