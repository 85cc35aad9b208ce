"""A refinement that bends: sleeves and hems follow the body where a spline of 5×5 points cannot.

In the second edition of the embedded model it stands in the place of the repainting network
(``refinement.py``), which the published model keeps. It sees the masked person, the pose, and the garment as
it lies so far, and says by how much each pixel must be fetched from elsewhere. Nothing is repainted, so that
patterns stay crisp and the same warp can be applied at a photo's own size.

```
person, pose, garment laid, matte ─► unshuffle ─► 1/4 ─► 1/8 ─► 1/16 ─► 1/32
                                                   │      │       │       │
                                           flow ◄──┴──────┴───────┴───────┘  the sum of all levels' flows
```
"""

from __future__ import annotations

from typing import cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn import functional

from ladi.models.precision import KeepFloat32
from ladi.models.shuffle_vae import PixelNorm, Unit
from ladi.types import KEYPOINT_NAMES, Size

PATCH = 4
"""Side of the squares of pixels that are channels from the first convolution on."""
FLOW_UNIT = 0.05
"""What a head's output of 1 means, in widths or heights of half a picture: about five pixels of 192."""


class BendingRefinement(KeepFloat32, ModelMixin, ConfigMixin):
    """Masked person, pose map, garment as it lies and its matte → flow.

    Args:
        height, width: the size at which the network looks; multiples of ``PATCH * 2**(len(widths) - 1)``.
        in_channels: 3 of the masked person, 18 of the pose map, 3 of the garment, 1 of its matte.
        widths: channels from a quarter of the size downwards.
        units: residual units at each size, downwards and upwards.
        passes: how often the garment is bent, each time from where it lies by then.
    """

    _keep_in_fp32_modules = ["stem", "down", "shrink", "up", "narrow", "heads"]

    @register_to_config
    def __init__(
        self,
        height: int = 256,
        width: int = 192,
        in_channels: int = 7 + len(KEYPOINT_NAMES),
        widths: tuple[int, ...] = (64, 96, 128, 160),
        units: int = 1,
        passes: int = 2,
    ) -> None:
        super().__init__()
        joints = len(KEYPOINT_NAMES)
        self.stem = nn.Conv2d((in_channels - joints) * PATCH**2 + joints, widths[0], 3, padding=1)

        def level(channels: int) -> nn.Sequential:
            return nn.Sequential(*(Unit(channels) for _ in range(units)))

        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.down = nn.ModuleList(level(channels) for channels in widths)
        self.shrink = nn.ModuleList(
            nn.Sequential(PixelNorm(fine), nn.Conv2d(fine, coarse, 4, stride=2, padding=1))
            for fine, coarse in pairs
        )
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.up = nn.ModuleList(level(fine) for fine, _ in pairs)
        self.heads = nn.ModuleList(
            nn.Sequential(PixelNorm(channels), nn.Conv2d(channels, 2, 3, padding=1)) for channels in widths
        )
        for head in self.heads:
            last = cast(nn.Conv2d, cast(nn.Sequential, head)[1])
            nn.init.zeros_(last.weight)
            nn.init.zeros_(cast(torch.Tensor, last.bias))

    @property
    def size(self) -> Size:
        """Height and width at which the network looks."""
        return self.config.height, self.config.width

    def forward(
        self, masked_person: torch.Tensor, pose_map: torch.Tensor, laid: torch.Tensor, matte: torch.Tensor
    ) -> torch.Tensor:
        """Predicts one pass's flow.

        Args:
            masked_person: (B,3,H,W) of the network's size, repainted pixels 0.
            pose_map: (B,18,H,W) in [0,1].
            laid: (B,3,H,W) the garment as it lies so far, on mid-grey.
            matte: (B,1,H,W) in [0,1], where it lies.

        Returns:
            (B,2,H/4,W/4), float32, added to the sampling grid's (x,y).
        """
        pictures = torch.cat([masked_person, laid, matte * 2 - 1], dim=1)
        joints = functional.avg_pool2d(pose_map, PATCH)
        hidden = self.stem(torch.cat([functional.pixel_unshuffle(pictures, PATCH), joints], dim=1))
        kept = []
        for index, level in enumerate(self.down):
            hidden = level(hidden)
            if index < len(self.shrink):
                kept.append(hidden)
                hidden = self.shrink[index](hidden)
        flow = self.heads[-1](hidden).float()
        for index in reversed(range(len(self.up))):
            hidden = functional.interpolate(self.narrow[index](hidden), scale_factor=2.0, mode="nearest")
            hidden = self.up[index](hidden + kept[index])
            flow = functional.interpolate(flow, scale_factor=2.0, mode="bilinear")
            flow = flow + self.heads[index](hidden).float()
        return flow * FLOW_UNIT
