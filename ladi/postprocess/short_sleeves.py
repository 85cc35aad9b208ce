"""Short sleeves turned to the arms that are in them.

In a shop's picture sleeves stand off; a warp lays them so beside a hanging arm, and what covered the arm was
continued from the shoulder, without the sleeve's own hem. A sleeve's corners in its picture, and where it
ends on the arm, tell how to turn it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.sleeve_ends import SleeveEnd, outer_edge, sag_of
from ladi.postprocess.straight_sleeves import StraightSleeve
from ladi.postprocess.tubes import tube_of
from ladi.preprocess.sleeve_corners import sleeve_corners
from ladi.types import Garment

_LONGEST = 0.55
"""Sleeve up to which one is short: longer ones are laid along the arm (``straight_sleeves.py``)."""
_INNER = 1.0
"""Radii from the arm's middle to the inner corner of a sleeve's end."""
_ENDS, _HEM_TOLD = (0.85, 1.35), 0.8
"""From where to where along a sleeve, by its corners, its end may be; and across it, from its outer side, up
to where that is looked for: beside it is the body."""
_TURNED = (0.0, 0.25)
"""Along the sleeve, from where on it is turned, and from where wholly: above it is the shoulder's."""
_WITHIN = (0.97, 1.03)
"""Across it, from its outer corner to its inner one, up to where it is, and from where the body is."""
_SLICES, _BEYOND, _BESIDE = 24, 1.6, 0.8
"""Places along a sleeve; and up to where along it and beside it something is taken from its picture."""
_AT_END, _BELOW = (0.85, 1.0, 0.8), (1.08, 1.25, 0.3)
"""From where to where along a sleeve its end is, and the share of it that the warp covers where it ends there
by itself; likewise below it, where what is laid is no sleeve."""
_NEAR = 0.06
"""How far from the picture's shoulder, on [-1,1], the nearest place may be that the warp takes cloth from."""


def short_sleeves(
    grid: torch.Tensor, garment: Garment, ends: tuple[SleeveEnd, ...]
) -> tuple[StraightSleeve, ...]:
    """Where short sleeves take their cloth from.

    Args:
        grid: (1,H,W,2), where the warp takes it from.
        garment: whose sleeves they are.
        ends: where these end on arms.

    Returns:
        One for each sleeve whose corners its picture tells.
    """
    if garment.sleeve is None or garment.sleeve > _LONGEST or not ends:
        return ()
    # diffusers' neighbours, which this needs, take seconds to import.
    from ladi.diffusion.warping import sample_matte

    source, matte = grid[0].numpy(), garment.matte[0, 0].float().numpy()
    laid = sample_matte(garment.matte.float(), grid)[0, 0].numpy() > 0.5
    corners = dict(zip((-1, 1), sleeve_corners(matte), strict=True))
    made = []
    for end in ends:
        told = corners[1 if end.joints.outward > 0 else -1]
        if told is None:
            continue
        away = np.hypot(*np.moveaxis(source - told.shoulder, -1, 0))
        if away.min() > _NEAR:
            continue
        row, column = np.unravel_index(away.argmin(), away.shape)
        edge, hem = _on_arm(end, source.shape[:2])
        there = _Corners(np.array([column, row], np.float64), hem[0], hem[-1])
        taken = _Corners(*((one + 1) / 2 * matte.shape[::-1] - 0.5 for one in told))
        if there.area > 1 and taken.area > 1 and not _ends_there(laid, there):
            turned = _turned(there, edge, hem, taken, matte, source.shape[:2])
            # What the warp covers, and a turned sleeve does not, stays as it is.
            bare = sample_matte(garment.matte.float(), turned.grid) < 0.5
            made.append(turned._replace(share=turned.share * ~(bare & torch.from_numpy(laid))))
    return tuple(made)


