"""The forty pairs: always the same, none left out; and what is written of them."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import contact_sheets
from benchmarks.photo_rows import Row, as_table, read_rows, refusals, write_rows
from benchmarks.real_photos import draw_pairs, keep_regions, kept_regions, read_bytes


def picture_bytes(value: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (6, 8), (value, 0, 0)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The layout of the data with drawn pictures, more than are drawn from it."""
    for name, ending in (
        ("street/labelled-val.tar", "image.jpg"),
        ("people/people-00.tar", "image.jpg"),
        ("viton/val-00.tar", "cloth.jpg"),
    ):
        (tmp_path / name).parent.mkdir()
        with tarfile.open(tmp_path / name, "w") as tar:
            for number in range(30):
                for member in (f"{number:04d}.{ending}", f"{number:04d}.other.png"):
                    content = picture_bytes(number)
                    info = tarfile.TarInfo(member)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
    (tmp_path / "garments-cc0").mkdir()
    for number in range(30):
        for kind in ("t-shirt", "pants"):
            (tmp_path / "garments-cc0" / f"{kind}-{number:02d}.jpg").write_bytes(picture_bytes(number))
    return tmp_path


def test_the_draw_is_always_the_same_and_uses_nobody_twice(data: Path) -> None:
    pairs = draw_pairs(data)
    assert pairs == draw_pairs(data)
    assert [pair.number for pair in pairs] == list(range(1, 41))
    for names in ([pair.person for pair in pairs], [pair.garment for pair in pairs]):
        assert len(set(names)) == 40
    assert sum(pair.person.startswith("street/") for pair in pairs) == 20
    assert sum(pair.garment.startswith("viton/") for pair in pairs) == 20
    assert not any("pants" in pair.garment or "other" in pair.garment for pair in pairs)


def test_members_and_files_are_read_alike(data: Path) -> None:
    assert read_bytes(data, "viton/val-00.tar:0003.cloth.jpg") == picture_bytes(3)
    assert read_bytes(data, "garments-cc0/t-shirt-03.jpg") == picture_bytes(3)


ROWS = [
    Row(1, "a", "b", tone="white", left_over=0.5, judged=100, wall_kept=1.0, colour=0.1, seconds=1.5),
    Row(2, "c", "d", tone="black", left_over=0.0, judged=80, colour=0.3, seconds=1.5),
    Row(3, "e", "f", refused="No person was found, and that is that."),
]


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_rows(ROWS, tmp_path / "rows.csv")
    assert read_rows(tmp_path / "rows.csv") == ROWS


def test_means_leave_out_what_has_no_number_and_count_what_was_refused() -> None:
    """Prevents: a refused pair counting as a perfect one."""
    table = as_table({"before": ROWS, "after": [replace(row, left_over=0.0) for row in ROWS[:2]]})
    assert "| refused | 1 of 3 | 0 of 2 |" in table
    assert "| left over | 25.0% (2) | 0.0% (2) |" in table
    assert "| colour | 0.200 (2) | 0.200 (2) |" in table
    assert "| colour, black | 0.300 (1) | 0.300 (1) |" in table
    assert "| colour, coloured | – | – |" in table
    assert refusals(ROWS) == ["- 03 (e): No person was found, and that is that."]


def test_sheets_show_every_pair_also_the_refused(tmp_path: Path) -> None:
    picture = np.full((80, 60, 3), 90, np.uint8)
    triples = [contact_sheets.Triple(number, picture, picture, picture) for number in range(1, 8)]
    triples[6] = replace(triples[6], result="Nobody is to be seen in this photo.")
    paths = contact_sheets.write_sheets(triples, tmp_path)
    assert [path.name for path in paths] == ["sheet-1.png", "sheet-2.png"]
    sheet = np.asarray(Image.open(paths[1]).convert("L"))
    cell = contact_sheets.CELL[0]
    text = sheet[contact_sheets.CAPTION : 200, 2 * cell : 3 * cell]
    assert (text < 128).any() and not (text == 90).sum() > 1000


def test_regions_of_an_earlier_run_come_back(tmp_path: Path) -> None:
    """Prevents: --compare judging by other pixels than the earlier run did."""
    old, taken = np.zeros((8, 6), bool), np.zeros((8, 6), bool)
    old[2:4], taken[1:7] = True, True
    keep_regions(tmp_path / "01.png", old, taken)
    back = kept_regions(tmp_path / "01.png")
    assert back is not None and (back[0] == old).all() and (back[1] == taken).all()
    assert kept_regions(tmp_path / "02.png") is None
