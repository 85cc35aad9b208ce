"""Take away what a garment's picture shows of its inside, behind the neck, so that a neck can be there.

Whoever wears the garment stands before its lining; left in the picture, the lining lies before them. Where
it is, a network tells (``ladi/models/lining.py``), up to a soft edge; where its picture shows a neckline
there, that is the edge (``neckline.py``, ``neck_points.py``). What is left along it, of the lining or of the
ground that shows through a keyhole, is told by its colour. Here it is taken out of picture and matte.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.preprocess.collars import collar_of, collar_opening
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.neck_points import with_neck_points
from ladi.preprocess.neckline import find_neckline
from ladi.preprocess.shades import commonness, in_lab
from ladi.types import Garment, Size

if TYPE_CHECKING:
    from ladi.models.lining import GarmentLining

_DOUBTED, _SURE = 0.2, 0.35
"""Probabilities from which a pixel is taken away in part, and wholly. Pairs tell less of lining than there
is, because hair and chins hide it, so even odds would leave half of it."""
_CERTAIN = (0.45, 0.6)
"""Likewise beside a neckline that was found: collars stand there, and straps' insides."""
_INSIDE = 0.5
_REST, _LEAST, _MOST = 0.2, 12, 0.02
"""How far from the lining, of the garment's height, its rest may be; how many pixels a piece of it has at
least, and at most, of the garment."""
_MIDDLE, _NEARLY_ALL = 0.22, 0.4
"""How far from the lining's middle such a piece may be, of its width: collars lie at its sides. Where the
neckline was found they lie beside it."""
_MIRRORED = 0.15
"""By how much of the lining's width two halves of a collar may lie otherwise than mirrored."""
_MORE = 3.0
"""How much more common a colour is in the lining than on the front, where the network found lining."""
_RARE, _LINED = 0.03, 0.15
"""Shares of the garment and of its lining that are like a rest's colour, at most and at least: what is found
elsewhere on the garment is a print."""


def lining_view(image: torch.Tensor, matte: torch.Tensor, size: Size) -> torch.Tensor:
    """Garments as the network sees them: (B,3,H,W) in [-1,1] and (B,1,H,W) in [0,1] → (B,4,*size)."""
    small, share = (functional.interpolate(one.float(), size, mode="area") for one in (image, matte))
    return torch.cat([small * share, share], dim=1)


