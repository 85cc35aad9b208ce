"""Starting the server: what is refused before anything is served."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from app import main
from ladi.weights import catalog
from tests.forked import Forks


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


WORKING = """
import threading, time, torch
from app import main

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
    process = forks.start(tmp_path, first=WORKING)
    process.wait_for(lambda: "working\n" in process.said())
    process.send(signal.SIGTERM)
    assert (process.end(), process.said()) == (0, "working\npictures deleted\n")