class _Corners(NamedTuple):
    """Of a sleeve, (2,) each as (x,y) in pixels."""

    shoulder: np.ndarray
    outer: np.ndarray
    inner: np.ndarray

    @property
    def area(self) -> float:
        """Twice the triangle's."""
        return abs(float(np.linalg.det(self._sides)))

    @property
    def _sides(self) -> np.ndarray:
        return np.stack([self.outer - self.shoulder, self.inner - self.shoulder], axis=1)

    def told(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far along the sleeve, and across it from its outer side, places (2,...) are."""
        off = np.moveaxis(places, 0, -1) - self.shoulder
        outer, inner = np.moveaxis(off @ np.linalg.inv(self._sides).T, -1, 0)
        return outer + inner, inner

    def at(self, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        """The places (...,2) of which that is told."""
        return self.shoulder + np.stack([along - across, across], axis=-1) @ self._sides.T


def _ends_there(laid: np.ndarray, there: _Corners) -> bool:
    """Whether what is laid (H,W) bool ends where a sleeve is to end, or is the body behind an arm."""
    y, x = np.mgrid[: laid.shape[0], : laid.shape[1]]
    along, across = there.told(np.stack([x, y]))
    parts = (
        (laid[(across > 0) & (across < along) & (along > first) & (along < last)], most)
        for first, last, most in (_AT_END, _BELOW)
    )
    return any(part.size and part.mean() > most for part, most in parts)


def _on_arm(sleeve: SleeveEnd, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A sleeve's outer edge from the shoulder down, and its end from there inwards: (N,2) each, in pixels."""
    tube = tube_of(sleeve.joints, (size[0], size[1]))
    places = np.linspace(0, sleeve.end, _SLICES)
    every = np.linspace(0, 1, len(tube.line))
    middle = np.stack([np.interp(places, every, one) for one in tube.line.T], axis=-1)
    down = np.gradient(middle, axis=0)
    down /= np.maximum(np.hypot(*down.T), 1e-6)[:, None]
    across = np.stack([down[:, 1], -down[:, 0]], axis=-1)
    across *= np.sign(across[-1, 0] * sleeve.joints.outward) or 1
    columns, rows = np.rint(middle).astype(int).T
    radius = tube.radius[rows.clip(0, size[0] - 1), columns.clip(0, size[1] - 1)]
    outer = outer_edge(places, sleeve)
    aside = np.linspace(outer[-1], -_INNER, _SLICES)[:, None]
    hem = middle[-1] + radius[-1] * (aside * across[-1] + sag_of(np.abs(aside) / outer[-1]) * down[-1])
    return middle + (outer * radius)[:, None] * across, hem


def _turned(
    there: _Corners,
    edge: np.ndarray,
    hem: np.ndarray,
    taken: _Corners,
    matte: np.ndarray,
    size: tuple[int, ...],
) -> StraightSleeve:
    """A sleeve that lies between three places, edge and hem (N,2), from between three in the picture."""
    y, x = np.mgrid[: size[0], : size[1]]
    along, across = there.told(np.stack([x, y]))
    places, shown = there.told(edge.T)
    shown = np.interp(along, np.maximum.accumulate(places), shown)
    own_edge, own_hem = _own_edges(taken, matte)
    middles = (np.arange(_SLICES) + 0.5) / _SLICES
    own = np.interp(along, middles, own_edge)
    beside, within = across < shown - _BESIDE, across / np.maximum(along, 1e-3)
    across = own + (across - shown) * (along - own) / np.maximum(along - shown, 1e-3)
    inwards = across / np.maximum(along, 1e-3)
    lowest, aside = there.told(hem.T)
    ends = np.interp(inwards, aside / np.maximum(lowest, 1e-3), lowest)
    longer = np.interp(inwards, middles, own_hem) / np.maximum(ends, 1e-3)
    source = (taken.at(along * longer, across * longer) + 0.5) / matte.shape[::-1] * 2 - 1
    share = np.clip((along - _TURNED[0]) / (_TURNED[1] - _TURNED[0]), 0, 1)
    share = share * np.clip((_WITHIN[1] - within) / (_WITHIN[1] - _WITHIN[0]), 0, 1)
    share[(along > _BEYOND) | beside] = 0
    return StraightSleeve(
        torch.from_numpy(source.astype(np.float32))[None],
        torch.from_numpy(share.astype(np.float32))[None, None],
    )


def _own_edges(taken: _Corners, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far out a sleeve reaches, along it, and how far down, across it: (``_SLICES``,) each."""
    along, across = taken.told(np.stack(np.nonzero(matte > 0.5)[::-1]))
    inwards = across / np.maximum(along, 1e-3)
    outer = (along > 0) & (along < 1) & (inwards < 0.5) & (across > -_BESIDE)
    lower = (along > _ENDS[0]) & (along < _ENDS[1]) & (inwards > 0) & (inwards < _HEM_TOLD)
    return (
        _outermost(along[outer], across[outer], np.minimum, 0.0),
        _outermost(inwards[lower], along[lower], np.maximum, 1.0),
    )


def _outermost(places: np.ndarray, values: np.ndarray, kind: np.ufunc, usual: float) -> np.ndarray:
    """The least or largest of values (N,) in each part of [0,1] by their places (N,), smoothed."""
    found = np.full(_SLICES, np.nan)
    number = (places * _SLICES).astype(int).clip(0, _SLICES - 1)
    for one in np.unique(number):
        found[one] = kind.reduce(values[number == one])
    known = np.flatnonzero(np.isfinite(found))
    if not known.size:
        return np.full(_SLICES, usual)
    return ndimage.gaussian_filter1d(np.interp(np.arange(_SLICES), known, found[known]), 1.0, mode="nearest")
