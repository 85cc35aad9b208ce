"""Collars: a stand around the neck whose opening lies between its two leaves.

Spread out on a floor, a shirt's collar stands above its shoulders like a tower. A network that knows linings
by where they are takes the whole of it for the inside of a back; without its collar a shirt's front ends in a
raw edge. Only what the leaves leave free is hidden by a neck.
"""

from __future__ import annotations

import numpy as np

from ladi.preprocess.neck_points import Reach, curve_between, neck_points
from ladi.preprocess.neckline import Neckline
from ladi.preprocess.shades import commonness, in_lab

_WIDEST, _BESIDE, _STEEP = 0.24, 0.06, 0.6
"""A collar's width at its top, at most, of the garment's; how far beside it the outline is looked at, and how
much it falls off until there, at least, of that distance."""
_FAR, _LOW, _TALL = 0.14, 0.02, 0.13
"""How far beside it shoulders are, of the garment's width; how much higher than they a collar stands, at
least and at most, of its height: hoods are taller."""
_ASIDE, _LEAVES, _NARROW = 3, 0.12, 0.2
"""Pixels beside its top that still belong to the opening; from which share on of what is taken away lies
farther aside, leaves are taken with it; and how wide a collar is then, at most: T-shirts' are wider."""
_LITTLE, _AGREES = 0.4, 0.45
"""Of an opening, what is taken away at most where it is too little; how far the network agrees with it."""
_LIKELY, _COVERED, _COMMON = 0.3, 0.45, 0.01
"""Probability from which on, between its ends, lining is likely; how much of that an opening has at least;
and how common on the front the rest is that was to be taken away: else it is a hanger's, or no opening."""
_FRONT = 0.03
"""Probability up to which cloth is surely the front's."""
_SEEN = 0.3
"""How strong an opening's edge is at least, 1 where it is clear: leaves are of the front's own cloth."""
_REACH = Reach(deepest=0.2, pointed_from=0.0, fit=1.0)


def collar_of(lining: np.ndarray, matte: np.ndarray) -> tuple[int, int] | None:
    """The columns between which a garment's collar stands; None where it has none.

    Args:
        lining: (H,W) in [0,1], where a network sees the garment's inside.
        matte: (H,W) bool, the garment with its lining.
    """
    amount = (lining * matte).sum(0)
    if amount.sum() <= 0:
        return None
    ends = neck_points(matte, float((amount * np.arange(len(amount))).sum() / amount.sum()))
    columns, rows = np.flatnonzero(matte.any(0)), np.flatnonzero(matte.any(1))
    wide, tall = np.ptp(columns), np.ptp(rows)
    beside = round(_BESIDE * wide)
    if ends is None or beside < 1 or ends[1] - ends[0] > _WIDEST * wide:
        return None
    top = matte.argmax(0)

    def fall(distance: int) -> float:
        """How far below a collar's ends its outline is at a distance, on the flatter side."""
        left, right = max(columns[0], ends[0] - distance), min(columns[-1], ends[1] + distance)
        return float(min(top[left] - top[ends[0]], top[right] - top[ends[1]]))

    steep = fall(beside) >= _STEEP * beside
    stands = _LOW * tall <= fall(round(_FAR * wide)) <= _TALL * tall
    return ends if steep and stands else None


def collar_opening(
    ends: tuple[int, int], lining: np.ndarray, image: np.ndarray, matte: np.ndarray, taken: np.ndarray
) -> Neckline | None:
    """What a collar's leaves leave free, where they would be taken away with it, or little of it; else None.

    Args:
        ends: see ``collar_of``.
        lining: (H,W) in [0,1], where a network sees the garment's inside.
        image: (H,W,3) uint8.
        matte: (H,W) bool, the garment with its lining.
        taken: (H,W) bool, what would be taken away.
    """
    aside = np.ones(matte.shape[1], bool)
    aside[max(0, ends[0] - _ASIDE) : ends[1] + _ASIDE + 1] = False
    gone = taken & matte
    leaves_too = gone[:, aside].sum() >= _LEAVES * max(1, gone.sum())
    leaves_too &= ends[1] - ends[0] <= _NARROW * np.ptp(np.flatnonzero(matte.any(0)))
    found = curve_between(ends, lining, image, matte, _REACH)
    if found is None:
        return None
    opening = found.curve.above(matte.shape) > 0.5
    if not leaves_too:
        more = (opening & matte).sum()
        little = gone.sum() < _LITTLE * more and (gone & opening).sum() > (1 - _LEAVES) * gone.sum()
        return found.curve if little and found.agrees >= _AGREES else None
    likely, leaves = matte & (lining > _LIKELY) & ~aside, gone & ~aside & ~opening
    front = matte & (lining < _FRONT)
    covered = likely.any() and opening[likely].mean() >= _COVERED
    if found.seen < _SEEN or not covered or not front.any():
        return None
    colours = in_lab(image)
    common = commonness(colours[leaves], colours[front]).mean() if leaves.any() else 1
    return found.curve if common >= _COMMON else None
