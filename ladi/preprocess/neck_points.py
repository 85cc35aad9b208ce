"""The neckline between a garment's neck points: the two ends of its back's edge, where front and back meet.

```
outline ─► neck points ─► curves that begin and end there ─► the one with an edge all along it
```

A network knows linings by where they are, and expects them less deep than many are, most of all in dark
cloth; then the nearest edge is the back's rib, and lining and label would stay before a throat. Whatever its
depth, an opening ends at the neck points, which its outline shows by itself.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ladi.preprocess.neckline import Neckline, bent, with_odds
from ladi.preprocess.shades import in_lab

_SHAPES = np.array([1.2, 1.5, 1.9, 2.5, 3.3])
"""Powers of the curves, pointed to square."""
_ENDS, _STEP = np.arange(-4, 4.5, 2), 1.5
"""Pixels from a neck point at which a curve may end, and between two depths."""
_SHALLOWEST, _NARROWEST = 5.0, 12
_ROUND, _POINTED, _POINTED_SHAPE = 0.75, 1.3, 1.6
"""Depth over width, at most; that of pointed curves, and up to which power they are."""
_PLACES = np.linspace(-0.92, 0.92, 25)
"""Where along a curve it is looked at, from its left end, -1, to its right one, 1."""
_TOLD, _MUCH, _NONE = 0.2, 30, 0.03
"""Probability, and how many pixels have it, for a lining to be there; up to which cloth is surely the
front's."""
_ODDS = 6.0
"""How much likelier lining is than the network thinks."""
_DARK = 0.42
"""Of full brightness, what dark fronts are lifted to: their edges are as clear then as those of others."""
_BLUR, _RIM = 0.8, 5
"""Deviation over which the picture is evened out first; pixels across beside the outline, whose edge is none
of the neckline's."""
_TEXTURE, _STRIPES = (4.0, 3.0), 1.2
"""What counts as an edge: of the front's middle gradient, and added to it; of its strongest tenth."""
_NEAR = 0.35
"""Of the garment's height, down to which its front tells that: what is printed below does not matter."""
_MOST, _WEAKEST = 1.5, 6
"""An edge's strength counts up to this; which of a curve's strengths counts, weakest first."""
_MEAN = 0.5
"""Weight of the mean strength beside that one."""
_SEEN, _SEEN_AMONG_OTHERS, _PLACED, _BETTER = 0.55, 0.65, 0.025, 0.08
"""A curve counts if its edge is that strong, and that strong on a front that has stripes or prints; if the
network thinks of lining that much at its lowest place, and if it agrees by so much better with the network
than what is taken away without it."""
_LIKELY = 0.525
"""Probability from which on it is, beside a neckline."""
_LIKELY_ALONE = 0.275
"""And without one."""


class Reach(NamedTuple):
    """Which curves are tried, and how they are judged."""

    deepest: float
    """Of the garment's height."""
    pointed_from: float
    """Width, of the garment's, from which on pointed ones are."""
    fit: float
    """Weight of how well what is above a curve agrees with the network, beside its edge's strength."""


_NECKLINES = Reach(deepest=0.33, pointed_from=0.28, fit=3.0)
"""What is narrower is a collar."""


class Fitted(NamedTuple):
    """The best curve."""

    curve: Neckline
    seen: float
    """How strong its edge is, 1 where it is clear."""
    agrees: float
    """How far what is above it agrees with the network, in [0,1]."""
    patterned: bool
    """Whether the front has stripes or prints, which are edges too."""


