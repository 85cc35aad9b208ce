"""A garment's outline, settled by the photo's own colours where the matting network was not sure.

A small network finds garments on floors and beds, but its edges are soft, parts of patterned beds stay as
haze, and what lies unlike its training pictures it finds in part. So several outlines are guessed by colours
(GrabCut), each from another belief in the network, and the one that looks most like a garment is taken:

```
its upright answer ─► doubts by colour ─────────┐
                                                ├─► evened out ─► the worthiest
its answers turned ─► core against the border ──┘  (symmetry.py)
```

It finds no garment by itself, and leaves a matte alone that is sure of itself already.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.boxes import box_of
from ladi.preprocess.colour_cut import BEHIND, FRONT, PERHAPS_BEHIND, PERHAPS_FRONT, cut_by_colour
from ladi.preprocess.morphology import largest_part
from ladi.preprocess.shades import both_sides
from ladi.preprocess.symmetry import mirror_like

_HEIGHT = 288
"""Of the small copy that colours are looked at in; lengths below are pixels there."""
_SURELY, _HARDLY = 0.9, 0.1
_ROUNDS, _MORE_ROUNDS = 2, 3
_UNSURE = 0.02
"""Share of pixels in between up to which a matte is sure of itself."""
_LEAST = 0.02
"""Share of the picture that garment and background must each have, to be told apart by colour."""
_AGREE = 0.6
"""Intersection over union of an outline with the one that it was made from, below which it says nothing."""
_EDGE = 1.0
"""Standard deviation of the new edge."""
_OPENED = 2
_SEED, _EVEN_SEED = 4, 3
"""By how much the sure garment is drawn in: its edges are what is in question."""
_DEPTHS = (16, 10)
"""Likewise where only its core is believed, from near the gaps beside its sleeves, or less cautiously."""
_CORE, _CORE_LEAST = (0.12, 0.15), 0.01
"""Half the width and height, as shares, of what is garment where the network is sure of hardly any."""
_MIDDLE = (0.33, 0.36)
"""Likewise of what may be garment."""
_RING, _RING_FULL = 0.03, 0.8
"""Of the shorter side, the picture's rim, which is background unless the network is as sure as that."""
_TIMES = 3.0
"""How many times as common a colour must be on the other side, for a sure pixel to be doubted; at least
``_LEFT`` of them stay."""
_RING_TIMES, _LEFT = 2.0, 0.3
_CENTRAL, _HOLE = 0.2, 0.7
"""Holes so near the middle, of the garment's width, are prints. Farther out they are gaps beside a sleeve,
but for those in its own colours of which the network saw as much garment."""
_GAP_TIMES, _GAP_SHARE = 8.0, 0.05
"""How many times as common a gap's colour is on the floor, and of the garment, how large one is at most."""
_EVEN = 0.7
"""Intersection over union with its mirror image from which on a garment is one that lies flat."""
_REACH, _CONTRAST = 7, 30.0
"""Within how many pixels across an outline's contrast is looked at, and the most that counts, in CIELAB."""
_CONTRAST_WORTH, _EVEN_WORTH, _RIM_WORTH = 0.2, 11.8, 9.0
"""What contrast, evenness and the share of the rim add to an outline's worth: one over their deviations."""


def is_sure(matte: np.ndarray) -> bool:
    """Whether hardly anything of a matte (H,W) in [0,1] is in between."""
    return bool(((matte > _HARDLY) & (matte < _SURELY)).mean() < _UNSURE)


def settle_matte(matte: np.ndarray, seen: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """The matte with its doubts settled.

    Args:
        matte: (H,W) float32 in [0,1], the network's answer.
        seen: (H,W) float in [0,1], the mean of its answers to the picture turned and mirrored.
        pixels: (H,W,3) uint8.

    Returns:
        (H,W) float32 in [0,1]; the matte itself where colours cannot decide.
    """
    height, width = matte.shape
    small = _HEIGHT / max(height, width)
    size = max(1, round(width * small)), max(1, round(height * small))
    given, turned = (
        cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA) for one in (matte, seen)
    )
    if is_sure(given):
        return matte
    photo = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    guesses = [
        partial(by_doubts, given, photo),
        *(partial(from_core, turned, photo, depth) for depth in _DEPTHS),
    ]
    with ThreadPoolExecutor(len(guesses)) as pool:  # each is one long call of OpenCV's
        outlines = list(pool.map(lambda guess: guess(), guesses))
    found = [outline for outline in outlines if outline is not None]
    if not found:
        return matte
    best = without_gaps(evened(max(found, key=lambda outline: worth(outline, photo)), turned, photo), photo)
    soft = cv2.GaussianBlur(best.astype(np.float32), (0, 0), _EDGE)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)


