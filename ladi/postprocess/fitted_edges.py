"""The warp bent near its edges, so that a garment's neckline, cuffs and hem lie where its shape ends.

A warp lays them some pixels beside where they are painted. What lies between was continued from the cloth
around it, so that a neckband stood apart from the neck, rags above it, and cloth went on below a cuff.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.postprocess.tubes import SLEEVE, Tube
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS

_BELOW, _ASIDE = 0.45, 0.42
"""How far below the shoulders, in torsos, and beside the neck, of the shoulders' distance, necklines are."""
_LOW, _TRUNK = 0.4, 0.7
"""How far above the hips and beside them hems are, likewise."""
_SLEEVES_FROM, _BESIDE = 0.15, 1.8
"""Of the arm, from where on sleeves end; and radii from its middle from where nothing moves with them."""
_FACING = 0.7
"""Cosine of the angle to the arm, or to straight down, up to which an edge is a sleeve's end, or a hem."""
_NECK, _MOST, _REACH = 8.0, 12.0, 26.0
"""Pixels at a height of 256 by which a neckline moves at most, and other edges; what lies farther from an
edge stays."""
_EVENLY = 5.0
"""Standard deviation, likewise, over which neighbours on an edge move alike."""
_STEPS, _MET, _ALIKE = 4, 1.2, 0.5
"""How often the laid edge is looked for anew from where it was found; how near, likewise, that is it; and the
cosine of the angle between the two."""
_STRAIGHT = 6
"""Places that tell how a straight edge moves, at least."""
_ENOUGH = 0.3
"""Share of a painted edge that a laid one must be found for."""
_MARGIN = 32
"""Pixels by which a grid goes on beyond its picture."""
_SKIN, _GARMENT = LAYERS.index("skin"), LAYERS.index("garment")


def fit_edges(
    grid: torch.Tensor,
    outline: np.ndarray,
    shown: np.ndarray,
    free: np.ndarray,
    limbs: Limbs,
    arms: Sequence[Tube] = (),
) -> torch.Tensor:
    """Bend a warp to the edges that a result shows.

    Args:
        grid: (1,H,W,2), where each pixel takes its cloth from, (x,y) in [-1,1].
        outline: (H,W) in [0,1], where the garment lies by that.
        shown: (K,H,W) of ``LAYERS``.
        free: (H,W) bool, what is repainted.
        limbs: of the person.
        arms: whose sleeves end somewhere.

    Returns:
        (1,H,W,2); the given one where the warp has no edge near those that are shown.
    """
    laid = outline > 0.5
    if not laid.any() or laid.all():
        return grid
    rows, columns = laid.shape
    scale = rows / 256
    first = shown.argmax(0)
    cloth = first == _GARMENT
    outwards = np.stack(np.gradient(-_smooth(cloth, 1.5 * scale)))
    outwards /= np.maximum(np.hypot(*outwards), 1e-6)
    ends = cloth & ndimage.binary_dilation(~cloth)
    depth = ndimage.distance_transform_edt(laid) - ndimage.distance_transform_edt(~laid)
    depth = _smooth(depth, 0.7 * scale)
    everywhere, trunk = np.ones(laid.shape), np.ones(laid.shape)
    for arm in arms:
        trunk = np.minimum(trunk, _beyond(arm))
    found = [(everywhere, *_moves(neckline(first, limbs) & free, depth, outwards, _NECK))]
    straight = [(trunk, _hem(ends, outwards, limbs, arms))]
    straight += [(1 - _beyond(arm), _sleeve_end(ends, outwards, arm)) for arm in arms]
    for region, edge in straight:
        found.append((region, *_together(*_moves(edge & free, depth, outwards, _MOST), outwards)))
    moved, share = np.zeros((2, rows, columns)), np.full((rows, columns), 1e-6)
    for region, places, moves in found:
        if places.size:
            field, distance = _spread(moves, places, (rows, columns))
            fades = (1 - distance / (_REACH * scale)).clip(0, 1)
            fades = fades**2 * (3 - 2 * fades) * region
            moved, share = moved + field * fades, share + fades
    if not moved.any():
        return grid
    down, across = moved / np.maximum(share, 1)
    return moved_grid(grid, down, across)


def moved_grid(grid: torch.Tensor, down: np.ndarray, across: np.ndarray) -> torch.Tensor:
    """A grid (1,H,W,2) in which each pixel has what lies so many pixels, (H,W) each, below and to the right.

    Beyond its picture a grid goes on as it does at the edge.
    """
    rows, columns = down.shape
    sides = ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0))
    wide = np.pad(grid[0].numpy(), sides, mode="reflect", reflect_type="odd")
    y, x = np.mgrid[:rows, :columns]
    places = ((x + across, columns), (y + down, rows))
    there = np.stack([(2 * (at + _MARGIN) + 1) / (size + 2 * _MARGIN) - 1 for at, size in places], axis=-1)
    bent = functional.grid_sample(
        torch.from_numpy(wide[None]).movedim(-1, 1),
        torch.from_numpy(there[None]).to(grid.dtype),
        align_corners=False,
        padding_mode="border",
    )
    return bent.movedim(1, -1)


