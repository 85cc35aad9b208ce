"""EMASC, enhanced mask-aware skip connections (paper section 3.3, file ``emasc_{d}.pth``).

Small convolutions carry the encoder's features of the masked person past the latent bottleneck into the
decoder, outside the mask only. The module makes the skips; ``ladi/models/vae.py`` gives the features and
takes the skips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn import functional


class EMASC(ModelMixin, ConfigMixin):
    """One unit per depth, shallowest first.

    Args:
        in_channels: widths of the encoder's features.
        out_channels: widths that the decoder expects at the same places.
        kind: ``nonlinear`` (convolution, SiLU, convolution), as in the published checkpoints, or ``linear``
            (one convolution), the paper's ablation.
    """

    @register_to_config
    def __init__(
        self,
        in_channels: tuple[int, ...] = (128, 128, 128, 256, 512),
        out_channels: tuple[int, ...] = (128, 256, 512, 512, 512),
        kind: Literal["nonlinear", "linear"] = "nonlinear",
    ) -> None:
        super().__init__()
        if len(in_channels) != len(out_channels):
            raise ValueError(
                f"in_channels and out_channels must be equally long, "
                f"got {len(in_channels)} and {len(out_channels)}"
            )
        if kind not in ("nonlinear", "linear"):
            raise ValueError(f"kind must be 'nonlinear' or 'linear', got {kind!r}")
        self.conv = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(incoming, incoming, 3, padding=1),
                nn.SiLU(),
                nn.Conv2d(incoming, outgoing, 3, padding=1),
            )
            if kind == "nonlinear"
            else nn.Conv2d(incoming, outgoing, 3, padding=1)
            for incoming, outgoing in zip(in_channels, out_channels, strict=True)
        )

    def forward(self, features: Sequence[torch.Tensor], mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Turns encoder features into decoder skips.

        Args:
            features: one (B,C,h,w) per depth, shallowest first.
            mask: (B,1,H,W) in {0,1}, 1 = repaint; nothing passes there.

        Returns:
            One (B,C',h,w) per depth, shallowest first.
        """
        skips = []
        for unit, feature in zip(self.conv, features, strict=True):
            # Each size is resized from the previous one, not from the full mask: the published rounding.
            mask = functional.interpolate(mask.to(feature.dtype), size=feature.shape[-2:], mode="nearest")
            skips.append(unit(feature) * (1 - mask))
        return tuple(skips)
