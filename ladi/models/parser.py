"""Human parsing: which pixel of a person is hair, face, arm, garment. A network of ours, not of the paper.

It takes the pose map and the person's silhouette as extra inputs, both of which come from detectors that need
no training. The labels are LIP's, with 20 = neck. Turning photos into its inputs is
``ladi/preprocess/parsing.py``.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from ladi.models.blocks import SegmentationUNet
from ladi.types import Size

LABELS = 21
INPUT_CHANNELS = 3 + 1 + 18


class HumanParser(ModelMixin, ConfigMixin):
    """Picture, silhouette and pose map → logits over 21 LIP labels.

    Args:
        height, width: the size it was trained at; multiples of 2**(len(widths) + 1).
        widths: of the U-Net, from quarter size downwards.
    """

    @register_to_config
    def __init__(
        self, height: int = 256, width: int = 192, widths: tuple[int, ...] = (64, 96, 128, 160)
    ) -> None:
        super().__init__()
        self.network = SegmentationUNet(INPUT_CHANNELS, LABELS, tuple(widths))

    @property
    def size(self) -> Size:
        """Height and width it was trained at."""
        return self.config.height, self.config.width

    def forward(self, image: torch.Tensor, silhouette: torch.Tensor, pose_map: torch.Tensor) -> torch.Tensor:
        """Predicts logits.

        Args:
            image: (B,3,H,W) in [-1,1].
            silhouette: (B,1,H,W) in [0,1], 1 = person.
            pose_map: (B,18,H,W) in [0,1].

        Returns:
            (B,21,H,W).
        """
        return self.network(torch.cat([image, silhouette * 2 - 1, pose_map], dim=1))
