"""How a top hangs on somebody: as level as the hips, and as low as the one that it replaces, or as tops do.

The warp was taught by a shop's pictures, in which many tops are tucked in, and by masks that do not tell
where the old garment ended; so its hems lie at the waist. Here the part of a garment below the chest is drawn
down until its hem is where the old one was, though no lower than tops hang; and where it hangs over trousers,
which a mask of the old garment leaves out, the mask is grown. It widens nothing. Coats that a shop's pictures
do not have tilt the warp as well: hems are turned back to the hips, but for the little that worn ones differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.diffusion.warping import sample_matte
from ladi.preprocess.labels import label_table
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, PersonParts

_WORN = ("upper_clothes", "dress", "coat")
_LOWER, _OVER = ("pants", "skirt"), 0.2
"""What tops hang over, and how far beyond the mask, in torsos."""
_CHEST = 0.3
"""How far below the shoulders drawing begins, in torsos."""
_LOWEST, _COVERING = 1.15, 1.25
"""Where tops end at the lowest, likewise: a hand's width below the hip joints; and where one does that so
covers all of a jacket: what it does not cover has to be made up."""
_LAP = 0.4
"""Of somebody who sits, how far below the hips knees are at most, in torsos."""
_SIDES, _LOWER_SIDES, _MOST_SIDES = 0.4, 0.15, 90
"""Half the width in which the old hem's sides are looked for, of the distance between the shoulders; how much
lower than its middle they hang at most, in torsos, to be covered too; and percentile of the columns' ends."""
_MOST, _TALLEST = 1.5, 1.45
"""Times that a garment's lower part becomes longer at most; and taller than wide, compared with its picture:
crop tops stay short."""
_MADE_UP = (1.8, 2.4)
"""Both, where trousers would have to be made up below it, which looks so: where a coat or a top is taken away
from somebody who stands, and no dress goes on below."""
_NEARLY = 0.12
"""In torsos: what is missing then is drawn all the way, instead of showing a strip of belly."""
_LEAST = 0.02
"""In torsos: less is not worth it."""
_WITHIN, _FADE = 0.6, 0.35
"""Half the trunk's width, of the distance between the shoulders, in which all is drawn, and over which that
fades: sleeves keep their length."""
_NARROW = 0.3
"""Half the width of the strip in which hems are looked for, likewise."""
_HIPS, _OWN = 0.7, 0.5
"""Of the hips' slope, and of the hem's in its picture, what a worn one has: a fit to 1,387 tops over trousers
or a skirt."""
_TILT = 0.03
"""Slope by which a hem may differ from that; two thirds of these do by less than 0.08, but looks are judged
without knowing why."""
_BOARD = 0.18
"""Half the width of the strip in its picture where a hem is looked for, of the garment's width."""
_APART, _ROUNDS = 0.15, 8
"""How far apart hips must be, of the distance between the shoulders, to tell a slope; how often a hem's line
is fitted again, with less weight on what is far from it."""


class Levels(NamedTuple):
    """Rows and columns of one person's window."""

    chest: float
    wanted: float
    """Where the hem should be."""
    middle: float
    width: float
    """Distance between the shoulders."""
    torso: float
    over: np.ndarray
    """(H,W) bool, trousers or a skirt beside the mask, over which the hem may hang."""
    slope: float = 0.0
    """Of the hips, rows per column."""
    made_up: bool = False
    """Whether trousers would have to be made up where the garment ends above."""


def levels_of(person: PersonParts) -> Levels | None:
    """Where a top should end on somebody; ``None`` where that is not known, or something else is put on."""
    points = person.keypoints[
        [JOINT[f"{side}_{name}"] for side in ("left", "right") for name in ("shoulder", "hip")]
    ]
    if person.category != "upper_body" or person.by_hand or not points[:, :2].any(axis=1).all():
        return None
    limbs, table = Limbs(person.keypoints, person.labels > 0), label_table(person.scheme)
    worn = np.isin(person.labels, [table[name] for name in _WORN if name in table])
    old = _last_row(worn, limbs.hips[0], _NARROW * limbs.width)
    if old is None:
        return None
    wanted = _wanted(float(old), _side_row(worn, limbs), limbs)
    sits = _sits(person.keypoints, limbs)
    if sits:
        wanted = min(wanted, limbs.hip_row)
    chest = limbs.neck[1] + _CHEST * limbs.torso
    mask = person.mask[0, 0].numpy() > 0
    lower = np.isin(person.labels, [table[name] for name in _LOWER if name in table]) & ~mask
    over = lower & (ndimage.distance_transform_edt(~mask) < _OVER * limbs.torso)
    left, right = (person.keypoints[JOINT[f"{side}_hip"], :2] for side in ("left", "right"))
    apart = float(left[0] - right[0])
    slope = float(left[1] - right[1]) / apart if abs(apart) > _APART * limbs.width else 0.0
    dress = _last_row(person.labels == table["dress"], limbs.hips[0], _NARROW * limbs.width)
    made_up = not sits and (dress is None or dress < old)  # a dress stays below the top
    return Levels(chest, wanted, float(limbs.hips[0]), limbs.width, limbs.torso, over, slope, made_up)


