"""The upright box around what is on in a mask."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladi.types import Size


class Box(NamedTuple):
    """Edges in pixels; those below and to the right are just outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def window(self) -> tuple[slice, slice]:
        """For indexing."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by: int, size: Size) -> Box:
        """With so much more on every side, as far as a picture of this size goes."""
        return Box(
            max(0, self.top - by),
            max(0, self.left - by),
            min(size[0], self.bottom + by),
            min(size[1], self.right + by),
        )

    def within(self, around: Box) -> Box:
        """Counted from the corner of a box around it."""
        return Box(
            self.top - around.top,
            self.left - around.left,
            self.bottom - around.top,
            self.right - around.left,
        )


def box_of(on: np.ndarray) -> Box | None:
    """The box around all that is on in (H,W) bool; nothing where nothing is."""
    rows, columns = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    if not rows.size:
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def whole(array: np.ndarray) -> Box:
    """The box of a whole picture or mask."""
    return Box(0, 0, array.shape[0], array.shape[1])
