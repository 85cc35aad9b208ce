"""Human parsing: which pixel of a person is hair, face, arm, garment. A network of ours, not of the paper.

It takes the pose map and the person's silhouette as extra inputs, both of which come from detectors that need
no training. The labels are LIP's, with 20 = neck and 21 = bag. Turning photos into its inputs is
``ladi/preprocess/parsing.py``.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from ladi.models.blocks import SegmentationUNet
from ladi.types import Size

LABELS = 22
INPUT_CHANNELS = 3 + 1 + 18
NEW_LABEL_DOUBT = 3.0
"""By how much a new label's logit starts below the background's."""
LAST_LAYER = "head.2"
"""Of the network: one output for each label."""


class HumanParser(ModelMixin, ConfigMixin):
    """Picture, silhouette and pose map → logits over LIP labels.

    Args:
        height, width: the size it was trained at; multiples of 2**(len(widths) + 1).
        widths: of the U-Net, from quarter size downwards.
        labels: how many; parsers saved before bags were a label know one fewer.
    """

    @register_to_config
    def __init__(
        self,
        height: int = 256,
        width: int = 192,
        widths: tuple[int, ...] = (64, 96, 128, 160),
        labels: int = LABELS - 1,
    ) -> None:
        super().__init__()
        self.network = SegmentationUNet(INPUT_CHANNELS, labels, tuple(widths))

    @property
    def size(self) -> Size:
        """Height and width it was trained at."""
        return self.config.height, self.config.width

    def forward(
        self,
        image: torch.Tensor,
        silhouette: torch.Tensor,
        pose_map: torch.Tensor,
        *,
        enlarge: bool = True,
    ) -> torch.Tensor:
        """Predicts logits.

        Args:
            image: (B,3,H,W) in [-1,1].
            silhouette: (B,1,H,W) in [0,1], 1 = person.
            pose_map: (B,18,H,W) in [0,1].
            enlarge: to the picture's size; without it a loss has a quarter of the work.

        Returns:
            (B,K,H,W), or (B,K,H/2,W/2).
        """
        inputs = torch.cat([image, silhouette * 2 - 1, pose_map], dim=1)
        return self.network(inputs) if enlarge else self.network.half_size(inputs)

    @torch.no_grad()
    def start_from(self, other: HumanParser) -> None:
        """Takes over the weights of one of the same widths that may know fewer labels.

        What has no label there was background, and so it starts.
        """
        state = other.state_dict()
        for name in (f"network.{LAST_LAYER}.weight", f"network.{LAST_LAYER}.bias"):
            known = state[name]
            new = self.config.labels - len(known)
            state[name] = torch.cat([known, known[:1].expand(new, *known.shape[1:])])
            if name.endswith("bias") and new:
                state[name][-new:] -= NEW_LABEL_DOUBT
        self.load_state_dict(state)
