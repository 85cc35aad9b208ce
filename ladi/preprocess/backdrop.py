"""What of the repainted area is only the wall behind the person: there the photo's own pixels are better.

The mask is generous, as the method needs it, and most of its rim is background that the photo shows and the
network can only guess. Where the photo is labelled background, no garment was warped to, and the network has
painted about the photo's colour again, the photo is kept. It decides what stays painted; pasting is
``frame.py``'s.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_REFERENCE_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM = 5
"""Around the old outline and the new garment everything stays painted: labels err, and edges are blended."""
_NEIGHBOURHOOD = 7
_SAME = 0.4
"""Largest difference on [-1,1] of mean colours that still counts as the same wall, in another light."""
_OUTLINE = 0.3
BACKGROUND = 0
"""The number of the background in every label scheme."""


def drop_backdrop(
    mask: np.ndarray,
    labels: np.ndarray,
    photo: np.ndarray,
    generated: np.ndarray,
    outline: np.ndarray | None = None,
) -> np.ndarray:
    """The mask without the background that the photo already shows.

    Args:
        mask: (H,W) bool, True = repainted.
        labels: (H,W) of the photo.
        photo: (H,W,3) in [-1,1].
        generated: (H,W,3) in [-1,1].
        outline: (H,W) in [0,1], where the warped garment lies, if one was warped.

    Returns:
        (H,W) bool, nowhere larger than ``mask``.
    """
    rim = max(1, round(_RIM * mask.shape[0] / _REFERENCE_HEIGHT))
    window = max(3, round(_NEIGHBOURHOOD * mask.shape[0] / _REFERENCE_HEIGHT))
    taken = labels != BACKGROUND
    if outline is not None:
        taken = taken | (outline > _OUTLINE)
    wall = ndimage.distance_transform_edt(~taken) > rim
    difference = ndimage.uniform_filter(generated - photo, (window, window, 1), mode="nearest")
    kept = wall & (np.abs(difference).max(-1) < _SAME)
    # Specks would only add edges.
    kept = ndimage.binary_opening(kept | ~mask, iterations=2)
    return mask & ~kept
