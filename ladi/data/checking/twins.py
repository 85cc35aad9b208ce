"""The same picture under two names, and the same pair in two splits.

Pictures are the same where their files are, byte for byte, or where they look the same at a glance: saved
again as another file, at another quality or size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ladi.data.checking.contents import Contents, Issue
from ladi.data.checking.inspecting import Look

SAME = 3.0
"""Mean difference of two thumbnails, of 255, up to which they show the same picture. Of 206 photos of VITON
saved again (quality 75 or 40, half or four times the size) all differ by less than 1.1 from themselves; of
3,512 different ones all but one pair by more than 8.9 from each other, and that pair, at 1.9, is one photo
edited."""
_AT_ONCE = 512


def group(looks: Sequence[Look]) -> dict[str, int]:
    """A number for each picture by its name, equal for those that are the same."""
    by_digest: dict[bytes, int] = {}
    first: list[np.ndarray] = []
    numbers = {}
    for look in looks:
        if look.thumbnail is None:
            continue
        if look.digest not in by_digest:
            by_digest[look.digest] = len(first)
            first.append(look.thumbnail)
        numbers[look.item.name] = by_digest[look.digest]
    if not first:
        return {}
    groups = _alike(np.stack(first))
    return {name: int(groups[number]) for name, number in numbers.items()}


def _alike(thumbnails: np.ndarray) -> np.ndarray:
    """(N,) group of each row of (N,D)."""
    squares = (thumbnails**2).sum(axis=1)
    rows, columns = [], []
    for start in range(0, len(thumbnails), _AT_ONCE):
        part = thumbnails[start : start + _AT_ONCE]
        apart = squares[start : start + _AT_ONCE, None] + squares[None] - 2 * part @ thumbnails.T
        # Candidates by the root of the mean square, which a product of matrices gives; then the mean itself.
        row, column = np.nonzero(apart <= thumbnails.shape[1] * (3 * SAME) ** 2)
        row += start
        near = np.abs(thumbnails[row] - thumbnails[column]).mean(axis=1) <= SAME
        rows.append(row[near])
        columns.append(column[near])
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(row)), (row, column)), shape=(len(thumbnails), len(thumbnails)))
    return connected_components(graph, directed=False)[1]


def find_duplicates(looks: Mapping[str, Look], photos: Mapping[str, int]) -> Iterator[Issue]:
    """Photos that are the same, and garments whose files are, each beside the first of its kind.

    Args:
        looks: at every file, by its name.
        photos: the group of each photo.
    """
    garments = {
        name: look.digest for name, look in looks.items() if look.item.role == "garment" and look.digest
    }
    for same in (photos, garments):
        first: dict[object, str] = {}
        for name, key in same.items():
            other = first.setdefault(key, name)
            if other != name:
                equal = looks[name].digest == looks[other].digest
                how = "is the same file as" if equal else "looks the same as"
                yield Issue("warning", "duplicate", name, f"{how} {other}")


def find_leaks(
    splits: Sequence[Contents], photos: Mapping[str, int], garments: Mapping[str, int]
) -> Iterator[Issue]:
    """Pairs and people that stand in two splits, whatever they are called there.

    Args:
        splits: with their pairs.
        photos: the group of each photo.
        garments: the group of each garment.
    """
    pairs: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    people: dict[int, dict[str, str]] = defaultdict(dict)
    for contents in splits:
        for pair in contents.pairs:
            photo, garment = photos.get(pair.photo), garments.get(pair.garment)
            if photo is None:
                continue
            here = contents.split
            elsewhere = _elsewhere(pairs[photo, garment], here) if garment is not None else ""
            if garment is not None:
                pairs[photo, garment].setdefault(here, pair.id)
            if elsewhere:
                yield Issue("fault", "pair in two splits", f"{here}: {pair.id}", f"stands in {elsewhere} too")
            elif elsewhere := _elsewhere(people[photo], here):
                message = f"is in {elsewhere} too, in another garment's pair"
                yield Issue("warning", "photo in two splits", f"{here}: {pair.id}", message)
            people[photo].setdefault(here, pair.id)


def _elsewhere(found: Mapping[str, str], here: str) -> str:
    return ", ".join(f"{split} (as {name})" for split, name in found.items() if split != here)
