"""Painted skin that goes on from the photo's own without a step in tone.

Where a sleeve ended, an arm that is drawn by its roundness alone shows a line: above it painted skin, below
it the hand or the forearm of the photo, in the photo's light. What they differ by where they meet is spread
up the arm, less and less, as a membrane lies that is held at its edge (Pérez et al., Poisson Image Editing,
2003, with a term that lets go with distance).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from ladi.postprocess.grey import LUMA

_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM = 2
"""So deep in known skin its tone is its own, not a cuff's shade."""
_EVEN = 2.5
"""Deviation over which both tones are evened out before they are compared."""
_REACH, _FARTHEST, _SEEN = 45.0, 120.0, 400
"""Over which a difference falls to a third, where little of the arm is seen: hands are redder than arms; and
where so many pixels of it are."""
_LEAST = 12
"""Pixels of known skin that must be there."""
_LIMITS = (0.65, 1.45)
"""Of the gain: what differs by more is no bare skin."""
_HUES = (0.88, 1.14)
"""Of each channel's gain, beside that of all: what differs by more is a cuff, or what a hand holds."""


def joined(
    painted: np.ndarray, photo: np.ndarray, known: np.ndarray, region: np.ndarray, reach: float | None = None
) -> np.ndarray:
    """The gain by which painted arms meet what the photo shows of them.

    Args:
        painted: (H,W,3) in [0,1], given for known skin too.
        photo: (H,W,3) in [0,1].
        known: (H,W) bool, the photo's bare arms and neck that stay.
        region: (H,W) bool, where painted skin is to be.
        reach: pixels at a height of 256 over which a difference falls to a third; of arms, by what is seen.

    Returns:
        (H,W,3) float32: 1 outside the region, and in limbs of which the photo shows nothing.
    """
    times = len(known) / _HEIGHT
    gain = np.ones(painted.shape, np.float32)
    held = ndimage.binary_erosion(known, iterations=max(1, round(_RIM * times)))
    free = (region | known) & ~held
    if held.sum() < _LEAST * times**2 or not (free & region).any():
        return gain
    ratio = _mean(photo, held, _EVEN * times) / np.maximum(_mean(painted, held, _EVEN * times), 0.02)
    light = np.maximum(ratio @ LUMA, 1e-3)[..., None]
    difference = np.log((light * (ratio / light).clip(*_HUES)).clip(*_LIMITS))
    pieces, count = ndimage.label(free | held)
    for number in range(1, count + 1):
        piece = pieces == number
        if not (piece & held).any() or not (piece & free).any():
            continue
        seen = (piece & held).sum() / times**2
        length = times * (reach or float(np.interp(seen, (0, _SEEN), (_REACH, _FARTHEST))))
        gain[piece & free] = np.exp(_membrane(difference, piece & held, piece & free, length**-2))
    gain[~region] = 1
    return gain


def _mean(picture: np.ndarray, where: np.ndarray, deviation: float) -> np.ndarray:
    """A picture (H,W,3) evened out over a region alone; 1 far from it."""
    weight = where.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), deviation)[..., None]
    colours = cv2.GaussianBlur(picture.astype(np.float32) * weight[..., None], (0, 0), deviation)
    return np.where(share > 1e-3, colours / np.maximum(share, 1e-3), 1)


def _membrane(values: np.ndarray, held: np.ndarray, free: np.ndarray, slack: float) -> np.ndarray:
    """Solves the screened Laplace equation on a region.

    Args:
        values: (H,W,C), known where it is held.
        held: (H,W) bool.
        free: (H,W) bool, where it is wanted; beyond both it is not held.
        slack: how much each pixel is drawn to 0.

    Returns:
        (N,C) for the free pixels, in the order of ``np.nonzero``.
    """
    free, held = np.pad(free, 1), np.pad(held, 1)
    values = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    number = np.full(free.shape, -1)
    number[free] = np.arange(free.sum())
    rows, columns = np.nonzero(free)
    here = np.arange(len(rows))
    diagonal, right = np.full(len(rows), slack), np.zeros((len(rows), values.shape[-1]))
    firsts, seconds = [], []
    for down, along in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        beside = rows + down, columns + along
        diagonal += free[beside] | held[beside]
        right += np.where(held[beside][:, None], values[beside], 0)
        firsts.append(here[free[beside]])
        seconds.append(number[beside][free[beside]])
    first, second = np.concatenate([here, *firsts]), np.concatenate([here, *seconds])
    entries = np.concatenate([diagonal, np.full(len(first) - len(here), -1.0)])
    matrix = sparse.csc_matrix((entries, (first, second)), (len(rows), len(rows)))
    return np.asarray(spsolve(matrix, right)).reshape(len(rows), -1)
