"""Sleeves laid along the arms that are in them.

A warp places a garment's body well, and often covers no more than half of a sleeve, because the garment's
sleeves lie otherwise in its picture than the arms do; what it leaves was continued from the rest, and stripes
swirled and cuffs came twice. An arm is a tube, and so is a sleeve in its picture: where on the tube a pixel
lies tells nearly in a straight line where in the picture its cloth is. What the warp covers of an arm tells
that line, and is stretched to all of it. An arm that tells none has its sleeve as the other one has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.layers import enlarge
from ladi.postprocess.patterns import is_patterned
from ladi.postprocess.tubes import SLEEVE, Tube, arm_joints, aside_of, tube_of
from ladi.preprocess.limbs import Limbs
from ladi.types import Garment, Size

_LONG = 0.55
"""Sleeve from which on it is laid so: of short ones the warp covers enough."""
_FROM, _OVER = 0.03, 0.12
"""Of the arm, from where on, and over how much that begins: a shoulder's shape is the warp's to say."""
_FITS, _MOST = 12, 0.5
"""How often the line is fitted anew; quantile of the distances from it within which a pixel counts fully."""
_LEAST, _TOLD, _STRAIGHT = 60, 0.35, 0.05
"""Pixels, at a height of 256, that tell it, and their share of the sleeve; and how far from the line they may
lie in the mean, of its length."""
_SLICES, _FULL, _EVEN = 24, 0.4, 1.5
"""Parts along an arm; how much of one's cloth must be told; and over how many its edges are evened out."""
_MOSTLY, _WHOLE = 0.65, 0.8
"""Share of a sleeve from which on plain cloth, and cloth with a pattern, stays as the warp lays it,"""
_CUFF, _REACHED = 0.15, 0.25
"""if that reaches its end: of so much of the arm, the last, it covers this share at least."""
_NEARLY = 0.85
"""Of a sleeve, how much of it the warp covers where it need not be longer."""
_EDGES = (0.05, 0.95)
"""Quantiles of how far beside the arm's middle cloth lies that are its edges."""


class StraightSleeve(NamedTuple):
    """At the model's size."""

    grid: torch.Tensor
    """(1,H,W,2), where each pixel of the sleeve takes its cloth from."""
    share: torch.Tensor
    """(1,1,H,W) in [0,1], how much that counts; nothing where there is no arm."""


def straight_sleeves(
    grid: torch.Tensor,
    laid: np.ndarray,
    sleeves: np.ndarray,
    keypoints: np.ndarray,
    garment: Garment,
) -> tuple[StraightSleeve, ...]:
    """Where long sleeves take their cloth from.

    Args:
        grid: (1,H,W,2), where the warp takes it from.
        laid: (H,W) in [0,1], where that is the garment.
        sleeves: (H,W) bool, what is cloth because an arm in its sleeve is there.
        keypoints: (18,3) in pixels.
        garment: whose sleeves they are. Plain cloth that the warp lays on most of a sleeve goes on by itself,
            and a pattern that it lays on all of it lies rightly.
    """
    if garment.sleeve is None or garment.sleeve < _LONG or not sleeves.any():
        return ()
    limbs, size = Limbs(keypoints, sleeves), (sleeves.shape[0], sleeves.shape[1])
    found = (arm_joints(keypoints, side, limbs) for side in ("left", "right"))
    tubes = [tube_of(joints, size) for joints in found if joints]
    parts = [sleeves & (tube.depth <= SLEEVE) & (tube.along > _FROM) for tube in tubes]
    arms = [(part, tube) for part, tube in zip(parts, tubes, strict=True) if part.any()]
    patterned = is_patterned(garment.image, garment.matte)
    lies = [_lies(laid > 0.5, *one, patterned=patterned) for one in arms]
    if all(lies):
        return ()
    told = [_told(grid[0].numpy(), laid > 0.5, *one) for one in arms]
    known = next((one for one in told if one), None)
    if known is None:
        return ()
    return tuple(
        _laid(own or known, *one) for own, one, right in zip(told, arms, lies, strict=True) if not right
    )


def with_sleeves(along: torch.Tensor, sleeves: tuple[StraightSleeve, ...], size: Size) -> torch.Tensor:
    """A grid (1,h,w,2) of a size in which sleeves take their cloth from where they say."""
    # diffusers' neighbours, which this needs, take seconds to import.
    from ladi.diffusion.warping import enlarge_grid

    for sleeve in sleeves:
        share = enlarge(sleeve.share, size).clamp_(0, 1)
        within = enlarge((sleeve.share > 0).float(), size) > 0.5
        along = torch.lerp(along, enlarge_grid(sleeve.grid, size), (share * within)[0, 0, ..., None])
    return along


