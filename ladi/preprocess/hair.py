"""Where long hair ends and the garment under it begins, told by the colours of both.

A small parser takes pieces of a coat for the hair that lies around them; kept, they stay on top of the new
garment. What hair looks like is seen above the chin, where nothing is worn. On labelled street photos this
raises the overlap of hair by half a hundredth.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table
from ladi.types import LabelScheme

_WORN = ("upper_clothes", "dress", "coat")
_COLOURS = 4
"""Shades of hair, and of the garment near it."""
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
    table, scale = label_table(scheme), len(labels) / 256
    hair = labels == table["hair"]
    face = np.isin(labels, [table[name] for name in ("face", "head") if name in table])
    worn = np.isin(labels, [table[name] for name in _WORN if name in table])
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
    colours = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB).astype(np.float32)
    to_hair, to_cloth = (_distance(colours[doubted], _shades(colours[one])) for one in (known, near))
    taken = np.zeros_like(hair)
    taken[doubted] = (to_cloth < _CLOSER * to_hair) & (to_hair > _DIFFERENT)
    taken = (ndimage.median_filter(taken.astype(np.uint8), 5) > 0) & doubted
    pieces, count = ndimage.label(taken | worn)
    # Only what is joined to the garment; a shadow within the hair is hair.
    taken &= pieces == np.bincount(pieces[worn], minlength=count + 1).argmax()
    rows, columns = ndimage.distance_transform_edt(~worn, return_distances=False, return_indices=True)
    return np.where(taken, labels[rows, columns], labels)


def _shades(colours: np.ndarray) -> np.ndarray:
    """(N,3) → (K,3), the middles of their groups; always the same for the same colours."""
    cv2.setRNGSeed(0)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    count = min(_COLOURS, len(colours))
    empty = np.empty(0, np.int32)
    return cv2.kmeans(colours, count, empty, ends, 1, cv2.KMEANS_PP_CENTERS)[2]


def _distance(colours: np.ndarray, shades: np.ndarray) -> np.ndarray:
    """(N,3) and (K,3) → (N,), how far each is from the nearest shade."""
    return np.asarray(np.linalg.norm(colours[:, None] - shades[None], axis=2).min(1))
