"""Keep a grey photo grey: of what is painted into it, only the garment has colours.

The networks have seen colour photos only, and give the arms of a grey one a skin's colour, each its own.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

_LOOK_SIDE = 256
_MOST_COLOUR = 6
"""Levels of 255 between the largest and the smallest channel of nearly all pixels; sepia has more."""
LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue are."""


def is_grey(pixels: np.ndarray) -> bool:
    """Whether a photo (H,W,3) uint8 has no colours."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((_LOOK_SIDE, _LOOK_SIDE), Image.Resampling.BOX)
    small = np.asarray(picture).astype(np.int16)
    return bool(np.percentile(np.ptp(small, axis=2), 99) <= _MOST_COLOUR)


def grey_outside(picture: torch.Tensor, garment: np.ndarray | None) -> torch.Tensor:
    """A painted picture without colours but the garment's.

    Args:
        picture: (3,H,W) in [-1,1].
        garment: (h,w) in [0,1], where the garment is; None where that is not known.
    """
    weights = torch.tensor(LUMA, dtype=picture.dtype)[:, None, None]
    grey = (picture * weights).sum(0, keepdim=True).expand_as(picture)  # [3,H,W]
    if garment is None:
        return grey
    share = torch.from_numpy(np.asarray(garment, np.float32))[None, None]
    share = functional.interpolate(share, picture.shape[-2:], mode="bilinear")[0].to(picture.dtype)
    return grey + (picture - grey) * share
