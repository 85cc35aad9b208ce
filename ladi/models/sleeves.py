"""How long a top's sleeves are, from its picture: a small network of ours, not part of the paper.

```
picture and matte [B,4,64,48] ─► conv /2 ─► conv /2 ─► conv /2 ─► conv ─► linear ─► linear ─► [B]
```

What is drawn by the answer stands in ``ladi/postprocess/arms.py``.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from ladi.types import Size


class SleeveLength(ModelMixin, ConfigMixin):
    """Picture and matte → the share of the arm that sleeves cover, from the shoulder to the wrist.

    Args:
        height, width: the size it was trained at; multiples of 8.
        widths: of its three levels, from half size downwards.
    """

    @register_to_config
    def __init__(self, height: int = 64, width: int = 48, widths: tuple[int, ...] = (16, 32, 48)) -> None:
        super().__init__()
        first, second, third = widths
        self.features = nn.Sequential(
            nn.Conv2d(4, first, 3, 2, 1),
            nn.SiLU(),
            nn.Conv2d(first, second, 3, 2, 1),
            nn.GroupNorm(8, second),
            nn.SiLU(),
            nn.Conv2d(second, third, 3, 2, 1),
            nn.GroupNorm(8, third),
            nn.SiLU(),
            nn.Conv2d(third, third, 3, 1, 1),
            nn.SiLU(),
        )
        # Where things are tells a sleeve from a hem, so no mean over the picture.
        self.answer = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(third * (height // 8) * (width // 8), third),
            nn.SiLU(),
            nn.Linear(third, 1),
        )

    @property
    def size(self) -> Size:
        """Height and width it was trained at."""
        return self.config.height, self.config.width

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """(B,4,H,W), colours in [-1,1] times the matte, and the matte in [0,1] → (B,) logits of the share."""
        return self.answer(self.features(picture))[:, 0]
