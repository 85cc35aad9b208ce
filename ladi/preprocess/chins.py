"""Where a face ends and a collar or scarf begins, told by the colours of both.

Labels are a pixel or two off, and a chin with a rim of the old collar looks cut out beside the new garment.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LabelScheme

_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM = 4
"""So near a garment what is labelled as face may be none."""
_SURE, _NEAR = 5, 12
"""So far from everything that is worn a face is surely one; and so far from it, and beyond the rim, a
garment's shades are taken."""
_BELOW = 8
"""So far below a chin thin hair is none."""
_LEAST = 60
"""Pixels that face and garment must have."""
_LOCAL = 5.0
"""Deviation over which a face's colour, a beard's too, is evened out."""
_CLOSER, _UNLIKE = 0.6, 16.0
"""So much nearer to the garment's shades than to the face's colour a pixel must be, and so far from this (in
CIELAB of 8 bit)."""
_MOST = 0.08
"""Share of a face from which on it is not its rim that has another colour."""


def settle_chin(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which what has the garment's colours, along it, and not the face's, is no face.

    Nor is there hair in slivers between a chin and a collar.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    times = len(labels) / _HEIGHT
    labels = _without_slivers(labels, scheme)
    face = named(labels, scheme, ("face", "head"))
    worn = named(labels, scheme, UPPER_CLOTHING)
    if not face.any() or not worn.any():
        return labels
    away, (rows, columns) = ndimage.distance_transform_edt(~worn, return_indices=True)
    sure, rim = face & (away > _SURE * times), face & (away <= _RIM * times)
    to_face = ndimage.distance_transform_edt(~face)
    near = worn & (to_face > _RIM * times) & (to_face < _NEAR * times)
    if min(sure.sum(), near.sum()) < _LEAST * times**2 or not rim.any():
        return labels
    colours, weight = in_lab(image), sure.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), _LOCAL * times)
    tone = cv2.GaussianBlur(colours * weight[..., None], (0, 0), _LOCAL * times)
    tone /= np.maximum(share, 1e-4)[..., None]
    unlike = np.linalg.norm(colours - tone, axis=-1)
    taken = np.zeros_like(rim)
    alike = distance_to(colours[rim], shades_of(colours[near]))
    taken[rim] = (unlike[rim] > _UNLIKE) & (alike < _CLOSER * unlike[rim]) & (share[rim] > 1e-3)
    # Nor single pixels between those.
    around = ndimage.median_filter((taken | worn).astype(np.uint8), 3) > 0
    taken |= rim & around & (unlike > _UNLIKE / 2)
    pieces, _ = ndimage.label(taken | worn)
    taken &= np.isin(pieces, np.unique(pieces[worn]))
    if not taken.any() or taken.sum() > _MOST * face.sum():
        return labels
    return np.where(taken, labels[rows, columns], labels)


def _without_slivers(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels (H,W) without thin hair right below a chin: that is the edge of a scarf."""
    times = len(labels) / _HEIGHT
    face, hair = named(labels, scheme, ("face", "head")), named(labels, scheme, ("hair",))
    collar = named(labels, scheme, (*UPPER_CLOTHING, "neck", "vitonhd_neck", "scarf"))
    if not face.any() or not collar.any():
        return labels
    thick = ndimage.binary_opening(hair, np.ones((3, 3)), iterations=max(1, round(times)))
    rows = np.arange(len(labels))[:, None]
    chin = np.where(face.any(0), len(face) - 1 - face[::-1].argmax(0), len(face))
    below = (rows > chin) & (rows <= chin + _BELOW * times)
    slivers = hair & ~thick & below
    if not slivers.any():
        return labels
    nearest = ndimage.distance_transform_edt(~collar, return_distances=False, return_indices=True)
    return np.where(slivers, labels[tuple(nearest)], labels)
