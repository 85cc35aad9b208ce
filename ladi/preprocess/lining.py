"""Take away what a garment's picture shows of its inside, behind the neck, so that a neck can be there.

Whoever wears the garment stands before its lining; left in the picture, the lining lies before them. Where it
is, a network tells (``ladi/models/lining.py``); here it is taken out of picture and matte.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ladi.types import Garment, Size

if TYPE_CHECKING:
    from ladi.models.lining import GarmentLining

_DOUBTED, _SURE = 0.2, 0.35
"""Probabilities from which a pixel is taken away in part, and wholly. Pairs tell less of lining than there
is, because hair and chins hide it, so even odds would leave half of it."""
_INSIDE = 0.5


def lining_view(image: torch.Tensor, matte: torch.Tensor, size: Size) -> torch.Tensor:
    """Garments as the network sees them: (B,3,H,W) in [-1,1] and (B,1,H,W) in [0,1] → (B,4,*size)."""
    small, share = (functional.interpolate(one.float(), size, mode="area") for one in (image, matte))
    return torch.cat([small * share, share], dim=1)


@torch.no_grad()
def find_lining(network: GarmentLining, image: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """How much of each pixel is lining: (B,3,H,W) and (B,1,H,W) → (B,1,*network.size) in [0,1]."""
    weight = next(network.parameters())
    seen = lining_view(image, matte, network.size).to(weight.device, weight.dtype)
    # What is right in the mirror too is right more often.
    shares = (network(seen).sigmoid() + network(seen.flip(-1)).sigmoid().flip(-1)) / 2
    return ((shares.float().cpu() - _DOUBTED) / (_SURE - _DOUBTED)).clamp(0, 1)


def without_lining(network: GarmentLining, garment: Garment) -> Garment:
    """The garment without its lining: the background's colour is there, and nothing in the matte."""
    lining = find_lining(network, garment.image, garment.matte)
    if not (lining > _INSIDE).any():
        return garment
    ground = _ground(garment)

    def cleared(picture: torch.Tensor) -> torch.Tensor:
        share = functional.interpolate(lining, picture.shape[-2:], mode="bilinear", align_corners=False)
        return picture * (1 - share) + ground * share

    share = functional.interpolate(lining, garment.matte.shape[-2:], mode="bilinear", align_corners=False)
    return replace(
        garment,
        image=cleared(garment.image),
        fine=None if garment.fine is None else cleared(garment.fine),
        matte=garment.matte * (1 - share),
    )


def _ground(garment: Garment) -> torch.Tensor:
    """What the garment lies on, the middle colour beside its matte: (1,3,1,1); white where there is none."""
    outside = garment.matte[0, 0] < 1 - _INSIDE
    if not outside.any():
        return torch.ones(1, 3, 1, 1)
    return garment.image[0, :, outside].median(dim=1).values[None, :, None, None]
