"""Labels without crumbs of a worn garment far from it, and without splinters of a head within it.

Networks and colours leave single pixels of shirt on knees, cuffs and bags: the mask grows around each and
repaints it. Pixels of hair and neck left within a shirt are not repainted, and lie on the new one as specks.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import UPPER_CLOTHING, label_table, named
from ladi.preprocess.morphology import dilated, nearest, opened
from ladi.types import LabelScheme

_CRUMB = 20
"""Pixels, at a height of 256, up to which a piece is one."""
_AMID = 0.5
"""Share of its border along hair from which on it may be the garment itself, seen between strands."""
_ALONE, _GAP = 0.015, 6
"""Of all that is the person, and how far from the rest of it, what is somebody else's."""
_FACE, _SPLINTERED = ("face", "head"), ("hair", "neck", "vitonhd_neck")
_SPLINTER, _REACH = 1, 4
"""Half the width up to which a part of a head is one, so near to what is worn."""
_LOCK = 60
"""Pixels up to which hair that is joined to no other is none."""


def without_crumbs(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which small pieces of what is worn above are what lies around them.

    Args:
        labels: (H,W) integers.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    labels = _of_one_person(labels, scheme)
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


def _of_one_person(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels without small pieces of clothing that stand apart from everything else labelled."""
    someone = labels != label_table(scheme)["background"]
    pieces, count = ndimage.label(someone, np.ones((3, 3)))
    if count < 2:
        return labels
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    person = sizes.argmax()
    away = ndimage.distance_transform_edt(pieces != person)
    nearest_to = ndimage.minimum(away, pieces, np.arange(count + 1))
    others = (sizes < _ALONE * sizes[person]) & (nearest_to > _GAP * len(labels) / 256)
    others &= ndimage.maximum(named(labels, scheme, UPPER_CLOTHING), pieces, np.arange(count + 1)) > 0
    others[0] = False
    return np.where(others[pieces], label_table(scheme)["background"], labels)


def without_splinters(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which thin parts of hair and neck that reach into what is worn above are its.

    A face stays: in profile noses and chins are thin.

    Args:
        labels: (H,W) integers.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    scale = len(labels) / 256
    head = named(labels, scheme, (*_FACE, *_SPLINTERED))
    worn = named(labels, scheme, UPPER_CLOTHING)
    if not worn.any():
        return labels
    pieces, count = ndimage.label(head)
    islands = np.bincount(pieces.ravel(), minlength=count + 1) < _LOCK * scale**2
    islands[0] = False
    solid = opened(head, max(1, round(_SPLINTER * scale))) & ~islands[pieces]
    thin = named(labels, scheme, _SPLINTERED) & ~solid & dilated(worn, max(1, round(_REACH * scale)))
    return np.where(thin, labels[nearest(worn)], labels) if thin.any() else labels
