"""Labels without crumbs of a worn garment far from it, and without thorns of trousers in it.

Networks and colours leave single pixels of shirt on knees, cuffs and bags, around each of which the mask
would grow; and a pixel or two of trousers in a shirt's hem, around which the new hem would have a dark notch.
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
_THORN, _NEAR = 5, 6
"""Pixels, likewise, up to which trousers or a skirt are none if they are so narrow, and so near what is worn
above on both sides."""


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


def without_thorns(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which what of trousers or a skirt reaches thinly into what is worn above is that.

    Args:
        labels: (H,W) integers.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    times = len(labels) / 256
    worn, lower = (named(labels, scheme, names) for names in (UPPER_CLOTHING, ("pants", "skirt")))
    width, reach = max(2, round(_THORN * times)), max(1, round(_NEAR * times))
    thorns = lower & ~ndimage.binary_opening(lower, np.ones((1, width)))
    padded = np.pad(worn, ((0, 0), (reach, reach)))
    left, right = (
        np.lib.stride_tricks.sliding_window_view(padded[:, side], reach, axis=1).any(-1)
        for side in (np.s_[: -reach - 1], np.s_[reach + 1 :])
    )
    thorns &= left & right
    return np.where(thorns, labels[nearest(worn)], labels) if thorns.any() else labels
