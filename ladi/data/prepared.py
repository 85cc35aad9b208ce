"""Your own photos after ``python -m ladi prepare``: where everything lies, and reading it.

It reads; what is written there, ``preparing/`` makes. Layout, in ``{split}/``:

- ``prepared.json``: the settings, what failed and why, what was found;
- ``paired.csv`` and ``unpaired.csv``: person, garment and category of each pair, under a line of headings;
- ``people/{category}/image/{name}.png``, ``labels/{name}.png`` and ``keypoints/{name}.json``: the person as
  the model's window shows them for that category, all at one size, with joints in its pixels;
- ``garments/image/{name}.png``, ``mask/{name}.png`` and ``record/{name}.json``: the garment on the model's
  background.

A json file is written after the pictures that it belongs to: where it is, they are whole.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from ladi.data.sample import (
    DatasetError,
    Order,
    PairDataset,
    Sample,
    read_json,
    read_labels,
    read_mask,
    read_rgb,
    scale_keypoints,
)
from ladi.files import written_whole
from ladi.types import CATEGORIES, KEYPOINT_NAMES, Category, SettingError, Size

MANIFEST = "prepared.json"
HEADINGS = ("person", "garment", "category")


class Pair(NamedTuple):
    """One line of a list."""

    person: str
    garment: str
    category: Category


class PersonPlace(NamedTuple):
    """The files of one person."""

    image: Path
    labels: Path
    keypoints: Path


class GarmentPlace(NamedTuple):
    """The files of one garment."""

    image: Path
    mask: Path
    record: Path


def person_place(folder: Path, name: str, category: Category) -> PersonPlace:
    """Where a person lies in a split's folder."""
    own = folder / "people" / category
    return PersonPlace(
        own / "image" / f"{name}.png", own / "labels" / f"{name}.png", own / "keypoints" / f"{name}.json"
    )


def garment_place(folder: Path, name: str) -> GarmentPlace:
    """Where a garment lies in a split's folder."""
    own = folder / "garments"
    return GarmentPlace(
        own / "image" / f"{name}.png", own / "mask" / f"{name}.png", own / "record" / f"{name}.json"
    )


class PreparedDataset(PairDataset):
    """The pairs of one order, in the order of their list."""

    def __init__(
        self,
        root: str | Path,
        split: str = "test",
        *,
        order: Order = "paired",
        size: Size = (512, 384),
        categories: Sequence[Category] | None = None,
    ) -> None:
        """Read the list of pairs.

        Args:
            root: what ``--out`` named.
            split: what ``--split`` named.
            order: ``paired`` gives each person the garment that they wear, ``unpaired`` another one.
            size: (height, width) of everything handed out.
            categories: which kinds of garments; all, unless given.

        Raises:
            DatasetError: the preparation has not been finished, or left no pair of this kind.
            SettingError: unknown order.
        """
        if order not in get_args(Order):
            raise SettingError(f'The order must be "paired" or "unpaired", got "{order}".')
        self.folder, self.size = Path(root) / split, size
        listed = read_list(self.folder / f"{order}.csv")
        self.pairs = [pair for pair in listed if pair.category in (categories or CATEGORIES)]
        if not self.pairs:
            kinds = ", ".join(categories or CATEGORIES)
            flag = "--pairs" if order == "paired" else "--unpaired"
            raise DatasetError(
                f"{self.folder} has no {order} pairs of {kinds}: choose another order or category, or "
                f"prepare it with {flag} FILE."
            )

    @property
    def ids(self) -> list[str]:
        """The people's names."""
        return [pair.person for pair in self.pairs]

    @property
    def garment_ids(self) -> list[str]:
        """Their garments' names."""
        return [pair.garment for pair in self.pairs]

    def __getitem__(self, index: int) -> Sample:
        """Read pair ``index``.

        Raises:
            DatasetError: A file of the pair is missing or damaged; the sentence names it.
        """
        pair = self.pairs[index]
        person = person_place(self.folder, pair.person, pair.category)
        garment = garment_place(self.folder, pair.garment)
        joints, record = read_joints(person.keypoints)
        return Sample(
            id=pair.person,
            image=read_rgb(person.image, self.size),
            garment=read_rgb(garment.image, self.size),
            garment_mask=read_mask(garment.mask, self.size),
            labels=read_labels(person.labels, self.size),
            keypoints=scale_keypoints(joints, tuple(record["size"]), self.size),
            category=pair.category,
            scheme=record["scheme"],
            garment_id=pair.garment,
        )


def read_list(path: Path) -> list[Pair]:
    """The pairs of ``paired.csv`` or ``unpaired.csv``.

    Raises:
        DatasetError: it is missing or damaged.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing: run the same `python -m ladi prepare` again to finish it.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = [Pair(*(row.get(name) or "" for name in HEADINGS)) for row in rows]  # type: ignore[arg-type]
    if bad := next((pair for pair in pairs if not all(pair) or pair.category not in CATEGORIES), None):
        raise DatasetError(f"{path} must name person, garment and category in every line, got {tuple(bad)}.")
    return pairs


def write_list(path: Path, pairs: Sequence[Pair]) -> None:
    """Write ``paired.csv`` or ``unpaired.csv``, whole or not at all."""
    with written_whole(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(pairs)


def read_joints(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """A person's joints (18,3), and the whole record that they stand in.

    Raises:
        DatasetError: the file is missing, or not as this project writes it.
    """
    record = read_json(path)
    try:
        height, width = record["size"]
        known = record["scheme"] in ("lip", "dresscode") and height > 0 and width > 0
        joints = np.array(record["keypoints"], np.float64).reshape(len(KEYPOINT_NAMES), 3)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"The joints {path} are not in the layout of `python -m ladi prepare`.") from error
    if not known:
        raise DatasetError(f"The joints {path} are not in the layout of `python -m ladi prepare`.")
    return joints, record
