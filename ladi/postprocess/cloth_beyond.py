"""Cloth that goes on beyond where a warp lays it: a little on the body, farther along sleeves."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from ladi.postprocess.continuing import Continued
from ladi.postprocess.layers import as_tensor

_RAGLAN, _TELLING = 60, 500
"""Difference of 255 from which sleeves are of another colour than the body; and pixels that tell either's."""
_EVEN = 1.5
"""Standard deviation, in pixels at a height of 256, by which the line between sleeve and body is smoothed."""
_CLOTH_MIRROR = (1.5, 5.0)
"""As in ``continuing.py``: prints would show if they were repeated."""
_SLEEVE_MIRROR = (12.0, 40.0)
"""Likewise along sleeves, which have patterns more often than prints."""


def cloth_beyond(
    own: np.ndarray, known: np.ndarray, wanted: np.ndarray, arms: torch.Tensor | None
) -> torch.Tensor:
    """Cloth continued from where it is known.

    Where sleeves are of another colour than the body, what lies between them is the one's or the other's,
    and no mixture.

    Args:
        own: (H,W,3) uint8, the cloth.
        known: (H,W) bool, where that is sure.
        wanted: (H,W) bool, where cloth is to be.
        arms: (1,1,H,W) in [0,1], how much of each pixel is a sleeve; None where there is none.

    Returns:
        (1,3,H,W) in [-1,1].
    """
    whole = Continued(own, known)
    if arms is None:
        return as_tensor(whole.filled(wanted, _CLOTH_MIRROR))
    sleeved = arms[0, 0].numpy() > 0.5
    body, sleeve = known & ~sleeved, known & sleeved
    of_body = of_sleeve = whole
    if _apart(own[body], own[sleeve]):
        of_body, of_sleeve = Continued(own, body), Continued(own, sleeve)
        arms = torch.from_numpy(_softly(sleeved | _nearest_of(sleeved, known)))[None, None]
    cloth = as_tensor(of_body.filled(wanted, _CLOTH_MIRROR))
    along = as_tensor(of_sleeve.filled(wanted & (arms[0, 0].numpy() > 0), _SLEEVE_MIRROR))
    return torch.lerp(cloth, along, arms)


def _apart(body: np.ndarray, sleeve: np.ndarray) -> bool:
    """Whether sleeves are of another colour than the body: pixels (N,3) and (M,3) uint8 of both."""
    if min(len(body), len(sleeve)) < _TELLING:
        return False
    return float(np.abs(np.median(body, axis=0) - np.median(sleeve, axis=0)).max()) > _RAGLAN


def _nearest_of(region: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether the nearest known pixel is in a region: (H,W) bool, of such."""
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = np.zeros(labels.max() + 1, bool)
    inside[labels[known]] = region[known]
    return np.asarray(inside[labels])


def _softly(region: np.ndarray) -> np.ndarray:
    """A region (H,W) bool with a smooth edge, some pixels wide: float32 in [0,1]."""
    even = _EVEN * max(1, round(len(region) / 256))
    soft = cv2.GaussianBlur(region.astype(np.float32), (0, 0), even)
    return np.asarray(((soft - 0.5) * even + 0.5).clip(0, 1))