def with_neck_points(
    found: Neckline | None, lining: np.ndarray, image: np.ndarray, matte: np.ndarray
) -> Neckline | None:
    """The curve between the neck points, if it is clearly better than the one that was found.

    Args:
        found: what ``find_neckline`` has found.
        lining: (H,W) in [0,1], where a network sees the garment's inside.
        image: (H,W,3) uint8.
        matte: (H,W) bool, the garment with its lining.
    """
    if (lining[matte] > _TOLD).sum() < _MUCH:
        return found
    amount = (lining * matte).sum(0)
    ends = neck_points(matte, float((amount * np.arange(len(amount))).sum() / amount.sum()))
    best = None if ends is None else curve_between(ends, lining, image, matte, _NECKLINES)
    if best is None:
        return found
    left, right, depth = best.curve.left, best.curve.right, best.curve.depth
    lowest = min(int((left[1] + right[1]) / 2 + depth - 1), len(lining) - 1)
    clear = best.seen >= (_SEEN_AMONG_OTHERS if best.patterned else _SEEN)
    if not clear or lining[lowest, int((left[0] + right[0]) / 2)] < _PLACED:
        return found
    if found is None:
        taken = lining > _LIKELY_ALONE
    else:
        taken = (found.above(matte.shape) > 0.5) | (lining > _LIKELY)
    likely = _likely(lining, matte)
    before = 2 * likely[taken].sum() / max((taken & matte).sum() + likely.sum(), 1e-6)
    return best.curve if best.agrees > before + _BETTER else found


def curve_between(
    ends: tuple[int, int], lining: np.ndarray, image: np.ndarray, matte: np.ndarray, reach: Reach
) -> Fitted | None:
    """The best curve between two columns of a garment's upper outline; None without any.

    Args:
        ends: the columns.
        lining: (H,W) in [0,1], where a network sees the garment's inside.
        image: (H,W,3) uint8.
        matte: (H,W) bool, the garment with its lining.
        reach: which are tried.
    """
    front = matte & (lining < _NONE)
    curves = _curves(ends, matte, reach)
    if not front.any() or not curves.left.size:
        return None
    tensor, patterned = _tensor(image, matte, front)
    curve, seen, agrees = _best(curves, tensor, _likely(lining, matte), matte, reach.fit)
    return Fitted(curve, seen, agrees, patterned)


def _likely(lining: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """How likely lining is where a network saw it less often than it is there: (H,W)."""
    return np.asarray(with_odds(lining, np.full(matte.shape, _ODDS)) * matte)


def neck_points(matte: np.ndarray, middle: float) -> tuple[int, int] | None:
    """The columns of the two points of a garment's top between which a taut thread would hang free.

    Args:
        matte: (H,W) bool.
        middle: the column that lies between them.
    """
    hull: list[tuple[int, int]] = []
    top = matte.argmax(0)
    for column in np.flatnonzero(matte.any(0)):
        here = (int(column), int(top[column]))
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], here):
            hull.pop()
        hull.append(here)
    for one, other in zip(hull, hull[1:], strict=False):
        if one[0] <= middle <= other[0]:
            return one[0], other[0]
    return None


def _turns_down(before: tuple[int, int], last: tuple[int, int], here: tuple[int, int]) -> bool:
    """Whether the last of three points, (x,y), is below the thread between the other two, or on it."""
    return (last[0] - before[0]) * (here[1] - before[1]) <= (last[1] - before[1]) * (here[0] - before[0])


class _Curves(NamedTuple):
    """Many curves, (N,) each: columns of their ends, the ends' rows, depths and shapes."""

    left: np.ndarray
    right: np.ndarray
    first: np.ndarray
    last: np.ndarray
    depth: np.ndarray
    shape: np.ndarray

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Columns and rows along each, and there its normal, to the right and down: (N,``_PLACES``) each."""
        left, right, first, last, depth, shape = (values[:, None] for values in self)
        half = (right - left) / 2
        columns = (left + right) / 2 + half * _PLACES
        rows = first * (1 - _PLACES) / 2 + last * (1 + _PLACES) / 2 + depth * bent(_PLACES, shape)
        slope = (last - first) / 2 - depth * shape * np.sign(_PLACES) * np.abs(_PLACES) ** (shape - 1)
        slope = slope / half
        length = np.hypot(slope, 1)
        return columns, rows, -slope / length, 1 / length


def _curves(ends: tuple[int, int], matte: np.ndarray, reach: Reach) -> _Curves:
    """What is tried between two columns, on a garment's upper outline."""
    height, width = matte.shape
    tall, wide = np.ptp(np.flatnonzero(matte.any(1))) + 1, matte.any(0).sum()
    depths = np.arange(_SHALLOWEST, reach.deepest * tall, _STEP)
    grid = np.meshgrid(ends[0] + _ENDS, ends[1] + _ENDS, depths, _SHAPES, indexing="ij")
    left, right, depth, shape = (values.ravel() for values in grid)
    top = np.where(matte.any(0), matte.argmax(0), height - 1).astype(float)
    first, last = (top[np.rint(at).astype(int).clip(0, width - 1)] for at in (left, right))
    across = right - left
    pointed = (shape < _POINTED_SHAPE) & (across > reach.pointed_from * wide)
    fits = (across > _NARROWEST) & (depth < np.where(pointed, _POINTED, _ROUND) * across)
    return _Curves(*(values[fits] for values in (left, right, first, last, depth, shape)))


