"""Garment skips: EMASC's idea for the other side of the mask (not part of the paper).

EMASC carries the person's own pixels past the latent bottleneck outside the mask. These units carry the
warped garment's encoder features inside it, so that patterns and lettering survive an eight-fold
compression. The warp does not know arms, hair or where the garment ends; the decoder's hidden state does, so
every unit sees both and learns where they agree. Without the module, or switched off, decoding is exactly the
published one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn import functional


class GarmentSkips(ModelMixin, ConfigMixin):
    """One unit per depth, shallowest first: convolution, SiLU, convolution.

    Args:
        in_channels: widths of the encoder's features.
        out_channels: widths that the decoder has at the same places.
        hidden_channels: widths between a unit's two convolutions.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: tuple[int, ...] = (128, 128, 128, 256, 512),
        out_channels: tuple[int, ...] = (128, 256, 512, 512, 512),
        hidden_channels: tuple[int, ...] = (64, 64, 128, 128, 128),
    ) -> None:
        super().__init__()
        if not len(in_channels) == len(out_channels) == len(hidden_channels):
            raise ValueError(
                "in_channels, out_channels and hidden_channels must be equally long, "
                f"got {len(in_channels)}, {len(out_channels)} and {len(hidden_channels)}"
            )
        units: list[Any] = [
            nn.Sequential(
                nn.Conv2d(incoming + outgoing, hidden, 3, padding=1),
                nn.SiLU(),
                nn.Conv2d(hidden, outgoing, 3, padding=1),
            )
            for incoming, outgoing, hidden in zip(in_channels, out_channels, hidden_channels, strict=True)
        ]
        for unit in units:
            # Training starts from plain decoding.
            nn.init.zeros_(unit[-1].weight)
            nn.init.zeros_(unit[-1].bias)
        self.conv = nn.ModuleList(units)

    def forward(
        self, features: Sequence[torch.Tensor], mask: torch.Tensor, depth: int, hidden: torch.Tensor
    ) -> torch.Tensor:
        """What is added to the decoder's hidden state at one depth.

        Args:
            features: of the warped garment, one (B,C,h,w) per depth, shallowest first.
            mask: (B,1,H,W) in {0,1}, 1 = repaint; nothing passes elsewhere.
            depth: 0 is the shallowest.
            hidden: (B,C',h,w) at this depth.

        Returns:
            (B,C',h,w).
        """
        feature = features[depth].to(hidden.dtype)
        skip = self.conv[depth](torch.cat([feature, hidden], dim=1))
        # A coarse pixel of which any part is repainted counts as repainted.
        return skip * functional.adaptive_max_pool2d(mask.to(hidden.dtype), hidden.shape[-2:])
