"""How far a garment's sleeves reach along arms: by its own length, and by where the warp lays them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladi.postprocess.tubes import Tube, aside_of, value_at

_NONE, LONG = 0.12, 0.88
"""Up to this share of the arm there is no sleeve: of pairs that are told less, nine in ten have none. From
this share on sleeves end at the wrist."""
_ARMPIT = 0.26
"""Of the arm, how far down its inner side an armhole reaches."""
_BEGINS, _BREAK = 0.2, 0.1
"""Shares of the arm: up to where the warp's sleeve must begin, and over which it may be broken."""
_FREE = 0.6
"""An arm of which this share lies beside the trunk hangs free: there the warp shows where its sleeve ends."""
_TRUST = 0.15
"""By which share of the arm the warp may change that."""
_EVEN, _ALIKE = 0.12, 0.8
"""Sleeves whose ends are no farther apart in the picture, as a share of the arm, end level; otherwise one
of them is wrong, and both are as long as told. The shorter arm must have this share of the longer one's
length,"""
_HANGS = 0.6
"""and both upper arms must go down by this share of their length."""


def sleeve_lengths(
    tubes: Sequence[Tube], sleeve: float, outline: np.ndarray, trunk: np.ndarray
) -> list[float]:
    """Where along each arm its sleeve ends, in [0,1]; on two arms that hang, in the same row.

    Args:
        tubes: of the arms.
        sleeve: the sleeves' length in [0,1], from the shoulder to the wrist, as the garment tells it.
        outline: (H,W) in [0,1], where the warped garment lies.
        trunk: (H,W) bool, the person's.
    """
    ends = [_sleeve_end(tube, sleeve, outline, trunk) for tube in tubes]
    if len(ends) < 2 or not 0 < min(ends) <= max(ends) < LONG or not all(map(_hangs, tubes)):
        return ends
    lengths = [_length(tube.line) for tube in tubes]
    if min(lengths) < _ALIKE * max(lengths):
        return ends
    rows = [_row_at(tube, end) for tube, end in zip(tubes, ends, strict=True)]
    if np.ptp(rows) > _EVEN * np.mean(lengths):
        rows = [_row_at(tube, sleeve) for tube in tubes]
    return [_end_in(tube, float(np.mean(rows))) for tube in tubes]


def bare_from(tube: Tube, end: float) -> np.ndarray:
    """Where on an arm it begins to be bare, as a share of it: (H,W).

    Below a sleeve it is the same all across; without one, it runs from the shoulder down to the armpit.

    Args:
        tube: of the arm.
        end: of its sleeve, in [0,1].
    """
    inwards = (1 - aside_of(tube).clip(-1, 1)) / 2
    return np.where(end < _NONE, np.maximum(end, _ARMPIT * inwards**2), end)


def _length(line: np.ndarray) -> float:
    """Of a line through points (N,2), in pixels."""
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _hangs(tube: Tube) -> bool:
    """Whether the upper arm goes down, so that there is one place on it at each height."""
    upper = tube.line[: round(tube.elbow * (len(tube.line) - 1)) + 1]
    return bool(upper[-1, 1] - upper[0, 1] > _HANGS * _length(upper))


def _row_at(tube: Tube, share: float) -> float:
    """The row of a place along an arm."""
    return float(np.interp(share, np.linspace(0, 1, len(tube.line)), tube.line[:, 1]))


def _end_in(tube: Tube, row: float) -> float:
    """The first place along an arm in a row, in [0,1]."""
    lowest = np.maximum.accumulate(tube.line[:, 1])
    return float(np.interp(row, lowest, np.linspace(0, 1, len(lowest))))


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
