"""Two shoulders that wear the same: what covers one of them covers the other.

Of a garment that lies askew, or is seen from its side, the warp lays one strap or sleeve on the shoulder and
leaves the other bare. Somebody who stands before the camera has both.
"""

from __future__ import annotations

import cv2
import numpy as np

from ladi.preprocess.boxes import box_of
from ladi.types import JOINT, LAYERS

_SKIN, _GARMENT = (LAYERS.index(name) for name in ("skin", "garment"))
_FROM_FRONT, _TURNED = 0.55, 0.25
"""Whose shoulders are so far apart, of the trunk's length, is seen from the front, if the neck lies between
them but for this share of the distance."""
_NEAR, _FAR = 0.3, 0.75
"""How far from the middle, of the distance between the shoulders, shoulders and caps of sleeves are."""
_ABOVE, _BELOW = 0.25, 0.4
"""How far above and below the line through their joints, likewise."""
_WORTH_IT = 0.015
"""Of that distance's square, what must be bare before it is anything but two edges that differ."""
_TOP, _BOTH = 0.15, 0.4
"""The upper share of a garment, which is so much of it wide where it covers both shoulders."""


def even_shoulders(
    shown: np.ndarray, free: np.ndarray, keypoints: np.ndarray, torso: float, flat: np.ndarray
) -> np.ndarray:
    """Where a bare shoulder is to have what the other one wears: (H,W) bool.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        free: (H,W) bool, where that may be changed.
        keypoints: (18,3) in pixels.
        torso: the trunk's length in pixels.
        flat: (h,w) in [0,1], the garment's matte before it was warped.
    """
    first, covered = shown.argmax(0), np.zeros_like(free)
    left, right, neck = (keypoints[JOINT[name], :2] for name in ("left_shoulder", "right_shoulder", "neck"))
    width = float(np.hypot(*(left - right)))
    if not left.any() or not right.any() or width < _FROM_FRONT * torso or not covers_both(flat):
        return covered
    across, middle = (right - left) / width, (left + right) / 2
    if neck.any() and abs((neck - middle) @ across) > _TURNED * width:
        return covered
    mirror = np.eye(2) - 2 * np.outer(across, across)
    matrix = np.column_stack([mirror, middle - mirror @ middle])
    cloth, size = (first == _GARMENT).astype(np.uint8), (free.shape[1], free.shape[0])
    mirrored = cv2.warpAffine(cloth, matrix, size, flags=cv2.INTER_NEAREST) > 0
    y, x = np.mgrid[: free.shape[0], : free.shape[1]]
    aside = ((x - middle[0]) * across[0] + (y - middle[1]) * across[1]) / width
    down = (y - middle[1] - aside * width * across[1]) / width
    here = free & mirrored & (first == _SKIN) & (down > -_ABOVE) & (down < _BELOW)
    here &= (np.abs(aside) > _NEAR) & (np.abs(aside) < _FAR)
    for side in (here & (aside < 0), here & (aside > 0)):
        if side.sum() >= _WORTH_IT * width**2:
            covered |= side
    return covered


def covers_both(flat: np.ndarray) -> bool:
    """Whether a garment, (h,w) in [0,1], has something for either shoulder."""
    box = box_of(flat > 0.5)
    if box is None:
        return False
    top = box_of(flat[box.top : box.top + max(1, round(_TOP * box.height))] > 0.5)
    return top is not None and top.width >= _BOTH * box.width
