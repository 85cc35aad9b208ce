"""Plain backgrounds: recognise a shop's near-white one, and tell garment from background by colour alone.

Pure functions on arrays. It knows nothing of networks (``cleaner.py`` asks one where colour is not enough)
and it does not decide what to do with a background.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage

from ladi.preprocess.boxes import box_of
from ladi.preprocess.morphology import closed, dilated, eroded, without_holes

# Looking at more pixels than this on the longer side changes no decision.
_LOOK_SIDE = 256
_RING_SHARE = 0.02
_LIGHTEST_DEVIATION = 8
# Measured on 61 shop pictures and 240 photos of garments on floors, beds and hangers: the shop pictures'
# rings are 0.83–1.0 of one colour (but for one with a worn garment), the photos' 0.52 at most.
_PLAIN_RING = 0.75
_NEAR_WHITE = 235
_NEAR_WHITE_CHROMA = 8
_SOFT_FROM, _SOFT_TO = 6.0, 24.0
_QUIET_SHARE, _QUIET, _FAINT = 0.98, 1.5, 2.0
"""A background has no noise where so many of the pixels along its border differ from its colour by so few
levels; and by how many, in the middle of its surroundings, white cloth does."""
_SAME = 1.0
"""Levels by which a pixel of the background differs from its colour at most."""
_SEAM = 0.004
"""Of the shorter side, over which that is looked at."""
_PART, _EDGE = 0.7, 1.0
"""Below which share of the faint shape what is seen clearly is only a part of it; how soft its edge is."""
_SURE, _MOSTLY = 0.97, 0.6
_SEEN, _RINGING, _BESIDE = 0.1, (3, 8), (1, 3)
"""A network's share from which on it sees something; half the width up to which what is faint beside that is
a JPEG's noise, and how far beside it cloth still is: in pixels at the side above, and at most in the
picture's."""
_PALE = 40
"""Levels by which pale cloth differs from its wall in the middle."""
_HAZE, _BITE, _PINHOLE, _SOLID_EDGE = 0.2, 0.03, 0.0015, 0.8
"""Share from which on a pixel in a bite of a garment's outline is cloth; half the width of a bite, of the
picture's height; holes up to which share of the garment are none; and how soft its edge is. Of 61 pale tops
of a shop 0.048 of the picture was told wrongly, 0.042 is; well inside 98.8 in a hundred pixels were cloth,
99.3 are."""
_FLAT, _FLAT_WINDOW = 4, 5
"""Levels of 255 by which colours differ at most within so many pixels across where a picture is flat."""


@dataclass(frozen=True)
class Background:
    """The colour along a picture's border, and how far the border is of this one colour."""

    colour: tuple[int, int, int]
    """The border's median, RGB 0–255."""
    plain: bool
    """The border is of this one colour nearly everywhere, in all four corners too."""

    @property
    def near_white(self) -> bool:
        """Plain and so light and grey that the garment need not be cut out."""
        lightest, darkest = max(self.colour), min(self.colour)
        return self.plain and darkest >= _NEAR_WHITE and lightest - darkest <= _NEAR_WHITE_CHROMA


