"""A matte that the photo's own colours decide, where the matting network was not sure.

A small network finds the garment, but its edges are soft and parts of patterned beds stay as haze. Colour
models of what is surely garment and surely not (GrabCut, Rother et al., 2004) settle the rest. It finds no
garment by itself, and leaves a matte alone that is sure of itself already.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.colour_cut import BEHIND, FRONT, PERHAPS_BEHIND, PERHAPS_FRONT, cut_by_colour

_HEIGHT = 288
"""Of the small copy that colours are looked at in."""
_SURELY, _HARDLY = 0.9, 0.1
_ROUNDS = 3
_UNSURE = 0.02
"""Share of pixels in between up to which a matte is sure of itself."""
_LEAST = 0.02
"""Share of the picture that garment and background must each have, to be told apart by colour."""
_AGREE = 0.6
"""Intersection over union of the answer with the matte's own, below which colours say nothing."""
_EDGE = 1.0
"""Standard deviation, in pixels of the small copy, of the new edge."""
_HOLE = 0.7
"""Of a hole, the network's own mean matte from which on it is none."""
_SEED = 4
"""Pixels by which the sure garment is drawn in: its edges are what is in question."""


def settle_matte(matte: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The matte with its doubts settled.

    Args:
        matte: (H,W) float32 in [0,1].
        pixels: (H,W,3) uint8.

    Returns:
        (H,W) float32 in [0,1]; the matte itself where colours cannot decide.
    """
    height, width = matte.shape
    small = _HEIGHT / max(height, width)
    size = max(1, round(width * small)), max(1, round(height * small))
    given = cv2.resize(matte, size, interpolation=cv2.INTER_AREA)
    unsure = (given > _HARDLY) & (given < _SURELY)
    if unsure.mean() < _UNSURE:
        return matte
    sure = ndimage.binary_erosion(given > _SURELY, iterations=_SEED)
    hardly = given < _HARDLY
    if sure.mean() < _LEAST or hardly.mean() < _LEAST:
        return matte
    marks = np.where(given > 0.5, PERHAPS_FRONT, PERHAPS_BEHIND).astype(np.uint8)
    marks[sure] = FRONT
    marks[ndimage.binary_erosion(hardly, iterations=_SEED, border_value=1)] = BEHIND
    photo = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    found = cut_by_colour(photo, marks, _ROUNDS)
    found = _filled(ndimage.binary_opening(found, iterations=2), given)
    patches, count = ndimage.label(found)
    if not count:
        return matte
    found = patches == 1 + np.bincount(patches.ravel())[1:].argmax()
    before = given > 0.5
    if (found & before).sum() < _AGREE * (found | before).sum():
        return matte
    soft = cv2.GaussianBlur(found.astype(np.float32), (0, 0), _EDGE)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)


def _filled(found: np.ndarray, given: np.ndarray) -> np.ndarray:
    """A garment without the holes of which the network saw more garment than not, such as prints."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(found) & ~found)
    if not count:
        return found
    seen = np.atleast_1d(ndimage.mean(given, holes, np.arange(1, count + 1)))
    return found | np.concatenate([[False], seen > _HOLE])[holes]
