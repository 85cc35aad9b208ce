"""The warping network: where each pixel of a garment goes on the person (paper section 3.2).

In the published files it is ``tps`` in ``warping_{d}.pth``.

Two encoders look at garment and person, a correlation compares every position with every position, a small
regression places 5×5 control points, and a thin-plate spline turns them into a sampling grid. The module
predicts the grid only: who samples which picture with it, and at what size, is decided in
``ladi/diffusion/conditioning.py``.

Names of parameters and buffers are the published checkpoint's; sizes are configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from ladi.models.precision import KeepFloat32
from ladi.types import Size

NORM_EPS = 1e-6


@dataclass(frozen=True)
class WarpOutput:
    """A predicted warp."""

    grid: torch.Tensor
    """(B,h,w,2) sampling positions as (x,y) in [-1,1]."""
    theta: torch.Tensor
    """(B,N,2) control points as (x,y), row by row."""


def _control_points(rows: int, columns: int, reach: float) -> torch.Tensor:
    """A regular grid of points on ±reach, row by row, as (x,y): (rows·columns, 2)."""
    y, x = torch.meshgrid(
        torch.linspace(-reach, reach, rows, dtype=torch.float64, device="cpu"),
        torch.linspace(-reach, reach, columns, dtype=torch.float64, device="cpu"),
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def _radial_basis(points: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """The spline's kernel ½·d²·log d² between two sets of points, zero where they meet."""
    squared = (points[:, None, :] - centres[None, :, :]).square().sum(-1)
    return torch.where(squared == 0, 0.0, 0.5 * squared * squared.clamp_min(1e-300).log())


