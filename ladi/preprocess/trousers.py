"""Trousers are whole: a leg between a coat and trousers is in them.

A small network takes pink trousers for skin, and dark ones for legs right below a coat's hem.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table, named
from ladi.types import LabelScheme

_LEGS = ("left_leg", "right_leg", "socks")
_ENDS = 0.7
"""Share of a leg's lower end that trousers take up from which on it is in them. In labelled street
photos real legs are lost from a third on, none from a half on."""


def whole_trousers(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which no leg is bare above trousers, unless a skirt or a dress is above it: those are boots.

    Args:
        labels: (H,W) integers.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    pants = label_table(scheme)["pants"]
    trousers, skirts = labels == pants, named(labels, scheme, ("skirt", "dress"))
    pieces, count = ndimage.label(named(labels, scheme, _LEGS), np.ones((3, 3)))
    changed = labels
    for number in range(1, count + 1):
        piece = pieces == number
        below = ndimage.shift(piece, (1, 0), order=0) & ~piece
        beside = ndimage.binary_dilation(piece) & ~piece
        if below.any() and trousers[below].mean() >= _ENDS and not skirts[beside].any():
            changed = np.where(piece, np.asarray(pants, labels.dtype), changed)
    return changed
