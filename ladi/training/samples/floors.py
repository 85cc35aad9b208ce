"""What garments are photographed on: floors, beds, sheets and walls, cut from photos' corners or drawn.

A drawn texture has no folds and no carpet's pile, and a network that has seen nothing else takes a bed along
with the shirt. Corners of amateurs' photos show such things nearly always.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ladi.files import write_json, written_whole
from ladi.training.samples.augment import background_texture
from ladi.training.samples.scenes import relight
from ladi.types import Size

SIDE = 128
"""Pixels of a stored corner."""
SHARES = (0.16, 0.24)
"""Of a photo's shorter side that a corner covers, a small and a large one."""
DRAWN_SHARE = 0.2
TURNED_SHARE = 0.5


def corners_of(photo: Image.Image) -> Iterator[np.ndarray]:
    """The corners of a photo, each small and large: (SIDE,SIDE,3) uint8."""
    width, height = photo.size
    for share in SHARES:
        side = max(8, round(share * min(width, height)))
        for left in (0, width - side):
            for top in (0, height - side):
                yield np.asarray(photo.resize((SIDE, SIDE), box=(left, top, left + side, top + side)))


def build_floors(photos: Path, folder: Path, without: frozenset[str] = frozenset()) -> np.ndarray:
    """Cuts corners from all pictures of a folder, or opens what was cut before.

    Args:
        photos: a folder with pictures.
        folder: where they are kept.
        without: names of files to leave out, for pictures that something is judged by later.

    Returns:
        (N,SIDE,SIDE,3) uint8, memory-mapped.
    """
    target = folder / "floors.npy"
    if not target.is_file():
        names, corners = [], []
        for path in sorted(photos.iterdir()):
            if path.name in without:
                continue
            try:
                with Image.open(path) as opened:
                    corners += list(corners_of(opened.convert("RGB")))
            except (UnidentifiedImageError, OSError):
                continue
            names.append(path.name)
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as draft, draft.open("wb") as file:
            np.save(file, np.stack(corners))
        write_json(folder / "floors.json", names)
    return np.load(target, mmap_mode="r")


def draw_floor(floors: np.ndarray | None, size: Size, rng: np.random.Generator) -> np.ndarray:
    """A background (H,W,3) uint8: a stored corner, tiled as in a mirror, in other light; or a drawn one.

    Args:
        floors: :func:`build_floors`'s; without them all are drawn.
        size: height and width.
        rng: chooses everything.
    """
    if floors is None or rng.random() < DRAWN_SHARE:
        return background_texture(size, rng)
    corner = np.asarray(floors[int(rng.integers(len(floors)))])
    for _ in range(int(rng.integers(4))):
        corner = np.rot90(corner)
    if rng.random() < TURNED_SHARE:
        corner = corner[..., rng.permutation(3)]  # the same folds in another colour
    side = int(rng.uniform(0.4, 1.5) * size[0])
    large = cv2.resize(np.ascontiguousarray(corner), (side, side))
    rows = _mirrored(np.arange(size[0]) + int(rng.integers(side)), side)
    columns = _mirrored(np.arange(size[1]) + int(rng.integers(side)), side)
    return relight(large[rows[:, None], columns[None]], rng)


def _mirrored(places: np.ndarray, side: int) -> np.ndarray:
    """Places along an edge, going back and forth over ``side`` pixels."""
    within = places % (2 * side)
    return np.where(within < side, within, 2 * side - 1 - within)
