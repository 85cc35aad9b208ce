"""The parts of a mask, and how users' photos widen them beyond the published rule.

Labels are a few pixels off at hems and cuffs, jackets are worn open, and a parser sees specks of hair where
there are none; each would leave some of the old garment in the picture. The rule itself is in ``mask.py``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table, named
from ladi.preprocess.limbs import HAND_SEEN, Limbs
from ladi.types import LabelScheme, Size

REFERENCE_HEIGHT = 512
_RIM = 4
"""Pixels at a height of 512 by which hands, trousers and bags give way to a worn garment that they touch:
labels are not so exact that nothing of a cuff or a hem would be left."""
_SPECK = 0.015
"""Of the trunk's square; smaller pieces that were to stay are mistakes."""
_FRONT = 0.08
"""Of the trunk's square, what is smaller is no front of a jacket."""
_GAP = 16
"""Pixels at a height of 512 between trousers that are covered."""
_OPEN = 0.3
"""Of the trunk, so far below the hips an open jacket is closed; coats are longer, new tops are not."""
_SLEEVE = 0.22
"""Half a sleeve's width, of the distance between the shoulders."""
_SPLINTER = 10
"""Pixels at a height of 512 up to which a part of trousers is one."""
_THIN_RIM = 2
"""Likewise of hair, whose strands are thin."""
_CHIN_RIM, _CHIN = 2, 0.25
"""Likewise of a face's lower part, which is this share of its height: below a chin there may be a collar."""
_THIN = ("hat", "hair", "scarf", "head")
_FACE = ("sunglasses", "face")
_ARMS = ("left_arm", "right_arm")


class MaskRegions(NamedTuple):
    """The parts that a mask is made of, (H,W) bool each."""

    garment: np.ndarray
    """Labels to replace."""
    arms: np.ndarray
    """The thick poly-line along both arms; empty for lower_body."""
    fixed: np.ndarray
    """What is never repainted: face, hair, hands, the other garments."""


def scaled(length: int, size: Size) -> int:
    """A length in pixels at a height of 512, at another size."""
    return int(length * size[0] / REFERENCE_HEIGHT)


def widened(
    regions: MaskRegions, labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme, *, top: bool
) -> MaskRegions:
    """The parts of a mask as users' photos need them.

    Args:
        regions: as the rule has them.
        labels: (H,W) integers.
        keypoints: (18,3) or (18,2), in pixels of ``labels``.
        scheme: of the labels.
        top: the new garment is a top.
    """
    if top:
        regions = _closed(regions, labels, keypoints, scheme)
    regions = _without_splinters(_without_rims(regions, labels, scheme), labels, scheme)
    return _without_specks(regions, labels, keypoints, scheme)


def _closed(
    regions: MaskRegions, labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme
) -> MaskRegions:
    """The parts with an open jacket closed: the trousers between its fronts are under the new top's hem."""
    if not regions.garment.any() or not np.asarray(keypoints).any():
        return regions
    limbs = Limbs(keypoints, labels > 0)
    body = regions.garment & ~limbs.near_arms(regions.garment, _SLEEVE * limbs.width)
    pieces, _ = ndimage.label(body)
    body &= (np.bincount(pieces.ravel()) > _FRONT * limbs.torso**2)[pieces]
    left = np.logical_or.accumulate(body, axis=1)
    right = np.logical_or.accumulate(body[:, ::-1], axis=1)[:, ::-1]
    lower = named(labels, scheme, ("pants", "skirt"))
    lower &= np.arange(len(labels))[:, None] < limbs.hip_row + _OPEN * limbs.torso
    between = ndimage.binary_opening(left & right & lower, iterations=1)
    # A hand or a belt may hide one of the fronts for a few rows.
    rows = 2 * scaled(_GAP, (len(labels), 0)) + 1
    filled = ndimage.binary_closing(np.pad(between | regions.garment, rows), np.ones((rows, 1)))
    between |= lower & filled[rows:-rows, rows:-rows]
    touching, _ = ndimage.label(between | regions.garment)
    between &= np.isin(touching, np.unique(touching[body]))
    return regions._replace(garment=regions.garment | between, fixed=regions.fixed & ~between)


def _without_rims(regions: MaskRegions, labels: np.ndarray, scheme: LabelScheme) -> MaskRegions:
    """The parts with what is fixed drawn in where it touches the garment; the upper face stays whole."""
    size = (labels.shape[0], labels.shape[1])
    names = label_table(scheme)
    thin, face = (
        named(labels, scheme, tuple(name for name in group if name in names)) for group in (_THIN, _FACE)
    )
    replaced = regions.garment & ~regions.fixed
    away = ndimage.distance_transform_edt(~replaced) if replaced.any() else np.full(size, np.inf)
    rim = np.where(face, 0, np.where(thin, scaled(_THIN_RIM, size), scaled(_RIM, size)))
    if face.any():
        rows = np.flatnonzero(face.any(1))
        chin = np.arange(size[0])[:, None] > rows[-1] - _CHIN * (rows[-1] - rows[0])
        rim = np.where(face & chin, scaled(_CHIN_RIM, size), rim)
    return regions._replace(fixed=regions.fixed & (away > rim))


def _without_splinters(regions: MaskRegions, labels: np.ndarray, scheme: LabelScheme) -> MaskRegions:
    """The parts without splinters of trousers within a garment: on the new one they are ticks in its hem."""
    lower = named(labels, scheme, ("pants", "skirt"))
    width = max(1, scaled(_SPLINTER, (len(labels), 0)))
    around = max(1, scaled(_RIM, (len(labels), 0)))
    replaced = ndimage.binary_dilation(regions.garment | regions.arms, iterations=around)
    held = np.pad(regions.fixed | ~replaced, width, constant_values=True)
    whole = ndimage.binary_opening(held, np.ones((width, width)))[width:-width, width:-width]
    return regions._replace(fixed=regions.fixed & (whole | ~lower))


def _without_specks(
    regions: MaskRegions, labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme
) -> MaskRegions:
    """The parts without specks of hair, scarf or bag in the midst of a garment; hands may be small."""
    if not regions.fixed.any() or not np.asarray(keypoints).any():
        return regions
    pieces, _ = ndimage.label(regions.fixed, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())
    hands = np.bincount(pieces[named(labels, scheme, _ARMS)], minlength=len(sizes))
    limbs = Limbs(keypoints, labels > 0)
    small = sizes < np.where(hands == 0, _SPECK * limbs.torso**2, HAND_SEEN * limbs.width**2)
    return regions._replace(fixed=regions.fixed & ~small[pieces])