def by_doubts(given: np.ndarray, photo: np.ndarray) -> np.ndarray | None:
    """The outline where the network is believed wherever it is sure.

    Args:
        given: (h,w) float in [0,1].
        photo: (h,w,3) uint8.

    Returns:
        (h,w) bool; None where colours say nothing.
    """
    sure, hardly = ndimage.binary_erosion(given > _SURELY, iterations=_SEED), given < _HARDLY
    if sure.mean() < _LEAST or hardly.mean() < _LEAST:
        return None
    marks = np.where(given > 0.5, PERHAPS_FRONT, PERHAPS_BEHIND)
    behind = ndimage.binary_erosion(hardly, iterations=_SEED, border_value=1)
    marks[_undoubted(sure, behind, photo)], marks[_undoubted(behind, sure, photo)] = FRONT, BEHIND
    return _agreed(_cut(photo, marks, given, _ROUNDS), given > 0.5)


def from_core(given: np.ndarray, photo: np.ndarray, depth: int) -> np.ndarray | None:
    """The outline where the network is believed deep inside a garment only; what lies at the rim is behind.

    Args:
        given: (h,w) float in [0,1].
        photo: (h,w,3) uint8.
        depth: in pixels, by which the sure garment is drawn in.

    Returns:
        (h,w) bool; None where nothing is at the rim but garment.
    """
    height, width = given.shape
    rows, columns = np.mgrid[:height, :width]
    below, beside = np.abs(rows / height - 0.5), np.abs(columns / width - 0.5)
    core = ndimage.binary_erosion(given > _SURELY, iterations=depth)
    if core.mean() < _CORE_LEAST:
        core = (beside < _CORE[0]) & (below < _CORE[1])
    rim = max(2, int(_RING * min(height, width)))
    ring = np.ones(given.shape, bool)
    ring[rim:-rim, rim:-rim] = False
    ring &= given < _RING_FULL
    behind = _undoubted(ring, core, photo, _RING_TIMES)
    if not behind.any():
        return None
    marks = np.where(
        (beside < _MIDDLE[0]) & (below < _MIDDLE[1]) | (ring & ~behind), PERHAPS_FRONT, PERHAPS_BEHIND
    )
    marks[behind], marks[_undoubted(core, behind, photo)] = BEHIND, FRONT
    return _largest(_cut(photo, marks, given, _MORE_ROUNDS))