def _sits(keypoints: np.ndarray, limbs: Limbs) -> bool:
    """Whether a knee is about as high as the hips: a top ends on the lap then."""
    knees = keypoints[[JOINT["left_knee"], JOINT["right_knee"]]]
    return bool((knees[:, :2].any(axis=1) & (knees[:, 1] < limbs.hip_row + _LAP * limbs.torso)).any())


def _side_row(worn: np.ndarray, limbs: Limbs) -> float:
    """How low an old top (H,W) bool hangs beside its middle."""
    near = np.abs(np.arange(worn.shape[1]) - limbs.hips[0]) < _SIDES * limbs.width
    ends = len(worn) - 1 - worn[::-1, near & worn.any(0)].argmax(0)
    return float(np.percentile(ends, _MOST_SIDES))


def _wanted(middle: float, side: float, limbs: Limbs) -> float:
    """The row of a hem that covers the old one, if tops hang so low; all in rows."""
    lowest = max(middle, side) if side - middle < _LOWER_SIDES * limbs.torso else middle
    if lowest <= limbs.neck[1] + _COVERING * limbs.torso:
        return lowest
    return min(middle, limbs.neck[1] + _LOWEST * limbs.torso)


def level_hem(grid: torch.Tensor, matte: torch.Tensor, levels: Levels) -> torch.Tensor:
    """A warp by which a top's hem is as level as the hips and its own picture let one expect.

    Args:
        grid: (1,H,W,2), where each pixel takes its cloth from.
        matte: (1,1,h,w) in [0,1], where the garment is in its picture.
        levels: of the person in the same window.

    Returns:
        (1,H,W,2): the same where the hem's slope is one that worn hems have.
    """
    laid, own = sample_matte(matte, grid)[0, 0].cpu().numpy() > 0.5, matte[0, 0].cpu().numpy() > 0.5
    there = np.flatnonzero(own.any(0))
    if not there.size:
        return grid
    board = _hem(own, (there[0] + there[-1]) / 2, _BOARD * (there[-1] - there[0]))
    hem = _hem(laid, levels.middle, _NARROW * levels.width)
    if board is None or hem is None or hem.row - levels.chest < _LEAST * levels.torso:
        return grid
    tilt = hem.slope - _HIPS * levels.slope - _OWN * board.slope
    away = tilt - float(np.clip(tilt, -_TILT, _TILT))
    if not away:
        return grid
    height, width = laid.shape
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    share = np.clip((rows - levels.chest) / (hem.row - levels.chest), 0, 1) * _on_trunk(columns, levels)
    return _taken_from(grid, rows + away * (columns - levels.middle) * share)


def lower_hem(grid: torch.Tensor, matte: torch.Tensor, levels: Levels) -> torch.Tensor:
    """A warp by which a top hangs as low as it should, which is ``levels.wanted``.

    Args:
        grid: (1,H,W,2), where each pixel takes its cloth from.
        matte: (1,1,h,w) in [0,1], where the garment is in its picture.
        levels: of the person in the same window.

    Returns:
        (1,H,W,2): the same where its hem is low enough, or so high that it is no matter of tucking in.
    """
    laid = sample_matte(matte, grid)[0, 0].cpu().numpy() > 0.5
    hem = _last_row(laid, levels.middle, _NARROW * levels.width)
    if (
        hem is None
        or levels.wanted - hem < _LEAST * levels.torso
        or hem - levels.chest < _LEAST * levels.torso
    ):
        return grid
    wanted = (levels.wanted - levels.chest) / (hem - levels.chest)
    most, tallest = _MADE_UP if levels.made_up else (_MOST, _TALLEST)
    times = min(most, wanted, max(1.0, tallest / _proportion(grid, laid, levels)))
    if (wanted - times) * (hem - levels.chest) < _NEARLY * levels.torso:
        times = wanted
    height, width = laid.shape
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    drawn = np.where(rows > levels.chest, levels.chest + (rows - levels.chest) / times, rows)
    return _taken_from(grid, rows + _on_trunk(columns, levels) * (drawn - rows))


