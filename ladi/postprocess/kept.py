"""What of the photo stays inside the mask, told by what the photo shows and what the network painted.

The mask is generous, as the method needs it; much of it is wall, arms or neck that the photo shows and the
network could only guess. Where both show the same thing and nothing of the old garment is near, the photo's
pixels stay, bit for bit. It decides; pasting is ``paste.py``'s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table
from ladi.types import LAYERS, LabelScheme

_REFERENCE_HEIGHT = 256
"""The lengths below are pixels at this height."""
NARROW, WIDE = (3, 1), (6, 2)
"""Around the old garment everything is painted: its edge lies on pixels that are labelled as wall or skin;
likewise around the new one, whose shade the network painted. Wider where painted wall is the photo's own,
continued: then nothing is lost by it."""
_ARM_RIM = 3
"""Likewise of bare arms, whose edges are settled by colour: painted in part, they have a seam. Nearer than
that no painted skin is the same as the photo's, which may be a cuff or a collar."""
_ARM_EDGE = 4
"""How far beside a bare arm skin may be painted that is still that arm."""
_ARMS = ("left_arm", "right_arm")
_COVERED, _WARP_RIM = 0.1, 4
"""From this share on the warped garment may lie on a pixel, or so near to it."""
_NEIGHBOURHOOD = 5
_SAME_SKIN = 0.5
"""Largest difference on [-1,1] of mean colours at which painted and real skin count as the same."""
_MOST = 0.5
"""Share of an arm that must be the same for all of it to be."""
_SPECK = 2
_ON, _NARROW = 0.5, 0.04
"""Matte from which on a garment is there, and the share of a row that is no more than a strap or a cuff."""
_LONG, _HEM_RIM = 0.08, 3
"""Share of the window's last row from which on an old garment goes on below it; what is painted of it below
the hem."""
_HEM_GAP = 0.12
"""Of a hem's width, how wide what is narrower is no part of it."""
_HEM_SWING = 0.15
"""Of the window's height, how much higher than its lowest point a hem may be."""
_OLD = {
    "wall": ("background",),
    "skin": ("left_arm", "right_arm", "left_leg", "right_leg", "neck", "vitonhd_neck", "face", "head"),
}


class Kept(NamedTuple):
    """Two (H,W) bool."""

    painted: np.ndarray
    """The mask without what stays."""
    same: np.ndarray
    """Where photo and painting show the same thing: there the change from one to the other may be gradual."""


def keep(
    mask: np.ndarray,
    labels: np.ndarray,
    photo: np.ndarray,
    painted: np.ndarray,
    probabilities: np.ndarray,
    outline: np.ndarray | None = None,
    below: np.ndarray | None = None,
    *,
    scheme: LabelScheme = "lip",
    rims: tuple[int, int] = NARROW,
) -> Kept:
    """Divides the mask.

    Args:
        mask: (H,W) bool, True = repainted.
        labels: (H,W) of the photo.
        photo: (H,W,3) in [-1,1].
        painted: (H,W,3) in [-1,1].
        probabilities: (K,H,W), what the painting shows, in the order of ``LAYERS``.
        outline: (H,W) in [0,1], where the warped garment lies, if one was warped. A person keeps their pose:
            what was wall and is not under the new garment still is, whatever the network made of it.
        below: (H,W) bool, see ``below_hem``. An old garment that goes on below the window stays below the new
            one's hem: painted, it would end where the window happens to.
        scheme: of the labels.
        rims: around the old garment and the new one, see ``NARROW``.
    """

    def scaled(length: float) -> int:
        return max(1, round(length * mask.shape[0] / _REFERENCE_HEIGHT))

    table = label_table(scheme)
    old = {
        name: np.isin(labels, [table[label] for label in members if label in table])
        for name, members in _OLD.items()
    }
    shown = probabilities.argmax(0)
    new = {name: shown == LAYERS.index(name) for name in ("wall", "skin", "garment")}
    window = scaled(_NEIGHBOURHOOD)
    difference = ndimage.uniform_filter(painted - photo, (window, window, 1), mode="nearest")
    alike = np.abs(difference).max(-1) < _SAME_SKIN
    wall = new["wall"]
    if outline is not None:
        wall = wall | _farther(outline > _COVERED, scaled(_WARP_RIM))
    taken = _taken(mask, labels, scheme)
    clear = _farther(taken, scaled(_ARM_RIM))
    arms = np.isin(labels, [table[label] for label in _ARMS if label in table])
    # A bare arm's edge is the photo's; painted a pixel beside it, it would be frayed.
    edge = clear & ((arms & new["wall"]) | (old["wall"] & new["skin"] & ~_farther(arms, scaled(_ARM_EDGE))))
    alike |= _mostly(arms & clear & new["skin"], alike)
    same = (old["wall"] & wall) | (old["skin"] & new["skin"] & alike & clear) | edge
    shows = new["garment"] & ~(old["wall"] & wall)
    if rims is WIDE:
        shows |= new["skin"] & ~old["skin"] & ~edge  # whose outline is drawn at the photo's size
    away = _farther(taken, scaled(rims[0])) | (arms & clear)
    away &= _farther(shows, scaled(rims[1]))
    stays = _without_specks((same & away) | ~mask, scaled(_SPECK))
    if below is not None:
        # Where it begins is drawn with the layers, at the photo's size.
        stays |= ndimage.binary_erosion(below, iterations=rims[1], border_value=1) if rims is WIDE else below
    return Kept(mask & ~stays, same)


