"""What kind of garment a picture shows, and which way up: a small network of ours, not part of the paper.

```
picture and matte [B,4,64,64] ─► conv /2 ─► conv /2 ─► conv /2 ─► conv /2 ─► mean and maximum ─► kinds, turns
```

What is done about the answer stands in ``ladi/preprocess/kind.py``.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn import functional

KINDS = ("top", "trousers", "skirt", "dress", "none")
"""``skirt``: or shorts. ``none``: no garment of these, such as a wall, a bag or a whole person."""
TURNS = (0, 90, 180, 270)
"""Degrees by which a garment was turned to the left, so by which it must be turned to the right."""


class GarmentKind(ModelMixin, ConfigMixin):
    """Picture and matte → a logit for each kind and for each turn.

    Args:
        side: pixels of the square picture that it was trained at.
        widths: of its levels, from half size downwards.
    """

    @register_to_config
    def __init__(self, side: int = 64, widths: tuple[int, ...] = (32, 48, 72, 112)) -> None:
        super().__init__()
        before = (4, *widths[:-1])
        self.down = nn.ModuleList(_block(one, other, 2) for one, other in zip(before, widths, strict=True))
        self.stay = nn.ModuleList(_block(width, width, 1) for width in widths[1:-1])
        self.kinds = nn.Linear(2 * widths[-1], len(KINDS))
        self.turns = nn.Linear(2 * widths[-1], len(TURNS))

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B,4,S,S), colours in [-1,1] and the matte in [0,1] → (B,5) and (B,4)."""
        seen = self.down[0](picture)  # [B,32,S/2,S/2]
        for down, stay in zip(self.down[1:-1], self.stay, strict=True):
            seen = down(seen)
            seen = seen + stay(seen)
        seen = self.down[-1](seen)  # [B,112,S/16,S/16]
        told = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], dim=1)  # [B,224]
        told = functional.dropout(told, 0.2, self.training)
        return self.kinds(told), self.turns(told)


def _block(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.SiLU(inplace=True)
    )
