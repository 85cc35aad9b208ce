"""What is to show where in a result: what was painted, put right by what is known of the photo and the pose.

```
painted layers ─► wall that was wall, coat below the hem (kept.py) ─► top and trousers (beneath.py)
  ─► arms (arms.py) ─► no small gaps ─► layout
```

It decides shapes, no colours: those are ``compose.py``'s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.postprocess.arms import draw_arms
from ladi.postprocess.beneath import beneath
from ladi.postprocess.drawn_hands import HandPlace
from ladi.postprocess.even_edges import even_hem, even_sides
from ladi.postprocess.even_shoulders import even_shoulders
from ladi.postprocess.kept import settled
from ladi.postprocess.layers import as_nearest, certainly
from ladi.postprocess.skin import side_of_light
from ladi.postprocess.skirts import whole_skirt
from ladi.postprocess.sleeve_ends import SleeveEnd
from ladi.postprocess.tails import without_tails
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.labels import label_table, named
from ladi.preprocess.limbs import Limbs
from ladi.preprocess.morphology import largest_part
from ladi.types import LAYERS, Garment, PersonParts

_FACES, _NECKS = ("face", "head"), ("neck", "vitonhd_neck")
_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
_GAP = 200
"""Pixels at a height of 256 of a gap that is none."""
_ISLAND, _LAID, _AMID = 120, 0.15, 0.9
"""Pixels at a height of 256 of a piece of skin amid cloth that is none; so much cloth the warp lays on the
whole; share of its edge that cloth has."""
_CRUMB = 60
"""Likewise of a piece of cloth apart from the garment that is none."""
_STRAPS, _THROAT = 0.3, 0.28
"""How far below the shoulders, in torsos, straps are, and beside the neck, of the shoulders' distance: nearer
is what a lining hides."""
_THROUGH = 0.2
"""Matte of the warped garment up to which it is open there."""
_LONG = 0.6
"""Sleeve from which on it may reach too low."""


class Layout(NamedTuple):
    """At the model's size."""

    shown: np.ndarray
    """(K,H,W) of ``LAYERS``, together 1."""
    stays: np.ndarray
    """(H,W) bool, of the mask, what is the photo's for certain."""
    relief: np.ndarray | None = None
    """(H,W) about 1, by which cloth is lighter or darker; None where nothing is known."""
    sleeves: np.ndarray | None = None
    """(H,W) bool, cloth that is there because an arm in its sleeve is; None where nothing is known."""
    roundness: np.ndarray | None = None
    """(H,W) about 1, the light on bare arms, 0 beside them; None where nothing is known."""
    hands: tuple[HandPlace, ...] = ()
    """Where hands are drawn, because the photo shows none."""
    ends: tuple[SleeveEnd, ...] = ()
    """Where short sleeves end."""
    seams: np.ndarray | None = None
    """(H,W) bool, what of the photo's arms is painted (``arm_seams.py``)."""
    faded: np.ndarray | None = None
    """(H,W) in [0,1], how much of the photo's colour there is in that."""


def goes_on(person: PersonParts) -> bool:
    """Whether the photo goes on below the window."""
    frame = person.frame
    return frame.top + frame.height < person.photo.size[0] - 1 and not frame.angle


def lay_out(
    painted: np.ndarray,
    person: PersonParts,
    garment: Garment,
    outline: np.ndarray | None,
    stays: np.ndarray,
) -> Layout:
    """Put right what a picture shows.

    Args:
        painted: (K,H,W), what the decoder says that it painted.
        person: who was dressed.
        garment: in what.
        outline: (H,W) in [0,1], where the warped garment lies; None where none was warped.
        stays: (H,W) bool, of the mask, what is the photo's for certain.
    """
    mask = person.mask[0, 0].numpy() > 0
    if outline is None:
        return Layout(painted, stays)
    labels, scheme = person.labels, person.scheme
    shown = with_neck(settled(painted, labels, outline, stays), named(labels, scheme, _NECKS))
    if person.category == "upper_body":
        shown = beneath(shown, mask & ~stays, labels, person.keypoints, outline, scheme)
    if garment.sleeve is None or person.category == "lower_body":
        return Layout(shown, stays)
    table = label_table(scheme)
    face = np.isin(labels, [table[name] for name in _FACES if name in table]) & ~mask
    light = side_of_light(person.image[0].movedim(0, -1).numpy(), face)
    free = mask & ~stays
    limbs = Limbs(person.keypoints, labels > 0)
    shown = with_straps(shown, free, outline, limbs)
    if garment.collar:
        shown = with_collar(shown, free, outline, limbs)
    photo = to_pixels(person.image[0])
    arms = draw_arms(
        shown, free, labels, person.keypoints, outline, garment.sleeve, light, photo=photo, scheme=scheme
    )
    shown, matte = arms.probabilities, garment.matte[0, 0].float().numpy()
    covered = even_shoulders(shown, free, person.keypoints, limbs.torso, matte)
    if arms.bare is not None:
        covered &= ~arms.bare
    shown = without_gaps(certainly(shown, covered, _GARMENT), mask & (labels > 0))
    shown = without_crumbs(without_islands(shown, free, outline), free)
    if garment.sleeve > _LONG:
        lower = named(labels, scheme, ("pants", "skirt", "dress"))
        shown = without_tails(shown, free, lower, person.keypoints, limbs)
    if person.category == "upper_body":
        skirt = whole_skirt(shown, free, labels, limbs, scheme)
        shown, stays = certainly(shown, skirt, _OTHER), stays | skirt
    if person.category == "upper_body":
        for evened, beyond in ((even_hem, _OTHER), (even_sides, _WALL)):
            more, less = evened(shown, free, limbs)
            shown = certainly(certainly(shown, more, _GARMENT), less, beyond)
    return Layout(shown, stays, arms.relief, arms.sleeves | covered, arms.roundness, arms.hands, arms.ends)