def _lies(laid: np.ndarray, inside: np.ndarray, tube: Tube, *, patterned: bool) -> bool:
    """Whether what is laid (H,W) bool lies rightly in one sleeve, (H,W) bool, as it is."""
    if laid[inside].mean() <= (_WHOLE if patterned else _MOSTLY):
        return False
    last = inside & (tube.along > np.quantile(tube.along[inside], 0.99) - _CUFF)
    return bool(laid[last].mean() > _REACHED)


class _Told(NamedTuple):
    """What one arm tells of its sleeve."""

    fit: np.ndarray
    """(4,2), by which a place on the arm gives one in the picture."""
    share: float
    """Of the sleeve's length, as far as its cloth is told."""
    sides: np.ndarray
    """(2,N), how far beside the arm's middle that begins and ends, along the arm."""


def _told(source: np.ndarray, laid: np.ndarray, inside: np.ndarray, tube: Tube) -> _Told | None:
    """What is told of one sleeve, (H,W) bool; None where that is too little."""
    aside = aside_of(tube)
    told = inside & laid
    if told.sum() < max(_LEAST * (len(laid) / 256) ** 2, _TOLD * inside.sum()):
        return None
    known, wanted = _terms(tube.along, aside)[told], source[told].astype(np.float64)
    fit = _fitted(known, wanted)
    run = float(np.hypot(*(fit[1] + fit[3])))
    if float(np.hypot(*(wanted - known @ fit).T).mean()) > _STRAIGHT * run:
        return None
    return _Told(fit, _share_told(tube.along, inside, told), _sides(aside, tube.along, told))


def _laid(told: _Told, inside: np.ndarray, tube: Tube) -> StraightSleeve:
    """One sleeve, (H,W) bool, by what is told of it or of the other."""
    aside, along = aside_of(tube), _FROM + (tube.along - _FROM) * told.share
    left, right = _at(_sides(aside, tube.along, inside), tube.along)
    first, last = _at(told.sides, along)
    across = ((aside - left) / np.maximum(right - left, 1e-3)).clip(0, 1)
    grid = (_terms(along, first + across * (last - first)) @ told.fit).astype(np.float32)
    share = ((tube.along - _FROM) / _OVER).clip(0, 1) * inside
    return StraightSleeve(
        torch.from_numpy(grid)[None], torch.from_numpy(share.astype(np.float32))[None, None]
    )


def _terms(along: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """(H,W,4) of what a place in the picture follows from."""
    return np.stack([np.ones_like(along), along, aside, along**2], axis=-1).astype(np.float64)


def _fitted(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(4,2) by which (N,4) give (N,2), but for those that are far from all others."""
    weight = np.ones(len(known))
    for _ in range(_FITS):
        root = np.sqrt(weight)[:, None]
        fit = np.linalg.lstsq(known * root, wanted * root, rcond=None)[0]
        away = np.hypot(*(wanted - known @ fit).T)
        within = max(float(np.quantile(away, _MOST)), 1e-4)
        weight = np.minimum(1, within / np.maximum(away, 1e-6))
    return np.asarray(fit)


def _share_told(along: np.ndarray, inside: np.ndarray, told: np.ndarray) -> float:
    """Up to which share of a sleeve's length its cloth is told; 1 where hardly anything is missing."""
    end = float(np.quantile(along[inside], 0.99))
    there, whole = (np.histogram(along[part], _SLICES, (_FROM, end))[0] for part in (told, inside))
    full = np.flatnonzero(there >= _FULL * np.maximum(whole, 1))
    last = _FROM + (end - _FROM) * (full[-1] + 1) / _SLICES if full.size else end
    # A cuff stays beside what of it the warp lays on the body.
    return 1.0 if last > _NEARLY * end else (last - _FROM) / (end - _FROM)


def _sides(aside: np.ndarray, along: np.ndarray, part: np.ndarray) -> np.ndarray:
    """How far beside an arm's middle a part (H,W) of it begins and ends, along the arm: (2,``_SLICES``+1)."""
    place, every = (along[part] * _SLICES).astype(int), np.arange(_SLICES + 1)
    numbers = np.unique(place)
    sides = np.stack([np.quantile(aside[part][place == number], _EDGES) for number in numbers])
    return np.stack([ndimage.gaussian_filter1d(np.interp(every, numbers, side), _EVEN) for side in sides.T])


def _at(sides: np.ndarray, along: np.ndarray) -> list[np.ndarray]:
    """The same at places along the arm: twice (H,W)."""
    middles = (np.arange(_SLICES + 1) + 0.5) / _SLICES
    return [np.interp(along, middles, side) for side in sides]
