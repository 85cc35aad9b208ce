"""The example pictures of the page, read from a folder; it draws nothing and decides nothing."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"


def example_people(folder: Path = FOLDER) -> list[list[str]]:
    """One row per example person, as ``gr.Examples`` wants them; empty where the folder holds none."""
    return [[str(path)] for path in sorted(folder.glob("person-*.jpg"))]


def example_garments(folder: Path = FOLDER) -> list[list[str]]:
    """One row per example garment."""
    return [[str(path)] for path in sorted(folder.glob("garment-*.jpg"))]
