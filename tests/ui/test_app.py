"""Starting the server: what is refused before anything is served."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from app import main
from app.serving.privacy import PREFIX
from ladi.weights import catalog
from tests.forked import Command, Forks


def test_an_unknown_model_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Prevents a page that can only ever fail."""
    assert main.main(["--model", "maxi"]) == 2
    err = capsys.readouterr().err
    assert "'maxi' is unknown: choose mini" in err and err.count("\n") == 1


def test_an_absent_model_opens_the_embedded_one_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prevents no page at all, or a page that paints with another model without a word."""
    shown: list[Any] = []
    monkeypatch.setitem(catalog.MODELS, "vitonhd", tmp_path / "vitonhd")
    monkeypatch.setattr(gr.Blocks, "launch", lambda page, **_: shown.append(page))
    monkeypatch.setattr(gr.Blocks, "block_thread", lambda page: None)
    monkeypatch.setattr(main, "warm_up", lambda *_: None)
    assert main.main(["--model", "vitonhd"]) == 0
    texts = [str(block.value) for block in shown[0].blocks.values() if isinstance(block, gr.Markdown)]
    assert any("python -m ladi download vitonhd" in text and "embedded model" in text for text in texts)


PAGE = ("app.main", "app.page")
WORKING = """
import threading, time, torch
from app import main
from app.serving.privacy import PREFIX

def serve():
    at_work = threading.Event()
    def work():
        left = torch.rand(400, 400)
        while True:
            left = (left @ left).softmax(0)
            at_work.set()
    threading.Thread(target=work, daemon=True).start()
    at_work.wait()
    print("working", flush=True)
    try:
        time.sleep(60)
    finally:
        print("pictures deleted", flush=True)

main.main = serve
main.start()
"""


def test_a_container_is_stopped_in_the_middle_of_work(forks: Forks, tmp_path: Path) -> None:
    """Prevents “terminate called without an active exception”, and pictures that outlive their server."""
    process = forks.start(tmp_path, first=WORKING, imported=PAGE)
    process.wait_for(lambda: "working\n" in process.said())
    process.send(signal.SIGTERM)
    assert (process.end(), process.said()) == (0, "working\npictures deleted\n")


SERVED = """
import os, sys
os.environ |= {"GRADIO_TEMP_DIR": FOLDER, "GRADIO_ANALYTICS_ENABLED": "False"}
for name in [name for name in os.environ if name.startswith("LADI_")]:
    del os.environ[name]
sys.argv[1:] = ["--model", "mini", "--device", "cpu", "--host", "127.0.0.1"]
from app.main import start
start()
"""


@pytest.fixture
def page(forks: Forks, tmp_path: Path) -> tuple[Command, Path]:
    """``python app.py`` as it is, with a picture that somebody has uploaded, and the folder of such ones."""
    folder = tmp_path / "temporary"
    process = forks.start(tmp_path, first=SERVED.replace("FOLDER", repr(str(folder))), imported=PAGE)
    process.wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", process.said()) is not None)
    address = re.findall(r"http://127\.0\.0\.1:\d+", process.said())[0]
    sent = httpx.post(f"{address}/gradio_api/upload", files={"files": ("anna.png", b"a photo")}, timeout=30)
    assert Path(sent.json()[0]).is_relative_to(folder) and len(list(folder.rglob("anna.png"))) == 1
    return process, folder


def test_pictures_are_gone_after_a_container_was_stopped(page: tuple[Command, Path]) -> None:
    """Prevents visitors' photos that stay on the disk when nobody is there any more to delete them."""
    process, folder = page
    process.send(signal.SIGTERM)
    assert process.end() == 0 and "Traceback" not in process.said()
    assert not list(folder.glob(f"{PREFIX}*"))


def test_ctrl_c_ends_the_page_quietly(page: tuple[Command, Path]) -> None:
    """Prevents a screenful of Python for who has seen enough; the pictures go then too."""
    process, folder = page
    process.wait_for(lambda: "loaded mini" in process.said())  # before that it is still being started
    process.send(signal.SIGINT)
    code, lines = process.end(), process.said().splitlines()
    assert code == 0
    own = [line for line in lines if line and " INFO " not in line and not line.startswith("* ")]
    assert own in ([], ["Keyboard interruption in main thread... closing server."]), own
    assert not list(folder.glob(f"{PREFIX}*"))
