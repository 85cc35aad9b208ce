"""Files and folders that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ladi.files import folder_written_whole, written_whole


def test_a_folder_takes_its_place_when_all_is_written(tmp_path: Path) -> None:
    """Prevents: half a model that looks like a whole one."""
    place = tmp_path / "model"
    with folder_written_whole(place) as draft:
        (draft / "unet").mkdir()
        (draft / "unet" / "weights").write_text("new")
        assert not place.exists()
    assert (place / "unet" / "weights").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_failed_folder_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (place / "README.md").write_text("mine")
    (place / "weights").write_text("old")
    with pytest.raises(KeyboardInterrupt), folder_written_whole(place) as draft:
        (draft / "weights").write_text("half")
        raise KeyboardInterrupt
    assert (place / "weights").read_text() == "old"
    with folder_written_whole(place) as draft:
        (draft / "weights").write_text("new")
    assert (place / "weights").read_text() == "new" and (place / "README.md").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_killed_draft_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "model.partial").mkdir()
    (tmp_path / "model.partial" / "stray").write_text("")
    with folder_written_whole(tmp_path / "model") as draft:
        (draft / "weights").write_text("new")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["weights"]


def test_a_file_is_written_whole_or_not(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_whole(path) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]
