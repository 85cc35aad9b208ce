"""A garment's neckline as one smooth curve: along the edge in its picture, where a network places it.

```
probability of lining, how strong edges are ─► curves from one side of the neck to the other ─► the best one
```

A network tells roughly where a lining is. Where the front begins, the picture itself shows an edge: a seam, a
rib, a darker inside. Necklines are round, pointed or square, so few numbers describe one, and a label's edges
are outvoted.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.shades import commonness, in_lab
from ladi.types import Size

_SHAPES = (1.2, 1.7, 2.2, 3.2)
"""Powers of the curve: pointed to square."""
_STEP, _LEAST_DEPTH = 1.5, 6.0
"""Pixels between two curves, and the flattest one's depth: nearer to the outline there is always an edge."""
_NEAR = np.arange(-2, 2.5)
"""Pixels by which the best one is moved at last to where the edge is strongest; depths by twice that."""
_WIDEST = 0.6
"""Of the garment's width, what a neckline has at most."""
_WIDE, _ASIDE, _SLANTED = (0.7, 2.6), 0.5, 0.35
"""Of the lining's spread: how far its ends may be from its middle, and its middle from the lining's; how much
higher one end may be than the other, of its width."""
_PLACES = np.linspace(-0.92, 0.92, 25)
"""Where along a curve it is looked at, from its left end, -1, to its right one, 1."""
_TOLD, _MUCH = 0.2, 30
"""Probability, and how many pixels of the garment have it at least, for a lining to have a neckline."""
_NONE = 0.05
"""Probability up to which cloth is surely the front's."""
_BLUR, _EDGE = 0.8, 5
"""Deviation over which the picture is evened out first; pixels across of what is looked at beside the
outline, whose edge is none of the neckline's."""
_TEXTURE, _STRIPES = (4.0, 4.0), 1.2
"""What counts as an edge: of the middle gradient of the front, and added to it; of its strongest tenth."""
_STRONG, _MOST, _WEAKEST = 1.0, 1.5, 6
"""From which strength on an edge is one, and the most; which of a curve's strengths counts, weakest first."""
_MEAN, _FIT = 0.5, 3.0
"""Weights beside that one: of the mean strength, and of how well what is above the curve agrees with the
network."""
_SEEN, _PLACED, _MIDDLE = 0.7, 0.07, 0.5
"""A curve counts if its edge is that strong, and if the network thinks of lining that much right above its
middle part."""
_ABOVE = 2
"""How many pixels above."""
_USUAL, _HARDLY, _SURER = 0.1, 0.03, 1.5
"""How common colours are on a front; added to that, and to how common they are; and by how much what the
front has not is more surely lining, at most, as a logarithm of odds."""
_SHALLOW, _DEEPER, _STRANGE = 0.03, 0.25, 0.15
"""A curve above which there is so little of the garment may be the edge of a label, or of a back's rib; by
how much more of it a deeper one must take, of what the first does; and how common on the front that is at
most."""
_LIKELIER, _FAINT = 8.0, 1.5
"""By how much likelier lining is then thought, as odds, and what is added to the front's gradient: a network
that knows linings by where they are misses those that lie low, and dark ones have faint edges."""
_OTHER, _SAME, _NECK = 0.095, 0.3, 0.06
"""How common what lies above such a curve is on the front: up to the first it is lining; from the second it
is the front's own cloth, and a label tells; between them it is a print. Share of the garment, at most."""
_NEVER, _PIECE = 0.03, 75
"""How common a colour is that the front has not, and how many pixels of it lie together."""


class Neckline(NamedTuple):
    """A curve from one end (-1) to the other (1), in pixels of a picture of a height."""

    left: tuple[float, float]
    """(x,y) of its left end."""
    right: tuple[float, float]
    depth: float
    """How far below the line between its ends it reaches."""
    shape: float
    """Its power: 1 = pointed, 3 = nearly square."""
    height: int
    """Of that picture."""

    def above(self, size: Size) -> np.ndarray:
        """How much of each pixel of a picture lies above it, between its ends: (H,W) in [0,1]."""
        times = size[0] / self.height
        column = (np.arange(size[1]) + 0.5) / times - 0.5
        place = (2 * column - self.left[0] - self.right[0]) / (self.right[0] - self.left[0])
        row = np.interp(place, (-1, 1), (self.left[1], self.right[1]))
        row = row + self.depth * bent(place.clip(-1, 1), self.shape)
        row = (row + 0.5) * times - 0.5
        covered = np.clip(row - np.arange(size[0])[:, None] + 0.5, 0, 1)
        return np.asarray(covered * (np.abs(place) <= 1), np.float32)