def evened(outline: np.ndarray, given: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """An outline of which both halves agree, where colours allow it.

    Args:
        outline: (h,w) bool.
        given: (h,w) float in [0,1], the network's answer.
        photo: (h,w,3) uint8.

    Returns:
        (h,w) bool; the same where the garment does not lie flat.
    """
    mirrored = mirror_like(outline)
    if mirrored is None or mirrored.alike < _EVEN:
        return outline
    other, unknown = mirrored.outline, ~mirrored.inside
    sides = [outline & (other | unknown), ~outline & (~other | unknown)]
    front, behind = (ndimage.binary_erosion(side, iterations=_EVEN_SEED, border_value=1) for side in sides)
    if front.mean() < _LEAST or behind.mean() < _LEAST:
        return outline
    own, others = both_sides(photo, front, behind, blur=5)
    marks = np.where(outline, PERHAPS_FRONT, PERHAPS_BEHIND)
    odd = ndimage.binary_opening(~(sides[0] | sides[1]), iterations=_OPENED)
    marks[odd] = np.where(own[odd] > others[odd], PERHAPS_FRONT, PERHAPS_BEHIND)
    marks[_undoubted(front, behind, photo)], marks[_undoubted(behind, front, photo)] = FRONT, BEHIND
    found = _agreed(_cut(photo, marks, given, _ROUNDS), outline)
    return outline if found is None else found


def without_gaps(outline: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """An outline without the strips of floor between sleeves and body.

    Args:
        outline: (h,w) bool.
        photo: (h,w,3) uint8.

    Returns:
        (h,w) bool. What has the floor's colours but lies in the middle, or is large, is a print or a sleeve.
    """
    inner = ndimage.binary_erosion(outline, iterations=_EVEN_SEED)
    outer = ndimage.binary_erosion(~outline, iterations=_EVEN_SEED, border_value=1)
    box = box_of(outline)
    if box is None or not inner.any() or not outer.any():
        return outline
    own, others = both_sides(photo, inner, outer, blur=3)
    gaps = ndimage.binary_opening(outline & (others > _GAP_TIMES * own))
    pieces, count = ndimage.label(
        ndimage.binary_dilation(gaps, iterations=_OPENED) & outline & (others > own)
    )
    if not count:
        return outline
    numbers = np.arange(1, count + 1)
    places = np.array(ndimage.center_of_mass(pieces > 0, pieces, numbers))[:, 1]
    beside = np.abs(places - (box.left + box.right) / 2) > _CENTRAL * box.width
    small = np.bincount(pieces.ravel())[1:] < _GAP_SHARE * outline.sum()
    left = _largest(outline & ~np.concatenate([[False], beside & small])[pieces])
    return outline if left is None else left


def worth(outline: np.ndarray, photo: np.ndarray) -> float:
    """How much an outline looks like a garment's: it follows edges, is even, and hardly leaves the picture.

    Args:
        outline: (h,w) bool.
        photo: (h,w,3) uint8.
    """
    mirrored = mirror_like(outline)
    if mirrored is None or not (~outline).any():
        return -np.inf
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float32)
    inner, outer = (_mean_near(lab, side) for side in (outline, ~outline))
    line = outline & ~ndimage.binary_erosion(outline, border_value=1)
    contrast = (
        float(np.minimum(np.linalg.norm(inner - outer, axis=2)[line], _CONTRAST).mean())
        if line.any()
        else 0.0
    )
    rim = np.ones(outline.shape, bool)
    rim[2:-2, 2:-2] = False
    return _CONTRAST_WORTH * contrast + _EVEN_WORTH * mirrored.alike - _RIM_WORTH * float(outline[rim].mean())


def _mean_near(lab: np.ndarray, side: np.ndarray) -> np.ndarray:
    """The mean colour of one side's pixels around each pixel: (h,w,3) and (h,w) bool → (h,w,3)."""
    reach = (_REACH, _REACH)
    count = np.maximum(cv2.blur(side.astype(np.float32), reach), 1e-3)
    return np.asarray(cv2.blur(lab * side[..., None], reach) / count[..., None])


def _undoubted(seeds: np.ndarray, others: np.ndarray, photo: np.ndarray, times: float = _TIMES) -> np.ndarray:
    """Seeds (h,w) bool without those in the other side's colours; all of them if hardly any would be left."""
    if not seeds.any() or not others.any():
        return seeds
    own, other = both_sides(photo, seeds, others, blur=5)
    left = seeds & (other <= times * own)
    return left if left.sum() > _LEFT * seeds.sum() else seeds


def _cut(photo: np.ndarray, marks: np.ndarray, given: np.ndarray, rounds: int) -> np.ndarray:
    """What colours put in front, without fringes and with its prints: (h,w) bool."""
    found = ndimage.binary_opening(cut_by_colour(photo, marks, rounds), iterations=_OPENED)
    holes, count = ndimage.label(ndimage.binary_fill_holes(found) & ~found)
    box = box_of(found)
    if not count or box is None:
        return found
    numbers = np.arange(1, count + 1)
    own, others = both_sides(photo, found, ~found & (holes == 0), blur=0)
    places = np.array(ndimage.center_of_mass(holes > 0, holes, numbers))[:, 1]
    central = np.abs(places - (box.left + box.right) / 2) < _CENTRAL * box.width
    means = [np.atleast_1d(ndimage.mean(values, holes, numbers)) for values in (own, others, given)]
    cloth = central | ((means[0] > means[1]) & (means[2] > _HOLE))
    return np.asarray(found | np.concatenate([[False], cloth])[holes])


def _largest(found: np.ndarray) -> np.ndarray | None:
    """The largest piece of (h,w) bool; None where there is none."""
    piece = largest_part(found)
    return piece if piece.any() else None


def _agreed(found: np.ndarray, before: np.ndarray) -> np.ndarray | None:
    """The largest piece where it is much the same as what it was made from."""
    piece = _largest(found)
    if piece is None or (piece & before).sum() < _AGREE * (piece | before).sum():
        return None
    return piece