def _beyond(arm: Tube) -> np.ndarray:
    """How much of each pixel is beside an arm in its sleeve: (H,W) in [0,1]."""
    return np.asarray(((arm.depth - SLEEVE) / (_BESIDE - SLEEVE)).clip(0, 1))


def neckline(first: np.ndarray, limbs: Limbs) -> np.ndarray:
    """Cloth beside skin near the neck, (H,W) bool, in the (H,W) foremost layers."""
    rows, columns = np.arange(len(first))[:, None], np.arange(first.shape[1])[None]
    near = rows < limbs.shoulder_line(first.shape[1]) + _BELOW * limbs.torso
    near = near & (np.abs(columns - limbs.neck[0]) < _ASIDE * limbs.width)
    return np.asarray((first == _GARMENT) & near & ndimage.binary_dilation(first == _SKIN))


def _hem(ends: np.ndarray, outwards: np.ndarray, limbs: Limbs, arms: Sequence[Tube]) -> np.ndarray:
    """The lower edge, (H,W) bool, of cloth that ends (H,W) bool facing (2,H,W)."""
    rows, columns = np.arange(len(ends))[:, None], np.arange(ends.shape[1])[None]
    near = (rows > limbs.hip_row - _LOW * limbs.torso) & (
        np.abs(columns - limbs.hips[0]) < _TRUNK * limbs.width
    )
    hem = ends & near & (outwards[0] > _FACING)
    for arm in arms:
        hem &= arm.depth > SLEEVE
    return np.asarray(hem)


def _sleeve_end(ends: np.ndarray, outwards: np.ndarray, arm: Tube) -> np.ndarray:
    """A sleeve's edge across the arm, (H,W) bool; arguments as for the hem."""
    along = np.stack(np.gradient(_smooth(arm.along, 2.0)))
    along /= np.maximum(np.hypot(*along), 1e-6)
    across = (along * outwards).sum(0) > _FACING
    return np.asarray(ends & across & (arm.depth <= SLEEVE) & (arm.along > _SLEEVES_FROM))


def _moves(
    edge: np.ndarray, depth: np.ndarray, outwards: np.ndarray, most: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places (2,N) of an edge (H,W) bool, and how far from each (2,N) it is laid; none where that is unclear.

    Args:
        edge: (H,W) bool.
        depth: (H,W), how far each pixel lies inside what is laid.
        outwards: (2,H,W), where the edge faces.
        most: how far that may be, in pixels at a height of 256.
    """
    scale = len(edge) / 256
    places = np.stack(np.nonzero(edge))
    if not places.size:
        return places, places.astype(np.float64)
    found, slope = _laid_edge(depth, places.astype(np.float64))
    moves = found - places
    met = np.hypot(*moves) < most * scale
    met &= np.abs(_at(depth, found) - 0.5) < _MET * scale
    met &= (slope * outwards[:, places[0], places[1]]).sum(0) < -_ALIKE * np.hypot(*slope)
    if met.mean() < _ENOUGH:
        met[:] = False
    return places[:, met], moves[:, met]


def _together(places: np.ndarray, moves: np.ndarray, outwards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (2,N) of a straight edge, and moves (2,N) of them that leave it straight: across it, evenly.

    What is woven would be bent where each place moved by itself.
    """
    if places.shape[1] < _STRAIGHT:
        return places[:, :0], moves[:, :0]
    across = outwards[:, places[0], places[1]].mean(1)
    across /= max(float(np.hypot(*across)), 1e-6)
    beside = np.array([-across[1], across[0]]) @ places
    by = across @ moves
    usual = np.abs(by - np.median(by)) <= np.median(np.abs(by - np.median(by))) * 2 + 1e-6
    slope, start = (
        np.polyfit(beside[usual], by[usual], 1) if np.ptp(beside[usual]) > 1 else (0.0, np.median(by))
    )
    return places, across[:, None] * (start + slope * beside)


def _laid_edge(depth: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest places on an edge, from others (2,N), by the distance from it, and its slope there."""
    down, across = np.gradient(depth)
    found = places.copy()
    for _ in range(_STEPS):
        slope = np.stack([_at(down, found), _at(across, found)])
        found -= (_at(depth, found) - 0.5) * slope / np.maximum((slope**2).sum(0), 0.2)
    return found, np.stack([_at(down, found), _at(across, found)])


def _smooth(values: np.ndarray, deviation: float) -> np.ndarray:
    """(H,W), blurred."""
    return cv2.GaussianBlur(values.astype(np.float32), (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)


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
    amount = np.maximum(_smooth(known, deviation), 1e-6)
    even = np.stack([_smooth(one, deviation) / amount for one in given])
    distance, (y, x) = ndimage.distance_transform_edt(known == 0, return_indices=True)
    smooth = [_smooth(one[y, x], 2 * size[0] / 256) for one in even]
    return np.stack(smooth), distance
