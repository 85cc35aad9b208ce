"""A place that cannot be written to: one sentence, before hours are spent, from every command that writes."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from ladi.commands.main import main
from tests.docs.conftest import (  # noqa: F401
    _no_waiting,
    _toy_files,
    places,
    server,
    toy_files,
    toy_world,
)
from tests.docs.setting import SHORT, Setting

ROWS: dict[str, Callable[[Setting], object]] = {
    "tryon person.jpg garment.jpg --out /proc/result.png": Setting.photos,
    "batch pairs.csv --out /proc/made": Setting.photos,
    "prepare PEOPLE GARMENTS --out /proc/made": Setting.photos,
    "download vitonhd --dir /proc/made": Setting.published,
    "convert vitonhd --out /proc/made --from FOLDER --base FOLDER --vision FOLDER": Setting.published,
    "check DATASET --report /proc/made.json": Setting.dataset,
    f"train vitonhd --data DIR --init models/vitonhd --work /proc/made {SHORT}": Setting.training,
    "train mini --data DIR --work /proc/made": Setting.training,
    "evaluate vitonhd --data DIR --split test --device cpu --out /proc/made": Setting.training,
}


@pytest.mark.parametrize("words", ROWS)
def test_it_is_said_in_one_sentence(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Prevents tracebacks, a lock that is waited for for ever, and work that cannot be kept."""
    if not Path("/proc").is_dir():
        pytest.skip("no /proc here to stand for a folder that cannot be written to")
    monkeypatch.chdir(tmp_path)
    ROWS[words](Setting(tmp_path, monkeypatch, request))
    capsys.readouterr()
    assert main(shlex.split(words)) == 2
    said = capsys.readouterr().err
    assert "cannot be written" in said and "/proc" in said and said.count("\n") == 1
