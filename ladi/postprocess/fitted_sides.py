"""The warp stretched sideways, so that a garment's sides and sleeves lie where its shape ends.

A warp lays a garment as wide as it is in its picture; a result shows it as wide as the person, in a coat
often much wider. What lies between was continued from the cloth around it: strips beside the body, a second
sleeve beside the first. It is stretched by one smooth surface over the whole (a thin plate: Duchon, 1977),
and along rows alone: stripes across a garment stay where they are, and what is woven is not bent.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from ladi.postprocess.fitted_edges import moved_grid, neckline
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS

_FACING, _LAID_FACING = 0.75, 0.6
"""Cosine of the angle to the row up to which an edge is a side, and a laid one."""
_INWARDS = 26.0
"""Pixels at a height of 256 by which cloth may end before an edge that is shown."""
_STEP, _PIECE = 3.0, 8
"""Likewise, by how much neighbours on an edge differ at most; and how many together tell something."""
_ABOVE, _SLEEVE = 8.0, 6.0
"""Likewise, how far above such a piece a sleeve is looked for, and how far out that reaches at least."""
_EVERY = 5.0
"""Likewise, how far apart the places are that hold the surface."""
_LOOSE, _STIFF = 0.3, 3.0
"""How little the surface is held by a place that is told, and by one that stays because nothing is told."""
_GRID = 4
"""Pixels between which the surface is straight."""
_WALL, _GARMENT = LAYERS.index("wall"), LAYERS.index("garment")


class _Places(NamedTuple):
    """Places that hold the surface."""

    rows: np.ndarray
    """(N,)"""
    columns: np.ndarray
    """(N,)"""
    moves: np.ndarray
    """(N,) pixels along the row from each to where it takes its cloth from."""
    loose: np.ndarray
    """(N,), how little each holds."""


def fit_sides(
    grid: torch.Tensor, outline: np.ndarray, shown: np.ndarray, free: np.ndarray, limbs: Limbs
) -> torch.Tensor:
    """Stretch a warp to the sides that a result shows.

    Args:
        grid: (1,H,W,2), where each pixel takes its cloth from, (x,y) in [-1,1].
        outline: (H,W) in [0,1], where the garment lies by that.
        shown: (K,H,W) of ``LAYERS``.
        free: (H,W) bool, what is repainted.
        limbs: of the person.

    Returns:
        (1,H,W,2); the given one where the warp has no side near those that are shown.
    """
    laid = outline > 0.5
    if not laid.any() or laid.all():
        return grid
    scale, first = len(laid) / 256, shown.argmax(0)
    sides = [_side(laid, first, free, direction, scale) for direction in (-1, 1)]
    if not any(side.moves.any() for side in sides):
        return grid
    held = [_thinned(side, scale) for side in sides]
    held += [_unmoved(laid, side, direction, scale) for side, direction in zip(sides, (-1, 1), strict=True)]
    held.append(_thinned(_still(neckline(first, limbs)), scale))
    across = _surface(_Places(*map(np.concatenate, zip(*held, strict=True))), laid.shape)
    return moved_grid(grid, np.zeros_like(across), across)


def _side(laid: np.ndarray, first: np.ndarray, free: np.ndarray, direction: int, scale: float) -> _Places:
    """The edges that face left (-1) or right (1), and the laid ones before them."""
    cloth = first == _GARMENT
    beside = np.roll(first == _WALL, -direction, axis=1)
    beside[:, -1 if direction > 0 else 0] = False
    edge = cloth & beside & ndimage.binary_dilation(free) & (direction * _facing(cloth, scale) > _FACING)
    rows, columns = np.nonzero(edge)
    at = (columns[:, None] - direction * np.arange(round(_INWARDS * scale) + 1)).clip(0, laid.shape[1] - 1)
    away = laid[rows[:, None], at].argmax(1)
    every = np.arange(len(rows))
    begins = (rows, at[every, away])
    # What reaches beyond an edge is hidden there, and stays. A sleeve's end is no side of it.
    found = laid[begins] & ((away == 0) | (direction * _facing(laid, scale)[begins] > _LAID_FACING))
    moves = -direction * away.astype(float)
    good = _in_one_piece(rows, columns, np.where(found, moves, np.nan), edge, scale)
    if good.any():
        good &= ~_below_sleeve(rows, columns, moves, good, (laid, cloth), direction, scale)
    return _Places(rows[good], columns[good], moves[good], np.full(good.sum(), _LOOSE))


def _facing(region: np.ndarray, scale: float) -> np.ndarray:
    """The cosine of the angle between a row and where the nearest edge of (H,W) bool faces, (H,W)."""
    slope = np.stack(np.gradient(-cv2.GaussianBlur(region.astype(np.float32), (0, 0), 2 * scale)))
    return np.asarray(slope[1] / np.maximum(np.hypot(*slope), 1e-6))


def _in_one_piece(
    rows: np.ndarray, columns: np.ndarray, moves: np.ndarray, edge: np.ndarray, scale: float
) -> np.ndarray:
    """Of places on edges, (N,) bool, the longest piece of each edge along which moves go on without a step.

    Below a sleeve's end the next laid edge is the body's.
    """
    lines, _ = ndimage.label(ndimage.binary_dilation(edge, np.ones((3, 3))), np.ones((3, 3)))
    of, good = lines[rows, columns], np.zeros(len(rows), bool)
    for line in np.unique(of):
        places = np.flatnonzero(of == line)
        places = places[np.argsort(rows[places], kind="stable")]
        places = places[np.isfinite(moves[places])]
        if not places.size:
            continue
        longest = max(_pieces(places, rows, moves, scale), key=len)
        if len(longest) >= _PIECE * scale:
            good[longest] = True
    return good


def _pieces(places: np.ndarray, rows: np.ndarray, moves: np.ndarray, scale: float) -> list[np.ndarray]:
    """Numbers of places in the order of their rows, divided where these or the moves make a step."""
    steps = np.maximum(np.diff(rows[places]), np.abs(np.diff(moves[places])))
    return np.split(places, np.flatnonzero(steps > _STEP * scale) + 1)


def _below_sleeve(
    rows: np.ndarray,
    columns: np.ndarray,
    moves: np.ndarray,
    good: np.ndarray,
    regions: tuple[np.ndarray, np.ndarray],
    direction: int,
    scale: float,
) -> np.ndarray:
    """Which of (N,) places lie below a sleeve that is laid, but not shown: what is laid there is the body's.

    Args:
        rows: (N,) of the places.
        columns: likewise.
        moves: likewise.
        good: (N,) bool, those that count.
        regions: what is laid, and what is shown as cloth: (H,W) bool each.
        direction: of the side.
        scale: of the picture.
    """
    below = np.zeros(len(rows), bool)
    places = np.flatnonzero(good)[np.argsort(rows[good], kind="stable")]
    for piece in _pieces(places, rows, moves, scale):
        top = int(rows[piece[0]])
        above = slice(max(0, top - round(_ABOVE * scale)), top)
        edges = columns[piece[0]] + moves[piece[0]], columns[piece[0]]
        laid, shown = (
            (direction * np.nonzero(region[above])[1]).max(initial=direction * edge) - direction * edge
            for region, edge in zip(regions, edges, strict=True)
        )
        below[piece] = laid - shown > _SLEEVE * scale
    return below


def _unmoved(laid: np.ndarray, side: _Places, direction: int, scale: float) -> _Places:
    """The laid edge where no shown one tells anything of it: it stays."""
    rows = np.flatnonzero(laid.any(1))
    rows = rows[:: max(1, round(_EVERY * scale))]
    rows = rows[[not (np.abs(side.rows - row) <= _EVERY * scale).any() for row in rows]]
    columns = np.array([np.flatnonzero(laid[row])[-1 if direction > 0 else 0] for row in rows], int)
    return _Places(rows, columns, np.zeros(len(rows)), np.full(len(rows), _STIFF))


def _still(region: np.ndarray) -> _Places:
    """A region (H,W) bool that stays where it is."""
    rows, columns = np.nonzero(region)
    return _Places(rows, columns, np.zeros(len(rows)), np.full(len(rows), _LOOSE))


def _thinned(places: _Places, scale: float) -> _Places:
    """One of many neighbours, their mean."""
    if not len(places.rows):
        return places
    cells = np.stack([places.rows, places.columns]) // (_EVERY * scale)
    _, of = np.unique(cells, axis=1, return_inverse=True)
    of = of.ravel()
    count = np.bincount(of)
    return _Places(*(np.bincount(of, values) / count for values in places))


def _surface(places: _Places, size: tuple[int, int]) -> np.ndarray:
    """How far each pixel moves along its row, (H,W): the smoothest surface near all places."""
    height = size[0]
    known = np.stack([places.rows, places.columns], axis=1) / height
    plate = RBFInterpolator(known, places.moves, smoothing=places.loose * 0.1, kernel="thin_plate_spline")
    y, x = (np.arange(0, length + _GRID, _GRID) for length in size)
    coarse = plate(np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1).reshape(-1, 2) / height)
    coarse = coarse.reshape(len(y), len(x)).clip(-_INWARDS * height / 256, _INWARDS * height / 256)
    at = np.mgrid[: size[0], : size[1]] / _GRID
    return np.asarray(ndimage.map_coordinates(coarse, at, order=1))
