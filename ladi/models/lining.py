"""Where a garment's picture shows its inside, behind the neck: a small network of ours, not in the paper.

A shop's picture shows the back of a collar, its label and the lining below it, where a neck is once the
garment is worn. What is done with the answer stands in ``ladi/preprocess/lining.py``.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from ladi.models.blocks import SegmentationUNet
from ladi.types import Size

RARE = 2.0
"""By how much its logits start below even odds: most of a garment is no lining."""


class GarmentLining(ModelMixin, ConfigMixin):
    """Picture and matte → logits of being hidden behind whoever wears it.

    Args:
        height, width: the size it was trained at; multiples of 2**(len(widths) + 1).
        widths: of the U-Net, from quarter size downwards.
        edge_channels: of its path at half size.
    """

    @register_to_config
    def __init__(
        self,
        height: int = 128,
        width: int = 96,
        widths: tuple[int, ...] = (16, 24, 32, 48),
        edge_channels: int = 16,
    ) -> None:
        super().__init__()
        self.network = SegmentationUNet(4, 1, tuple(widths), edge_channels=edge_channels)
        last = self.network.head[-1]
        if isinstance(last, nn.Conv2d) and last.bias is not None:
            nn.init.constant_(last.bias, -RARE)

    @property
    def size(self) -> Size:
        """Height and width it was trained at."""
        return self.config.height, self.config.width

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """(B,4,H,W), colours in [-1,1] times the matte, and the matte in [0,1] → (B,1,H,W) logits."""
        return self.network(picture)
