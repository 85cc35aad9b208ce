"""LPIPS: how different two pictures look, as AlexNet or VGG-16 see them (Zhang et al., 2018, version 0.1).

```
picture ──► shift, scale ──► convolutions ──► five features ─► unit length ─┐
                                                                             ├─► (a−b)² ─► heads ─► mean, sum
target ───► the same, without gradients ─────────────────────────────────────┘
```

It measures results and trains networks alike: gradients reach the first picture only. It is no part of any
saved model. Where its weights come from is the business of ``ladi/weights/lpips.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from ladi.models.precision import KeepFloat32

LpipsName = Literal["alex", "vgg"]

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""ImageNet's mean and standard deviation, for pictures in [-1,1]."""
SMALLEST = {"alex": 31, "vgg": 16}
"""Pixels below which a feature has no extent."""
_EPSILON = 1e-10
_ALEX = [(3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1)]
_WIDTHS = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
_VGG = [(incoming, outgoing, 3, 1, 1) for incoming, outgoing in zip(_WIDTHS, _WIDTHS[1:], strict=False)]
_LAYOUT = {"alex": (_ALEX, (0, 1, 2, 3, 4), (1, 2), 3), "vgg": (_VGG, (1, 3, 6, 9, 12), (2, 4, 7, 10), 2)}
"""Convolutions, in torchvision's order and sizes; after which ones is looked; before which ones, and by which
window, is pooled."""


class Lpips(KeepFloat32):
    """The distance of two pictures; 0 where they are equal. Frozen, and always kept in float32.

    Args:
        name: ``alex`` is what is usually reported, ``vgg`` what is usually trained with.
    """

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(self, name: LpipsName) -> None:
        super().__init__()
        self.name = name
        sizes, self.taps, self.pooled, window = _LAYOUT[name]
        self.conv = nn.ModuleList(nn.Conv2d(*size) for size in sizes)
        self.pooling = nn.MaxPool2d(window, 2)
        self.lin = nn.ModuleList(nn.Conv2d(sizes[tap][1], 1, 1, bias=False) for tap in self.taps)
        for buffer, values in (("shift", SHIFT), ("scale", SCALE)):
            self.register_buffer(buffer, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False).eval()

    def features(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """(B,3,H,W) in [-1,1] → five features (B,C,h,w) of unit length over channels, shallowest first.

        Raises:
            ValueError: the picture is too small.
        """
        if min(picture.shape[-2:]) < SMALLEST[self.name]:
            raise ValueError(
                f"LPIPS ({self.name}) needs pictures of at least {SMALLEST[self.name]} pixels a side, got "
                f"{picture.shape[-2]}×{picture.shape[-1]}"
            )
        hidden = (picture.float() - self.shift) / self.scale
        found = []
        for number, convolution in enumerate(self.conv):
            if number in self.pooled:
                hidden = self.pooling(hidden)
            hidden = functional.relu(convolution(hidden))
            if number in self.taps:
                # Where nothing fires the length is 0: vector_norm's gradient is 0 there, a root's infinite.
                seen = hidden.float()
                found.append(seen / (torch.linalg.vector_norm(seen, dim=1, keepdim=True) + _EPSILON))
        return found

    def distance(self, found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor]) -> torch.Tensor:
        """Two pictures' features, as ``features`` gives them → (B,)."""
        # Squares of small differences have no digits left in half precision.
        with torch.autocast(found[0].device.type, enabled=False):
            terms = [
                head((one - other).square()).mean((1, 2, 3))
                for one, other, head in zip(found, wanted, self.lin, strict=True)
            ]
        return torch.stack(terms).sum(0)

    def forward(self, picture: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(B,3,H,W) and (B,3,H,W) in [-1,1] → (B,) distances; gradients reach the first alone."""
        with torch.no_grad():
            wanted = self.features(target)
        return self.distance(self.features(picture), wanted)
