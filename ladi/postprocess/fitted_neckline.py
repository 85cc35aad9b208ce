"""The warp bent at the neck, so that a neckline's own edge lies where cloth meets skin.

A warp lays a neckline some pixels beside where it is painted. What lies between was continued from the cloth
around it, so that a neckband stood apart from the neck, and rags above it.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS

_BELOW, _ASIDE = 0.45, 0.42
"""How far below the shoulders, in torsos, and beside the neck, of the shoulders' distance, necklines are."""
_MOST, _REACH = 12.0, 26.0
"""Pixels at a height of 256 by which an edge moves at most; what lies farther from it stays."""
_EVENLY = 5.0
"""Standard deviation, likewise, over which neighbours on an edge move alike."""
_STEPS, _MET = 4, 1.2
"""How often the laid edge is looked for anew from where it was found; and how near, likewise, that is it."""
_ENOUGH = 0.3
"""Share of the painted edge that a laid one must be found for."""
_SKIN, _GARMENT = LAYERS.index("skin"), LAYERS.index("garment")


def fit_neckline(
    grid: torch.Tensor, outline: np.ndarray, shown: np.ndarray, free: np.ndarray, limbs: Limbs
) -> torch.Tensor:
    """Bend a warp to the neckline that a result shows.

    Args:
        grid: (1,H,W,2), where each pixel takes its cloth from, (x,y) in [-1,1].
        outline: (H,W) in [0,1], where the garment lies by that.
        shown: (K,H,W) of ``LAYERS``.
        free: (H,W) bool, what is repainted.
        limbs: of the person.

    Returns:
        (1,H,W,2); the given one where no neckline is shown, or the warp has none near it.
    """
    edge, laid = _painted_edge(shown.argmax(0), limbs) & free, outline > 0.5
    if not edge.any() or not laid.any() or laid.all():
        return grid
    rows, columns = edge.shape
    scale = rows / 256
    depth = ndimage.distance_transform_edt(laid) - ndimage.distance_transform_edt(~laid)
    depth = ndimage.gaussian_filter(depth, 0.7 * scale)
    places = np.stack(np.nonzero(edge)).astype(np.float64)
    found = _laid_edge(depth, places)
    moves = found - places
    met = np.hypot(*moves) < _MOST * scale
    met &= np.abs(_at(depth, found) - 0.5) < _MET * scale
    if met.mean() < _ENOUGH:
        return grid
    field, distance = _spread(moves[:, met], places[:, met].astype(int), (rows, columns))
    fades = (1 - distance / (_REACH * scale)).clip(0, 1)
    down, across = field * (fades**2 * (3 - 2 * fades))
    y, x = np.mgrid[:rows, :columns]
    there = np.stack([(2 * (x + across) + 1) / columns - 1, (2 * (y + down) + 1) / rows - 1], axis=-1)
    bent = functional.grid_sample(
        grid.movedim(-1, 1),
        torch.from_numpy(there[None]).to(grid.dtype),
        align_corners=False,
        padding_mode="border",
    )
    return bent.movedim(1, -1)


def _painted_edge(first: np.ndarray, limbs: Limbs) -> np.ndarray:
    """Cloth beside skin near the neck, (H,W) bool, in the (H,W) foremost layers."""
    rows, columns = np.arange(len(first))[:, None], np.arange(first.shape[1])[None]
    near = rows < limbs.shoulder_line(first.shape[1]) + _BELOW * limbs.torso
    near = near & (np.abs(columns - limbs.neck[0]) < _ASIDE * limbs.width)
    return np.asarray((first == _GARMENT) & near & ndimage.binary_dilation(first == _SKIN))


def _laid_edge(depth: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The nearest places (2,N) on an edge, from others, by the (H,W) distance from it, inside positive."""
    down, across = np.gradient(depth)
    found = places.copy()
    for _ in range(_STEPS):
        slope = np.stack([_at(down, found), _at(across, found)])
        found -= (_at(depth, found) - 0.5) * slope / np.maximum((slope**2).sum(0), 0.2)
    return found


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(H,W) at (2,N) rows and columns: (N,)."""
    return np.asarray(ndimage.map_coordinates(values, places, order=1, mode="nearest"))


def _spread(moves: np.ndarray, places: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Moves (2,N) at places (2,N) for all around: (2,H,W), and how far from such a place each pixel is."""
    known = np.zeros(size)
    known[tuple(places)] = 1
    given = np.zeros((2, *size))
    given[:, places[0], places[1]] = moves
    deviation = _EVENLY * size[0] / 256
    amount = np.maximum(ndimage.gaussian_filter(known, deviation), 1e-6)
    even = np.stack([ndimage.gaussian_filter(one, deviation) / amount for one in given])
    distance, (y, x) = ndimage.distance_transform_edt(known == 0, return_indices=True)
    smooth = [ndimage.gaussian_filter(one[y, x], 2 * size[0] / 256) for one in even]
    return np.stack(smooth), distance
