"""What kind of garment a cut-out shows, and which way up it lies, by its outline and what is inside it.

Both are told by linear models over the hundred numbers that ``describe`` gives; their coefficients stand in
``kind_table.py``, fitted by ``ladi/training/garment_kind.py``. In its kind a small network has as much of a
say (``kind_network.py``). What a model does with trousers when it knows tops only is ``category.py``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.background import look_at_background
from ladi.preprocess.boxes import box_of
from ladi.preprocess.kind_network import look
from ladi.preprocess.kind_table import CONSTANT, TABLE
from ladi.preprocess.morphology import largest_part

KINDS = ("top", "trousers", "skirt", "dress", "none")
"""``skirt``: or shorts. ``none``: no garment of these, such as a wall, a bag or a whole person."""
TURNS = (0, 90, 180, 270)
"""Degrees by which a garment was turned to the left, so by which it must be turned to the right."""

_ON = 0.5
_COMMON = np.array([0.58, 0.13, 0.13, 0.13, 0.03])
"""The share of each kind among pictures, as far as one may guess."""
_WAYS = np.array([0.75, 0.25 / 3, 0.25 / 3, 0.25 / 3])
"""Likewise of each turn."""
_EACH = 0.8
"""How much the logarithm of a share counts, by the table and by the network; so what is said with a certainty
was right about so often when photos were told that neither had been fitted to, by folds of a fifth."""
_MOSTLY_TOPS = 0.7
"""What the logarithm for a top gains where a shop shows the garment: the network saw as many of each kind."""
_LEAST = 1e-6
_HARDLY, _HAZY, _TRUST = 0.1, 0.4, 0.4
"""Pixels that are garment no more and no less than that are haze. Where there are so many, by those that are
garment, the cut-out has failed in part, as of white on white, and the outline is believed that far only."""
_LOOK_SIDE = 160
"""Pixels of the longer side at which a picture is looked at."""
_TALL, _WIDE = 60, 48
"""The garment's box is brought to this."""
_BANDS, _COLUMNS = 10, 6
_MIDDLE = slice(21, 27)
"""The columns of the box in which legs part."""
_SHORTEST, _LONGEST = -0.6, 0.8
"""Logarithms of height by width beyond which it makes no difference."""
_LENGTHS = (-0.2, 0.0, 0.15, 0.3, 0.45, 0.6)
"""Likewise, at which a longer garment may begin to mean something else."""
_CELLS = (6, 3)
"""Rows and columns of the half box in which edges are counted."""
_LEG, _GAP, _OFF_MIDDLE = 0.12, 1.5, 0.2
"""Of the box, how wide a leg is at least; how wide a gap is by the narrower leg, how far from the middle, at
most."""


class Judged(NamedTuple):
    """What a garment looks like."""

    kind: str
    """One of ``KINDS``."""
    certainty: float
    """In [0,1]; of a top being a top, say."""
    turn: int
    """Degrees by which the picture must be turned to the right for the garment to hang upright."""
    turn_certainty: float
    shares: Mapping[str, float] = MappingProxyType({})
    """The certainty of every kind, where it is known."""

    def certainty_of(self, kinds: Collection[str]) -> float:
        """How certain it is that this is one of some kinds."""
        if self.shares:
            return sum(self.shares[kind] for kind in kinds)
        return self.certainty if self.kind in kinds else 1 - self.certainty


