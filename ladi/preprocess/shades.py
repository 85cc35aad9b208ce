"""The few shades that a part of a picture has, and how far other colours are from them (CIELAB, 8 bit)."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

_SHADES = 4
_RARE = 0.04
"""Share of the pixels below which a shade is a mistake in the labels."""
_BINS, _SPREAD = 10, 0.7
"""Along each axis of a histogram, and the standard deviation over which it is smoothed, in bins."""
_ALIKE, _SAMPLES = 10.0, 600
"""How near colours are alike; pixels that are asked at most."""


def in_lab(image: np.ndarray) -> np.ndarray:
    """(H,W,3) uint8 RGB → (H,W,3) float32."""
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB).astype(np.float32)


def shades_of(colours: np.ndarray, *, least: float = _RARE) -> np.ndarray:
    """(N,3) → (K,3), the middles of their groups; without rare ones; the same for the same colours."""
    cv2.setRNGSeed(0)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    count = min(_SHADES, len(colours))
    empty = np.empty(0, np.int32)
    _, groups, middles = cv2.kmeans(colours, count, empty, ends, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(groups.ravel(), minlength=count) / len(colours)
    return np.asarray(middles[shares >= min(least, shares.max())])


def distance_to(colours: np.ndarray, shades: np.ndarray) -> np.ndarray:
    """(N,3) and (K,3) → (N,), how far each is from the nearest shade."""
    return np.asarray(np.linalg.norm(colours[:, None] - shades[None], axis=2).min(1))


def both_sides(
    image: np.ndarray, one: np.ndarray, other: np.ndarray, *, blur: int
) -> tuple[np.ndarray, np.ndarray]:
    """How common each pixel's colour is on either side of a line.

    Args:
        image: (H,W,3) uint8 RGB.
        one: (H,W) bool, one side.
        other: (H,W) bool, the other.
        blur: pixels across of the mean around each pixel; 0 for none.

    Returns:
        Twice (H,W) float32, shares of that side.
    """
    places = tuple(np.rint(in_lab(image) * ((_BINS - 1) / 255)).astype(int).transpose(2, 0, 1))
    results = []
    for side in (one, other):
        counts = np.zeros((_BINS, _BINS, _BINS))
        np.add.at(counts, tuple(place[side] for place in places), 1)
        share = ndimage.gaussian_filter(counts, _SPREAD) / max(1, side.sum())
        common = share[places].astype(np.float32)
        results.append(cv2.blur(common, (blur, blur)) if blur else common)
    return results[0], results[1]


def commonness(colours: np.ndarray, those: np.ndarray) -> np.ndarray:
    """How many of those colours (M,3), CIELAB of 8 bit, are like each of others: (N,3) → (N,) in [0,1]."""
    those = those[:: max(1, len(those) // _SAMPLES)]
    squares = np.square(colours).sum(1)[:, None] - 2 * colours @ those.T + np.square(those).sum(1)
    return np.asarray((squares < _ALIKE**2).mean(1))
