"""Whether a garment is a top, something for the legs, or a dress, and what follows for a model.

A network says so (``kind.py``). Where there is none, a rule on the outline's proportions does: two legs, a
waistband from which it widens, or a length and a waist that tops do not have. The answer counts where nobody
said which it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from ladi.preprocess.background import look_at_background, matte_by_colour
from ladi.preprocess.boxes import box_of, whole
from ladi.preprocess.findings import finding
from ladi.preprocess.kind import Judged
from ladi.types import AskedCategory, Category, Finding

_SIDE = 256
_ON = 0.5
_COLOUR_SHARE = 0.6
"""The outline by colour, which is the sharper one, must have this share of the matte's area: of a white
garment on white it keeps only the shadows."""

# Chosen by looking at the pictures that these numbers come from, so they are a best case. Of 152 clean
# outlines (140 tops, 7 for the legs, 5 dresses) 145 are told rightly; the others are long tops, taken for
# dresses. Of 240 photos on floors and hangers, whose outlines are coarse, 163 of 170 tops are told rightly
# and 8 of the 70 others, which is why the guess says whether it is sure.
_TWO_LEGS = 0.4
_WAISTBAND = 0.35
_LONG_LEGS, _BROAD_TOP, _SOME_LEGS = 2.1, 0.6, 0.1
_SKIRT_TOP, _SKIRT_LENGTH, _SKIRT_WIDENS, _SKIRT_HEM = 0.58, 1.5, 1.12, 0.45
_DRESS_LENGTH = 1.8
_SHORT_DRESS_LENGTH, _SHOULDERS, _FLARE = 1.5, 1.2, 1.1


SURE = 0.8
"""From this certainty on a kind is taken for what it is."""
SURE_OTHER, DOUBTFUL = 0.9, 0.6
"""From the one certainty on that a model cannot paint a garment it is refused. Below the
other certainty that it can, that is doubted."""
SURE_TURN = 0.9
KIND_WORDS = {"top": "a top", "trousers": "trousers", "skirt": "a skirt or shorts", "dress": "a dress"}
_CATEGORY_OF: dict[str, Category] = {
    "top": "upper_body",
    "trousers": "lower_body",
    "skirt": "lower_body",
    "dress": "dresses",
}
_WORN_AS: dict[Category, str] = {
    "upper_body": "a top",
    "lower_body": "trousers or a skirt",
    "dresses": "a dress",
}
PLURALS: dict[Category, str] = {
    "upper_body": "tops",
    "lower_body": "trousers and skirts",
    "dresses": "dresses",
}


class Guess(NamedTuple):
    """What a garment looks like."""

    category: Category
    sure: bool
    """The outline is a clean one, of a garment on a plain background."""


class Shape(NamedTuple):
    """An outline in numbers, all widths as shares of the largest extent across."""

    length: float
    """Height by width."""
    legs: float
    """Share of the lower half's rows that two legs, of like width and around the middle, pass."""
    top: float
    """Mean width of the uppermost rows: a waistband is broad, a neck or straps are not."""
    bands: tuple[float, float, float, float]
    """Mean widths from under the top to above the hem."""
    hem: float


def guess_category(pixels: np.ndarray, matte: np.ndarray) -> Guess:
    """What the garment in a picture is.

    Args:
        pixels: (H,W,3) uint8 RGB.
        matte: (H,W) float in [0,1], 1 = garment, as cut out.
    """
    picture, soft = Image.fromarray(pixels), Image.fromarray(np.asarray(matte, np.float32))
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(picture)
    outline = np.asarray(soft.resize(picture.size, Image.Resampling.BOX)) > _ON
    background = look_at_background(small)
    sure = False
    if background.plain:
        by_colour = matte_by_colour(small, background) > _ON
        if by_colour.sum() >= _COLOUR_SHARE * outline.sum():
            outline, sure = by_colour, True
    if not outline.any():
        return Guess("upper_body", False)
    return Guess(category_of(measure(outline)), sure)


