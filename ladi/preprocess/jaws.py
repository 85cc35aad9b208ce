"""A face labelled down to its chin, whose outline mediapipe's face mesh finds.

A small parser ends faces at the mouth, or takes the cheek beside a collar for the collar; what of a face is
not labelled is painted, and its edge looks cut.
"""

from __future__ import annotations

import cv2
import numpy as np

from ladi.preprocess.frame import to_window
from ladi.preprocess.labels import UPPER_CLOTHING, label_table, named
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import Frame, LabelScheme

_FINE = 4
"""Bits of a pixel's share to which the outline is drawn."""
_AGREED = 0.6
"""Share of the outline that must be labelled as a head: else it is somebody else's, or seen from behind."""
_LEAST = 60
"""Pixels at a height of 256 of face that its shades are told from."""


def label_jaw(
    labels: np.ndarray, image: np.ndarray, jaw: np.ndarray | None, frame: Frame, scheme: LabelScheme
) -> np.ndarray:
    """Labels in which what lies within the jaw's outline is face.

    What is labelled as worn must have the face's colours too: sleeves and scarves may be before it.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        jaw: (N,2) in the photo's pixels, of ``PoseDetection``.
        frame: the window.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    head = named(labels, scheme, ("face", "head", "hair", "hat", "glasses", "sunglasses"))
    face = named(labels, scheme, ("face", "head"))
    if jaw is None or face.sum() < _LEAST * (len(labels) / 256) ** 2:
        return labels
    drawn = np.zeros(labels.shape, np.uint8)
    cv2.fillPoly(drawn, [np.rint((to_window(jaw, frame) - 0.5) * 2**_FINE).astype(np.int32)], 1, shift=_FINE)
    inside = drawn > 0
    if not inside.any() or head[inside].mean() < _AGREED:
        return labels
    worn = inside & named(labels, scheme, UPPER_CLOTHING)
    taken = inside & named(labels, scheme, ("neck", "vitonhd_neck", "background"))
    around = named(labels, scheme, UPPER_CLOTHING) & ~inside
    if worn.any() and around.any():
        colours = in_lab(image)
        to_face, to_cloth = (
            distance_to(colours[worn], shades_of(colours[one])) for one in (face & inside, around)
        )
        taken[worn] = to_face < to_cloth
    return np.where(taken, labels[face].dtype.type(_face(labels, scheme)), labels) if taken.any() else labels


def _face(labels: np.ndarray, scheme: LabelScheme) -> int:
    """The number that most of the face has."""
    table = label_table(scheme)
    numbers = [table[name] for name in ("face", "head") if name in table]
    return max(numbers, key=lambda number: int((labels == number).sum()))
