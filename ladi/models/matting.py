"""Matting: which pixels of a picture are the garment. A small network of ours, not part of the paper.

How its answer is used, and which other methods can stand in for it, is ``ladi/preprocess/cleaner.py``.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from ladi.models.blocks import SegmentationUNet
from ladi.types import Size


class GarmentMatting(ModelMixin, ConfigMixin):
    """Picture → one logit per pixel, positive on the garment.

    Args:
        height, width: the size it was trained at; multiples of 2**(len(widths) + 1).
        widths: of the U-Net, from quarter size downwards.
    """

    @register_to_config
    def __init__(
        self, height: int = 256, width: int = 192, widths: tuple[int, ...] = (48, 64, 96, 128)
    ) -> None:
        super().__init__()
        self.network = SegmentationUNet(3, 1, tuple(widths))

    @property
    def size(self) -> Size:
        """Height and width it was trained at."""
        return self.config.height, self.config.width

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B,3,H,W) in [-1,1] → logits (B,1,H,W)."""
        return self.network(image)
