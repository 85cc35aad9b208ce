"""The example pictures of the page, read from a folder; it draws nothing and decides nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from app.files import new_folder

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"


def example_people(folder: Path = FOLDER) -> list[list[str]]:
    """One row per example person, as ``gr.Examples`` wants them; empty where the folder holds none."""
    return [[str(path)] for path in sorted(folder.glob("person-*.jpg"))]


def example_garments(folder: Path = FOLDER) -> list[list[str]]:
    """One row per example garment."""
    return [[str(path)] for path in sorted(folder.glob("garment-*.jpg"))]


@dataclass(frozen=True)
class Sample:
    """One person in one garment, with what comes of it, drawn side by side."""

    picture: Path
    person: Path
    garment: Path

    @property
    def caption(self) -> str:
        """Both names, as they are said."""
        person, garment = (
            path.stem.partition("-")[2].replace("-", " ") for path in (self.person, self.garment)
        )
        return f"{person.capitalize()} in a {garment}"


def samples(folder: Path = FOLDER) -> list[Sample]:
    """The triples ``sample-PERSON--GARMENT.jpg`` whose two pictures are there."""
    found = []
    for picture in sorted(folder.glob("sample-*--*.jpg")):
        person, _, garment = picture.stem.removeprefix("sample-").partition("--")
        sample = Sample(picture, folder / f"person-{person}.jpg", folder / f"garment-{garment}.jpg")
        if sample.person.is_file() and sample.garment.is_file():
            found.append(sample)
    return found


def lend(sample: Sample) -> tuple[str, str]:
    """Copies of both pictures where a visitor's uploads lie, since what is worked on must lie there."""
    folder = new_folder()
    return str(shutil.copy(sample.person, folder)), str(shutil.copy(sample.garment, folder))