@torch.no_grad()
def find_lining(network: GarmentLining, image: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """How probably each pixel is lining: (B,3,H,W) and (B,1,H,W) → (B,1,*network.size) in [0,1]."""
    weight = next(network.parameters())
    seen = lining_view(image, matte, network.size).to(weight.device, weight.dtype)
    # What is right in the mirror too is right more often.
    told = (network(seen).sigmoid() + network(seen.flip(-1)).sigmoid().flip(-1)) / 2
    return told.float().cpu()


def without_lining(network: GarmentLining, garment: Garment) -> Garment:
    """The garment without its lining: the background's colour is there, and nothing in the matte."""
    told = find_lining(network, garment.image, garment.matte)
    lining = ((told - _DOUBTED) / (_SURE - _DOUBTED)).clamp(0, 1)
    if not (lining > _INSIDE).any():
        return garment
    size = (garment.image.shape[-2], garment.image.shape[-1])
    told, lining = (_resized(one, size) for one in (told, lining))
    matte = functional.interpolate(garment.matte.float(), size, mode="area")[0, 0].numpy() > _INSIDE
    image = to_pixels(garment.image[0])
    seen, found = told[0, 0].numpy(), lining
    neckline = with_neck_points(find_neckline(seen, image, matte), seen, image, matte)
    if neckline is not None:
        beside = ((told - _CERTAIN[0]) / (_CERTAIN[1] - _CERTAIN[0])).clamp(0, 1)
        lining = torch.maximum(torch.from_numpy(neckline.above(size))[None, None], beside)
    aside = _MIDDLE if neckline is None else _NEARLY_ALL
    rest = _rest_of(lining[0, 0].numpy(), found[0, 0].numpy() > _INSIDE, matte, image, aside)
    collar = collar_of(seen, matte)
    opening = collar and collar_opening(collar, seen, image, matte, rest | (lining[0, 0].numpy() > _INSIDE))
    if opening:
        neckline, rest = opening, np.zeros_like(rest)
        lining = torch.from_numpy(opening.above(size))[None, None]
    remains = torch.from_numpy(rest.astype(np.float32))[None, None]
    ground = _ground(garment)

    def behind(size: Size) -> torch.Tensor:
        found = _resized(lining, size)
        return found if neckline is None else found.maximum(torch.from_numpy(neckline.above(size)))

    def share_at(size: Size) -> torch.Tensor:
        return behind(size).maximum(_resized(remains, size))

    matte_size = (garment.matte.shape[-2], garment.matte.shape[-1])

    def cleared(picture: torch.Tensor, *, cut: bool = False) -> torch.Tensor:
        share = share_at((picture.shape[-2], picture.shape[-1]))
        # Cloth at the edge of what is laid keeps its own colour; a network has learnt soft edges.
        share = (share > _INSIDE).to(share.dtype) if cut else share
        return picture * (1 - share) + ground * share

    return replace(
        garment,
        image=cleared(garment.image),
        fine=None if garment.fine is None else cleared(garment.fine, cut=True),
        matte=garment.matte * (1 - share_at(matte_size)),
        lining=garment.matte * behind(matte_size),
        collar=collar is not None,
    )


def _resized(shares: torch.Tensor, size: Size) -> torch.Tensor:
    return functional.interpolate(shares, size, mode="bilinear", align_corners=False)


def _rest_of(
    lining: np.ndarray, likely: np.ndarray, matte: np.ndarray, image: np.ndarray, aside: float
) -> np.ndarray:
    """What is left of a lining: (H,W) bool.

    Args:
        lining: (H,W) in [0,1], what is taken away.
        likely: (H,W) bool, where the network found it: what is more like it than like the front goes too.
        matte: (H,W) bool, the garment with its lining.
        image: (H,W,3) uint8.
        aside: how far from the lining's middle a piece may be, of its width.
    """
    nothing = np.zeros_like(matte)
    found = lining > _INSIDE
    likely = likely | found
    behind = likely & ndimage.binary_dilation(matte, iterations=2)
    rows = np.flatnonzero(matte.any(1))
    if not behind.any() or not rows.size:
        return nothing
    height = rows[-1] - rows[0] + 1
    near = ndimage.distance_transform_edt(~behind) <= _REST * height
    front = matte & ~near & ~likely
    sure = found & matte & (lining > 1 - _INSIDE / 4)
    if not front.any():
        return nothing
    colours = in_lab(image)
    inside = [colours[sure]] if sure.sum() > 2 * _LEAST else []
    if not matte.all():
        # Through a keyhole the ground is seen.
        inside += [np.median(colours[~matte], axis=0)[None]] * max(1, sum(map(len, inside)))
    open_ = matte & ~found & near
    common, lined = np.ones(matte.shape), np.zeros(matte.shape)
    common[open_] = commonness(colours[open_], colours[front])
    lined[open_] = commonness(colours[open_], np.concatenate(inside)) if inside else 0
    told = (common < _RARE) & (lined > _LINED)
    told |= likely & (lined > _MORE * common)
    pieces, count = ndimage.label(ndimage.binary_opening(open_ & told, np.ones((2, 2))), np.ones((3, 3)))
    columns = np.flatnonzero(behind.any(0))
    beside = ndimage.binary_dilation(behind, iterations=2)
    kept: list[tuple[np.ndarray, float, int]] = []
    for number in range(1, count + 1):
        piece = pieces == number
        away = (np.nonzero(piece)[1].mean() - columns.mean()) / (columns[-1] - columns[0] + 1)
        size = int(piece.sum())
        if _LEAST <= size <= _MOST * matte.sum() and abs(away) <= aside and (piece & beside).any():
            kept.append((piece, away, size))
    rest = nothing.copy()
    for piece, away, size in kept:
        # What has its like on the other side is a collar.
        if not any(
            away * other < 0 and abs(away + other) < _MIRRORED and size < 2 * large and large < 2 * size
            for _, other, large in kept
        ):
            rest |= piece
    # Its own edge is a mixture, and there may be a rim between it and what was found.
    mixed = open_ & (common < lined)
    rest = ndimage.binary_dilation(rest, iterations=3, mask=rest | mixed) if rest.any() else rest
    rim = (
        ndimage.binary_closing(rest | found, iterations=2)
        & open_
        & ndimage.binary_dilation(rest, iterations=2)
    )
    return np.asarray(rest | rim)


def _ground(garment: Garment) -> torch.Tensor:
    """What the garment lies on, the middle colour beside its matte: (1,3,1,1); white where there is none."""
    outside = garment.matte[0, 0] < 1 - _INSIDE
    if not outside.any():
        return torch.ones(1, 3, 1, 1)
    return garment.image[0, :, outside].median(dim=1).values[None, :, None, None]
