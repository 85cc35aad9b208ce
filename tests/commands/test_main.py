"""The way in: what all commands share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ladi.commands.main import COMMANDS, main
from tests.bad_files import BAD_FILES

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_that_the_console_cannot_print_is_no_failure() -> None:
    """Prevents a traceback after the picture has been written, where the console's encoding is poor."""
    script = (
        "import sys; from ladi.commands.main import print_anywhere; print_anywhere(); "
        "print(sys.argv[1]); print(sys.argv[1], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "ergebnis-für-zoë.png"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=True,
    )
    assert b"ergebnis-f\\xfcr-zo\\xeb.png" in done.stdout and done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_exists(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Prevents a command in the help that no module defines."""
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert name in capsys.readouterr().out


def test_the_process_answers_without_a_command() -> None:
    """Prevents a traceback for whoever tries `python -m ladi` by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "ladi"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "see `python -m ladi --help`" in done.stderr


def test_who_is_refused_has_not_waited_for_networks(tmp_path: Path) -> None:
    """Prevents ten seconds of silence before a sentence on a file that is no photo."""
    photo = tmp_path / "text.jpg"
    photo.write_bytes(BAD_FILES["text.jpg"].content())
    words = ["tryon", str(photo), str(photo), "--out", str(tmp_path / "r.png")]
    code = f"import sys; from ladi.commands.main import main; main({words}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert "ladi.preprocess.photo" in done.stdout
    assert not {"torch", "diffusers", "transformers", "mediapipe"} & set(done.stdout.split())
