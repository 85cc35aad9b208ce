"""The fine noise of a photo's skin, for skin that is painted smooth."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy import ndimage

from ladi.postprocess.grey import LUMA

_HEIGHT = 256
_ENOUGH = 40
"""Pixels at that height below which nothing is known of skin."""
_GRAIN_REACH, _GRAIN_SIZE, _GRAIN_SHARE, _GRAINIEST = 1.5, 0.7, 0.65, 0.017
"""Of the photo's pixels: what is finer is grain, and how fine; how much of that is noise and not skin's own
lines; the largest deviation on [-1,1]."""
_SPOTS, _SPOTTED = ((12, 1.0), (5, 0.8), (2, 0.35)), 0.03
"""Widths in the photo's pixels, with their shares, and strength on [-1,1] of the faint spots of skin. Of
37 labelled bare arms 0.046 of their brightness is what lies between one and three model pixels; painted
without spots it is 0.015."""


def grain_of(photo: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The fine noise that a photo's skin has, for skin that is painted smooth: (H,W) float32 about 0.

    Args:
        photo: (H,W,3) uint8.
        known: (H,W) bool, the photo's skin.

    Returns:
        On [-1,1]; the same for the same photo, nothing where too little skin is known.
    """
    nothing = np.zeros(known.shape, np.float32)
    inner = ndimage.binary_erosion(known, iterations=max(1, round(len(known) / _HEIGHT)))
    if inner.sum() < _ENOUGH * (len(known) / _HEIGHT) ** 2:
        return nothing
    luma = (photo.astype(np.float32) / 127.5) @ np.asarray(LUMA, np.float32)
    rest = (luma - cv2.GaussianBlur(luma, (0, 0), _GRAIN_REACH))[inner]
    # The middle of what is there: wrinkles, brows and pores are no noise.
    strength = min(_GRAINIEST, _GRAIN_SHARE * 1.48 * float(np.median(np.abs(rest))))
    soft, broad = _drawn(known.shape)
    return strength * soft + _SPOTTED * broad


@lru_cache(maxsize=2)
def _drawn(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Fine noise, and the broad, faint spots that no camera makes: (H,W) float32 each, of deviation 1."""
    drawn = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    soft = cv2.GaussianBlur(drawn, (0, 0), _GRAIN_SIZE)
    # Skin is never of one tone.
    broad = np.zeros(size, np.float32)
    for width, share in _SPOTS:
        spots = cv2.resize(drawn[::width, ::width], size[::-1], interpolation=cv2.INTER_CUBIC)
        spots = cv2.GaussianBlur(spots, (0, 0), width / 2)
        broad += share * spots / spots.std()
    return soft / soft.std(), broad / broad.std()
