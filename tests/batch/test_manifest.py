"""The table of a batch as a spreadsheet opens it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ladi.batch.folder import Folder
from ladi.batch.manifest import TABLE, Entry, write_manifest


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1.png", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_is_a_formula(name: str, tmp_path: Path) -> None:
    """Prevents a file's name from being computed by whoever opens the table."""
    entry = Entry(1, name, "shirt.png", "failed", message=f"{name} is damaged.", seconds=-0.5)
    write_manifest(Folder(tmp_path), "mini", [entry])
    with (tmp_path / TABLE).open(encoding="utf-8-sig", newline="") as file:
        [row] = csv.DictReader(file)
    assert row["person"] == f"'{name}" and row["message"] == f"'{name} is damaged."
    assert (row["garment"], row["seconds"]) == ("shirt.png", "-0.5")