def choose_category(
    asked: AskedCategory,
    pixels: np.ndarray,
    matte: np.ndarray,
    *,
    trained: Sequence[Category],
    judged: Judged | None = None,
) -> tuple[Category, tuple[Finding, ...]]:
    """What a garment is taken for, and the doubts about it; an error where it cannot be worn.

    Args:
        asked: what the request says; anything but ``auto`` is believed.
        pixels: (H,W,3) uint8 RGB, the garment's picture.
        matte: (H,W) float in [0,1].
        trained: what the model knows; one that knows tops only takes everything for a top.
        judged: what the network says; its outline alone is looked at where there is none.
    """
    if judged is not None:
        return _by_network(asked, judged, trained)
    if asked != "auto":
        return asked, ()
    guess = guess_category(pixels, matte)
    if len(trained) == 1:
        if not guess.sure or guess.category != "lower_body":
            return trained[0], ()
        return trained[0], (
            finding("garment_perhaps_other", kind="trousers or a skirt", known=PLURALS[trained[0]]),
        )
    if guess.sure:
        return guess.category, ()
    return guess.category, (finding("category_unsure"),)


def _by_network(
    asked: AskedCategory, judged: Judged, trained: Sequence[Category]
) -> tuple[Category, tuple[Finding, ...]]:
    """The same, by what the network says."""
    sure, kind = judged.certainty >= SURE, KIND_WORDS.get(judged.kind, "")
    meant = _CATEGORY_OF.get(judged.kind)
    turned = judged.turn_certainty >= SURE_TURN and judged.turn and meant is not None
    lies = (finding("garment_turned", turn=judged.turn),) if turned else ()
    if asked != "auto":
        other = sure and meant not in (None, asked)
        doubts = (finding("garment_other_kind", kind=kind, asked=_WORN_AS[asked]),) if other else ()
        return asked, (*doubts, *lies)
    offered = judged.certainty_of([kind for kind, one in _CATEGORY_OF.items() if one in trained])
    if meant is None or meant not in trained:
        out_of_question = offered <= 1 - SURE_OTHER
        if meant is None:
            return trained[0], (finding("garment_none" if out_of_question else "garment_unsure"), *lies)
        known = " and ".join(PLURALS[one] for one in trained)
        code = "garment_not_offered" if out_of_question else "garment_perhaps_other"
        return trained[0], (finding(code, kind=kind, known=known), *lies)
    if len(trained) > 1:
        return meant, lies if sure else (finding("category_unsure"), *lies)
    return meant, lies if offered >= DOUBTFUL else (finding("garment_unsure"), *lies)


def measure(outline: np.ndarray) -> Shape:
    """The numbers of an outline, (H,W) bool with at least one pixel on; only its largest part counts."""
    parts, count = ndimage.label(outline)
    if count > 1:
        outline = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    box = outline[(box_of(outline) or whole(outline)).window]
    tall, wide = box.shape
    widths = box.sum(axis=1) / wide

    def band(start: float, end: float) -> float:
        first = int(start * tall)
        return float(widths[first : max(first + 1, int(end * tall))].mean())

    lower = box[tall // 2 :]
    return Shape(
        length=tall / wide,
        legs=sum(_is_two_legs(row) for row in lower) / len(lower),
        top=band(0, 0.06),
        bands=(band(0.08, 0.25), band(0.25, 0.45), band(0.45, 0.65), band(0.65, 0.85)),
        hem=band(0.9, 1.0),
    )


def category_of(shape: Shape) -> Category:
    """The rule."""
    first, second, third, fourth = shape.bands
    if shape.legs > _TWO_LEGS and shape.top > _WAISTBAND:
        return "lower_body"
    if shape.length > _LONG_LEGS and shape.top > _BROAD_TOP and shape.legs > _SOME_LEGS:
        return "lower_body"
    widens = first < second <= third <= 1.03 * fourth and fourth > _SKIRT_WIDENS * first
    skirt = shape.top > _SKIRT_TOP and shape.hem > _SKIRT_HEM and shape.length < _SKIRT_LENGTH
    if skirt and widens:
        return "lower_body"
    waist = min(second, third)
    flared = first > _SHOULDERS * waist and max(fourth, shape.hem) > _FLARE * waist
    if shape.length > _DRESS_LENGTH or (shape.length > _SHORT_DRESS_LENGTH and flared):
        return "dresses"
    return "upper_body"


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
    return bool(narrower > 0.12 * len(row) and gap <= 1.5 * narrower and abs(middle - 0.5) < 0.2)
