"""The few shades that a part of a picture has, and how far other colours are from them (CIELAB, 8 bit)."""

from __future__ import annotations

import cv2
import numpy as np

_SHADES = 4
_RARE = 0.04
"""Share of the pixels below which a shade is a mistake in the labels."""


def in_lab(image: np.ndarray) -> np.ndarray:
    """(H,W,3) uint8 RGB → (H,W,3) float32."""
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB).astype(np.float32)


def shades_of(colours: np.ndarray) -> np.ndarray:
    """(N,3) → (K,3), the middles of their groups; without rare ones; the same for the same colours."""
    cv2.setRNGSeed(0)
    ends = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    count = min(_SHADES, len(colours))
    empty = np.empty(0, np.int32)
    _, groups, middles = cv2.kmeans(colours, count, empty, ends, 1, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(groups.ravel(), minlength=count) / len(colours)
    return np.asarray(middles[shares >= min(_RARE, shares.max())])


def distance_to(colours: np.ndarray, shades: np.ndarray) -> np.ndarray:
    """(N,3) and (K,3) → (N,), how far each is from the nearest shade."""
    return np.asarray(np.linalg.norm(colours[:, None] - shades[None], axis=2).min(1))
