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
_RIM = 3
"""Around the old garment everything is painted: its edge lies on pixels that are labelled as wall or skin."""
_NEW_RIM = 1
"""Likewise around the new one, whose shade the network painted."""
_COVERED, _WARP_RIM = 0.1, 4
"""From this share on the warped garment may lie on a pixel, or so near to it."""
_NEIGHBOURHOOD = 5
_SAME_SKIN = 0.5
"""Largest difference on [-1,1] of mean colours at which painted and real skin count as the same."""
_SPECK = 2
_ON, _NARROW = 0.5, 0.04
"""Matte from which on a garment is there, and the share of a row that is no more than a strap or a cuff."""
_LONG, _HEM_RIM = 0.08, 3
"""Share of the window's last row from which on an old garment goes on below it; what is painted of it below
the hem."""
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
    *,
    goes_on: bool = False,
    scheme: LabelScheme = "lip",
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
        goes_on: the photo goes on below the window. An old garment that does, a dress or a long coat, then
            stays below the new one's hem: painted, it would end where the window happens to.
        scheme: of the labels.
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
    same = (old["wall"] & wall) | (old["skin"] & new["skin"] & alike)
    taken = mask & ~old["wall"] & ~old["skin"]
    shows = new["garment"] & ~(old["wall"] & wall)
    away = _farther(taken, scaled(_RIM)) & _farther(shows, scaled(_NEW_RIM))
    stays = _without_specks((same & away) | ~mask, scaled(_SPECK))
    if goes_on and outline is not None and taken[-1].mean() > _LONG:
        stays[_hem(outline) + scaled(_HEM_RIM) :] = True
    return Kept(mask & ~stays, same)


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
