"""A top's hem and sides as even lines: without the notches, steps and bulges of a painted one.

Belts, pockets and old hems leave notches in it, and the width of an old coat bulges beside the waist.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS

_WALL, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "garment", "other"))
_TRUNK = 0.55
"""How far beside the hips' middle a hem is looked for, of the distance between the shoulders."""
_NARROW, _SHORTEST = 0.3, 0.3
"""Likewise, how wide what is narrower is a notch or a tooth; and how long an edge is at least."""
_SMOOTH = 0.025
"""Likewise, the deviation over which it is evened out then."""
_UP, _DOWN = 0.12, 0.3
"""Of the trunk's length, by how much a hem is moved up and down at most: more is a garment's own cut."""
_IN, _OUT = 0.12, 0.12
"""Likewise, a side."""
_ARMPIT = 0.4
"""Likewise, how far below the shoulders sides begin."""


def even_hem(shown: np.ndarray, free: np.ndarray, limbs: Limbs) -> tuple[np.ndarray, np.ndarray]:
    """Where a hem before trousers or a skirt is to be lower, and where higher: (H,W) bool twice.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        free: (H,W) bool, where that may be changed.
        limbs: of the person.
    """
    first = shown.argmax(0)
    trunk = np.abs(np.arange(first.shape[1]) - limbs.hips[0]) < _TRUNK * limbs.width
    return _evened(first, free, trunk, limbs, beyond=_OTHER, most=(_UP, _DOWN))


def even_sides(shown: np.ndarray, free: np.ndarray, limbs: Limbs) -> tuple[np.ndarray, np.ndarray]:
    """Where a top's sides before the wall are to be farther out, and where farther in: (H,W) bool twice.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        free: (H,W) bool, where that may be changed.
        limbs: of the person.
    """
    first = shown.argmax(0)
    out, back = np.zeros_like(free), np.zeros_like(free)
    below = np.arange(len(first)) > limbs.neck[1] + _ARMPIT * limbs.torso
    middle = round(float(limbs.hips[0].clip(0, first.shape[1] - 1)))
    for side in (np.s_[:, middle:], np.s_[:, middle::-1]):
        part = first[side].T
        if part.size:
            more, less = _evened(part, free[side].T, below, limbs, beyond=_WALL, most=(_IN, _OUT))
            out[side], back[side] = more.T, less.T
    return out, back


def _evened(
    first: np.ndarray,
    free: np.ndarray,
    where: np.ndarray,
    limbs: Limbs,
    *,
    beyond: int,
    most: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """The same of the last row that a garment has in each column.

    Args:
        first: (N,M) numbers into ``LAYERS``.
        free: (N,M) bool.
        where: (M,) bool, in which columns.
        limbs: of the person, for lengths.
        beyond: the layer that must follow.
        most: by how much the edge is moved back and on at most, of the trunk's length.
    """
    rows, cloth = np.arange(len(first))[:, None], first == _GARMENT
    last = len(cloth) - 1 - cloth[::-1].argmax(0)
    following = first[(last + 1).clip(0, len(cloth) - 1), np.arange(cloth.shape[1])]
    edge = where & cloth.any(0) & (following == beyond)
    more, less = np.zeros_like(free), np.zeros_like(free)
    size = max(3, round(_NARROW * limbs.width))
    blocked = (rows > last) & ~(free & (first == beyond))
    farthest = np.where(blocked.any(0), blocked.argmax(0) - 1, len(cloth) - 1)
    runs, count = ndimage.label(edge)
    for number in range(1, count + 1):
        columns = np.flatnonzero(runs == number)
        if columns.size < _SHORTEST * limbs.width:
            continue
        line = last[columns].astype(np.float64)
        even = ndimage.grey_opening(ndimage.grey_closing(line, size, mode="nearest"), size, mode="nearest")
        even = ndimage.gaussian_filter1d(even, _SMOOTH * limbs.width, mode="nearest")
        # An edge that may go no farther in one place goes no farther beside it.
        possible = ndimage.grey_erosion(farthest[columns], max(3, size // 3), mode="nearest")
        even = np.minimum(even, np.maximum(possible, line))
        moved = (even.round() - line) / limbs.torso
        even = np.where((moved >= -most[0]) & (moved <= most[1]), even.round(), line)
        more[:, columns] = (rows > line) & (rows <= even)
        less[:, columns] = (rows > even) & (rows <= line)
    return more & free & (first == beyond), less & free & cloth
