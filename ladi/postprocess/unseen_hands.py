"""Whether an arm's hand is seen, and where the arm goes if it is not: behind the garment, or on to its end.

It draws no hand (``drawn_hands.py``) and no arm (``arms.py``).
"""

from __future__ import annotations

import numpy as np

from ladi.postprocess.tubes import CUFF, Tube, forearm_of, value_at
from ladi.preprocess.limbs import HAND_SEEN

_HAND = 0.35
"""So near the wrist a hand is looked for, of the distance between the shoulders."""
_END, _MOST = 0.88, 0.7
"""From where along an arm its end is; how much of it, or of a hand, must be covered or shown to count."""
_ELBOW, _INWARDS = 0.4, 0.25
"""Where along an arm a sleeve ends at least that covers its elbow; and sine of a forearm's angle to the
vertical from which on it is bent to the body."""
_ON = 0.5
"""Matte from which the garment is there."""


def hand_is_seen(tube: Tube, bare: np.ndarray, width: float) -> bool:
    """Whether the photo shows a hand at the arm's end, so that the arm lies before the body.

    Args:
        tube: of the arm.
        bare: (H,W) bool, bare arms and hands of the photo.
        width: the distance between the shoulders, in pixels.
    """
    y, x = np.mgrid[: bare.shape[0], : bare.shape[1]]
    near = np.hypot(x - tube.line[-1, 0], y - tube.line[-1, 1]) < _HAND * width
    return bool((near & bare).sum() >= HAND_SEEN * width**2)


def behind(tube: Tube, outline: np.ndarray, hand: np.ndarray, body: np.ndarray, end: float) -> np.ndarray:
    """What of an arm without a hand is behind the garment: (H,W) bool.

    Hands are in pockets of what is taken away, or behind the back: below the elbow the arm goes behind the
    garment, where that is wide enough to hide a hand. An elbow that is covered is in a sleeve: then the arm
    must be bent inwards, and only what lies below the sleeve, or within the body, is behind the garment. It
    would be a stump below a short sleeve.

    Args:
        tube: of the arm.
        outline: (H,W) in [0,1], where the garment lies.
        hand: (H,W) bool, where the hand would be.
        body: (H,W) bool, the trunk.
        end: where along the arm its sleeve ends, in [0,1].
    """
    covered = outline > _ON
    if value_at(outline, tube.bend[None])[0] > _ON:
        if end < _ELBOW or -tube.outward * forearm_of(tube)[0] < _INWARDS:
            return np.zeros(outline.shape, bool)
        covered &= body | (tube.along > end + CUFF)
    if not mostly(covered, hand):
        return np.zeros(outline.shape, bool)
    return np.asarray((tube.along > tube.elbow) & covered)


def last_of(tube: Tube) -> np.ndarray:
    """An arm's end, (H,W) bool."""
    return np.asarray((tube.along > _END) & (tube.along < 1) & (tube.depth < 0.5))


def mostly(region: np.ndarray, of: np.ndarray) -> bool:
    """Whether a region (H,W) bool has most of another."""
    return share_of(region, of) > _MOST


def share_of(region: np.ndarray, of: np.ndarray) -> float:
    """How much of another (H,W) bool a region (H,W) bool covers; nothing of what is nowhere."""
    return float(region[of].mean()) if of.any() else 0.0
