"""The small U-Net that parser and matting share.

It maps pictures to logits and knows nothing of what they mean.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class ResidualUnit(nn.Module):
    """Two 3×3 convolutions with group norm and SiLU around a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.shortcut = (
            nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) → (B,C',h,w)."""
        inner = self.conv1(functional.silu(self.norm1(hidden)))
        return self.shortcut(hidden) + self.conv2(functional.silu(self.norm2(inner)))


class SegmentationUNet(nn.Module):
    """A U-Net from a quarter of the picture's size downwards, with a thin path at half size that keeps edges.

    Full-size convolutions would cost most of the time; logits are enlarged from half size instead.

    Args:
        in_channels: of the picture and whatever comes with it.
        out_channels: logits per pixel.
        widths: channels from quarter size downwards; the picture's sides must be multiples of 2**(len(widths)
            + 1).
        edge_channels: of the half-size path.
        groups: of the group norms.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        widths: tuple[int, ...],
        edge_channels: int = 32,
        groups: int = 8,
    ) -> None:
        super().__init__()
        self.edges = nn.Conv2d(in_channels, edge_channels, 4, stride=2, padding=1)
        self.stem = nn.Conv2d(edge_channels, widths[0], 3, stride=2, padding=1)
        self.down = nn.ModuleList(ResidualUnit(width, width, groups) for width in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
            for fine, coarse in zip(widths[:-1], widths[1:], strict=True)
        )
        self.middle = ResidualUnit(widths[-1], widths[-1], groups)
        self.up = nn.ModuleList(
            ResidualUnit(coarse + fine, fine, groups)
            for coarse, fine in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.narrow = nn.Conv2d(widths[0], edge_channels, 1)
        self.head = nn.Sequential(
            nn.Conv2d(2 * edge_channels, edge_channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(edge_channels, out_channels, 1),
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(B,C,H,W) → logits (B,K,H,W)."""
        return functional.interpolate(self.half_size(inputs), size=inputs.shape[-2:], mode="bilinear")

    def half_size(self, inputs: torch.Tensor) -> torch.Tensor:
        """(B,C,H,W) → logits (B,K,H/2,W/2), before they are enlarged."""
        edges = functional.silu(self.edges(inputs))  # [B,E,H/2,W/2]
        hidden = self.stem(edges)  # [B,C0,H/4,W/4]
        skips = []
        for index, unit in enumerate(self.down):
            hidden = unit(hidden)
            if index < len(self.shrink):
                skips.append(hidden)
                hidden = self.shrink[index](hidden)
        hidden = self.middle(hidden)
        for unit, skip in zip(self.up, reversed(skips), strict=True):
            hidden = functional.interpolate(hidden, size=skip.shape[-2:], mode="nearest")
            hidden = unit(torch.cat([hidden, skip], dim=1))
        hidden = functional.interpolate(self.narrow(hidden), size=edges.shape[-2:], mode="bilinear")
        return self.head(torch.cat([hidden, edges], dim=1))