def _best(
    curves: _Curves, tensor: list[np.ndarray], likely: np.ndarray, matte: np.ndarray, fit: float
) -> tuple[Neckline, float, float]:
    """The best curve, how strong its edge is, and how far it agrees with a network.

    Args:
        curves: what is tried.
        tensor: of the picture's edges, see ``_tensor``.
        likely: (H,W) in [0,1], where lining is.
        matte: (H,W) bool.
        fit: weight of how well a curve agrees with the network.
    """
    height, width = matte.shape

    def pixels(columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        down = np.rint(rows).astype(int).clip(0, height - 1)
        return np.asarray(down * width + np.rint(columns).astype(int).clip(0, width - 1))

    columns, rows, aside, down = curves.points()
    strength = np.zeros(columns.shape)
    for off in (-1, 0, 1):
        at = pixels(columns + off * aside, rows + off * down)
        both, mixed, steep = (part.take(at) for part in tensor)
        np.maximum(strength, aside**2 * both + 2 * aside * down * mixed + down**2 * steep, out=strength)
    strength = np.sqrt(strength).clip(0, _MOST)
    weakest = np.partition(strength, _WEAKEST, axis=1)[:, _WEAKEST]
    between = (curves.right - curves.left) / 2 * (_PLACES[1] - _PLACES[0])
    at = pixels(columns, rows)
    inside, cloth = (np.cumsum(part, axis=0).take(at).sum(1) * between for part in (likely, matte))
    agrees = 2 * inside / np.maximum(cloth + likely.sum(), 1e-6)
    score = np.minimum(weakest, 1) + _MEAN * np.minimum(strength, 1).mean(1) + fit * agrees
    best = int(score.argmax())
    left, right, first, last, depth, shape = (float(values[best]) for values in curves)
    curve = Neckline((left, first), (right, last), depth, shape, height)
    return curve, float(weakest[best]), float(agrees[best])


def _tensor(image: np.ndarray, matte: np.ndarray, front: np.ndarray) -> tuple[list[np.ndarray], bool]:
    """The structure tensor, 1 where a clear edge is, and whether stripes or prints on the front decide that.

    It is how steep the picture is across, both ways and down, (H,W) each.

    Args:
        image: (H,W,3) uint8.
        matte: (H,W) bool.
        front: (H,W) bool, cloth that is surely the front's.
    """
    light = float(np.median(image[front].mean(1))) / 255
    if light < _DARK:
        power = np.log(_DARK) / np.log(max(light, 1 / 64))
        image = np.rint(255 * (image / 255.0) ** power).astype(np.uint8)
    colours = cv2.GaussianBlur(in_lab(image), (0, 0), _BLUR)
    down, across = np.zeros((2, *colours.shape), np.float32)
    down[1:-1], across[:, 1:-1] = colours[2:] - colours[:-2], colours[:, 2:] - colours[:, :-2]
    both, mixed, steep = (across**2).sum(2), (across * down).sum(2), (down**2).sum(2)
    inner = cv2.erode(matte.astype(np.uint8), np.ones((_RIM, _RIM))) > 0
    rows = np.flatnonzero(matte.any(1))
    near = np.arange(len(matte))[:, None] < rows[0] + _NEAR * np.ptp(rows)
    cloth = np.sqrt(both + steep)[inner & front & near]
    if not cloth.size:
        return [np.zeros(matte.shape)] * 3, False
    plain, other = _TEXTURE[0] * np.median(cloth) + _TEXTURE[1], _STRIPES * np.quantile(cloth, 0.9)
    return [part * inner / max(plain, other) ** 2 for part in (both, mixed, steep)], bool(other > plain)
