"""Trousers' legs where a coat hid them: from the waist they go on to where they are seen below its hem.

Hips and crotch are told by the joints, the rest by the legs that the photo shows.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

HIP, WIDEST = 0.23, 0.4
"""Half a trouser leg's width, of the distance between the shoulders; and where wider ones are seen."""
CROTCH = 0.3
"""How far below the hips' joints the legs of trousers part, in torsos."""
_HEM = 0.15
"""How wide a row of a coat is, of the distance between the shoulders; narrower ones are its corners."""
_LOOK = 0.1
"""How far below the hem legs are looked at, in torsos: right at it labels are ragged."""
_LEG, _GAP = 0.15, 0.03
"""How wide a leg is at least, and what is between two, likewise."""
_THIGHS = 0.8
"""So far below the hips, in torsos, a hem tells nothing of how wide these are."""
_CORNERS = 0.3
"""How far below its hem a coat's corners may hang, in torsos."""
_SPREAD = 0.8
"""How high legs meet above a gap between them, at least, of its width."""
_SUBPIXEL = 4
"""OpenCV's bits of a pixel's share."""


class _Seen(NamedTuple):
    """The legs below a hem."""

    hem: int
    """The row below what hides them."""
    row: int
    """Where they were looked at."""
    outer: tuple[float, float]
    """Their left and right edge."""
    gap: tuple[float, float] | None
    """Left and right edge of what is between them."""


def legs_beneath(
    legs: np.ndarray, worn: np.ndarray, hips: np.ndarray, width: float, torso: float
) -> np.ndarray:
    """Where trousers are between the hips and the hem of what was worn over them.

    Args:
        legs: (H,W) bool, what the photo shows of trousers.
        worn: (H,W) bool, what was worn over them and is taken away.
        hips: (2,2), both hips' joints as (x,y).
        width: the distance between the shoulders, in pixels.
        torso: from the neck to the hips, in pixels.

    Returns:
        (H,W) bool, from the hips down to below the hem; nowhere where no legs are seen there.
    """
    hips = hips[np.argsort(hips[:, 0])]
    region = np.zeros(legs.shape, np.uint8)
    waist = float(hips[:, 1].mean())
    seen = _seen_below(legs, worn, hips, width, torso)
    if seen is None or seen.hem <= waist:
        return region > 0
    sides = (hips[0, 0] - HIP * width, hips[1, 0] + HIP * width)
    left = max(seen.outer[0], sides[0] - WIDEST * width)
    right = min(seen.outer[1], sides[1] + WIDEST * width)
    # Right below the hips trousers are as wide as they are seen.
    far = min(1.0, (seen.hem - waist) / (_THIGHS * torso))
    hip = [far * side + (1 - far) * edge for side, edge in zip(sides, (left, right), strict=True)]
    # Corners of a coat hang lower than its hem.
    last = seen.row + _CORNERS * torso
    outline = [
        (hip[0], waist),
        (hip[1], waist),
        (right, seen.row),
        (right, last),
        (left, last),
        (left, seen.row),
    ]
    _fill(region, outline, 1)
    if seen.gap is not None:
        # Legs that are far apart at the hem do not meet right above it.
        crotch = min(waist + CROTCH * torso, seen.hem - _SPREAD * (seen.gap[1] - seen.gap[0]))
        middle = (hips[0, 0] + hips[1, 0]) / 2
        between = [(middle, crotch), (seen.gap[1], seen.row), (seen.gap[1], last), (seen.gap[0], last)]
        _fill(region, [*between, (seen.gap[0], seen.row)], 0)
    return region > 0


def _seen_below(
    legs: np.ndarray, worn: np.ndarray, hips: np.ndarray, width: float, torso: float
) -> _Seen | None:
    rows = np.flatnonzero(worn.sum(axis=1) > _HEM * width)
    rows = rows[rows > hips[:, 1].mean()]
    if not rows.size:
        return None
    look = max(2, round(_LOOK * torso))
    hem = int(rows.max()) + 1
    row = hem + look
    below = legs[row : row + look]
    if not len(below):
        return None
    columns = np.flatnonzero(np.diff(np.pad((below.mean(axis=0) > 0.5).astype(np.int8), 1)))
    runs = [(int(a), int(b)) for a, b in columns.reshape(-1, 2) if b - a > _LEG * width]
    runs = [run for run in runs if run[1] > hips[0, 0] - width / 2 and run[0] < hips[1, 0] + width / 2]
    if not runs:
        return None
    gap = max(zip(runs, runs[1:], strict=False), key=lambda two: two[1][0] - two[0][1], default=None)
    between = None
    if gap is not None and gap[1][0] - gap[0][1] > _GAP * width:
        between = float(gap[0][1]), float(gap[1][0])
    return _Seen(hem, row, (float(runs[0][0]), float(runs[-1][1])), between)


def _fill(region: np.ndarray, corners: list[tuple[float, float]], value: int) -> None:
    points = np.rint(np.array(corners) * 2**_SUBPIXEL).astype(np.int32)
    cv2.fillPoly(region, [points], value, shift=_SUBPIXEL)
