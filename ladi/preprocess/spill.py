"""The floor's colour on the edges of a garment that lies on it, taken away; what photographers call spill.

A beige T-shirt on a red bed is brown along its sides, and between a sleeve and the body the bed itself is
seen. Worn before a street, both are red streaks. Near the outline, a colour that lies between the cloth's
farther inside and the floor's beside it is cloth in the floor's light: it keeps its brightness, and becomes
as colourful as the cloth.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.morphology import nearest

_SIDE = 288
"""Of the small copy's longer side; lengths below are pixels there."""
_BAND, _BEYOND = 12, 3
"""How far inside spill is looked for, and how far beyond the outline the floor's colour is taken."""
_CLOTH = 9
"""Pixels across of the mean that tells the cloth's colour."""
_LEAST, _MOST = 0.12, 1.4
"""How far a colour is on the way from the cloth's to the floor's, at least and at most."""
_ASIDE, _COLOURFUL = 10.0, 22.0
"""How far it may be beside that way, and how far the two are apart at least, in CIELAB of 8 bit."""
_WIDER = 0.25
"""Of the way that it has gone, by how much farther beside it may be: floors are of several colours."""
_PLAIN, _MOSTLY = 12.0, 80
"""How far from its middle colour most of a garment's cloth is at most, in the same, and percent of it: with
several colours nobody knows what is spill."""
_GAP, _MOST_GAPS = 0.55, 0.02
"""From which share on it is the floor itself, also where it is joined to no outline; of the garment's pixels
such gaps have at most so many: more is a print."""


def without_spill(pixels: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """A picture in which a garment's edges have the garment's own colours.

    Args:
        pixels: (H,W,3) uint8.
        matte: (H,W) in [0,1], where the garment is.

    Returns:
        (H,W,3) uint8, the same array where there is no spill.
    """
    height, width = matte.shape
    times = _SIDE / max(height, width)
    size = max(1, round(width * times)), max(1, round(height * times))
    on = cv2.resize(matte.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    depth = ndimage.distance_transform_edt(np.pad(on, 1, mode="edge"))[1:-1, 1:-1]
    inner, outer = depth > _BAND, ndimage.distance_transform_edt(~on) > _BEYOND
    if not inner.any() or not outer.any():
        return pixels
    small = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    colours = small[..., 1:].astype(np.float32)
    usual = np.median(colours[inner], axis=0)[None, None]
    if np.percentile(np.linalg.norm(colours[inner] - usual[0], axis=1), _MOSTLY) > _PLAIN:
        return pixels
    amount = cv2.blur(inner.astype(np.float32), (_CLOTH, _CLOTH))
    smooth = cv2.blur(colours * inner[..., None], (_CLOTH, _CLOTH)) / np.maximum(amount, 1e-6)[..., None]
    cloth, floor = smooth[nearest(inner)], cv2.blur(colours, (3, 3))[nearest(outer)]
    share, like = _on_the_way(colours, cloth, floor)
    spilt = on & like & ~inner
    # What is joined to no outline is a print.
    pieces, _ = ndimage.label(spilt | ~on, np.ones((3, 3)))
    spilt &= np.isin(pieces, np.unique(pieces[~on]))
    far, alike = _on_the_way(colours, usual, floor)
    gaps = on & alike & (far > _GAP)
    if gaps.sum() <= _MOST_GAPS * on.sum():
        share, cloth = np.where(gaps, far, share), np.where(gaps[..., None], usual, cloth)
        spilt |= gaps
    if not spilt.any():
        return pixels
    taken = np.where(spilt[..., None], share.clip(0, 1)[..., None] * (cloth - floor), 0).astype(np.float32)
    taken = np.asarray(cv2.resize(taken, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 1:] = (lab[..., 1:] + taken).round().clip(0, 255).astype(np.uint8)
    changed = (np.abs(taken).max(2) >= 1)[..., None]
    return np.where(changed, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), pixels)


def _on_the_way(colours: np.ndarray, cloth: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far colours (H,W,2) are on the way from a cloth's to a floor's, and whether on it at all."""
    towards, own = floor - cloth, colours - cloth
    apart = np.linalg.norm(towards, axis=2)
    share = (own * towards).sum(2) / np.maximum(apart, 1e-6) ** 2
    aside = np.linalg.norm(own - share[..., None] * towards, axis=2)
    on_it = (apart > _COLOURFUL) & (aside < _ASIDE + _WIDER * share.clip(0, 1) * apart)
    return share, on_it & (share > _LEAST) & (share < _MOST)
