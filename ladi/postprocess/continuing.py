"""A picture continued beyond what is known of it: a wall behind a removed coat, cloth beyond a warp's edge.

Its colours are those of Telea's inpainting of the small picture, which is smooth. Near the edge the grain of
the known picture, mirrored at the edge, is added, so that bricks stay bricks and cloth cloth. It knows
nothing of people.
"""

from __future__ import annotations

import cv2
import numpy as np

_HEIGHT = 256
"""The distances below are pixels at this height."""
_SMALL, _RADIUS = 160, 3
"""Height of the small picture, and Telea's radius in it."""
_SOFT = 1.5
"""Over which the mirror's share changes."""
_EVEN = 3.0
"""Over which an edge's direction is evened out."""
_GRAIN, _CONTRAST = 5.0, 40
"""Pixels over which colours are the smooth filling's and not the mirror's, and the most that it may differ:
what is mirrored may be a lamp or a passer-by, whose colour would be a streak."""


def continue_picture(
    picture: np.ndarray,
    known: np.ndarray,
    wanted: np.ndarray,
    mirror: tuple[float, float],
) -> np.ndarray:
    """Fill in what is not known.

    Args:
        picture: (H,W,3) uint8.
        known: (H,W) bool; where nothing is known, nothing is changed.
        wanted: (H,W) bool; elsewhere nothing is changed either.
        mirror: distances from the edge, in pixels at a height of 256, up to which the mirror counts alone,
            and from which it does not count: long for walls, short for what repeats itself less.

    Returns:
        (H,W,3) uint8; the picture itself where it is known.
    """
    if not known.any() or not (wanted & ~known).any():
        return picture
    height, width = known.shape
    times = height / _HEIGHT
    missing = (~known).astype(np.uint8)
    distance = cv2.distanceTransform(missing, cv2.DIST_L2, cv2.DIST_MASK_5)
    unknown = np.nonzero(wanted & ~known)
    down, along = _mirrored(distance, unknown, _EVEN * times)
    inside = (down >= 0) & (down < height) & (along >= 0) & (along < width)
    down, along = down.clip(0, height - 1), along.clip(0, width - 1)
    near, far = (length * times for length in mirror)
    shown = inside & known[down, along]
    trust = np.zeros(known.shape, np.float32)
    trust[unknown] = shown * ((far - distance[unknown]) / max(far - near, 1e-6)).clip(0, 1)
    window = 2 * round(_SOFT * times) + 1
    share = cv2.blur(trust, (window, window))[unknown][:, None]
    filled = picture.copy()
    whole = np.where(known[..., None], picture, _inpainted(picture, missing)).astype(np.float32)
    smooth = whole[unknown]
    window = 2 * round(_GRAIN * times) + 1
    grain = whole - cv2.blur(whole, (window, window))
    mirrored = np.where(shown[:, None], grain[down, along], 0).clip(-_CONTRAST, _CONTRAST)
    filled[unknown] = np.rint(smooth + mirrored * share).clip(0, 255).astype(np.uint8)
    return filled


def _mirrored(
    distance: np.ndarray, unknown: tuple[np.ndarray, ...], even: float
) -> tuple[np.ndarray, np.ndarray]:
    """Row and column that each unknown pixel has in the mirror of the edge.

    The edge is taken as even: at every notch of it a mirror would show a streak of its own.
    """
    # Twice a small blur is a smooth one, and fast.
    window = 2 * round(even) + 1
    slope = cv2.blur(cv2.blur(distance, (window, window)), (window, window))
    across, downward = (cv2.Sobel(slope, cv2.CV_32F, dx, dy)[unknown] for dx, dy in ((1, 0), (0, 1)))
    length = np.maximum(np.hypot(across, downward), 1e-6)
    twice = 2 * distance[unknown]
    down, along = unknown[0] - twice * downward / length, unknown[1] - twice * across / length
    return np.rint(down).astype(np.int64), np.rint(along).astype(np.int64)


def _inpainted(picture: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Telea's inpainting of a small copy, enlarged."""
    height, width = missing.shape
    size = max(1, round(width * _SMALL / height)), _SMALL
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    # A pixel of the small copy of which any is missing is a mixture.
    holes = (cv2.resize(missing.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    if holes.all():
        return picture
    filled = cv2.inpaint(np.ascontiguousarray(small), holes, _RADIUS, cv2.INPAINT_TELEA)
    return cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
