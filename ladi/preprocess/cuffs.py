"""Where a hand ends and its cuff begins, told by the hand's own colour.

Labels are a pixel or two off, and between a hand and a cuff there is a dark line, or white from the cuff.
Left on the hand, it is a bracelet in the result.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table
from ladi.types import JOINT, LabelScheme

_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM = 3
"""So near a cuff what is labelled as hand may be none,"""
_FIRST, _LENGTH = 0.5, 14
"""and in this share of the hand, from the elbow's side, and so far along it: beside it there is no cuff."""
_SURE = 4
"""So far from everything that is worn a hand is surely one."""
_LEAST = 12
"""Pixels of that which a hand must have."""
_LOCAL = 5.0
"""Deviation over which its colour is evened out."""
_MOST = 0.2
"""Share of a hand from which on it is not its rim that has another colour."""
_UNLIKE = 3.0
"""Deviations of the hand's own colours from which a pixel is none of it,"""
_SPREAD = 9.0
"""and how wide they are taken to be at least, of RGB in [0,255]."""
_WORN = ("upper_clothes", "dress", "coat")


def settle_cuffs(
    labels: np.ndarray, image: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme
) -> np.ndarray:
    """Labels in which what is not the hand's colour, along a cuff, is the cuff's.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        keypoints: (18,3) in its pixels; nothing changes of an arm whose elbow or wrist was not found.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    table, times = label_table(scheme), len(labels) / _HEIGHT
    worn = np.isin(labels, [table[name] for name in _WORN if name in table])
    if not worn.any():
        return labels
    away, (rows, columns) = ndimage.distance_transform_edt(~worn, return_indices=True)
    pixels = image.astype(np.float32)
    changed = np.zeros(labels.shape, bool)
    for side in ("left", "right"):
        hand = labels == table[f"{side}_arm"]
        elbow, wrist = (keypoints[JOINT[f"{side}_{joint}"], :2] for joint in ("elbow", "wrist"))
        if not elbow.any() or not wrist.any():
            continue
        sure = ndimage.binary_erosion(hand, iterations=max(1, round(times))) & (away > _SURE * times)
        if sure.sum() < _LEAST * times**2:
            continue
        weight = sure.astype(np.float32)
        share = cv2.GaussianBlur(weight, (0, 0), _LOCAL * times)[..., None]
        tone = cv2.GaussianBlur(pixels * weight[..., None], (0, 0), _LOCAL * times) / np.maximum(share, 1e-4)
        unlike = np.linalg.norm(pixels - tone, axis=-1)
        # The middle one: between fingers it is dark, or wall.
        spread = max(_SPREAD, float(np.median(unlike[sure])))
        rim = hand & (away <= _RIM * times) & (share[..., 0] > 1e-3) & _begins(hand, wrist - elbow)
        other = worn | (rim & (unlike > _UNLIKE * spread))
        pieces, _ = ndimage.label(other)
        cuff = rim & other & np.isin(pieces, np.unique(pieces[worn & (pieces > 0)]))
        if cuff.sum() <= _MOST * hand.sum():
            changed |= cuff
    return np.where(changed, labels[rows, columns], labels) if changed.any() else labels


def _begins(hand: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(H,W) bool: the part of each piece of a hand (H,W) bool that lies nearest the elbow.

    Args:
        hand: may be in several pieces, or reach far up the forearm.
        along: (2,) as (x,y), from the elbow to the wrist.
    """
    rows, columns = np.mgrid[: hand.shape[0], : hand.shape[1]]
    place = (columns * along[0] + rows * along[1]) / max(float(np.hypot(*along)), 1e-6)
    pieces, count = ndimage.label(hand)
    if not count:
        return hand
    numbers = np.arange(1, count + 1)
    low, high = (extreme(place, pieces, numbers) for extreme in (ndimage.minimum, ndimage.maximum))
    length = np.minimum(_FIRST * (high - low), _LENGTH * len(hand) / _HEIGHT)
    limit = np.concatenate([[-np.inf], low + length])
    return np.asarray(place <= limit[pieces])