def judge(pixels: np.ndarray, matte: np.ndarray) -> Judged | None:
    """What kind of garment this is; nothing where there is none at all.

    Args:
        pixels: (H,W,3) uint8 RGB.
        matte: (H,W) in [0,1], 1 = garment.
    """
    shop = look_at_background(pixels).near_white
    scale = min(1.0, _LOOK_SIDE / max(matte.shape))
    size = max(1, round(matte.shape[1] * scale)), max(1, round(matte.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    soft = cv2.resize(np.asarray(matte, np.float32), size, interpolation=cv2.INTER_AREA)
    outline = soft > _ON
    if not outline.any():
        return None
    haze = ((soft > _HARDLY) & (soft < 1 - _HARDLY)).sum() / outline.sum()
    trust = _TRUST if haze > _HAZY else 1.0
    numbers = [
        describe(np.rot90(small, -turn // 90), np.rot90(outline, -turn // 90), shop=shop) for turn in TURNS
    ]
    upright = _shares(np.stack(numbers) @ _COEFFICIENTS[:, -1])  # [4]
    by_outline = [_shares(one @ _COEFFICIENTS[:, :-1] + CONSTANT) for one in numbers]
    by_network = look(pixels, matte, kinds=len(KINDS), turns=len(TURNS))
    known = np.array([_MOSTLY_TOPS if shop and kind == "top" else 0 for kind in KINDS])
    kinds = [
        _shares(_EACH * (np.log(one + _LEAST) + other) + known)
        for one, other in zip(by_outline, by_network, strict=True)
    ]
    # What lies on its side looks like something else as it is: each way up counts as far as it is likely.
    ways = upright * _WAYS
    likely = ways / ways.sum() @ kinds  # [5]
    likely, upright = trust * likely + (1 - trust) * _COMMON, trust * upright + (1 - trust) * _WAYS
    turn = int(upright.argmax())
    kind = int(likely.argmax())
    shares = dict(zip(KINDS, likely.tolist(), strict=True))
    return Judged(KINDS[kind], float(likely[kind]), TURNS[turn], float(upright[turn]), shares)


def describe(pixels: np.ndarray, outline: np.ndarray, *, shop: bool) -> np.ndarray:
    """A garment in numbers that are the same in a mirror: (N,) float32, in the order of ``NAMES``.

    Args:
        pixels: (H,W,3) uint8 RGB, small.
        outline: (H,W) bool with at least one pixel on; only its largest part counts.
        shop: the picture has a shop's background, where garments hang, and mostly are tops.
    """
    outline = largest_part(outline)
    box = box_of(outline)
    assert box is not None
    inside = outline[box.window].astype(np.float32)
    long = float(np.clip(np.log(box.height / box.width), _SHORTEST, _LONGEST))
    fill = float(inside.mean())
    even = cv2.resize(inside, (_WIDE, _TALL), interpolation=cv2.INTER_AREA)  # [60,48]
    solid = even > _ON
    legs = float(np.mean([_is_two_legs(row) for row in solid[_TALL // 2 :]]))
    proportions = [long, long**2, fill, legs, *_widths(even)]
    bands = even.reshape(_BANDS, -1, _WIDE)
    by_area = np.sqrt(box.width / box.height / fill)
    numbers = [
        proportions,
        np.maximum(0, long - np.array(_LENGTHS)),
        bands.mean((1, 2)) * by_area,
        np.array([_extent(row) for row in solid]).reshape(_BANDS, -1).mean(1) * by_area,
        bands[:, :, _MIDDLE].mean((1, 2)),
        _depths(solid),
        _depths(solid[::-1]),
        _edges(pixels[box.window], inside),
        np.array([1, *proportions]) * shop,
    ]
    return np.concatenate(numbers).astype(np.float32)


def _names() -> tuple[str, ...]:
    """What each of the numbers of ``describe`` is."""
    proportions = ["length", "length²", "fill", "legs", "waist", "chest", "belly", "hips", "thighs", "hem"]
    cells = [f"{row}-{column}" for row in range(_CELLS[0]) for column in range(_CELLS[1])]
    names = [
        *proportions,
        *(f"longer than {length}" for length in _LENGTHS),
        *(f"{what} {band}" for what in ("width", "extent", "middle") for band in range(_BANDS)),
        *(f"{what} {column}" for what in ("top edge", "lower edge") for column in range(_COLUMNS)),
        *(f"{what} {cell}" for what in ("upright seams", "level seams") for cell in cells),
        *(f"shop, {what}" for what in ("any", *proportions)),
    ]
    return tuple(names)


NAMES = _names()
"""Of the numbers. Bands and cells count from above, columns and cells from the side to the middle."""
_COEFFICIENTS = np.array([TABLE[name] for name in NAMES])
"""(N,6); the last column tells what is upright."""


def _widths(even: np.ndarray) -> list[float]:
    """Mean widths, as shares of the box, from the uppermost rows to the hem."""
    ends = ((0, 0.06), (0.08, 0.25), (0.25, 0.45), (0.45, 0.65), (0.65, 0.85), (0.9, 1))
    return [float(even[int(start * _TALL) : round(end * _TALL)].mean()) for start, end in ends]


def _extent(row: np.ndarray) -> float:
    """From the first to the last pixel that is on, as a share of the row."""
    on = np.flatnonzero(row)
    return (on[-1] - on[0] + 1) / len(row) if on.size else 0.0


def _depths(solid: np.ndarray) -> np.ndarray:
    """How far below the box's upper edge the garment begins, as shares of it, from the side to the middle."""
    depth = np.where(solid.any(0), solid.argmax(0), len(solid)) / len(solid)
    return ((depth + depth[::-1]) / 2)[: _WIDE // 2].reshape(_COLUMNS, -1).mean(1)


def _edges(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """How much brightness changes across and along, in each cell, by its mean: collars, waistbands, seams."""
    grey = cv2.resize(
        cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY).astype(np.float32),
        (_WIDE, _TALL),
        interpolation=cv2.INTER_AREA,
    )
    cloth = cv2.resize(inside, (_WIDE, _TALL), interpolation=cv2.INTER_AREA) > 0.9
    cloth = ndimage.binary_erosion(cloth)
    changes = [np.abs(cv2.Sobel(grey, cv2.CV_32F, *way)) * cloth for way in ((1, 0), (0, 1))]
    mean = sum(change.sum() for change in changes) / max(1, cloth.sum()) + 2
    cells = [cv2.resize(one, (2 * _CELLS[1], _CELLS[0]), interpolation=cv2.INTER_AREA) for one in changes]
    halves = [((one + one[:, ::-1]) / 2)[:, : _CELLS[1]].ravel() for one in cells]
    return np.log1p(np.concatenate(halves) / mean)


def _is_two_legs(row: np.ndarray) -> bool:
    """Whether a row crosses two legs: broad enough, a gap between them no wider than they are, mid-way."""
    parts, count = ndimage.label(row)
    if count < 2:
        return False
    sizes = np.bincount(parts)[1:]
    left, right = sorted(np.argsort(sizes)[-2:] + 1)
    narrower = min(sizes[left - 1], sizes[right - 1])
    end, start = np.flatnonzero(parts == left)[-1], np.flatnonzero(parts == right)[0]
    gap, middle = start - end - 1, (start + end) / 2 / len(row)
    return bool(narrower > _LEG * len(row) and gap <= _GAP * narrower and abs(middle - 0.5) < _OFF_MIDDLE)


def _shares(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
