"""Ctrl-C in the middle of a command, as a terminal sends it: no traceback, and nothing half.

That a batch goes on from there is tested in ``tests/batch``.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT

EXAMPLES = ROOT / "assets" / "examples"
PERSON, GARMENT = EXAMPLES / "person-anna.jpg", EXAMPLES / "garment-striped-tee.jpg"
ROWS = 40
"""More than are done before the signal comes."""


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ladi", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background are told to ignore the signal, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_batch(tmp_path: Path) -> None:
    """Prevents a manifest that is lost, and pictures that it does not know."""
    table, out = tmp_path / "pairs.csv", tmp_path / "out"
    rows = "".join(f"{PERSON},{GARMENT},{seed}\n" for seed in range(ROWS))
    table.write_text(f"person,garment,seed\n{rows}")
    with start("batch", table, "--out", out, "--device", "cpu") as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        assert first.startswith(f"[1/{ROWS}]"), first + process.stderr.read()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 130
    assert "Traceback" not in said
    told = json.loads((out / "manifest.json").read_text())["rows"]
    done = [entry for entry in told if entry["status"] == "done"]
    assert 1 <= len(done) < ROWS
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert {name for entry in done for name in entry["files"]} <= set(pictures)
    for name in pictures:
        with Image.open(out / name) as picture:
            assert np.asarray(picture).ndim == 3  # whole: it can be decoded
    assert not [path for path in out.iterdir() if path.name.endswith(".part")]


def test_a_try_on(tmp_path: Path) -> None:
    """Prevents a traceback, or half of a picture, for whoever has changed their mind."""
    out = tmp_path / "result.png"
    with start(
        "tryon", PERSON, GARMENT, "--out", out, "--steps", 100, "--pictures", 8, "--device", "cpu"
    ) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 130
    assert "Traceback" not in said and not list(tmp_path.iterdir())
