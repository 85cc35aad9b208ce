"""The painted garment takes the real one's colour; its light and shade stay.

A small network answers with a mean of what is possible: white cloth turns grey or beige, black pales. What
colour the cloth has is known from its own picture, warped; how the light falls on it is the network's to say.
Smoothed over some pixels, the painted garment therefore gets the warped one's colour times the painted
brightness, as far as that is a likely shade.
"""

from __future__ import annotations

import torch

from ladi.postprocess.grey import LUMA
from ladi.postprocess.layers import blur

_SMOOTH = 3.0
"""Standard deviation, in pixels at a height of 256, over which colours are compared: patterns are not."""
_SHADE = 8.0
"""Likewise for brightness: shade changes slowly, and what changes faster is a pattern that was missed."""
_DARKEST, _BRIGHTEST = 0.78, 1.06
"""Of the cloth's own brightness; beyond these it is no shade but another colour."""
_LEAST = 0.04
"""Brightness in [0,1] that is added before brightnesses are divided: black cloth has next to none."""


def match_cloth(picture: torch.Tensor, garment: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """The correction to add to a painted picture.

    Args:
        picture: (B,3,H,W) in [-1,1].
        garment: (1,3,H,W) in [-1,1], warped.
        share: (B,1,H,W) in [0,1], where the picture shows the garment and the warp has one.

    Returns:
        (B,3,H,W); zero where there is no garment.
    """
    scale = picture.shape[-2] / 256
    luma = torch.tensor(LUMA, dtype=picture.dtype).view(1, 3, 1, 1)
    painted, real = (picture + 1) / 2, ((garment + 1) / 2).expand_as(picture)

    def mean(values: torch.Tensor, deviation: float) -> torch.Tensor:
        amount = blur(share, deviation * scale)
        return blur(values * share, deviation * scale) / amount.clamp_min(1e-3)

    shades = [(mean(values, _SHADE) * luma).sum(1, keepdim=True) + _LEAST for values in (painted, real)]
    shade = (shades[0] / shades[1]).clamp(_DARKEST, _BRIGHTEST)  # [B,1,H,W]
    wanted = mean(real, _SMOOTH) * shade
    return 2 * share * (wanted - mean(painted, _SMOOTH))