def look_at_background(pixels: np.ndarray) -> Background:
    """Find the colour of the picture's border and whether it is plain.

    Args:
        pixels: (H,W,3) uint8 RGB.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((_LOOK_SIDE, _LOOK_SIDE), Image.Resampling.BOX)
    small = np.asarray(picture).astype(np.float32)
    height, width = small.shape[:2]
    depth = max(1, round(_RING_SHARE * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[depth:-depth, depth:-depth] = False
    corners = [
        (rows, columns)
        for rows in (slice(depth), slice(-depth, None))
        for columns in (slice(depth), slice(-depth, None))
    ]
    # The corners vote for the colour: a garment that runs out of the picture covers a side, seldom a corner.
    colour = np.median(np.concatenate([small[corner].reshape(-1, 3) for corner in corners]), axis=0)
    same = _farthest(np.abs(small - colour)) <= _LIGHTEST_DEVIATION
    plain = same[ring].mean() >= _PLAIN_RING and all(same[corner].mean() > 0.5 for corner in corners)
    red, green, blue = (int(round(float(value))) for value in colour)
    return Background((red, green, blue), bool(plain))


def matte_by_colour(
    pixels: np.ndarray, background: Background, answer: np.ndarray | None = None
) -> np.ndarray:
    """How far each pixel is garment, judged by its distance from the background's colour; holes are filled.

    A white garment on white differs by a few levels only. Where the background has no noise that is enough,
    and it is asked for where what differs clearly is a part of it, such as its print and its shades.

    Args:
        pixels: (H,W,3) uint8 RGB.
        background: As found by ``look_at_background``.
        answer: (H,W) in [0,1], a network's matte of the same picture. The faint noise of a JPEG beside edges
            that it sees is no cloth then.

    Returns:
        (H,W) float32 in [0,1].
    """
    distance = _farthest(cv2.absdiff(pixels, np.array([*background.colour, 0.0]))).astype(np.float32)
    soft = np.clip((distance - _SOFT_FROM) / (_SOFT_TO - _SOFT_FROM), 0, 1)
    filled = without_holes(soft > 0.5)
    faint = _faint_shape(distance)
    if filled.sum() < _PART * faint.sum():
        if answer is not None:
            faint = _without_ringing(faint, filled | (answer > _SEEN))
        return np.maximum(soft, ndimage.gaussian_filter(faint.astype(np.float32), _EDGE))
    return np.where(filled, 1.0, soft).astype(np.float32)


def _without_ringing(faint: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A faint shape (H,W) bool without the thin parts of it that lie beside what is seen, (H,W) bool."""
    times = len(faint) / _LOOK_SIDE
    radius, beside = (min(most, max(1, round(size * times))) for size, most in (_RINGING, _BESIDE))
    disc, near = (
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1,) * 2) for size in (radius, beside)
    )
    more = faint & (cv2.dilate(seen.astype(np.uint8), near) == 0)
    thick = cv2.dilate(cv2.morphologyEx(more.astype(np.uint8), cv2.MORPH_OPEN, disc), disc) > 0
    return np.asarray(faint & ~(more & ~thick))


def _faint_shape(distance: np.ndarray) -> np.ndarray:
    """What differs from the background by more than that does from itself: (H,W) float → (H,W) bool.

    Nothing where the background has noise of its own.
    """
    depth = max(1, round(_RING_SHARE * min(distance.shape)))
    inner = distance[depth:-depth, depth:-depth]
    ring = np.concatenate([distance[:depth].ravel(), distance[-depth:].ravel()])
    if not inner.size or np.quantile(ring, _QUIET_SHARE) > _QUIET:
        return np.zeros(distance.shape, bool)
    # Single pixels are noise; a seam or a shade is longer.
    reach = max(1, round(_SEAM * min(distance.shape)))
    calm = cv2.blur(distance.astype(np.float32), (2 * reach + 1, 2 * reach + 1))
    shape = closed(np.pad(calm > _FAINT, 2 * reach), 2 * reach)
    shape = without_holes(shape)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    # Its rim, where it is the background itself, is what looking at surroundings has added.
    shape &= eroded(shape, reach) | (distance > _SAME)
    parts, count = ndimage.label(shape)
    if not count:
        return shape
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())


def without_background(matte: np.ndarray, pixels: np.ndarray, background: Background) -> np.ndarray:
    """A network's matte, 0 where the picture is flat from its border on, as no cloth and no floor is.

    A network that has learnt floors and beds may take flat colour between two things for cloth. White cloth
    on white may be flat as well: unless the background is plain and not white, the network is believed where
    it is sure.

    Args:
        matte: (H,W) float in [0,1].
        pixels: (H,W,3) uint8 RGB.
        background: as found by ``look_at_background``.

    Returns:
        (H,W) float32, a new array.
    """
    window = np.ones((_FLAT_WINDOW, _FLAT_WINDOW), np.uint8)
    flat = _farthest(cv2.dilate(pixels, window) - cv2.erode(pixels, window)) <= _FLAT
    regions, count = ndimage.label(flat)
    at_border = np.zeros(count + 1, bool)
    at_border[np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])] = True
    at_border[0] = False
    if background.near_white or not background.plain:
        # A smooth shirt that leaves the picture is flat as well; there the network sees mostly garment.
        seen = ndimage.mean(matte, regions, np.arange(1, count + 1)) if count else []
        at_border[1:] &= np.atleast_1d(seen) < _MOSTLY
        outside = at_border[regions] & (matte < _SURE)
    else:
        outside = at_border[regions]
    return np.where(outside, 0, matte).astype(np.float32)


