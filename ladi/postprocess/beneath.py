"""What shows beneath a new top where an old one, a coat most of all, hid it: trousers as wide as legs.

The network continues what it sees of a coat's outline, takes red trousers for skin, and leaves holes in the
new top where hands or a belt were near. Where the photo shows trousers, and where the new top lies, that is
known.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.postprocess.legs import CROTCH, HIP, WIDEST, legs_beneath
from ladi.preprocess.labels import label_table
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS, LabelScheme

_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
_WORN = ("upper_clothes", "dress", "coat")
_SEEN = 0.004
"""Share of the window that trousers must have to be known as such."""
_WAIST = {"pants": 0.28, "skirt": 0.45}
"""How far above the hips' joints they begin at most, in torsos: so do more than nine in ten of 1,230 trousers
and of 219 skirts in labelled photos."""
_RIBS = 0.7
"""Likewise, from where on that can be meant; higher up are collars."""
_SLIVER = 0.04
"""Half the height of wall between a hem and the trousers below it, in torsos, that is none."""
_COVERED = 0.5
"""Matte from which the warped garment lies on a pixel."""
_TRUNK, _TOOTH, _BROAD, _UPON = 0.6, 0.2, 0.9, 0.6
"""Half the trunk's width, of the distance between the shoulders; how long a piece of cloth below a hem is at
most, in torsos, to be none of the garment's, and how wide, of that distance; and the share of it that ends on
trousers or a skirt."""


def beneath(
    shown: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray,
    keypoints: np.ndarray,
    outline: np.ndarray,
    scheme: LabelScheme,
) -> np.ndarray:
    """Put right what shows of a new top and of the trousers below it.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, True = repainted.
        labels: (H,W) of the photo; where it shows more of a skirt or a dress than of trousers, or none of
            these, nothing changes below the top.
        keypoints: (18,3) in pixels; likewise without hips.
        outline: (H,W) in [0,1], where the warped garment lies.
        scheme: of the labels.

    Returns:
        (K,H,W).
    """
    table = label_table(scheme)
    worn = mask & np.isin(labels, [table[name] for name in _WORN if name in table])
    painted, covered = shown.argmax(0), outline > _COVERED
    changed = painted.copy()
    # What was worn is gone, so nothing lies before the garment there.
    changed[worn & covered & (painted == _OTHER)] = _GARMENT
    # Nor is anything of the person where there was wall.
    changed[mask & (labels == 0) & (painted == _OTHER)] = _WALL
    trousers = labels == table["pants"]
    skirt = np.isin(labels, [table["skirt"], table["dress"]])
    bare = np.isin(labels, [table["left_leg"], table["right_leg"]])
    hips = keypoints[[JOINT["left_hip"], JOINT["right_hip"]], :2]
    if hips.any(axis=1).all():
        limbs = Limbs(keypoints, labels > 0)
        waist = limbs.hip_row - _WAIST["pants" if trousers.sum() > skirt.sum() else "skirt"] * limbs.torso
        # Nobody's trousers begin at the ribs: there a short top goes on.
        rows = np.arange(len(labels))[:, None]
        above = (rows < waist) & (rows > limbs.hip_row - _RIBS * limbs.torso)
        changed[worn & above & (painted == _OTHER)] = _GARMENT
        changed[_teeth(changed, mask & (rows > waist), covered, limbs)] = _OTHER
    if hips.any(axis=1).all() and trousers.sum() > max(skirt.sum(), _SEEN * labels.size):
        below = worn & ~covered & (np.arange(len(labels))[:, None] > limbs.hip_row)
        legs = legs_beneath(trousers | bare, worn, hips, limbs.width, limbs.torso)
        person = [_OTHER]
        if legs.any():
            changed[legs & below & np.isin(painted, (_SKIN, _WALL))] = _OTHER
            # Along a hem the labels may show a sliver of wall that the painting does not, or does too.
            sliver = ndimage.binary_closing(
                worn | trousers, np.ones((2 * round(_SLIVER * limbs.torso) + 1, 1))
            )
            wanted = np.isin(painted, (_SKIN, _OTHER)) | sliver
            changed[legs & mask & (labels == 0) & wanted] = _OTHER
            # And red trousers are painted as skin along it.
            changed[legs & mask & trousers & (painted == _SKIN)] = _OTHER
            person.append(_SKIN)
        else:
            legs = _about_legs(below, trousers, limbs, hips)
            changed[legs & (painted == _SKIN)] = _OTHER
        # As little does a top hang in the air below its hem.
        hanging = below & (np.arange(len(labels))[:, None] > _hem(covered)) & (changed == _GARMENT)
        changed[hanging & legs] = _OTHER
        away = below & ~legs & (np.isin(painted, person) | hanging)
        changed[_open(away, changed == _WALL)] = _WALL
    certain = np.eye(len(LAYERS), dtype=shown.dtype)[changed].transpose(2, 0, 1)
    return np.where(changed != painted, certain, shown)


def _teeth(shown: np.ndarray, mask: np.ndarray, covered: np.ndarray, limbs: Limbs) -> np.ndarray:
    """What hangs from a hem in short pieces where a tie, a pocket or a flap was: (H,W) bool.

    Args:
        shown: (H,W), numbers into ``LAYERS``.
        mask: (H,W) bool, where that may be changed.
        covered: (H,W) bool, where the warped garment lies.
        limbs: of the person.
    """
    height, width = shown.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    trunk = np.abs(columns - limbs.hips[0]) < _TRUNK * limbs.width
    pieces, _ = ndimage.label((shown == _GARMENT) & mask & trunk & (rows > _hem(covered)))
    found = np.zeros(shown.shape, bool)
    for number, (down, across) in enumerate(ndimage.find_objects(pieces), start=1):
        if down.stop - down.start > _TOOTH * limbs.torso or across.stop - across.start > _BROAD * limbs.width:
            continue
        piece = pieces == number
        below = ndimage.shift(piece, (1, 0), order=0) & ~piece
        if below.any() and (shown[below] == _OTHER).mean() >= _UPON:
            found |= piece
    return found


def _hem(covered: np.ndarray) -> np.ndarray:
    """(W,), the last row of each column where the warped garment lies, of (H,W) bool; H where it does not."""
    height = len(covered)
    return np.where(covered.any(0), height - 1 - covered[::-1].argmax(0), height)


def _about_legs(below: np.ndarray, trousers: np.ndarray, limbs: Limbs, hips: np.ndarray) -> np.ndarray:
    """Where trousers are whose legs are not seen below a hem, (H,W) bool of a region (H,W) bool."""
    rows, columns = np.mgrid[: below.shape[0], : below.shape[1]]
    # At the hips trousers are one; farther down there are two legs.
    between = (columns > hips[:, 0].min()) & (columns < hips[:, 0].max())
    legs = below & between & (rows < limbs.hip_row + CROTCH * limbs.torso)
    for side in ("left", "right"):
        legs |= limbs.near_leg(side, below, _half_width(trousers, limbs, side))
    return legs


def _half_width(trousers: np.ndarray, limbs: Limbs, side: str) -> float:
    """How far a trouser leg reaches outwards from its middle, in pixels, by what is seen of it."""
    line = np.array(limbs.leg(side, len(trousers)))
    rows = np.flatnonzero(trousers.any(1) & (np.arange(len(trousers)) > limbs.hip_row))
    least, most = HIP * limbs.width, WIDEST * limbs.width
    if not rows.size:
        return least
    middle = np.interp(rows, line[:, 1], line[:, 0])
    if line[0, 0] > limbs.hips[0]:
        outer = trousers.shape[1] - 1 - trousers[rows, ::-1].argmax(1) - middle
    else:
        outer = middle - trousers[rows].argmax(1)
    return float(np.clip(np.median(outer), least, most))


def _open(away: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """What of a region reaches wall, (H,W) bool each → same; the rest is a hole, no wall."""
    pieces, count = ndimage.label(away | wall)
    outside = np.bincount(pieces[wall], minlength=count + 1) > 0
    return np.asarray(away & outside[pieces])
