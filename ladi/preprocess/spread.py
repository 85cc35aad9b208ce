"""Sleeves that lie spread out, as people lay jumpers on beds, laid down beside the body.

Every network here has learnt from a shop's pictures, where sleeves hang. A jumper with its sleeves to both
sides is taken for something wide and short: it is shrunk to the shoulders, and its body ends above the waist.
Here each such sleeve is turned about its shoulder, beneath the body, until it hangs.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.boxes import box_of

_SIDE = 256
"""Pixels of the longer side at which the outline is measured."""
_ON, _NOTHING = 0.5, 255
"""Matte from which on there is something; and the level of what shows nothing: white, as decoders put it
behind transparent pictures."""
_TALL, _OUTER, _BODY = 90, 0.25, 0.3
"""Percentile of the columns' heights that is the body's; the share of the columns, at either side, of which
the middle one's height is a sleeve's; how far from that to the body's a column of the body is at least."""
_LONG, _SLIM = 0.43, 1.55
"""How long a sleeve is at least, in widths of the body, and in its own."""
_SPREAD, _HANGING = 50.0, 66.0
"""Degrees below the level up to which a sleeve lies spread out, and to which it is turned."""
_PIVOT = 0.3
"""How far down the seam a sleeve turns about."""
_RIM = 0.004
"""Of the garment's height, the body's edge, which shows what it lay on and is not drawn over a sleeve."""


class Hanging(NamedTuple):
    """A garment whose sleeves were laid down."""

    pixels: np.ndarray
    """(H',W,3) uint8, taller than before where a sleeve needs it."""
    matte: np.ndarray
    """(H',W) float32 in [0,1]."""
    both: bool
    """Whether both sleeves lay spread out: nothing of them is folded under, and they are long."""


class _Sleeve(NamedTuple):
    """One sleeve, at the picture's size."""

    side: float
    """Column from which on it is one."""
    left: bool
    """Whether it is what lies to the left of that."""
    pivot: tuple[float, float]
    """(x,y), on its seam."""
    turn: float
    """Degrees downwards."""


def with_sleeves_down(pixels: np.ndarray, matte: np.ndarray) -> Hanging | None:
    """A garment with hanging sleeves; None where no sleeve lies spread out.

    Args:
        pixels: (H,W,3) uint8, the garment upright.
        matte: (H,W) float in [0,1], where it is.
    """
    sleeves = _find(matte)
    if not sleeves:
        return None
    box = box_of(matte > _ON)
    assert box is not None
    longer = max(max(one.side - box.left if one.left else box.right - one.side for one in sleeves), 1)
    below = max(0, round(max(one.pivot[1] for one in sleeves) + 1.2 * longer) - len(matte))
    around = [(0, below), (0, 0)]
    picture = np.pad(pixels, [*around, (0, 0)], constant_values=_NOTHING)
    body = np.pad(np.asarray(matte, np.float32), around)
    columns = np.arange(body.shape[1])
    laid: list[tuple[np.ndarray, np.ndarray]] = []
    result = picture.copy()
    for sleeve in sleeves:
        beyond = columns < sleeve.side if sleeve.left else columns >= sleeve.side
        share = np.where(beyond & ~_belongs(body, beyond), body, 0)
        body = body - share
        result[share > 0] = _NOTHING
        places = _turned(sleeve, (body.shape[0], body.shape[1]))
        laid.append(
            (
                cv2.remap(picture, *places, cv2.INTER_LINEAR, borderValue=(_NOTHING,) * 3),
                cv2.remap(share, *places, cv2.INTER_LINEAR),
            )
        )
    rim = max(1, round(_RIM * box.height))
    inner = (
        cv2.erode((body > 1 - _ON / 4).astype(np.uint8), np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)) > 0
    )
    whole = body
    for turned, share in laid:
        seen = ~inner & ((share > _ON) | (share > whole))
        result[seen] = turned[seen]
        whole = np.maximum(whole, share)
    return Hanging(result, whole, len(sleeves) == 2)