class FeatureEncoder(nn.Module):
    """Four halving convolutions, then two at the last width; ReLU comes before batch norm, as published."""

    def __init__(self, in_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Conv2d(in_channels, width, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(width)]
            in_channels = width
        layers += [nn.Conv2d(in_channels, in_channels, 3, 1, 1), nn.ReLU(), nn.BatchNorm2d(in_channels)]
        layers += [nn.Conv2d(in_channels, in_channels, 3, 1, 1), nn.ReLU()]
        self.model = nn.Sequential(*layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B,C,h,w) → unit-length features (B,F,h/16,w/16)."""
        features = self.model(image).float()
        return features / (features.square().sum(1, keepdim=True) + NORM_EPS).sqrt()


class ControlPointRegression(nn.Module):
    """Correlation volume → control points."""

    def __init__(self, map_size: Size, widths: tuple[int, ...], points: torch.Tensor) -> None:
        super().__init__()
        height, width = map_size
        in_channels = height * width
        layers: list[nn.Module] = []
        for index, out in enumerate(widths):
            halving = index < 2
            layers += [nn.Conv2d(in_channels, out, 4 if halving else 3, 2 if halving else 1, 1)]
            layers += [nn.BatchNorm2d(out), nn.ReLU()]
            in_channels = out
        self.conv = nn.Sequential(*layers)
        self.linear = nn.Linear(in_channels * (height // 4) * (width // 4), points.numel())
        # tanh(bias) is the regular grid, so that an untrained network warps almost nothing.
        with torch.no_grad():
            self.linear.bias.copy_(torch.atanh(points).flatten())
            self.linear.weight.mul_(0.05)

    def forward(self, correlation: torch.Tensor) -> torch.Tensor:
        """(B,h·w,h,w) → (B,N,2) in (-1,1)."""
        features = self.conv(correlation)
        return torch.tanh(self.linear(features.flatten(1)).float()).unflatten(1, (-1, 2))


class LocalisationNet(nn.Module):
    """Holds the regression under the published name ``loc_net.regression``."""

    def __init__(self, map_size: Size, widths: tuple[int, ...], points: torch.Tensor) -> None:
        super().__init__()
        self.regression = ControlPointRegression(map_size, widths, points)

    def forward(self, correlation: torch.Tensor) -> torch.Tensor:
        """(B,h·w,h,w) → (B,N,2)."""
        return self.regression(correlation)


class ThinPlateSplineGrid(nn.Module):
    """Control points → sampling grid, by a thin-plate spline solved once when the module is built."""

    inverse_kernel: torch.Tensor
    padding_matrix: torch.Tensor
    target_coordinate_repr: torch.Tensor

    def __init__(self, size: Size, points: torch.Tensor) -> None:
        super().__init__()
        self.size = size
        for name, value in self.constants(size, points).items():
            self.register_buffer(name, value)

    @staticmethod
    def constants(size: Size, points: torch.Tensor) -> dict[str, torch.Tensor]:
        """The three buffers that the published checkpoint carries, computed in float64.

        On the CPU whatever device a network is being built on: libraries that build on ``meta`` do not agree
        on which constructors they redirect.
        """
        count = len(points)
        exact: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
        kernel = torch.zeros(count + 3, count + 3, **exact)
        kernel[:count, :count] = _radial_basis(points, points)
        kernel[:count, count] = kernel[count, :count] = 1
        kernel[:count, count + 1 :] = points
        kernel[count + 1 :, :count] = points.T
        # Corner-aligned, as published, although the grid is then sampled with align_corners=False.
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, size[0], **exact),
            torch.linspace(-1, 1, size[1], **exact),
            indexing="ij",
        )
        targets = torch.stack([x, y], dim=-1).reshape(-1, 2)
        representation = torch.cat(
            [_radial_basis(targets, points), torch.ones(len(targets), 1, **exact), targets], dim=1
        )
        return {
            "inverse_kernel": torch.linalg.inv(kernel).float(),
            "padding_matrix": torch.zeros(3, 2, device="cpu"),
            "target_coordinate_repr": representation.float(),
        }

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        """(B,N,2) → (B,h,w,2), in float32 whatever the caller's precision."""
        with torch.autocast(theta.device.type, enabled=False):
            padding = self.padding_matrix.float().expand(len(theta), -1, -1)
            weights = self.inverse_kernel.float() @ torch.cat([theta.float(), padding], dim=1)  # [B,N+3,2]
            grid = self.target_coordinate_repr.float() @ weights  # [B,h*w,2]
        return grid.unflatten(1, self.size)


class ThinPlateSplineWarp(KeepFloat32, ModelMixin, ConfigMixin):
    """Predicts how a garment must be warped to fit a person.

    ```
    garment (B,3,h,w)  ─► extractionA ─┐
                                       ├─► correlation (B,K,h/16,w/16) ─► loc_net ─► theta ─► gridGen ─► grid
    person  (B,21,h,w) ─► extractionB ─┘
    ```

    Args:
        height, width: size at which the network looks, 256×192 as published; multiples of 64, or 32 if small.
        garment_channels: 3.
        person_channels: 3 of the masked person and 18 of the pose map.
        widths: channels of the halving convolutions.
        regression_widths: channels of the four regression convolutions.
        grid_size: control points per side.
        reach: control points lie on ±reach before any is moved.
    """

    _keep_in_fp32_modules = ["extractionA", "extractionB", "loc_net", "gridGen"]

    @register_to_config
    def __init__(
        self,
        height: int = 256,
        width: int = 192,
        garment_channels: int = 3,
        person_channels: int = 21,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        regression_widths: tuple[int, ...] = (512, 256, 128, 64),
        grid_size: int = 5,
        reach: float = 0.9,
    ) -> None:
        super().__init__()
        stride = 2 ** len(widths)
        points = _control_points(grid_size, grid_size, reach)
        self.extractionA = FeatureEncoder(garment_channels, tuple(widths))
        self.extractionB = FeatureEncoder(person_channels, tuple(widths))
        self.loc_net = LocalisationNet((height // stride, width // stride), tuple(regression_widths), points)
        self.gridGen = ThinPlateSplineGrid((height, width), points)

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """As ``ModelMixin.from_pretrained``; the spline's constants are computed anew.

        They are derived from the configuration, and rounding them to half precision in a file would shake the
        grid.
        """
        loaded = super().from_pretrained(*args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        model.reset_constants()
        return loaded

    def reset_constants(self) -> None:
        """Computes the spline's buffers from the configuration, in float32."""
        points = _control_points(self.config.grid_size, self.config.grid_size, self.config.reach)
        for name, value in self.gridGen.constants(self.gridGen.size, points).items():
            setattr(self.gridGen, name, value.to(getattr(self.gridGen, name).device))

    @property
    def size(self) -> Size:
        """Height and width at which the network looks."""
        return self.config.height, self.config.width

    def forward(self, garment: torch.Tensor, person: torch.Tensor) -> WarpOutput:
        """Predicts the warp.

        Args:
            garment: (B,3,h,w) in [-1,1], h×w being the network's own size.
            person: (B,21,h,w), masked person then pose map.

        Returns:
            Grid (B,h,w,2) and control points (B,N,2), float32.
        """
        from_garment = self.extractionA(garment)  # [B,F,h/16,w/16]
        from_person = self.extractionB(person)  # [B,F,h/16,w/16]
        # Garment positions become channels, counted column by column (x·h + y).
        columns = from_garment.transpose(2, 3).flatten(2)  # [B,F,w*h]
        correlation = torch.einsum("bfk,bfyx->bkyx", columns, from_person)
        theta = self.loc_net(correlation)
        return WarpOutput(grid=self.gridGen(theta), theta=theta)