def grow_under_hem(mask: torch.Tensor, laid: torch.Tensor, levels: Levels) -> torch.Tensor:
    """The mask, grown to where the garment hangs over trousers or a skirt, so that its hem is not cut off.

    Args:
        mask: (1,1,H,W) in {0,1}.
        laid: (1,1,H,W) in [0,1], the warped garment's matte.
        levels: of the person in the same window.

    Returns:
        (1,1,H,W).
    """
    cloth = (laid[0, 0].cpu().numpy() > 0.5) & levels.over
    pieces, count = ndimage.label(cloth | (mask[0, 0].cpu().numpy() > 0))
    joined = np.bincount(pieces[mask[0, 0].cpu().numpy() > 0], minlength=count + 1) > 0
    joined[0] = False
    return torch.maximum(mask, torch.from_numpy((cloth & joined[pieces]).astype(np.float32)).to(mask))


class _Hem(NamedTuple):
    row: float
    """In its middle."""
    slope: float
    """Rows per column."""


def _hem(region: np.ndarray, middle: float, reach: float) -> _Hem | None:
    """The line along which a region (H,W) ends below, within so many columns from the middle."""
    columns = np.flatnonzero((np.abs(np.arange(region.shape[1]) - middle) < reach) & region.any(0))
    if len(columns) < reach:
        return None
    ends = len(region) - 1 - region[::-1, columns].argmax(0)
    terms = np.stack([np.ones(len(columns)), columns - middle], axis=1)
    weight = np.ones(len(columns))
    # Of absolute differences, not of squares: a slit, or a tail of a shirt, does not tilt a hem.
    for _ in range(_ROUNDS):
        (row, slope), *_ = np.linalg.lstsq(terms * weight[:, None], ends * weight, rcond=None)
        weight = np.maximum(1, np.abs(ends - terms @ (row, slope))) ** -0.5
    return _Hem(float(row), float(slope))


def _on_trunk(columns: np.ndarray, levels: Levels) -> np.ndarray:
    """1 in the columns of the trunk, less beside it: sleeves keep their length."""
    away = np.abs(columns - levels.middle) / levels.width
    return np.clip(1 - (away - _WITHIN) / _FADE, 0, 1)


def _taken_from(grid: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    """A grid (1,H,W,2) of which each pixel is another row's (H,W) of the same column."""
    height, width = rows.shape
    across = np.broadcast_to((np.arange(width)[None] + 0.5) / width, rows.shape)
    places = np.stack([across, (rows + 0.5) / height], -1) * 2 - 1
    where = torch.from_numpy(places.astype(np.float32))[None].to(grid)
    moved = functional.grid_sample(grid.movedim(-1, 1), where, padding_mode="border", align_corners=False)
    return moved.movedim(1, -1)


def _proportion(grid: torch.Tensor, laid: np.ndarray, levels: Levels) -> float:
    """How much taller than wide a garment has become on the trunk, compared with its picture."""
    points = grid[0].float().cpu().numpy() * (laid.shape[1], laid.shape[0])
    wider, taller = np.gradient(points[..., 0], axis=1), np.gradient(points[..., 1], axis=0)
    rows, columns = np.mgrid[: laid.shape[0], : laid.shape[1]]
    trunk = laid & (rows > levels.chest) & (np.abs(columns - levels.middle) < _NARROW * levels.width)
    if not trunk.any():
        return 1.0
    return float(np.median(wider[trunk]) / max(np.median(taller[trunk]), 1e-3))


def _last_row(region: np.ndarray, middle: float, reach: float) -> int | None:
    """The lowest row of a region (H,W) within so many columns from the middle."""
    near = np.abs(np.arange(region.shape[1]) - middle) < reach
    rows = np.flatnonzero((region & near[None]).sum(1) > 0.3 * near.sum())
    return int(rows[-1]) if rows.size else None
