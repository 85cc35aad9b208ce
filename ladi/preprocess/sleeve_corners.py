"""Where a garment's sleeves end in its picture, by its outline.

Below a sleeve an outline turns in to the armpit. From there it runs along the sleeve's under side, if that is
seen, across the sleeve's end, and back to the neck over the shoulder, where it bends.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

_DEEP, _MIDDLE, _HIGHEST, _LOWEST = 0.02, 0.1, 0.12, 0.75
"""How deep an armpit lies within the hull, of the garment's height; how far beside the middle at least, of
its width; and how far down it may be."""
_UPWARDS = 0.15
"""How much the outer corner is the upper one, against how far out it is."""
_UNDERSIDE = 0.04
"""How far the inner corner is from a line from the armpit to the outer one, of the garment's height, where
the sleeve's under side is seen; otherwise the armpit is that corner."""
_END, _LENGTH = (0.06, 0.4), (0.1, 0.7)
"""How long a sleeve's end is, likewise, and a sleeve, at least and at most."""
_CROSSWISE = 0.5
"""Sine of the angle from which an end lies across its sleeve."""


class SleeveCorners(NamedTuple):
    """One sleeve, as (x,y) in [-1,1] of the picture each."""

    shoulder: np.ndarray
    """Where the outline bends over it."""
    outer: np.ndarray
    inner: np.ndarray


def sleeve_corners(matte: np.ndarray) -> tuple[SleeveCorners | None, SleeveCorners | None]:
    """The sleeve on the left of the picture and the one on its right; None where the outline tells of none.

    Args:
        matte: (H,W) in [0,1], where the garment is, without its lining.
    """
    contours, _ = cv2.findContours((matte > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None, None
    outline = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(outline, returnPoints=False)
    try:
        defects = cv2.convexityDefects(outline, hull)
    except cv2.error:
        # An outline that touches itself has no such order.
        return None, None
    if defects is None:
        return None, None
    points, bays = outline.reshape(-1, 2).astype(np.float64), defects.reshape(-1, 4)
    left, right = (_sleeve(points, bays, matte.shape, side) for side in (-1, 1))
    return left, right


def _sleeve(points: np.ndarray, bays: np.ndarray, size: tuple[int, ...], side: int) -> SleeveCorners | None:
    """One sleeve by the outline (N,2) and the (M,4) bays of it: where they begin, end and are deepest."""
    low, high = points.min(0), points.max(0)
    middle, (width, height) = (low + high) / 2, high - low
    away = side * (points[bays[:, 2], 0] - middle[0]) / width
    down = (points[bays[:, 2], 1] - low[1]) / height
    deep = bays[:, 3] / 256 * ((away > _MIDDLE) & (down > _HIGHEST) & (down < _LOWEST))
    if deep.max() < _DEEP * height:
        return None
    armpit = int(bays[deep.argmax(), 2])
    on_side = side * (points[:, 0] - middle[0]) > 0
    path = _between(points, armpit, int(np.where(on_side, points[:, 1], np.inf).argmin()), side)
    last = int((side * path[:, 0] - _UPWARDS * path[:, 1]).argmax())
    under, over = path[: last + 1], path[last:]
    if len(under) < 3 or len(over) < 3:
        return None
    bend = -side * _beside(under)
    first = int(bend.argmax()) if bend.max() > _UNDERSIDE * height else 0
    shoulder, outer, inner = over[np.abs(_beside(over)).argmax()], path[last], path[first]
    across, along = outer - inner, (outer + inner) / 2 - shoulder
    span, run = np.hypot(*across) / height, np.hypot(*along) / height
    if not (_END[0] < span < _END[1] and _LENGTH[0] < run < _LENGTH[1]):
        return None
    if abs(across[0] * along[1] - across[1] * along[0]) < _CROSSWISE * span * run * height**2:
        return None
    scale = np.array(size[1::-1])
    return SleeveCorners(*((2 * place + 1) / scale - 1 for place in (shoulder, outer, inner)))


def _between(points: np.ndarray, start: int, stop: int, side: int) -> np.ndarray:
    """The outline (N,2) from one place to another, the way that goes farther out to a side."""
    count = len(points)
    ways = [
        points[(start + step * np.arange((step * (stop - start)) % count + 1)) % count] for step in (1, -1)
    ]
    return max(ways, key=lambda way: (side * way[:, 0]).max() - way[:, 1].max())


def _beside(path: np.ndarray) -> np.ndarray:
    """How far a path's points (N,2) are beside the straight line between its ends, to its left: (N,)."""
    run, off = path[-1] - path[0], path - path[0]
    return np.asarray(off[:, 0] * run[1] - off[:, 1] * run[0]) / max(float(np.hypot(*run)), 1e-6)
