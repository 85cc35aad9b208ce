"""The garment laid on a result at the photo's size: its own picture along the warp, in the painted light."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.postprocess.cloth_beyond import cloth_beyond
from ladi.postprocess.cloth_source import ClothSource
from ladi.postprocess.grey import LUMA
from ladi.postprocess.layers import Canvas, blur, enlarge
from ladi.postprocess.patterns import is_patterned, pattern_continued
from ladi.postprocess.straight_sleeves import with_sleeves
from ladi.preprocess.frame import to_pixels
from ladi.types import Garment

_SURE = 0.9
"""Matte from which on a garment's pixel shows the garment alone."""
_HOLE = 0.02
"""Of a garment, a hole up to which in its matte is a print."""
_DOUBTED = 0.2
"""Mean matte of a hole from which it is no gap between a sleeve and the body."""
_NOTHING = 0.02
"""Matte up to which somebody was sure that there is none."""
_SAME, _OTHER_COLOUR = 0.12, 0.2
"""Differences on [-1,1] up to which two colours are the same, and from which they are not."""
_HEM = 1
"""Pixels, at a height of 256, by which the warped garment is drawn in; its own edge is part wall."""
_RIM, _WALL_IN_IT, _TOLD = 2, 0.12, 0.25
"""Likewise, beside that, in which the colour of its wall may shine through; from which share on it does; and
how far the two colours are apart, on [0,1], that this is told by."""
_LINED, _STRIP, _BESIDE = 6, 2, 0.3
"""Likewise along a lining that was taken away, where no wall shines through a garment; half the width of a
lining that is one; share of that from which a pixel is of it."""
_RINGS, _ALONG, _UNLIKE = ((0, 2, 4), (4, 4, 6)), 8.0, 0.3
"""Likewise, from where to where something there has one colour, and from where on that is told; standard
deviation over which it is usual; and from which difference, on [-1,1], a colour is another."""
_CLOTH_REACH = (3.0, 9.0)
"""Pixels, at a height of 256, beyond the warp up to which its cloth is believed, and from which it is not."""
_SMOOTH = 4.0
"""Standard deviation, in pixels at a height of 256, over which light is compared."""
_DARKEST, _BRIGHTEST = 0.65, 1.12
"""Of the cloth's own brightness; beyond these it is no shade but another colour."""
_LEAST = 0.02
_EVENLY = 0.02
"""Brightness by which light far from the warp, where nothing tells it, is as it is on the whole."""
_NEAREST, _FAR_SHADE = 10.0, (0.8, 1.06)
"""Standard deviation, in pixels at a height of 256, of what is the nearest cloth; likewise far from the warp,
where a network that does not know what is there turns cloth grey."""


