"""Where long hair ends and the garment under it begins, told by the colours of both.

A small parser takes pieces of a coat for the hair that lies around them; kept, they stay on top of the new
garment. What hair looks like is seen above the chin, where nothing is worn. On labelled street photos this
raises the overlap of hair by half a hundredth.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LabelScheme

_CLOSER, _DIFFERENT = 0.6, 14.0
"""So much nearer to the garment's shades than to the hair's a pixel must be, and so far from the hair's (in
CIELAB of 8 bit)."""
_NEAR, _RIM = 14, 3
"""Pixels, at a height of 256, from the hair between which the garment's shades are taken."""
_ABOVE, _BELOW = 4, 8
"""Pixels above the chin up to which hair is hair for sure, and from which it is in question."""
_HAIR, _SEEN, _GARMENT = 60, 40, 300
"""Pixels, at a height of 256, that hair, face and garment must have."""


def settle_hair(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which what has the garment's colours, and not the hair's, is no hair.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    scale, hair = len(labels) / 256, named(labels, scheme, ("hair",))
    face = named(labels, scheme, ("face", "head"))
    worn = named(labels, scheme, UPPER_CLOTHING)
    least = np.array([_HAIR, _SEEN, _GARMENT]) * scale**2
    if (np.array([hair.sum(), face.sum(), worn.sum()]) < least).any():
        return labels
    chin = np.flatnonzero(face.any(1))[-1]
    rows = np.arange(len(labels))[:, None]
    away = ndimage.distance_transform_edt(~hair) / scale
    known, near = hair & (rows < chin - _ABOVE * scale), worn & (away > _RIM) & (away < _NEAR)
    doubted = hair & (rows >= chin - _BELOW * scale)
    if min(known.sum(), near.sum()) < _HAIR * scale**2 or not doubted.any():
        return labels
    colours = in_lab(image)
    to_hair, to_cloth = (distance_to(colours[doubted], shades_of(colours[one])) for one in (known, near))
    taken = np.zeros_like(hair)
    taken[doubted] = (to_cloth < _CLOSER * to_hair) & (to_hair > _DIFFERENT)
    taken = (ndimage.median_filter(taken.astype(np.uint8), 5) > 0) & doubted
    pieces, count = ndimage.label(taken | worn)
    # Only what is joined to the garment; a shadow within the hair is hair.
    taken &= pieces == np.bincount(pieces[worn], minlength=count + 1).argmax()
    rows, columns = ndimage.distance_transform_edt(~worn, return_distances=False, return_indices=True)
    return np.where(taken, labels[rows, columns], labels)
