"""The shop's wall between a sleeve and the body, taken out of a matte.

A white top before a white wall has no edge that a network would see, and a narrow gap beside a sleeve is
closed in by both: worn, it is a white blank at the armpit. But the wall is of one colour to within the noise
of a JPEG, and cloth hardly ever is that very colour in one piece from below the hem up along the body.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.preprocess.background import Background

_SAME, _NEAR, _UNLIKE = 3, 60, 0.05
"""Levels by which the wall's colour may be off, and by which it may beside a garment of other colours: of its
pixels so few are as near to the wall's."""
_RIM = 3
"""Pixels along a garment's outline in which that is not asked: they show the wall too."""
_MIXED = 0.55
"""Up to which share of the cloth's distance from the wall's colour a pixel beside a gap is mostly wall."""
_ON = 0.5
"""Matte from which on a pixel is garment."""
_LEAST, _MOST = 0.0002, 0.08
"""Of the garment's pixels, what a gap has: less is noise, more an overexposed garment."""
_MIDDLE = 0.15
"""Of the garment's width, how far from its middle gaps are at least: nearer there are prints and buttons."""
_TALL = 0.8
"""Height over width of a gap's box, at least."""
_BETWEEN = 0.8
"""Share of a gap's rows that have garment on both sides, at least; an edge has it on one."""
_CLOSED, _SLENDER = 0.002, 2.0
"""Of the garment's pixels, what a gap has at least that a sleeve closes in below, and height over width of
its box: it must have its like on the other side, as prints have not."""
_ALIKE, _AROUND, _LONG = 25, 3, 0.12
"""Levels up to which the cloth within so many pixels of a gap is of the wall's colour itself; then a gap is
at least so long, of the garment's height."""
_MIRRORED, _LEVEL = 0.08, 0.5
"""By how much of the garment's width a gap may lie nearer to the middle than its like, and the share of its
rows that both have."""


class _Piece(NamedTuple):
    """Wall's colour within a garment."""

    piece: np.ndarray
    """(h,w) bool."""
    down: slice
    across: slice
    """Its rows and columns."""
    place: float
    """Of its middle, from the garment's, in the garment's width."""
    joined: bool
    """Joined to the wall around the garment."""

    def mirrors(self, other: _Piece) -> bool:
        """Whether another piece lies on the garment's other side as this one does on its own."""
        common = min(self.down.stop, other.down.stop) - max(self.down.start, other.down.start)
        return abs(self.place + other.place) < _MIRRORED and common >= _LEVEL * len(self.piece)


def without_sleeve_gaps(matte: np.ndarray, pixels: np.ndarray, background: Background) -> np.ndarray:
    """A matte without what of a plain wall is seen between sleeves and body.

    Args:
        matte: (H,W) float32 in [0,1].
        pixels: (H,W,3) uint8, a garment before a plain wall.
        background: of the same picture.

    Returns:
        (H,W) float32, nowhere larger; the same array where there is no gap.
    """
    on = matte > _ON
    columns = np.flatnonzero(on.any(0))
    if not background.plain or not columns.size:
        return matte
    away = np.abs(pixels.astype(np.int16) - np.array(background.colour, np.int16)).max(-1)
    unlike = is_unlike(away, on)
    if unlike:
        matte = np.where(_joined_wall(away <= _SAME, on), 0, matte).astype(np.float32)
        on = matte > _ON
    wall = away <= (_NEAR if unlike else _SAME)
    pieces, count = ndimage.label(wall & on)
    middle, width, size = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0] + 1, int(on.sum())
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sized = (sizes >= _LEAST * size) & (sizes <= _MOST * size)
    sized[0] = False
    if not sized.any():
        return matte
    joined, count = ndimage.label(wall | ~on)
    outside = (np.bincount(joined[~on], minlength=count + 1) > 0)[joined]
    boxes, found = ndimage.find_objects(pieces), []
    for number in np.flatnonzero(sized):
        down, across = boxes[number - 1]
        piece = pieces[down, across] == number
        beside = min(abs(across.start - middle), abs(across.stop - middle)) > _MIDDLE * width
        tall = piece.shape[0] >= _TALL * piece.shape[1]
        if beside and tall and _is_between(piece, on, down, across):
            centre = (across.start + across.stop) / 2 - middle
            reaches_out = bool(outside[down, across][piece].any())
            found.append(_Piece(piece, down, across, centre / width, reaches_out))
    gaps = np.zeros_like(on)
    length = np.ptp(np.flatnonzero(on.any(1))) + 1
    for one in found:
        height, wide = one.piece.shape
        large = one.piece.sum() >= _CLOSED * size and height >= _SLENDER * wide
        if _is_alike(one, on, pixels, background) and height < max(_LONG * length, _SLENDER * wide):
            continue  # a white hem's folds
        mirrored = any(one.mirrors(other) for other in found)
        mirrored = mirrored or (unlike and _mirrors_open(one, on, (middle, width)))
        if one.joined or (large and mirrored):
            gaps[one.down, one.across] |= one.piece
    if not gaps.any():
        return matte
    gaps = _with_rim(gaps, on, away)
    # Next to it a pixel shows both.
    edge = ndimage.binary_dilation(gaps) & ~gaps
    return np.where(gaps, 0, np.where(edge, np.minimum(matte, 0.5), matte)).astype(np.float32)


