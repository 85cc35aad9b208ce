"""Very large pictures: every step but decoding and pasting back works on a copy of bounded size.

What a step needs in memory is a multiple of its picture, in floats; so the picture is what is bounded. A copy
is smaller by a whole factor, so that its pixels are means of the original's and its coordinates are the
original's, divided. It decodes nothing (``photo.py`` refuses what is larger than is ever allowed).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PIL import Image

from ladi.types import Frame, PersonParts, Photo

WORKING_PIXELS = 16_000_000
"""Pixels of the largest array that a person or a garment is looked for in; phones' photos are smaller."""
STRIP_PIXELS = 2_000_000
"""Pixels that are converted at a time, where an array is gone through in strips."""


def shrink_factor(count: float) -> int:
    """By which whole factor a picture of so many pixels is made smaller; 1 for none."""
    return max(1, math.ceil(math.sqrt(count / WORKING_PIXELS)))


def strips(height: int, width: int, multiple: int = 1) -> list[slice]:
    """The rows of a picture in strips of about ``STRIP_PIXELS``, each but the last a multiple high."""
    rows = multiple * max(1, STRIP_PIXELS // (multiple * max(1, width)))
    return [slice(start, min(height, start + rows)) for start in range(0, height, rows)]


def shrink(pixels: np.ndarray, factor: int) -> np.ndarray:
    """A picture smaller by a whole factor; pixels that are left over at the end make one more.

    Args:
        pixels: (H,W,3) or (H,W) uint8, or (H,W) bool or float, which come back as float32.
        factor: from ``shrink_factor``.
    """
    if factor == 1:
        return pixels
    kind = np.uint8 if pixels.dtype == np.uint8 else np.float32
    parts = [
        np.asarray(Image.fromarray(np.ascontiguousarray(pixels[rows], dtype=kind)).reduce(factor))
        for rows in strips(pixels.shape[0], pixels.shape[1], factor)
    ]
    return np.concatenate(parts)


def shrink_photo(photo: Photo, most: int = WORKING_PIXELS) -> tuple[Photo, int]:
    """A photo of bounded size, and by which factor it is smaller; the very photo where it is small enough."""
    height, width = photo.size
    factor = shrink_factor(height * width * WORKING_PIXELS / most)
    if factor == 1:
        return photo, 1
    alpha = None if photo.alpha is None else shrink(photo.alpha, factor)
    return replace(photo, pixels=shrink(photo.pixels, factor), alpha=alpha), factor


def scale_frame(frame: Frame, factor: float) -> Frame:
    """The same window in a picture that is larger by a factor."""
    return replace(
        frame,
        left=frame.left * factor,
        top=frame.top * factor,
        width=frame.width * factor,
        height=frame.height * factor,
    )


def in_photo(person: PersonParts, photo: Photo, factor: int) -> PersonParts:
    """A person who was found in a smaller copy, in the photo itself."""
    return person if factor == 1 else replace(person, photo=photo, frame=scale_frame(person.frame, factor))


def in_smaller_photo(person: PersonParts, most: int) -> PersonParts:
    """A person in a copy of their photo of at most so many pixels, where many results are to be kept."""
    photo, factor = shrink_photo(person.photo, most)
    return (
        person if factor == 1 else replace(person, photo=photo, frame=scale_frame(person.frame, 1 / factor))
    )
