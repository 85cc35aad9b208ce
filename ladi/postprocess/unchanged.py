"""What of the repainted area need not be painted: there the photo's own pixels are better.

The mask is generous, as the method needs it. Much of it is wall, arms or neck that the photo shows and the
network can only guess. Where the photo is labelled so, no garment was warped to, and the network has painted
about the photo's colour again, the photo is kept: real arms instead of painted ones, and no halo in the
mask's shape. It decides what stays painted; pasting is ``paste.py``'s.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table
from ladi.types import LabelScheme

_REFERENCE_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM = 5
"""Around old and new garment everything stays painted: labels err, and edges are blended."""
_NEIGHBOURHOOD = 7
_SAME_WALL, _SAME_SKIN = 0.4, 0.7
"""Largest differences on [-1,1] of mean colours that still count as the same thing, in another light."""
_OUTLINE = 0.3
_WALL = ("background",)
_SKIN = ("left_arm", "right_arm", "left_leg", "right_leg", "neck", "vitonhd_neck")


def agrees(generated: np.ndarray, warped: np.ndarray) -> np.ndarray:
    """Where the network painted about the warped garment's colour, and so the garment: (H,W,3) → (H,W) bool.

    Elsewhere, such as past the end of a sleeve, it decided against the warp.
    """
    window = max(3, round(_NEIGHBOURHOOD * generated.shape[0] / _REFERENCE_HEIGHT))
    difference = ndimage.uniform_filter(generated - warped, (window, window, 1), mode="nearest")
    return np.abs(difference).max(-1) < _SAME_SKIN


def drop_unchanged(
    mask: np.ndarray,
    labels: np.ndarray,
    photo: np.ndarray,
    generated: np.ndarray,
    outline: np.ndarray | None = None,
    *,
    scheme: LabelScheme = "lip",
) -> np.ndarray:
    """The mask without the wall and the skin that the photo already shows.

    Args:
        mask: (H,W) bool, True = repainted.
        labels: (H,W) of the photo.
        photo: (H,W,3) in [-1,1].
        generated: (H,W,3) in [-1,1].
        outline: (H,W) in [0,1], where the warped garment lies, if one was warped.
        scheme: of the labels.

    Returns:
        (H,W) bool, nowhere larger than ``mask``.
    """
    rim = max(1, round(_RIM * mask.shape[0] / _REFERENCE_HEIGHT))
    window = max(3, round(_NEIGHBOURHOOD * mask.shape[0] / _REFERENCE_HEIGHT))
    wall, skin = (
        np.isin(labels, [number for name, number in label_table(scheme).items() if name in names])
        for names in (_WALL, _SKIN)
    )
    # Hair, trousers and other things that are never painted need no rim.
    taken = mask & ~(wall | skin)
    if outline is not None:
        taken = taken | (outline > _OUTLINE)
    difference = ndimage.uniform_filter(generated - photo, (window, window, 1), mode="nearest")
    same = np.abs(difference).max(-1) < np.where(skin, _SAME_SKIN, _SAME_WALL)
    kept = same & (ndimage.distance_transform_edt(~taken) > rim if taken.any() else True)
    # Specks would only add edges.
    kept = ndimage.binary_opening(kept | ~mask, iterations=2)
    return mask & ~kept