def _belongs(matte: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """What is the body's all the same where a sleeve is: its hem, below the uppermost piece of a column.

    Args:
        matte: (H,W) in [0,1].
        beyond: (W,) bool, the sleeve's columns.
    """
    on = matte > _ON
    begun = np.maximum.accumulate(on, axis=0)
    lower = np.maximum.accumulate(begun & ~on, axis=0) & on
    pieces, _ = ndimage.label(on & (lower | ~beyond))
    return np.asarray((pieces == np.bincount(pieces[pieces > 0]).argmax()) & lower & beyond)


def _first_run(column: np.ndarray) -> np.ndarray:
    """The rows of the uppermost piece of a column (H,) bool that is not empty."""
    rows = np.flatnonzero(column)
    return np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)[0]


def _turned(sleeve: _Sleeve, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a turned sleeve comes from: columns and rows, (H,W) float32 each.

    The seam turns by none at the top and by all at the bottom, so that above the pivot there is no gap.
    """
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    outwards = sleeve.pivot[0] - columns if sleeve.left else columns - sleeve.pivot[0]
    down = rows - sleeve.pivot[1]
    reach, turn = np.hypot(outwards, down), np.float32(np.radians(sleeve.turn))
    angle = np.arctan2(outwards, -down)  # from straight up, outwards
    angle = np.where(angle < turn - np.pi, angle + 2 * np.pi, angle)
    angle -= angle.clip(0, turn)
    outwards, down = reach * np.sin(angle) + 1, -reach * np.cos(angle)
    places = sleeve.pivot[0] - outwards if sleeve.left else sleeve.pivot[0] + outwards
    return places.astype(np.float32), (sleeve.pivot[1] + down).astype(np.float32)


def _find(matte: np.ndarray) -> list[_Sleeve]:
    """The sleeves that lie spread out."""
    scale = _SIDE / max(matte.shape)
    size = max(1, round(matte.shape[1] * scale)), max(1, round(matte.shape[0] * scale))
    on = cv2.resize(np.asarray(matte, np.float32), size, interpolation=cv2.INTER_AREA) > _ON
    box = box_of(on)
    if box is None:
        return []
    heights = on.sum(0)
    inside = np.flatnonzero(heights)
    tall, outer = np.percentile(heights[inside], _TALL), max(1, round(_OUTER * len(inside)))
    thin = np.median(np.concatenate([heights[inside[:outer]], heights[inside[-outer:]]]))
    body = np.flatnonzero(heights >= thin + _BODY * (tall - thin))
    # The body is the columns around its middle; a cuff that hangs is none of it.
    gaps = np.flatnonzero(np.diff(body) > 1)
    runs = np.split(body, gaps + 1)
    run = max(runs, key=len)
    first, last = int(run[0]), int(run[-1])
    width, found = last - first + 1, []
    for left in (True, False):
        columns = np.arange(box.left, first) if left else np.arange(last + 1, box.right)
        if len(columns) < _LONG * width:
            continue
        thickness = float(np.median(heights[columns]))
        if not thickness or len(columns) < _SLIM * thickness:
            continue
        edge = first if left else last
        seam = _first_run(on[:, columns[-1] if left else columns[0]])
        middles = np.array([np.flatnonzero(on[:, c]).mean() if heights[c] else np.nan for c in columns])
        known = ~np.isnan(middles)
        away = np.abs(columns[known] - edge)
        slope = float(np.polyfit(away, middles[known], 1)[0])
        angle = float(np.degrees(np.arctan(slope)))
        if angle > _SPREAD:
            continue
        found.append(
            _Sleeve(
                side=(edge if left else edge + 1) / scale,
                left=left,
                pivot=((edge if left else edge + 1) / scale, (seam[0] + _PIVOT * len(seam)) / scale),
                turn=_HANGING - angle,
            )
        )
    return found
