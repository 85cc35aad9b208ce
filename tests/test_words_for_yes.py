"""Yes and no, as tables, programs, variables and language models write them."""

from __future__ import annotations

from typing import Any

import pytest

from app.serving.options import parse
from ladi.commands.flags import switched_on
from ladi.setting_row import read_switch
from ladi.types import SettingError


@pytest.mark.parametrize("word", ["no", "No", "false", "False", "off", "0", 0, 0.0, False])
def test_no_is_no(word: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents "false" from meaning yes because it is not empty."""
    assert not read_switch(word, "pose")
    monkeypatch.setenv("LADI_MCP", str(word).split(".")[0])
    assert not switched_on("LADI_MCP")


@pytest.mark.parametrize("word", ["yes", "YES", "true", "on", "1", 1, 1.0, True])
def test_yes_is_yes(word: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a switch that cannot be turned on by what programs send."""
    assert read_switch(word, "pose")
    monkeypatch.setenv("LADI_MCP", str(word).split(".")[0])
    assert switched_on("LADI_MCP")


@pytest.mark.parametrize("word", ["maybe", "2", 2, "ja"])
def test_other_words_are_refused(
    word: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a mistyped word from turning something on, or off, without a word."""
    with pytest.raises(SettingError, match="pose must be yes or no, got"):
        read_switch(word, "pose")
    monkeypatch.setenv("LADI_SHARE", str(word))
    with pytest.raises(SystemExit):
        parse([])
    assert "LADI_SHARE must be yes or no" in capsys.readouterr().err


def test_a_space_is_public_whatever_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents taking a Space's name for a word that is neither yes nor no."""
    monkeypatch.setenv("SPACE_ID", "somebody/try-on")
    assert parse([]).public
