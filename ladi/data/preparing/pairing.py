"""Which of your own pictures belong together: by their names, or by a list.

It looks at names only and opens no picture.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ladi.data.prepared import Pair
from ladi.data.sample import DatasetError
from ladi.files import PICTURES
from ladi.types import Category

_DELIMITERS = ("\t", ";", ",")


def find_pictures(place: Path, what: str) -> dict[str, Path]:
    """The pictures of a folder, by their names without ending, in the order of their names.

    Args:
        place: a folder, which is not searched further down, or one picture.
        what: what the pictures show, for messages.

    Raises:
        DatasetError: there is none, or two have the same name.
    """
    if not place.exists():
        raise DatasetError(f"There is no folder {place}: name the one with the pictures of {what}.")
    files = [place] if place.is_file() else sorted(place.iterdir())
    found: dict[str, Path] = {}
    for file in files:
        if file.suffix.lower() not in PICTURES or file.name.startswith(".") or not file.is_file():
            continue
        if file.stem in found:
            raise DatasetError(
                f"Two pictures of {what} are called {file.stem!r} ({found[file.stem].name} and {file.name}): "
                f"rename one."
            )
        found[file.stem] = file
    if not found:
        raise DatasetError(f"{place} holds no pictures of {what} ({', '.join(sorted(PICTURES))}).")
    return found


def read_pairs_file(
    path: Path, people: Mapping[str, Path], garments: Mapping[str, Path]
) -> list[tuple[str, str]]:
    """Names of people and garments from a list: one pair a line, by commas, semicolons, tabs or spaces.

    A first line of headings that begins with "person", empty lines, and further columns are passed over.
    Files may be named with or without their ending or folder.

    Raises:
        DatasetError: the list is missing or empty, or names a picture that is not there.
    """
    if not path.is_file():
        raise DatasetError(f"There is no list of pairs {path}: check its path.")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((sign for sign in _DELIMITERS if sign in first), None)
    rows = [line.split() for line in lines] if delimiter is None else csv.reader(lines, delimiter=delimiter)
    pairs: list[tuple[str, str]] = []
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (not pairs and cells[0].lower() in ("person", "people")):
            continue
        if len(cells) < 2 or not cells[1]:
            raise DatasetError(f"Line {number} of {path} must name a person and a garment, got {row}.")
        where = f"Line {number} of {path}"
        person = _resolve(cells[0], people, where, "person")
        pairs.append((person, _resolve(cells[1], garments, where, "garment")))
    if not pairs:
        raise DatasetError(f"The list {path} names no pair: write a person and a garment in each line.")
    return pairs


def _resolve(name: str, places: Mapping[str, Path], where: str, what: str) -> str:
    """A picture's name without ending, from however a list writes it."""
    file = name.replace("\\", "/").rpartition("/")[2]
    for stem, place in places.items():
        if file in (stem, place.name):
            return stem
    raise DatasetError(f"{where} names the {what} {name!r}, of which there is no picture; correct the list.")


def same_names(people: Mapping[str, Path], garments: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Each person with the garment of the same name, where there is one."""
    return [(name, name) for name in people if name in garments]


def other_garments(
    people: Sequence[str], worn: Sequence[tuple[str, str]], categories: Mapping[str, Category]
) -> list[tuple[str, str]]:
    """Each person with a garment that they do not wear: the next one of the kind that they wear.

    Args:
        people: their names, in order.
        worn: persons and garments that they wear, as far as known; the other people get one of any kind.
        categories: of all garments, in order.

    Returns:
        Person and garment; nobody for whom there is no other one.
    """
    names, pairs = list(categories), []
    for index, person in enumerate(people):
        own = [garment for wearer, garment in worn if wearer == person]
        kinds = {categories[garment] for garment in own} or set(categories.values())
        start = names.index(own[0]) + 1 if own else index
        ring = [names[(start + step) % len(names)] for step in range(len(names))]
        fitting = [name for name in ring if name not in own and categories[name] in kinds]
        if fitting:
            pairs.append((person, fitting[0]))
    return pairs


def choose_pairs(
    people: Sequence[str],
    lists: Mapping[str, Sequence[tuple[str, str]] | None],
    by_name: Sequence[tuple[str, str]],
    categories: Mapping[str, Any],
) -> dict[str, list[Pair]]:
    """The pairs of both orders, of garments that were prepared.

    Args:
        people: all names, in order.
        lists: of each order, where one was given.
        by_name: the pairs of equal names.
        categories: of each garment that was prepared, in order.
    """
    given = lists["paired"]
    paired = [pair for pair in (by_name if given is None else given) if pair[1] in categories]
    asked = lists["unpaired"]
    unpaired = other_garments(people, paired, categories) if asked is None else asked
    return {
        order: [Pair(person, name, categories[name]) for person, name in listed if name in categories]
        for order, listed in (("paired", paired), ("unpaired", unpaired))
    }
