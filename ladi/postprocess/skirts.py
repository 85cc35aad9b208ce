"""Skirts and dresses below a new top: what the photo shows of them stays, and is no coat's.

A mask covers more of a dress than the new top does, and the painting ends it too soon or fills it with the
top; but there the photo itself is known.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import named
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS, LabelScheme

_WALL, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "garment", "other"))
_SKIRTS, _COATS = ("skirt", "dress"), ("upper_clothes", "coat")
_MIDDLE, _HEM = 0.25, 0.5
"""Half the width in which a hem is looked for, of the distance between the shoulders, and the share of a row
of it that is garment above one."""
_STAYS, _AMID = 0.6, 0.75
"""Share of a skirt below a hem that must be painted as something that stays; and of its border on a coat from
which on it is part of that."""


def whole_skirt(
    shown: np.ndarray, mask: np.ndarray, labels: np.ndarray, limbs: Limbs, scheme: LabelScheme
) -> np.ndarray:
    """What of a skirt or a dress is seen below a hem, as wide as the photo shows it.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, what is repainted.
        labels: (H,W) of the photo.
        limbs: of the same person.
        scheme: of the labels.

    Returns:
        (H,W) bool, of the mask; nothing where little of it was painted as something that stays.
    """
    first, nothing = shown.argmax(0), np.zeros_like(mask)
    columns = np.abs(np.arange(first.shape[1]) - limbs.hips[0]) < _MIDDLE * limbs.width
    if not columns.any():
        return nothing
    hem = np.flatnonzero((first[:, columns] == _GARMENT).mean(1) > _HEM)
    if not hem.size:
        return nothing
    skirt, coats = named(labels, scheme, _SKIRTS), named(labels, scheme, _COATS)
    below = skirt & ~_amid(skirt, coats) & mask & (np.arange(len(first))[:, None] > hem[-1])
    if not below.any() or (first[below] == _OTHER).mean() < _STAYS:
        return nothing
    return np.asarray(below & np.isin(first, (_OTHER, _WALL)))


def _amid(region: np.ndarray, around: np.ndarray) -> np.ndarray:
    """The pieces of a region that lie in the midst of another: (H,W) bool twice → (H,W) bool."""
    pieces, count = ndimage.label(region)
    result = np.zeros_like(region)
    for number in range(1, count + 1):
        piece = pieces == number
        border = ndimage.binary_dilation(piece) & ~piece
        if border.any() and around[border].mean() > _AMID:
            result |= piece
    return result