def made_solid(matte: np.ndarray, pixels: np.ndarray, background: Background) -> np.ndarray:
    """A pale garment's matte without the haze in it, where network and colours were of two minds.

    Cloth is there or not; only its edge is both. Bites of haze in its outline are closed. Beside a garment of
    other colours a white slit at the armpit would be seen, so its matte stays as it is.

    Args:
        matte: (H,W) float in [0,1].
        pixels: (H,W,3) uint8 RGB.
        background: as found by ``look_at_background``.

    Returns:
        (H,W) float32.
    """
    there = matte > 0.5
    away = _farthest(cv2.absdiff(pixels, np.array([*background.colour, 0.0])))
    if not there.any() or np.median(away[there]) > _PALE:
        return matte
    radius = max(1, round(_BITE * len(matte)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    around = np.pad(there.astype(np.uint8), 2 * radius)
    even = cv2.morphologyEx(around, cv2.MORPH_CLOSE, disc)[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    there |= (even > 0) & (matte > _HAZE)
    holes, count = ndimage.label(without_holes(there) & ~there)
    if count:
        there |= (holes > 0) & (np.bincount(holes.ravel()) < _PINHOLE * there.sum())[holes]
    soft = ndimage.gaussian_filter(there.astype(np.float32), _SOLID_EDGE)
    return np.where(eroded(there, 2), 1, np.where(there, np.maximum(matte, soft), 0)).astype(np.float32)


def drop_specks(matte: np.ndarray, smallest: float = 0.05) -> np.ndarray:
    """The matte without islands smaller than a share of its largest part, such as dust, tags and far shadows.

    Args:
        matte: (H,W) float in [0,1].
        smallest: Share of the largest part's area.

    Returns:
        (H,W) float32, a new array.
    """
    parts, count = ndimage.label(matte > 0.5)
    if count < 2:
        return matte.astype(np.float32)
    areas = np.bincount(parts.ravel())[1:]
    specks = np.concatenate([[False], areas < smallest * areas.max()])[parts]
    # The soft rim of a speck goes with it; the rim of the garment does not.
    near_speck = dilated(specks, 2) & ~((matte > 0.5) & ~specks)
    return np.where(near_speck, 0.0, matte).astype(np.float32)


def own_colours(pixels: np.ndarray, matte: np.ndarray, *, rim: int = 1) -> np.ndarray:
    """The garment's colours without what shines through of the background at its edge.

    Pixels that are not wholly garment get the colour of the nearest one that is; where there is nothing of
    the garment, they keep their own.

    Args:
        pixels: (H,W,3) uint8 RGB.
        matte: (H,W) float in [0,1].
        rim: Pixels by which the matte may be too large.

    Returns:
        (H,W,3) uint8, a new array.
    """
    whole = eroded(matte > 0.95, max(1, rim), beyond=True)
    if not whole.any():
        return pixels.copy()
    mixed = (matte > 0) & ~whole
    around = box_of(mixed)
    result = pixels.copy()
    if around is None:
        return result
    # Whatever is wholly garment lies in or beside that box; nothing else is the nearest to what is in it.
    part = around.grown(1, matte.shape).window
    rows, columns = ndimage.distance_transform_edt(~whole[part], return_distances=False, return_indices=True)
    mixed = mixed[part]
    result[part][mixed] = pixels[part][rows[mixed], columns[mixed]]
    return result


def _farthest(apart: np.ndarray) -> np.ndarray:
    """The largest of three channels: (H,W,3) → (H,W); NumPy's own way takes ten times as long."""
    return np.asarray(np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2]))
