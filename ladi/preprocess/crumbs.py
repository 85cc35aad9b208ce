"""Labels without crumbs of a worn garment far from it: the mask grows around each and repaints it.

Networks and colours leave single pixels of shirt on knees, cuffs and bags.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.preprocess.morphology import dilated, nearest
from ladi.types import LabelScheme

_CRUMB = 20
"""Pixels, at a height of 256, up to which a piece is one."""
_AMID = 0.5
"""Share of its border along hair from which on it may be the garment itself, seen between strands."""


def without_crumbs(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which small pieces of what is worn above are what lies around them.

    Args:
        labels: (H,W) integers.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    worn = named(labels, scheme, UPPER_CLOTHING)
    pieces, count = ndimage.label(worn, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    small = sizes <= _CRUMB * (len(labels) / 256) ** 2
    small[0] = False
    if not small.any() or small[1:].all():
        return labels
    hair, crumbs = named(labels, scheme, ("hair",)), np.zeros_like(worn)
    for number in np.flatnonzero(small):
        piece = pieces == number
        border = dilated(piece) & ~piece
        if hair[border].mean() < _AMID:
            crumbs |= piece
    return np.where(crumbs, labels[nearest(~worn)], labels)
