"""Where a garment's axis lies, and its outline in that mirror: laid flat, garments are even."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ladi.preprocess.boxes import box_of

_SIDE = 96
"""Pixels that the longer side keeps at least, where the axis is looked for."""
_STEPS, _SHARE = 6, 1 / 24
"""How far the axis is looked for to both sides of the middle, in steps of this share of the width."""
_TILTS = (-12.0, -6.0, 0.0, 6.0, 12.0)
"""Degrees from upright."""
_CLOSER, _CLOSER_TILT = 3, 3.0
"""How often it is looked for around the best one, at half the step each time; degrees at first."""


class Mirrored(NamedTuple):
    """An outline in its own mirror."""

    outline: np.ndarray
    """(H,W) bool."""
    inside: np.ndarray
    """(H,W) bool, what of the mirror image is a part of the picture."""
    alike: float
    """Intersection over union of both, of what is inside."""


def mirror_like(outline: np.ndarray) -> Mirrored | None:
    """The mirror image that is most like the outline itself, by an axis that is nearly upright.

    Args:
        outline: (H,W) bool.

    Returns:
        None where nothing is there.
    """
    factor = max(1, max(outline.shape) // _SIDE)
    small = outline[::factor, ::factor]
    box = box_of(small)
    if box is None:
        return None
    middle, row = float(np.median(np.nonzero(small)[1])), (box.top + box.bottom - 1) / 2
    step = max(1.0, box.width * _SHARE)

    def look(column: float, tilt: float) -> tuple[float, float, float]:
        return _mirrored(small, column, row, tilt).alike, column, tilt

    best = max(look(middle + number * step, tilt) for number in range(-_STEPS, _STEPS + 1) for tilt in _TILTS)
    turn = _CLOSER_TILT
    for _ in range(_CLOSER):
        step /= 2
        best = max(look(best[1] + i * step, best[2] + j * turn) for i in (-1, 0, 1) for j in (-1, 0, 1))
        turn /= 2
    return _mirrored(outline, best[1] * factor, row * factor, best[2])


def _mirrored(outline: np.ndarray, column: float, row: float, tilt: float) -> Mirrored:
    """The outline in a mirror through (column, row), tilted by so many degrees."""
    cosine, sine = np.cos(2 * np.deg2rad(tilt)), np.sin(2 * np.deg2rad(tilt))
    turn = np.array([[-cosine, sine], [sine, cosine]])
    point = np.array([column, row])
    matrix = np.column_stack([turn, point - turn @ point])
    size = (outline.shape[1], outline.shape[0])
    image, inside = (
        cv2.warpAffine(one.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
        for one in (outline, np.ones_like(outline))
    )
    either = (image | outline) & inside
    return Mirrored(image, inside, float((image & outline).sum() / max(1, either.sum())))