def _with_rim(gaps: np.ndarray, on: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Gaps with what lies along them and is nearer to the wall than to the cloth: (H,W) bool.

    Args:
        gaps: (H,W) bool.
        on: (H,W) bool, the garment.
        away: (H,W), levels from the wall's colour.
    """
    cloth = on & ~ndimage.binary_dilation(gaps, iterations=2 * _RIM)
    if not cloth.any():
        return gaps
    mixed = on & (away < _MIXED * np.median(away[cloth]))
    return np.asarray(ndimage.binary_dilation(gaps, iterations=_RIM, mask=gaps | mixed))


def _joined_wall(wall: np.ndarray, on: np.ndarray) -> np.ndarray:
    """What has the very colour of the wall, (H,W) bool, and is joined to what lies outside a garment.

    Between straps a network may see cloth, where a garment of other colours has nothing like it.
    """
    pieces, _ = ndimage.label(wall | ~on)
    return np.asarray(wall & np.isin(pieces, np.unique(pieces[~on])))


def _mirrors_open(one: _Piece, on: np.ndarray, spread: tuple[float, int]) -> bool:
    """Whether the matte, (H,W) bool, is open already where a piece has its like on the other side.

    Args:
        one: the piece.
        on: the garment.
        spread: its middle column, and its width.
    """
    middle, width = spread
    rows = on[one.down]
    inside = (np.cumsum(rows, axis=1) > 0) & (np.cumsum(rows[:, ::-1], axis=1)[:, ::-1] > 0)
    start = max(0, round(middle - (one.place + _MIRRORED) * width))
    near = slice(start, max(0, round(middle - (one.place - _MIRRORED) * width)) + 1)
    return bool((inside & ~rows)[:, near].any(1).mean() >= _LEVEL)


def is_unlike(away: np.ndarray, on: np.ndarray) -> bool:
    """Whether a garment (H,W) bool has hardly its wall's colour; ``away`` (H,W) is in levels from that."""
    inner = ndimage.binary_erosion(on, iterations=_RIM)
    return bool(inner.any() and (away[inner] <= _NEAR).mean() < _UNLIKE)


def _is_alike(one: _Piece, on: np.ndarray, pixels: np.ndarray, background: Background) -> bool:
    """Whether the cloth around a piece is nearly of the wall's colour, so that it may be cloth as well."""
    top, left = max(0, one.down.start - _AROUND), max(0, one.across.start - _AROUND)
    near = slice(top, one.down.stop + _AROUND), slice(left, one.across.stop + _AROUND)
    own = np.zeros_like(on[near])
    own[one.down.start - top :, one.across.start - left :][: one.piece.shape[0], : one.piece.shape[1]] = (
        one.piece
    )
    ring = ndimage.binary_dilation(own, iterations=_AROUND) & ~ndimage.binary_dilation(own) & on[near]
    if not ring.any():
        return True
    return bool(np.abs(np.median(pixels[near][ring], axis=0) - background.colour).max() < _ALIKE)


def _is_between(piece: np.ndarray, on: np.ndarray, down: slice, across: slice) -> bool:
    """Whether garment, (H,W) bool, is on both sides of a piece, (h,w) bool at such rows and columns."""
    rows = on[down] & ~np.pad(piece, ((0, 0), (across.start, on.shape[1] - across.stop)))
    left = across.start + piece.argmax(1)
    right = across.stop - 1 - piece[:, ::-1].argmax(1)
    columns = np.arange(on.shape[1])[None]
    before, after = (rows & (columns < left[:, None])).any(1), (rows & (columns > right[:, None])).any(1)
    return bool((before & after).mean() >= _BETWEEN)
