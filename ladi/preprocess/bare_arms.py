"""Where an arm is bare and where it is in a sleeve, told by the colour of the face.

A small parser takes cuffs for hands, and sleeves of a warm colour for skin; kept, they stay beside the new
sleeve. What a person's skin looks like is seen in the face; on the hands it is lighter or darker, but hardly
of another hue, so colours are compared without their brightness. On labelled street photos this raises the
overlap of arms from 0.658 to 0.704, and of what is worn on the upper body from 0.812 to 0.817. Then each arm
is asked: what goes on from it in its own shades, which are not the cloth's, is arm, which raises it again,
from 0.723 to 0.727.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LabelScheme

_ARMS = ("left_arm", "right_arm")
_WORN = ("upper_clothes", "dress", "coat")
_FACES = ("face", "head")
_OTHER, _SAME = 0.85, 0.5
"""Distance between two hues, as a share of the face's own distance from grey, from which on cloth is no skin,
and up to which skin is no cloth."""
_GREYEST = 0.15
"""Least distance from grey that a face counts as."""
_DARK = 8.0
"""Lightness (CIELAB, 0 … 100) that is added before hues are compared: the darkest have none."""
_LIKE = 0.35
"""What is so much brighter or darker than the face's middle is hair, eyes or glare."""
_BESIDE, _WITHIN, _INNER = 14, 6, 2
"""Pixels, at a height of 256, from an arm up to which cloth may be more of it, and from which it tells the
cloth's shades; and how far within the arm its own are told."""
_OWN, _UNLIKE, _LIKE_ARM, _KNOWN = 0.4, 25.0, 25.0, (80, 300)
"""Up to which share of its distance to the cloth's shades a colour's to the arm's makes it arm; how far from
the one, and how near the other it is (CIELAB of 8 bit); how many pixels, at a height of 256, arm and cloth
have."""
_SMOOTH = 0.8
_FACE, _ARM = 60, 20
"""Pixels, at a height of 256, that face and arms must have."""


def settle_arms(labels: np.ndarray, parsed: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which arms have the face's hue, and what has it is an arm where the parser saw one.

    Args:
        labels: (H,W) integers, mended.
        parsed: (H,W), the same before they were mended.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of both.

    Returns:
        (H,W), the same array where nothing changes.
    """
    table, scale = label_table(scheme), len(labels) / 256

    def named(names: tuple[str, ...], among: np.ndarray) -> np.ndarray:
        return np.isin(among, [table[name] for name in names if name in table])

    arms, worn, seen = named(_ARMS, labels), named(_WORN, labels), named(_ARMS, parsed)
    face = ndimage.binary_erosion(named(_FACES, labels), iterations=max(1, round(scale)))
    if face.sum() < _FACE * scale**2 or (arms | seen).sum() < _ARM * scale**2 or not worn.any():
        return labels
    away = _away_from(face, image, scale)
    settled = np.where(ndimage.binary_opening(seen & worn & (away < _SAME)), parsed, labels)
    worn = named(_WORN, settled)
    cloth = ndimage.binary_opening(named(_ARMS, settled) & (away > _OTHER))
    pieces, count = ndimage.label(cloth | worn)
    # Only what goes on from a sleeve; a watch or a tattoo stays where it is.
    cloth &= (np.bincount(pieces[worn], minlength=count + 1) > 0)[pieces]
    if cloth.any():
        rows, columns = ndimage.distance_transform_edt(~worn, return_distances=False, return_indices=True)
        settled = np.where(cloth, settled[rows, columns], settled)
    for name in _ARMS:
        if name in table:
            more = _more_of(named((name,), settled), named(_WORN, settled), image, scale)
            settled = np.where(more, np.asarray(table[name], settled.dtype), settled)
    return settled


def _more_of(arm: np.ndarray, worn: np.ndarray, image: np.ndarray, scale: float) -> np.ndarray:
    """What of cloth beside an arm has the arm's own shades, and not those of the cloth: (H,W) bool.

    Args:
        arm: (H,W) bool.
        worn: (H,W) bool, what is taken for cloth.
        image: (H,W,3) uint8.
        scale: pixels for one at a height of 256.
    """
    more = np.zeros_like(arm)
    inner = ndimage.binary_erosion(arm, iterations=max(1, round(_INNER * scale)))
    if inner.sum() < _KNOWN[0] * scale**2:
        return more
    away = ndimage.distance_transform_edt(~arm) / scale
    asked, cloth = worn & (away < _BESIDE), worn & (away > _WITHIN)
    if cloth.sum() < _KNOWN[1] * scale**2 or not asked.any():
        return more
    colours = in_lab(image)
    to_arm, to_cloth = (distance_to(colours[asked], shades_of(colours[one])) for one in (inner, cloth))
    more[asked] = (to_arm < _OWN * to_cloth) & (to_cloth > _UNLIKE) & (to_arm < _LIKE_ARM)
    more = ndimage.binary_opening(more)
    pieces, count = ndimage.label(more | arm)
    return np.asarray(more & (np.bincount(pieces[arm], minlength=count + 1) > 0)[pieces])


def _away_from(face: np.ndarray, image: np.ndarray, scale: float) -> np.ndarray:
    """How far each pixel's hue is from the face's: (H,W), in the face's own distance from grey."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), _SMOOTH * scale)
    lightness = lab[..., 0]
    hue = lab[..., 1:] / (lightness + _DARK)[..., None]
    middle = np.median(lightness[face])
    sure = face & (np.abs(lightness - middle) < _LIKE * middle)
    own = np.median(hue[sure if sure.any() else face], axis=0)
    return np.asarray(np.linalg.norm(hue - own, axis=2) / max(float(np.linalg.norm(own)), _GREYEST))