def with_neck(shown: np.ndarray, neck: np.ndarray) -> np.ndarray:
    """Layers in which a neck is as wide as the photo's, where the painted one is slimmer: (K,H,W).

    Args:
        shown: (K,H,W) of ``LAYERS``.
        neck: (H,W) bool, the photo's.
    """
    slimmer = neck & (shown.argmax(0) == _WALL)
    return certainly(shown, slimmer, _SKIN)


def with_straps(shown: np.ndarray, mask: np.ndarray, outline: np.ndarray, limbs: Limbs) -> np.ndarray:
    """Layers with what the warp lays over shoulders, where skin was painted: (K,H,W).

    A small network takes straps, and shoulders that an open coat hid in part, for skin.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, where that may be changed.
        outline: (H,W) in [0,1], where the warped garment lies.
        limbs: of the person.
    """
    rows, columns = np.arange(len(mask))[:, None], np.arange(mask.shape[1])[None]
    upper = rows < limbs.shoulder_line(mask.shape[1]) + _STRAPS * limbs.torso
    aside = np.abs(columns - limbs.neck[0]) / limbs.width
    upper = upper & (aside > _THROAT) & (aside < 0.5)
    straps = upper & mask & (outline > 0.5) & (shown.argmax(0) == _SKIN)
    return certainly(shown, straps, _GARMENT)


def with_collar(shown: np.ndarray, mask: np.ndarray, outline: np.ndarray, limbs: Limbs) -> np.ndarray:
    """Layers with the collar that the warp lays around a neck, where a bare one was painted: (K,H,W).

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, where that may be changed.
        outline: (H,W) in [0,1], where the warped garment lies.
        limbs: of the person.
    """
    rows, columns = np.arange(len(mask))[:, None], np.arange(mask.shape[1])[None]
    near = rows < limbs.shoulder_line(mask.shape[1]) + _STRAPS * limbs.torso
    near = near & (np.abs(columns - limbs.neck[0]) < _THROAT * limbs.width)
    first, cloth = shown.argmax(0), near & (outline > 0.5)
    # Between its leaves, which lie on both sides, is the throat.
    between = (np.cumsum(cloth, axis=1) > 0) & (np.cumsum(cloth[:, ::-1], axis=1)[:, ::-1] > 0)
    throat = near & mask & between & (outline < _THROUGH) & (first == _GARMENT)
    pieces, _ = ndimage.label(throat | (first == _SKIN))
    throat &= np.isin(pieces, np.unique(pieces[first == _SKIN]))
    laid = cloth & mask & ((first == _SKIN) | (first == _WALL))
    return certainly(certainly(shown, laid, _GARMENT), throat, _SKIN)


def without_islands(shown: np.ndarray, mask: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Layers without small pieces of painted skin amid a garment, where the warp has no hole: (K,H,W).

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, where that may be changed.
        outline: (H,W) in [0,1], where the warped garment lies.
    """
    first = shown.argmax(0)
    pieces, count = ndimage.label(first == _SKIN, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    small = (sizes <= _ISLAND * (len(first) / 256) ** 2) & (
        np.bincount(pieces[~mask], minlength=count + 1) == 0
    )
    small[0] = False
    islands = np.zeros_like(mask)
    for number in np.flatnonzero(small):
        piece = pieces == number
        edge = ndimage.binary_dilation(piece) & ~piece
        if (first[edge] == _GARMENT).mean() >= _AMID and outline[piece].mean() > _LAID:
            islands |= piece
    return certainly(shown, islands, _GARMENT)


def without_crumbs(shown: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Layers without crumbs of a garment beside it, on hands and cuffs: (K,H,W).

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, where that may be changed.
    """
    first = shown.argmax(0)
    cloth = first == _GARMENT
    pieces, _ = ndimage.label(cloth, np.ones((3, 3)))
    small = np.bincount(pieces.ravel()) <= _CRUMB * (len(first) / 256) ** 2
    crumbs = small[pieces] & cloth & ~largest_part(cloth) & mask
    return as_nearest(shown, crumbs, ~cloth) if crumbs.any() else shown


def without_gaps(shown: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Layers without small pieces of wall that are closed in by a person, where the photo has none.

    Whether there is a gap below an elbow nobody knows who sees a coat; small ones look like holes.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        person: (H,W) bool, repainted, where the photo shows no wall.

    Returns:
        (K,H,W).
    """
    first = shown.argmax(0)
    pieces, count = ndimage.label(first == _WALL, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    reaches_out = np.bincount(pieces[~person], minlength=count + 1) > 0
    gaps = (pieces > 0) & ((sizes <= _GAP * (len(first) / 256) ** 2) & ~reaches_out)[pieces]
    cloth = (first == _GARMENT) | (first == _OTHER)
    if not gaps.any() or not cloth.any():
        return shown
    return as_nearest(shown, gaps, cloth)