def _mostly(region: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """(H,W) bool: the pieces of a region that are mostly alike; the rest of such an arm is in shade."""
    pieces, count = ndimage.label(region)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    shares = np.bincount(pieces.ravel(), alike.ravel(), count + 1) / np.maximum(sizes, 1)
    shares[0] = 0
    return np.asarray((shares >= _MOST)[pieces])


def settled(
    probabilities: np.ndarray, labels: np.ndarray, outline: np.ndarray, below: np.ndarray
) -> np.ndarray:
    """What a painting shows, where that does not depend on what was painted.

    Args:
        probabilities: (K,H,W) in the order of ``LAYERS``.
        labels: (H,W) of the photo; 0 is wall in every scheme.
        outline: (H,W) in [0,1], where the warped garment lies. A person keeps their pose, so nothing else of
            them can be where wall was.
        below: (H,W) bool, see ``below_hem``: something else than the garment.

    Returns:
        (K,H,W).
    """
    scale = len(labels) / _REFERENCE_HEIGHT
    wall = (labels == 0) & _farther(outline > _COVERED, max(1, round(_WARP_RIM * scale)))
    for region, name in ((below, "other"), (wall, "wall")):
        certain = np.zeros(len(LAYERS), probabilities.dtype)
        certain[LAYERS.index(name)] = 1
        probabilities = np.where(region, certain[:, None, None], probabilities)
    return probabilities


def below_hem(mask: np.ndarray, labels: np.ndarray, outline: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """(H,W) bool: where an old garment that goes on below the window stays, because the new one has ended.

    Args:
        mask: (H,W) bool, True = repainted.
        labels: (H,W) of the photo.
        outline: (H,W) in [0,1], where the warped garment lies.
        scheme: of the labels.
    """
    nothing = np.zeros(mask.shape, bool)
    there = outline > _ON
    if _taken(mask, labels, scheme)[-1].mean() <= _LONG or not there.any():
        return nothing
    rows = np.arange(len(mask))[:, None]
    last = np.where(there, rows, -1).max(0)
    # Sleeves end higher; there, and beside the garment, the hem nearby counts.
    hem = last >= _hem(outline) - 1 - _HEM_SWING * len(mask)
    columns = np.flatnonzero(hem)
    # A gap between the garment's body and its sleeve is no cut of its hem.
    gap = max(1, round(_HEM_GAP * columns.size))
    line = ndimage.grey_closing(np.pad(last[columns] * 1.0, gap, constant_values=-1), gap)[gap:-gap]
    level = np.interp(np.arange(mask.shape[1]), columns, ndimage.gaussian_filter1d(line, 2))
    return np.asarray(mask & (rows > level + _HEM_RIM * len(mask) / _REFERENCE_HEIGHT))


def to_the_bottom(region: np.ndarray) -> np.ndarray:
    """What of a region reaches the last row: (H,W) bool → same."""
    pieces, _ = ndimage.label(region)
    return np.asarray(region & np.isin(pieces, np.unique(pieces[-1][region[-1]])))


def _taken(mask: np.ndarray, labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """(H,W) bool: what is repainted and neither wall nor skin, the old garment most of all."""
    table = label_table(scheme)
    names = [*_OLD["wall"], *_OLD["skin"]]
    return np.asarray(mask & ~np.isin(labels, [table[name] for name in names if name in table]))


def _hem(outline: np.ndarray) -> int:
    """The row below a warped garment's outline (H,W); the last one where there is none."""
    rows = np.flatnonzero((outline > _ON).mean(1) > _NARROW)
    return int(rows[-1]) + 1 if rows.size else len(outline)


def _without_specks(region: np.ndarray, size: int) -> np.ndarray:
    """(H,W) bool without what is narrower than twice ``size``; beyond the border it goes on as it ends."""
    padded = np.pad(region, 2 * size, mode="edge")
    opened = ndimage.binary_opening(padded, iterations=size)
    return opened[2 * size : -2 * size, 2 * size : -2 * size]


def _farther(region: np.ndarray, distance: float) -> np.ndarray:
    """(H,W) bool: more than so many pixels away from a region."""
    if not region.any():
        return np.ones(region.shape, bool)
    return ndimage.distance_transform_edt(~region) > distance