def find_neckline(lining: np.ndarray, image: np.ndarray, matte: np.ndarray) -> Neckline | None:
    """The curve where a garment's front begins; None where there is no lining, or no edge shows one.

    Args:
        lining: (H,W) in [0,1], where a network sees the garment's inside.
        image: (H,W,3) uint8.
        matte: (H,W) bool, the garment with its lining.
    """
    found = _curve_along_edge(lining, image, matte)
    taken = _above(found, matte)
    if taken.sum() > _SHALLOW * matte.sum():
        return found
    deeper = None if found is None else _of_other_colours(lining, image, matte, taken)
    if deeper is not None:
        found, taken = deeper, _above(deeper, matte)
    if taken.sum() > _SHALLOW * matte.sum():
        return found
    likelier = with_odds(lining, np.full(matte.shape, _LIKELIER))
    faint = _curve_along_edge(likelier, image, matte, _FAINT)
    above = _above(faint, matte)
    return faint if _is_lined(above & ~taken, above, lining, image, matte) else found


def _above(curve: Neckline | None, matte: np.ndarray) -> np.ndarray:
    """What of a garment lies above a curve: (H,W) bool."""
    return np.zeros_like(matte) if curve is None else matte & (curve.above(matte.shape) > 0.5)


def with_odds(lining: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Probabilities (H,W) whose odds are multiplied."""
    odds = lining / (1 - lining.clip(max=1 - 1e-4)) * times
    return np.asarray(odds / (1 + odds))


def _of_other_colours(
    lining: np.ndarray, image: np.ndarray, matte: np.ndarray, taken: np.ndarray
) -> Neckline | None:
    """A deeper curve, where what the front has not is more surely lining; None where it would take no more.

    A network knows linings by where they are; that the front has other colours it hardly uses.
    """
    front, doubted = matte & (lining < _NONE), matte & (lining >= _NONE)
    colours, common = in_lab(image), np.ones(matte.shape)
    common[doubted] = commonness(colours[doubted], colours[front])
    surer = np.exp(np.log((_USUAL + _HARDLY) / (common + _HARDLY)).clip(0, _SURER))
    deeper = _curve_along_edge(np.where(doubted, with_odds(lining, surer), lining), image, matte)
    more = _above(deeper, matte) & ~taken
    strange = more.any() and common[more].mean() < _STRANGE
    return deeper if strange and more.sum() > _DEEPER * taken.sum() else None


def _is_lined(
    more: np.ndarray, above: np.ndarray, lining: np.ndarray, image: np.ndarray, matte: np.ndarray
) -> bool:
    """Whether what a deeper curve would take away is lining, or has a label on it.

    Args:
        more: (H,W) bool, that.
        above: (H,W) bool, all that lies above the curve.
        lining: as ``find_neckline``'s.
        image: likewise.
        matte: likewise.
    """
    front = matte & (lining < _NONE) & ~above
    if not front.any() or not 0 < more.sum() < _NECK * matte.sum():
        return False
    colours, common = in_lab(image), np.ones(matte.shape)
    common[more] = commonness(colours[more], colours[front])
    if _OTHER < common[more].mean() < _SAME:
        return False
    # The mixed colours of edges are nowhere else on the front either.
    inner = ndimage.binary_erosion(above | ~matte, iterations=2) & ndimage.binary_erosion(matte, iterations=3)
    pieces, _ = ndimage.label((common < _NEVER) & more & inner)
    return bool(np.bincount(pieces.ravel())[1:].max(initial=0) >= _PIECE)


def _curve_along_edge(
    lining: np.ndarray, image: np.ndarray, matte: np.ndarray, faint: float = _TEXTURE[1]
) -> Neckline | None:
    """The best of all curves; arguments as ``find_neckline``'s, and what is added to the front's gradient."""
    told = lining * matte
    front = matte & (lining < _NONE)
    if (told > _TOLD).sum() < _MUCH or not front.any():
        return None
    steep = _edges(image, matte, front, faint)
    curves = _curves(told, matte)
    if not curves.left.size:
        return None
    at, between = curves.pixels(matte.shape), (curves.right - curves.left) / 2 * (_PLACES[1] - _PLACES[0])
    strength = ndimage.maximum_filter(steep.clip(0, _MOST), 3).take(at)
    weakest = np.partition(strength, _WEAKEST, axis=1)[:, _WEAKEST]
    inside, cloth = (np.cumsum(part, axis=0).take(at).sum(1) * between for part in (told, matte))
    precision, recall = inside / np.maximum(cloth, 1), inside / told.sum()
    fit = 2 * precision * recall / np.maximum(precision + recall, 1e-6)
    score = np.minimum(weakest, _STRONG) + _MEAN * np.minimum(strength, _STRONG).mean(1) + _FIT * fit
    best = int(score.argmax())
    middle = np.abs(_PLACES) < _MIDDLE
    above = (at[best] - _ABOVE * matte.shape[1]).clip(0)
    thought = np.median(lining.take(above)[middle])
    if weakest[best] < _SEEN or thought < _PLACED:
        return None
    near = curves.near(best)
    exact = near.at(int(steep.take(near.pixels(matte.shape)).mean(1).argmax()))
    return Neckline((exact[0], exact[2]), (exact[1], exact[3]), exact[4], exact[5], len(matte))


class _Curves(NamedTuple):
    """Many curves, (N,) each: columns of their ends, the ends' rows, depths and shapes."""

    left: np.ndarray
    right: np.ndarray
    first: np.ndarray
    last: np.ndarray
    depth: np.ndarray
    shape: np.ndarray

    def pixels(self, size: tuple[int, ...]) -> np.ndarray:
        """Numbers of the pixels along each in a picture of a size, row by row: (N,``_PLACES``)."""
        left, right, first, last, depth, _ = (values[:, None] for values in self)
        columns = (left + right) / 2 + (right - left) / 2 * _PLACES
        # Powers are slow, and there are few of them.
        curved = bent(_PLACES, np.array(_SHAPES)[:, None])[np.searchsorted(_SHAPES, self.shape)]
        rows = first * (1 - _PLACES) / 2 + last * (1 + _PLACES) / 2 + depth * curved
        inside = [
            np.rint(values).astype(np.int32).clip(0, most - 1)
            for values, most in ((rows, size[0]), (columns, size[1]))
        ]
        return np.asarray(inside[0] * size[1] + inside[1])

    def at(self, number: int) -> tuple[float, ...]:
        return tuple(float(values[number]) for values in self)

    def near(self, number: int) -> _Curves:
        """Those a little beside, above and below one of them."""
        left, right, first, last, depth, shape = self.at(number)
        grid = np.meshgrid(left + _NEAR, right + _NEAR, depth + 2 * _NEAR, _SHAPES, indexing="ij")
        lefts, rights, depths, shapes = (values.ravel() for values in grid)
        ends = (np.full_like(lefts, first), np.full_like(lefts, last))
        return _Curves(lefts, rights, *ends, depths.clip(_LEAST_DEPTH), shapes)


def _curves(told: np.ndarray, matte: np.ndarray) -> _Curves:
    """What is tried.

    Args:
        told: (H,W) in [0,1], how much lining there is.
        matte: (H,W) bool; a curve's ends lie on its upper outline.
    """
    width = matte.shape[1]
    amount, along = told.sum(0), np.arange(width)
    middle = (amount * along).sum() / amount.sum()
    spread = np.sqrt((amount * (along - middle) ** 2).sum() / amount.sum())
    told_rows = np.flatnonzero((told > _NONE).any(1))
    near, far = (share * spread for share in _WIDE)
    grid = np.meshgrid(
        np.arange(middle - far, middle - near, _STEP),
        np.arange(middle + near, middle + far, _STEP),
        np.arange(_LEAST_DEPTH, told_rows[-1] - told_rows[0] + _LEAST_DEPTH, _STEP),
        _SHAPES,
        indexing="ij",
    )
    left, right, depth, shape = (values.ravel() for values in grid)
    top = np.where(matte.any(0), matte.argmax(0), len(matte) - 1).astype(float)
    first, last = (top[ends.round().astype(int).clip(0, width - 1)] for ends in (left, right))
    fits = np.abs((left + right) / 2 - middle) < _ASIDE * spread
    fits &= np.abs(first - last) < _SLANTED * (right - left)
    fits &= right - left < _WIDEST * matte.any(0).sum()
    return _Curves(*(values[fits] for values in (left, right, first, last, depth, shape)))


def bent(place: np.ndarray, shape: np.ndarray | float) -> np.ndarray:
    """How far below the line between its ends a curve is at places in [-1,1], of its depth."""
    return np.asarray(1 - np.abs(place) ** shape)


def _edges(image: np.ndarray, matte: np.ndarray, front: np.ndarray, faint: float) -> np.ndarray:
    """How strong an edge each pixel of a garment lies on, 1 where it is clearly one: (H,W).

    Args:
        image: as ``find_neckline``'s.
        matte: likewise.
        front: (H,W) bool, cloth that is surely the front's.
        faint: what is added to its gradient.
    """
    colours = cv2.GaussianBlur(in_lab(image), (0, 0), _BLUR)
    down, across = np.zeros((2, *matte.shape))
    down[1:-1] = np.linalg.norm(colours[2:] - colours[:-2], axis=2)
    across[:, 1:-1] = np.linalg.norm(colours[:, 2:] - colours[:, :-2], axis=2)
    steep = np.hypot(down, across)
    inner = cv2.erode(matte.astype(np.uint8), np.ones((_EDGE, _EDGE))) > 0
    cloth = steep[inner & front]
    if not cloth.size:
        return np.zeros(matte.shape)
    clear = max(_TEXTURE[0] * np.median(cloth) + faint, _STRIPES * np.quantile(cloth, 0.9))
    return np.asarray(steep / clear * inner)
