"""The refinement U-Net: mends a coarsely warped garment (paper section 3.2).

The file ``warping_{d}.pth`` holds it under ``refinement``. It sees the masked person, the pose map and the
warped garment, and paints the garment again. The module knows tensors only: what is concatenated, and that
the output is clamped, is decided in ``ladi/diffusion/conditioning.py``.

Names of parameters are the published checkpoint's; widths are configuration.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn
from torch.nn import functional

from ladi.models.precision import KeepFloat32


class DoubleConv(nn.Module):
    """Twice: 3×3 convolution, batch norm, ReLU."""

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, mid_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(mid_channels),
            nn.ReLU(),
            nn.Conv2d(mid_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) → (B,C',h,w)."""
        return self.double_conv(hidden)


class Down(nn.Module):
    """Halves the size, then two convolutions."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(
            nn.MaxPool2d(2), DoubleConv(in_channels, out_channels, out_channels)
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) → (B,C',h/2,w/2)."""
        return self.maxpool_conv(hidden)


class Up(nn.Module):
    """Enlarges to the size of the encoder's features, joins them, then two convolutions."""

    def __init__(self, width: int, out_channels: int) -> None:
        super().__init__()
        self.conv = DoubleConv(2 * width, width, out_channels)

    def forward(self, hidden: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) and (B,C,2h,2w) → (B,C',2h,2w)."""
        hidden = functional.interpolate(hidden, size=skip.shape[-2:], mode="bilinear", align_corners=True)
        return self.conv(torch.cat([skip, hidden], dim=1))


class OutConv(nn.Module):
    """Features → picture."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) → (B,3,h,w)."""
        return self.conv(hidden)


class RefinementUNet(KeepFloat32, ModelMixin, ConfigMixin):
    """Masked person, pose map and warped garment → refined garment.

    Args:
        in_channels: 3 of the masked person, 18 of the pose map, 3 of the warped garment.
        out_channels: 3.
        widths: channels at the four upper sizes; the lowest, a sixteenth of the input, has the last width
            too.
    """

    _keep_in_fp32_modules = ["inc", "down1", "down2", "down3", "down4", "up1", "up2", "up3", "up4", "outc"]

    @register_to_config
    def __init__(
        self,
        in_channels: int = 24,
        out_channels: int = 3,
        widths: tuple[int, int, int, int] = (64, 128, 256, 512),
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.inc = DoubleConv(in_channels, first, first)
        self.down1 = Down(first, second)
        self.down2 = Down(second, third)
        self.down3 = Down(third, fourth)
        self.down4 = Down(fourth, fourth)
        self.up1 = Up(fourth, third)
        self.up2 = Up(third, second)
        self.up3 = Up(second, first)
        self.up4 = Up(first, first)
        self.outc = OutConv(first, out_channels)

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        """Refines.

        Args:
            sample: (B,24,H,W) masked person, pose map, warped garment.

        Returns:
            (B,3,H,W), about [-1,1], not clamped.
        """
        full = self.inc(sample)  # [B,w0,H,W]
        half = self.down1(full)  # [B,w1,H/2,W/2]
        quarter = self.down2(half)  # [B,w2,H/4,W/4]
        eighth = self.down3(quarter)  # [B,w3,H/8,W/8]
        hidden = self.down4(eighth)  # [B,w3,H/16,W/16]
        hidden = self.up1(hidden, eighth)
        hidden = self.up2(hidden, quarter)
        hidden = self.up3(hidden, half)
        hidden = self.up4(hidden, full)
        return self.outc(hidden)
