"""Doubts about a cut-out, told by its outline and colours: is this one garment, and all of it?

Pure functions on arrays. Sentences are ``checks.py``'s, and what a garment is ``kind.py``'s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

_ON = 0.5
_LOOK_SIDE = 256
_PLAIN = 12
"""Levels of 255 between nearly the darkest and nearly the lightest of a picture of one colour."""
_EDGE_SHARE = 0.04
"""Of an edge, covered by the garment where it runs out of the picture."""
_SAME_COLOUR = 24
"""Levels of 255; a white garment on a near-white wall differs by its shadows at least."""
_LARGE_PART = 0.15
"""Of the largest part's area."""
_WHOLE_PART = 0.4
"""A part beside the largest that is this large is another garment, not a sleeve that was cut off."""
_BAR, _BAR_SHAPE = 0.85, 3.0
"""Share of its box that a button or a bar on a screen fills, and its width by its height."""
_SHARP_SHARE = 0.4


class Sorted(NamedTuple):
    """A matte without what does not belong to the garment."""

    matte: np.ndarray
    """(H,W) float32 in [0,1]."""
    code: str
    """What was found, by the code of its sentence; nothing where the matte is as it was."""


def is_one_colour(pixels: np.ndarray) -> bool:
    """Whether a picture (H,W,3) shows nothing but one colour."""
    low, high = np.percentile(_small(pixels).reshape(-1, 3), (1, 99), axis=0)
    return bool((high - low).max() < _PLAIN)


def sort_parts(matte: np.ndarray, outline: np.ndarray | None = None) -> Sorted:
    """Find things beside the garment: a second garment, or the bars and buttons of a shop's page.

    Args:
        matte: (H,W) float in [0,1].
        outline: likewise, by the colours of a plain background; it keeps apart what a network's matte joins.
            Of a white garment on white it is little, and then does not count.
    """
    sharp = outline is not None and (outline > _ON).sum() >= _SHARP_SHARE * (matte > _ON).sum()
    parts, count = ndimage.label((outline if sharp and outline is not None else matte) > _ON)
    if count < 2:
        return Sorted(matte, "")
    areas = np.bincount(parts.ravel())[1:]
    order = [int(part) for part in np.argsort(areas)[::-1] if areas[part] >= _LARGE_PART * areas.max()]
    boxes = ndimage.find_objects(parts)
    bars = [part for part in order if _is_bar(parts == part + 1, boxes[part])]
    rest = [part for part in order if part not in bars]
    if bars and rest:
        return Sorted(_only(matte, parts, rest), "garment_on_page")
    beside = [part for part in order[1:] if _is_beside(boxes[order[0]], boxes[part])]
    if any(areas[part] >= _WHOLE_PART * areas.max() for part in beside):
        return Sorted(_only(matte, parts, order[:1]), "garment_several")
    return Sorted(matte, "garment_in_parts" if len(order) > 1 else "")


def edges_touched(matte: np.ndarray) -> int:
    """How many of the picture's four edges the garment runs out of."""
    on = matte > _ON
    return sum(bool(edge.mean() > _EDGE_SHARE) for edge in (on[0], on[-1], on[:, 0], on[:, -1]))


def has_background_colour(pixels: np.ndarray, matte: np.ndarray) -> bool:
    """Whether a garment and what is around it have the same colour, so that no outline can be trusted.

    Args:
        pixels: (H,W,3) uint8.
        matte: (H,W) in [0,1].
    """
    small = _small(pixels).astype(np.float32)
    soft = Image.fromarray(np.asarray(matte, np.float32)).resize((small.shape[1], small.shape[0]))
    on = np.asarray(soft) > _ON
    inside, outside = ndimage.binary_erosion(on, iterations=4), ~ndimage.binary_dilation(on, iterations=4)
    near = outside & ndimage.binary_dilation(on, iterations=24)
    if not inside.any() or not near.any():
        return False
    apart = np.abs(np.median(small[inside], axis=0) - np.median(small[near], axis=0)).max()
    return bool(apart < _SAME_COLOUR)


def _small(pixels: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_LOOK_SIDE, _LOOK_SIDE), Image.Resampling.BOX)
    return np.asarray(picture)


def _is_bar(part: np.ndarray, box: tuple[slice, slice]) -> bool:
    tall, wide = (edge.stop - edge.start for edge in box)
    return bool(wide > _BAR_SHAPE * tall and part[box].mean() > _BAR)


def _is_beside(one: tuple[slice, slice], other: tuple[slice, slice]) -> bool:
    """Whether two boxes share no columns, but for a tenth of the narrower one."""
    shared = min(one[1].stop, other[1].stop) - max(one[1].start, other[1].start)
    narrower = min(one[1].stop - one[1].start, other[1].stop - other[1].start)
    return shared < 0.1 * narrower


def _only(matte: np.ndarray, parts: np.ndarray, kept: list[int]) -> np.ndarray:
    """The matte of some of its parts, with their soft rims."""
    chosen = np.isin(parts, [part + 1 for part in kept])
    near = ndimage.binary_dilation(chosen, iterations=3)
    return np.where(near & ~((parts > 0) & ~chosen), matte, 0).astype(np.float32)
