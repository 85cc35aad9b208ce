"""The command ``batch``: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ladi.commands.main import main
from ladi.engine import Engine
from ladi.postprocess.png import read_settings
from tests.batch.test_run import GOOD, LETTER, Counting, engine, folder, networks, table  # noqa: F401

# ruff: noqa: F811


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, engine: Counting) -> Counting:
    """The engine that the command gets."""
    engine.warm_up = lambda **_: None  # type: ignore[attr-defined]

    def load(*_: object, **__: object) -> Counting:
        engine.loaded = True
        return engine

    monkeypatch.setattr(Engine, "load", load)
    return engine


def test_the_command(
    loaded: Counting, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents exit codes that hide failed rows from scripts, and flags that do not reach the rows."""
    out = tmp_path / "out"
    words = ["batch", str(table(folder, *GOOD)), "--out", str(out), "--steps", "1", "--no-emasc"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert f"/2] {out / 'ann_blue.png'}" in said and "2 rows: 2 done, 0 already done, 0 failed" in said
    assert read_settings(out / "ann_blue.png")["emasc"] is False
    table(folder, *GOOD, LETTER)
    assert main(words) == 1
    told = capsys.readouterr()
    assert "3 rows: 0 done, 2 already done, 1 failed" in told.out and "already done\n" in told.out
    assert "[3/3] failed: row 3 (people/letter.jpg, garments/red.png): “letter.jpg”" in told.err
    assert len(loaded.requests) == 2


def test_a_row_is_told_in_one_line(
    loaded: Counting, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents lines that look like the command's own and were written by the name of a file."""
    listed = table(folder, '"people/ann\n[1/1] all is well.jpg",garments/red.png')
    assert main(["batch", str(listed), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("[1/1] failed: row 1 (people/ann") and told.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("person,trousers\na,b\n", (), "no columns person and garment"),
        ("person,garment\na,b\n", ("--steps", "0"), "steps"),
        ("person,garment\na,b\n", ("--size", "large"), "such as 512x384"),
        ("person,garment\na,b\n", ("--category", "dresses"), "choose the model dresscode"),
        ("person,garment\na,b\n", ("--out", "/proc/out"), "cannot be written"),
    ],
    ids=["table", "steps", "size", "category", "folder"],
)
def test_the_command_refuses_what_cannot_begin(
    loaded: Counting,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    """Prevents loading a model for nothing, and the exit code of a batch that did a part of its work."""
    if "/proc/out" in options and not Path("/proc").is_dir():
        pytest.skip("no /proc here to stand for an unwritable folder")
    (tmp_path / "pairs.csv").write_text(content)
    assert main(["batch", str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "out"), *options]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1
    assert not loaded.loaded