def lay_cloth(
    painted: torch.Tensor,
    lit: torch.Tensor,
    weight: torch.Tensor,
    garment: Garment,
    source: ClothSource,
    wanted: np.ndarray,
    canvas: Canvas,
    *,
    fine: bool = True,
    sleeves: np.ndarray | None = None,
) -> torch.Tensor:
    """The garment's own picture along the grid, in the painted light; painted far from the warp.

    Args:
        painted: (1,3,h',w'), the canvas's part, the cloth as the network painted it.
        lit: (1,3,h,w), the same at the model's size, with all else.
        weight: (1,1,h,w), where that is cloth.
        garment: its picture, and where it is in that.
        source: where in its picture the cloth is taken from.
        wanted: (*size) bool, where cloth is to be.
        canvas: size and part.
        fine: its picture is taken in full detail, where it has that.
        sleeves: (h,w) bool, where it is because an arm is there: farther along it than the warp reaches, a
            network paints fog, and the cloth above goes on.
    """
    # diffusers' neighbours, which this needs, take seconds to import.
    from ladi.diffusion.warping import enlarge_grid, sample_garment, sample_matte

    size, part = canvas.size, canvas.window
    picture = garment.fine if fine and garment.fine is not None else garment.image
    matte = garment.matte.float()
    along = with_sleeves(enlarge_grid(source.grid, size), source.sleeves, size)
    whole = without_holes(matte, functional.interpolate(picture, matte.shape[-2:], mode="area"))
    sure = sample_matte(whole, along)[0, 0].numpy() > _SURE
    drawn_in = max(1, round(_HEM * size[0] / 256))
    beside = np.zeros_like(sure)
    if garment.lining is not None:
        edge = along_lining(picture, matte, garment.lining.float())
        beside = sure & (sample_matte(edge, along)[0, 0].numpy() > _BESIDE)
        beside &= _drawn_in(sure, max(1, drawn_in // 2))
    sure = _drawn_in(sure, drawn_in)
    sure &= cv2.blur(sure.astype(np.float32), (4 * drawn_in + 1, 4 * drawn_in + 1)) > 0.5
    if not sure.any():
        return painted
    own = to_pixels(sample_garment(picture, along))
    sure &= ~_wall_in_rim(own, sure, picture, matte, _RIM * drawn_in)
    sure |= beside
    done = np.zeros_like(sure)
    if is_patterned(picture, matte):
        own, done = pattern_continued(own, sure, wanted)
    known = sure | done
    arms = None
    if sleeves is not None and sleeves.any():
        arms = enlarge(torch.from_numpy(sleeves.astype(np.float32))[None, None], size).clamp_(0, 1)
        weight = weight * torch.from_numpy(~sleeves)
    cloth = cloth_beyond(own, known, wanted, arms)
    small = functional.interpolate(cloth, lit.shape[-2:], mode="bilinear", antialias=True)
    shade = _shade(lit, small, weight * (sample_matte(matte, source.grid) > 0.5))
    cloth = (cloth[(..., *part)] + 1).mul_(canvas.enlarge(shade)).sub_(1).clamp_(-1, 1)
    far = cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / (size[0] / 256)
    start, end = _CLOTH_REACH
    trust = torch.from_numpy(((end - far[part]) / (end - start)).clip(0, 1).astype(np.float32))[None, None]
    # Where the network painted something else there is no cloth of it to fall back upon.
    trust = 1 - (1 - trust) * canvas.enlarge(weight).clamp_(0, 1)
    trust = torch.maximum(trust, torch.from_numpy(done[part].astype(np.float32))[None, None])
    if (trust < 1).any():
        painted = painted + canvas.enlarge(far_colours(lit, small, weight, sample_matte(matte, source.grid)))
    return torch.lerp(painted, cloth, trust)


def _drawn_in(region: np.ndarray, by: int) -> np.ndarray:
    """A region (H,W) bool, smaller by so many pixels on all sides."""
    return np.asarray(cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=by) > 0)


def along_lining(picture: torch.Tensor, matte: torch.Tensor, lining: torch.Tensor) -> torch.Tensor:
    """What of a garment borders on its lining, and on nothing else so near: (1,1,h,w) in {0,1}.

    Args:
        picture: (1,3,kh,kw) in [-1,1], the garment.
        matte: (1,1,h,w), without the lining.
        lining: (1,1,h,w), how much of each pixel was that.
    """
    cloth, scale = matte[0, 0].numpy() > 0.5, matte.shape[-2] / 256
    inside = ndimage.binary_opening(lining[0, 0].numpy() > 0.5, iterations=max(1, round(_STRIP * scale)))
    if not inside.any():
        return torch.zeros_like(matte)
    away = ndimage.distance_transform_edt(~inside)
    beside = away < ndimage.distance_transform_edt(cloth | inside)
    beside &= cloth & (away < _LINED * scale)
    colours, wall = _with_wall(picture, matte)
    if wall is not None and np.abs(np.median(colours[cloth], axis=0) - wall).max() > _OTHER_COLOUR:
        # Through a keyhole the wall is seen.
        beside &= np.abs(colours - wall).max(axis=-1) > _SAME
    # A band is of one colour all along, up to its edge; what is of another is a rest of a lining, its label
    # or its shadow.
    for first, told, last in _RINGS:
        ring, within = ((away > start * scale) & (away <= last * scale) & beside for start in (first, told))
        part = torch.from_numpy(np.dstack([colours * within[..., None], within]).astype(np.float32))
        *sums, amount = blur(part.movedim(-1, 0)[None], _ALONG * scale)[0].numpy()
        usual = np.stack(sums, axis=-1) / np.maximum(amount, 1e-3)[..., None]
        beside &= ~ring | (np.abs(colours - usual).max(axis=-1) < _UNLIKE)
    return torch.from_numpy(beside.astype(np.float32))[None, None]


def _with_wall(picture: torch.Tensor, matte: torch.Tensor) -> tuple[np.ndarray, np.ndarray | None]:
    """A garment's picture (h,w,3) at its matte's size, and the colour (3,) of what it lies on, if any."""
    colours = functional.interpolate(picture, matte.shape[-2:], mode="area")[0].movedim(0, -1).numpy()
    around = colours[matte[0, 0].numpy() < _NOTHING]
    return colours, np.median(around, axis=0) if len(around) else None


def _wall_in_rim(
    own: np.ndarray, sure: np.ndarray, picture: torch.Tensor, matte: torch.Tensor, width: int
) -> np.ndarray:
    """What along a laid garment's edge has a share of its own picture's wall: (H,W) bool.

    Continued, such pixels are dashed light lines along the sleeves.

    Args:
        own: (H,W,3) uint8, laid.
        sure: (H,W) bool, where that is the garment.
        picture: (1,3,kh,kw) in [-1,1], the garment.
        matte: (1,1,h,w), where it is in its picture.
        width: pixels from the edge in which this is looked for.
    """
    found = np.zeros_like(sure)
    _, wall = _with_wall(picture, matte)
    inner = _drawn_in(sure, width)
    rim = sure & ~inner
    if wall is None or not inner.any() or not rim.any():
        return found
    rows, columns = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    cloth = own[rows[rim], columns[rim]].astype(np.float32) / 255
    towards = (wall + 1) / 2 - cloth
    far = (towards**2).sum(1)
    share = ((own[rim].astype(np.float32) / 255 - cloth) * towards).sum(1) / np.maximum(far, 1e-6)
    found[rim] = (share > _WALL_IN_IT) & (far > _TOLD**2)
    return found


def far_colours(
    lit: torch.Tensor, cloth: torch.Tensor, weight: torch.Tensor, there: torch.Tensor
) -> torch.Tensor:
    """What is to be added to painted cloth for the colour of the real one nearest to it: (1,3,h,w).

    Args:
        lit: (1,3,h,w) in [-1,1], painted.
        cloth: (1,3,h,w) in [-1,1], real.
        weight: (1,1,h,w), where cloth was painted.
        there: (1,1,h,w), where it is real.
    """
    scale = lit.shape[-2] / 256
    luma = torch.tensor(LUMA, dtype=lit.dtype).view(1, 3, 1, 1)
    own, real = (lit + 1) / 2, (cloth + 1) / 2
    sure = there * (there > _SURE)
    middle = (real * sure).sum((2, 3), keepdim=True) / sure.sum().clamp_min(1)
    amount = blur(sure, _NEAREST * scale)
    real = (blur(real * sure, _NEAREST * scale) + 1e-3 * middle) / (amount + 1e-3)
    own = blur(own * weight, _SMOOTH * scale) / blur(weight, _SMOOTH * scale).clamp_min(1e-3)
    brightness = [(colours * luma).sum(1, keepdim=True) + _LEAST for colours in (own, real)]
    shade = (brightness[0] / brightness[1]).clamp(*_FAR_SHADE)
    return 2 * weight * (real * shade - own)


def without_holes(matte: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """A matte without small holes: a print that the network was not sure of is cloth.

    What has the colour of the garment's surroundings, and not the garment's, is a gap all the same.

    Args:
        matte: (1,1,h,w).
        picture: (1,3,h,w) in [-1,1], the garment.
    """
    given, colours = matte[0, 0].numpy(), picture[0].movedim(0, -1).numpy()
    sure = given > _SURE
    holes, count = ndimage.label(ndimage.binary_fill_holes(sure) & ~sure)
    if not count:
        return matte
    sizes = np.bincount(holes.ravel())
    numbers = np.arange(count + 1)
    doubted = ndimage.mean(given, holes, numbers) > _DOUBTED
    doubted &= np.asarray(ndimage.minimum(given, holes, numbers)) > _NOTHING
    prints = (sizes < _HOLE * sure.sum()) & doubted
    beyond = (given < 1 - _SURE) & (holes == 0)
    if beyond.any():
        around, cloth = np.median(colours[beyond], axis=0), np.median(colours[sure], axis=0)
        for number in np.flatnonzero(prints[1:]) + 1:
            shown = np.median(colours[holes == number], axis=0)
            gap = np.abs(shown - around).max() < _SAME and np.abs(shown - cloth).max() > _OTHER_COLOUR
            prints[number] = not gap
    prints[0] = False
    return torch.maximum(matte, torch.from_numpy(prints[holes].astype(np.float32)))


def _shade(painted: torch.Tensor, cloth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """How much brighter the painted cloth is than its own picture: (1,1,h,w)."""
    deviation = _SMOOTH * painted.shape[-2] / 256
    luma = torch.tensor(LUMA, dtype=painted.dtype).view(1, 3, 1, 1)

    def brightness(picture: torch.Tensor) -> torch.Tensor:
        values = ((picture + 1) / 2 * luma).sum(1, keepdim=True) + _LEAST
        return blur(values * weight, deviation) + _EVENLY

    return (brightness(painted) / brightness(cloth)).clamp(_DARKEST, _BRIGHTEST)
