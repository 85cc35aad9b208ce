"""Whatever lies in a folder, as one data set: VITON-HD, Dress Code, shards, or your own photos.

It recognises layouts and opens them; what each looks like stands in the module of its reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Literal

from ladi.data.dresscode import DressCodeDataset
from ladi.data.prepared import MANIFEST, PreparedDataset
from ladi.data.sample import DatasetError, Order, PairDataset, Sample
from ladi.data.shards import ShardDataset
from ladi.data.vitonhd import VitonHdDataset
from ladi.types import CATEGORIES, Category, SettingError, Size

Layout = Literal["prepared", "shards", "dresscode", "vitonhd"]
LAYOUT_NAMES: dict[Layout, str] = {
    "prepared": "prepared",
    "shards": "shards",
    "dresscode": "Dress Code",
    "vitonhd": "VITON-HD",
}
_SHARD = re.compile(r"(?P<split>.+)-\d+\.tar")


class JoinedPairs(PairDataset):
    """Several data sets one after the other."""

    def __init__(self, parts: Sequence[PairDataset]) -> None:
        self.parts = list(parts)
        self._ends = list(accumulate(len(part) for part in self.parts))

    @property
    def ids(self) -> list[str]:
        """The parts' names, in their order."""
        return [name for part in self.parts for name in part.ids]

    @property
    def garment_ids(self) -> list[str]:
        """Their garments' names."""
        return [name for part in self.parts for name in part.garment_ids]

    def __len__(self) -> int:
        """How many pairs all have together."""
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> Sample:
        """Read pair ``index``; errors are the part's own."""
        index = range(len(self))[index]
        which = next(number for number, end in enumerate(self._ends) if index < end)
        return self.parts[which][index - self._ends[which] + len(self.parts[which])]


def open_dataset(
    root: Path,
    split: str = "test",
    *,
    order: Order = "paired",
    size: Size = (512, 384),
    categories: Sequence[Category] | None = None,
) -> PairDataset:
    """The pairs of one split of whatever data set lies in a folder.

    Args:
        root: the folder.
        split: ``test``, ``train``, or what else the data set calls its parts.
        order: ``paired`` gives each person their own garment, ``unpaired`` another one.
        size: (height, width) of everything handed out.
        categories: which kinds of garments; all there are, in the order of ``CATEGORIES``, unless given.

    Raises:
        DatasetError: nothing that is known lies there, or not this split.
        SettingError: an unknown category or order, or one that the data set does not have.
    """
    root = Path(root)
    if unknown := sorted(set(categories or ()) - set(CATEGORIES)):
        raise SettingError(f"The category must be one of {', '.join(CATEGORIES)}, got {', '.join(unknown)}.")
    layout = recognise_layout(root)
    if layout is None:
        raise DatasetError(f"{_nothing(root)} It needs {what_is_known()}.")
    splits = find_splits(root, layout)
    if split not in splits:
        raise DatasetError(
            f"The {LAYOUT_NAMES[layout]} data in {root} have no split {split!r}: choose {', '.join(splits)}."
        )
    return _OPENERS[layout](root, split, order, size, categories)


def recognise_layout(root: Path) -> Layout | None:
    """Which data set lies in a folder; nothing where it is none of those that are known."""
    return next((layout for layout in LAYOUT_NAMES if find_splits(root, layout)), None)


def find_splits(root: Path, layout: Layout) -> list[str]:
    """The names of a data set's parts, ``train`` first; none where the folder has another layout."""
    return sorted(_SPLITS[layout](root), key=lambda name: (name != "train", name))


def what_is_known() -> str:
    """The layouts, for messages."""
    return (
        "shards {split}-NN.tar, VITON-HD's {split}/ with {split}_pairs.txt, Dress Code's upper_body, "
        "lower_body or dresses, or photos of your own made ready by `python -m ladi prepare`"
    )


def dress_code_categories(root: Path) -> list[Category]:
    """The categories of which a folder has labelled people."""
    return [category for category in CATEGORIES if (root / category / "label_maps").is_dir()]


def _nothing(root: Path) -> str:
    if not root.is_dir():
        return f"There is no folder {root}."
    return f"The folder {root} holds no data set that is known."


def _shard_splits(root: Path) -> set[str]:
    return {found["split"] for path in root.glob("*.tar") if (found := _SHARD.fullmatch(path.name))}


def _viton_splits(root: Path) -> set[str]:
    listed = {path.name.removesuffix("_pairs.txt") for path in root.glob("*_pairs.txt")}
    labelled = {path.parent.name for path in root.glob("*/image-parse-v3")}
    return labelled | {name for name in listed if (root / name).is_dir()}


def _dress_code_splits(root: Path) -> set[str]:
    folders = [root / category for category in dress_code_categories(root)]
    names = {path.name.partition("_pairs")[0] for folder in folders for path in folder.glob("*_pairs*.txt")}
    return names or ({"test"} if folders else set())


def _prepared_splits(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob(f"*/{MANIFEST}")}


def _open_prepared(
    root: Path, split: str, order: Order, size: Size, categories: Sequence[Category] | None
) -> PairDataset:
    return PreparedDataset(root, split, order=order, size=size, categories=categories)


def _open_shards(
    root: Path, split: str, order: Order, size: Size, categories: Sequence[Category] | None
) -> PairDataset:
    _only_tops(categories, "Shards")
    return ShardDataset(root, split, order=order, size=size)


def _open_viton(
    root: Path, split: str, order: Order, size: Size, categories: Sequence[Category] | None
) -> PairDataset:
    _only_tops(categories, "VITON-HD's pairs")
    return VitonHdDataset(root, split, order=order, size=size)


def _open_dress_code(
    root: Path, split: str, order: Order, size: Size, categories: Sequence[Category] | None
) -> PairDataset:
    chosen = [name for name in CATEGORIES if name in (categories or dress_code_categories(root))]
    return JoinedPairs([DressCodeDataset(root, name, split, order=order, size=size) for name in chosen])


def _only_tops(categories: Sequence[Category] | None, whose: str) -> None:
    if categories and set(categories) != {"upper_body"}:
        raise SettingError(f"{whose} are all of upper_body, got {', '.join(categories)}.")


_SPLITS: dict[Layout, Callable[[Path], set[str]]] = {
    "prepared": _prepared_splits,
    "shards": _shard_splits,
    "dresscode": _dress_code_splits,
    "vitonhd": _viton_splits,
}
_OPENERS: dict[Layout, Callable[[Path, str, Order, Size, Sequence[Category] | None], PairDataset]] = {
    "prepared": _open_prepared,
    "shards": _open_shards,
    "dresscode": _open_dress_code,
    "vitonhd": _open_viton,
}
