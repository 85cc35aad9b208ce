"""The rim of a cut-out garment on which the floor's colour lies, taken away.

An outline that is a pixel too wide is hardly seen in a matte; worn before another wall it is a red line
around a beige T-shirt. Right inside the outline, what looks like the floor nearby rather than like the cloth
farther inside is floor.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.preprocess.frame import to_pixels
from ladi.preprocess.morphology import nearest
from ladi.preprocess.shades import in_lab
from ladi.preprocess.sleeve_gaps import is_unlike
from ladi.types import Garment

_SIDE = 288
"""Of the small copy's longer side; lengths below are pixels there."""
_BAND, _BEYOND = 3, 3
"""How far inside a rim is looked for, and how far beyond the outline the floor's colour is taken."""
_CLOSER = 0.7
"""So much nearer to the floor's colour than to the cloth's a rim's must be."""
_DIFFERENT = 20.0
"""Distance of both, in CIELAB of 8 bit, from which on they can be told apart."""
_EDGE = 1.0
"""Standard deviation of the new edge."""
_NECK = 0.2
"""Of a garment's height, from its top: collars end there, which may be as pale as a wall."""


def without_fringe(matte: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """A matte without what of the floor lies along its edge.

    Args:
        matte: (H,W) float32 in [0,1].
        pixels: (H,W,3) uint8.

    Returns:
        (H,W) float32, nowhere larger; the same array where there is no fringe.
    """
    height, width = matte.shape
    times = _SIDE / max(height, width)
    size = max(1, round(width * times)), max(1, round(height * times))
    on = cv2.resize(matte.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    depth = cv2.distanceTransform(np.pad(on, 1, mode="edge").astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    inner, outer = depth > _BAND, ndimage.distance_transform_edt(~on) > _BEYOND
    band = on & ~inner
    if not inner.any() or not outer.any() or not band.any():
        return matte
    colours = in_lab(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    seen = colours[band]
    smooth = cv2.blur(colours, (3, 3))
    cloth, floor = (smooth[nearest(side)][band] for side in (inner, outer))
    to_floor, to_cloth = (np.linalg.norm(seen - other, axis=1) for other in (floor, cloth))
    fringe = np.zeros_like(on)
    fringe[band] = (to_floor < _CLOSER * to_cloth) & (np.linalg.norm(floor - cloth, axis=1) > _DIFFERENT)
    pieces, _ = ndimage.label(fringe | ~on, np.ones((3, 3)))
    # A dark seam or a stripe along the edge is joined to no floor.
    fringe &= np.isin(pieces, np.unique(pieces[~on]))
    if not fringe.any():
        return matte
    left = cv2.GaussianBlur((on & ~fringe).astype(np.float32), (0, 0), _EDGE)
    return np.minimum(matte, cv2.resize(left, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1))


def trimmed(garment: Garment) -> Garment:
    """A garment whose matte leaves out what of its picture's wall lies along its edge, but for its neck.

    Networks that look at a garment are asked before: they know cut-outs with a shop's white rim. Of a garment
    that has the wall's colour itself nothing is taken: white stripes end at its edge.

    Args:
        garment: at the model's size.
    """
    given = garment.matte[0, 0].float().numpy()
    pixels, on = to_pixels(garment.image[0]), given > 0.5
    if not on.any() or on.all():
        return garment
    away = np.abs(pixels.astype(np.int16) - np.median(pixels[~on], axis=0)).max(-1)
    if not is_unlike(away, on):
        return garment
    matte, rows = without_fringe(given, pixels), np.flatnonzero(on.any(1))
    neck = slice(0, rows[0] + round(_NECK * (rows[-1] - rows[0])))
    matte = np.concatenate([given[neck], matte[neck.stop :]])
    return replace(garment, matte=torch.from_numpy(matte)[None, None].to(garment.matte))
