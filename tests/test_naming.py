"""Names of files as macOS, Windows, shells and browsers write them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from ladi.naming import find_file
from ladi.types import PhotoError


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_an_accent_is_the_same_however_it_is_spelled(tmp_path: Path, stored: str, written: str) -> None:
    """Prevents tables from a Mac that name no file anywhere else."""
    path = tmp_path / unicodedata.normalize(stored, "fotós") / unicodedata.normalize(stored, "zoë.png")  # type: ignore[arg-type]
    path.parent.mkdir()
    path.touch()
    assert find_file(unicodedata.normalize(written, "fotós/zoë.png"), tmp_path).samefile(path)  # type: ignore[arg-type]


def test_backslashes_and_a_quoted_tilde_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents "there is no file" for tables from Windows, and for a home folder in quotation marks."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "a.png").touch()
    assert find_file(r"people\a.png", tmp_path) == tmp_path / "people" / "a.png"
    assert find_file("~/people/a.png") == tmp_path / "people" / "a.png"
    assert find_file("~/people/a.png", tmp_path / "people", home=False) == tmp_path / "people/~/people/a.png"


def test_capitals_are_looked_past_where_only_one_file_can_be_meant(tmp_path: Path) -> None:
    """Prevents tables from Windows that name no file elsewhere, and a guess between two."""
    for name in ("Ann.JPG", "bo.png", "Bo.png"):
        (tmp_path / name).touch()
    assert find_file("ann.jpg", tmp_path) == tmp_path / "Ann.JPG"
    assert find_file("Bo.png", tmp_path) == tmp_path / "Bo.png"
    assert find_file("BO.png", tmp_path) == tmp_path / "BO.png"


def test_a_name_with_a_backslash_of_its_own_is_found(tmp_path: Path) -> None:
    """Prevents taking a file's own name apart."""
    (tmp_path / r"a\b.png").touch()
    assert find_file(r"a\b.png", tmp_path) == tmp_path / r"a\b.png"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("https://example.com/a.png", "is an address, not a file: download"),
        (Path("https://example.com/a.png"), "is an address, not a file: download"),
        (r"C:\photos\a.png", "names a Windows drive"),
    ],
)
def test_what_cannot_be_found_is_refused_with_the_reason(name: str | Path, reason: str) -> None:
    """Prevents a plain "no such file" for what is no file at all."""
    with pytest.raises(PhotoError, match=reason):
        find_file(name)


@pytest.mark.parametrize("name", ["nothing.png", "a" * 300, "\0", "~nobody-here/a.png"])
def test_what_is_not_there_stays_as_written(tmp_path: Path, name: str) -> None:
    """Prevents errors from deep inside for a name that no file can have."""
    assert find_file(name, tmp_path) == tmp_path / name
