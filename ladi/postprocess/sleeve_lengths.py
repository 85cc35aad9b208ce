"""How far a garment's sleeves reach along arms: by its own length, and by where the warp lays them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladi.postprocess.tubes import Tube, value_at

_NONE, LONG = 0.12, 0.88
"""Up to this share of the arm there is no sleeve: of pairs that are told less, nine in ten have none. From
this share on sleeves end at the wrist."""
_BEGINS, _BREAK = 0.2, 0.1
"""Shares of the arm: up to where the warp's sleeve must begin, and over which it may be broken."""
_FREE = 0.6
"""An arm of which this share lies beside the trunk hangs free: there the warp shows where its sleeve ends."""
_TRUST = 0.15
"""By which share of the arm the warp may change that."""
_EVEN, _ALIKE = 0.12, 0.8
"""Up to this share of the arm both sleeves are as long as their mean, where the shorter arm has this share of
the longer one's length; where they differ by more, one of them is wrong and both are as long as told."""


def sleeve_lengths(
    tubes: Sequence[Tube], sleeve: float, outline: np.ndarray, trunk: np.ndarray
) -> list[float]:
    """Where along each arm its sleeve ends, in [0,1]; two arms that are seen alike have sleeves alike.

    Args:
        tubes: of the arms.
        sleeve: the sleeves' length in [0,1], from the shoulder to the wrist, as the garment tells it.
        outline: (H,W) in [0,1], where the warped garment lies.
        trunk: (H,W) bool, the person's.
    """
    ends = [_sleeve_end(tube, sleeve, outline, trunk) for tube in tubes]
    if len(ends) < 2 or not 0 < min(ends) <= max(ends) < LONG:
        return ends
    lengths = [float(np.hypot(*np.diff(tube.line, axis=0).T).sum()) for tube in tubes]
    if min(lengths) < _ALIKE * max(lengths):
        return ends
    even = float(np.mean(ends)) if max(ends) - min(ends) <= _EVEN else sleeve
    return [even] * len(ends)


def _sleeve_end(tube: Tube, sleeve: float, outline: np.ndarray, trunk: np.ndarray) -> float:
    """Where along the arm its sleeve ends, in [0,1], by itself."""
    if sleeve >= LONG or sleeve <= _NONE:
        return round(sleeve)
    beside = ~value_at(trunk, tube.line)
    if beside[4:].mean() >= _FREE:
        shown = covered_to(value_at(outline, tube.line) > 0.5)
        return float(np.clip(sleeve if shown is None else shown, sleeve - _TRUST, sleeve + _TRUST))
    return sleeve


def covered_to(covered: np.ndarray) -> float | None:
    """Up to which share of an arm (N,) bool, from the shoulder on, it is covered; None where it is not.

    What covers it again farther down is the body's cloth, before which a forearm lies.
    """
    found = np.flatnonzero(covered)
    if not found.size or found[0] > _BEGINS * len(covered):
        return None
    broken = np.flatnonzero(np.diff(found) > 1 + _BREAK * len(covered))
    return float((found[broken[0] if broken.size else -1] + 1) / len(covered))
