"""What of a long sleeve hangs below a hem, where no arm is.

A warped sleeve reaches lower than the hand, or lies between arm and body, and what is painted there joins the
two: a web below the hem, and a hem with a step. Nobody's sleeve is there.
"""

from __future__ import annotations

import numpy as np

from ladi.postprocess.layers import as_nearest, certainly
from ladi.postprocess.tubes import SLEEVE, arm_joints, tube_of
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS

_WALL, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "garment", "other"))
_BELOW_WRIST, _MIDDLE = 0.06, 0.25
"""How far below a wrist, in torsos, a sleeve reaches too low; and half the width of the trunk's middle, where
its hem is looked for, of the distance between the shoulders."""
_BELOW_HEM, _BESIDE, _FROM, _LEAST = 2.0, 4.0, 0.5, 12
"""Pixels at a height of 256 below a hem, radii beside an arm, and share of it from which on, cloth on its
inner side is a web; and of how many such pixels one is made."""


def without_tails(
    shown: np.ndarray, mask: np.ndarray, lower: np.ndarray, keypoints: np.ndarray, limbs: Limbs
) -> np.ndarray:
    """Layers without what of a warped sleeve hangs below the hem, beside the body or the arm: (K,H,W).

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, where that may be changed.
        lower: (H,W) bool, where the photo shows trousers or a skirt, which the sleeve has covered.
        keypoints: (18,3) in pixels.
        limbs: of the same person.
    """
    first = shown.argmax(0)
    cloth = first == _GARMENT
    rows, columns = np.arange(len(cloth))[:, None], np.arange(cloth.shape[1])[None]
    middle = np.abs(columns[0] - limbs.hips[0]) < _MIDDLE * limbs.width
    hem = np.flatnonzero(cloth[:, middle].sum(1) > middle.sum() / 2)
    beneath = (first == _WALL) | (first == _OTHER)
    if not hem.size or not beneath.any():
        return shown
    tails = np.zeros_like(cloth)
    for side in ("left", "right"):
        wrist, shoulder = (keypoints[JOINT[f"{side}_{name}"]] for name in ("wrist", "shoulder"))
        if wrist[:2].any() and shoulder[:2].any():
            outer = (columns > limbs.hips[0]) == (shoulder[0] > limbs.hips[0])
            tails |= outer & (rows > max(hem[-1], wrist[1] + _BELOW_WRIST * limbs.torso))
    tails = cloth & mask & (tails | _webs(cloth & mask, hem[-1], keypoints, limbs))
    if not tails.any():
        return shown
    return certainly(as_nearest(shown, tails, beneath), tails & lower, _OTHER)


def _webs(cloth: np.ndarray, hem: int, keypoints: np.ndarray, limbs: Limbs) -> np.ndarray:
    """Cloth (H,W) bool between arms and body, below the row of the hem."""
    scale = len(cloth) / 256
    below = cloth & (np.arange(len(cloth))[:, None] > hem + _BELOW_HEM * scale)
    webs, arms = np.zeros_like(cloth), np.zeros_like(cloth)
    for side in ("left", "right"):
        joints = arm_joints(keypoints, side, limbs)
        if joints is not None and keypoints[JOINT[f"{side}_wrist"], :2].any():
            tube = tube_of(joints, (cloth.shape[0], cloth.shape[1]))
            arms |= tube.depth <= SLEEVE
            webs |= below & (tube.depth < _BESIDE) & (tube.along > _FROM) & ~tube.outer
    webs &= ~arms
    return webs if webs.sum() >= _LEAST * scale**2 else np.zeros_like(webs)
