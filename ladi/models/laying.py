"""The warped garment itself, laid where a decoder says that one shows, under the light that it tells.

Arithmetic only: what tells layers and light is ``shuffle_vae.py``'s decoder.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional

from ladi.types import LAYERS

_GARMENT = LAYERS.index("garment")
LIGHT_CHANNELS = 4
"""What the decoder tells of the light on a garment: a gain, and an offset for each colour."""
LIGHT_WINDOW = 9
"""Pixels over which the light is smoothed: narrower, and it would take a pattern's contrast away."""
LEAST_MATTE = 0.05


class LaidGarment(NamedTuple):
    """A warped garment as the encoder is shown it."""

    picture: torch.Tensor
    """(B,3,H,W) in [-1,1], times the matte: on mid-grey."""
    matte: torch.Tensor
    """(B,1,H,W) in [0,1]."""


def lay_garment(
    painted: torch.Tensor, logits: torch.Tensor, light: torch.Tensor, garment: LaidGarment
) -> torch.Tensor:
    """The painted picture with the warped garment itself where a garment shows.

    No gradient reaches the logits: where the garment shows is learnt from labels, not from whether it pays to
    paint a mean instead.

    Args:
        painted: (B,3,H,W) in [-1,1].
        logits: (B,K,H,W) of ``ladi.types.LAYERS``.
        light: (B,4,H,W), about 0 where the garment is lit as in its own picture.
        garment: what is laid.

    Returns:
        (B,3,H,W).
    """
    margin = LIGHT_WINDOW // 2
    smooth = functional.avg_pool2d(functional.pad(light, (margin,) * 4, mode="replicate"), LIGHT_WINDOW, 1)
    gain, offset = (1 + 0.6 * smooth[:, :1].tanh()), 0.4 * smooth[:, 1:].tanh()
    colour = (garment.picture / garment.matte.clamp_min(LEAST_MATTE)).clamp(-1, 1)
    lit = (colour + 1) * gain - 1 + offset
    share = logits.softmax(1)[:, _GARMENT : _GARMENT + 1].detach() * garment.matte
    return painted + share * (lit - painted)
