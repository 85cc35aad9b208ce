"""Photos that lie on their side or upside down: which way they must be turned, and turned.

What a file says of its own orientation is ``photo.py``'s; here it is told by who is found. Which way up a
garment hangs is told by ``kind.py``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ladi.preprocess.checks import turn_of
from ladi.preprocess.findings import finding, raise_errors
from ladi.preprocess.pose import PoseDetector
from ladi.types import PersonError, Photo, PoseDetection

_QUARTER = 90


def turn_pixels(pixels: np.ndarray, degrees: int) -> np.ndarray:
    """A picture (H,W) or (H,W,3) turned to the right by a multiple of 90 degrees."""
    if not degrees:
        return pixels
    return np.ascontiguousarray(np.rot90(pixels, -degrees // _QUARTER))


def turn_photo(photo: Photo, degrees: int) -> Photo:
    """A photo turned to the right by a multiple of 90 degrees; the very photo for none."""
    if not degrees:
        return photo
    alpha = None if photo.alpha is None else turn_pixels(photo.alpha, degrees)
    return replace(photo, pixels=turn_pixels(photo.pixels, degrees), alpha=alpha)


def detect_upright(detector: PoseDetector, pixels: np.ndarray) -> PoseDetection:
    """As ``PoseDetector.detect``; somebody whom that finds only in the photo turned is an error of its own.

    Raises:
        PersonError: nobody is found, or only in the photo turned; its ``turn`` says how far.
    """
    try:
        return detector.detect(pixels)
    except PersonError:
        if turn := _found_turned(detector, pixels):
            raise_errors([finding("person_found_turned", turn=turn)])
        raise


def degrees_to_upright(detector: PoseDetector, pixels: np.ndarray) -> int:
    """Degrees by which a photo must be turned to the right for its person to be upright; 0 for nobody."""
    try:
        return turn_of(detector.detect(pixels))
    except PersonError:
        return _found_turned(detector, pixels)


def _found_turned(detector: PoseDetector, pixels: np.ndarray) -> int:
    """The turn after which somebody with a face stands upright in a photo that shows nobody as it is."""
    for degrees in (180, 90, 270):
        found = detector.find(turn_pixels(pixels, degrees))
        if found is not None and found.keypoints[0, 2] > 0 and not turn_of(found):
            return degrees
    return 0
