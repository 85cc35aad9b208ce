"""Sampling grids: how a garment's picture is laid along one, at any size, and how a network bends one.

A grid (B,H,W,2) says for each pixel of the result from where in the garment's picture it comes, (x,y) in
[-1,1]. Which networks make it, and in which order, is ``conditioning.py``'s.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from ladi.models.bending import BendingRefinement
from ladi.types import Size

SURELY_GARMENT = 0.9
"""Matte from which on a pixel's colour is taken for the garment's alone."""


def resize(image: torch.Tensor, size: Size) -> torch.Tensor:
    """Bilinear, antialiased where it shrinks: (B,C,H,W) → (B,C,h,w)."""
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)


def enlarge_grid(grid: torch.Tensor, size: Size) -> torch.Tensor:
    """A sampling grid at another size: (B,h,w,2) → (B,H,W,2), in the way pictures are resized."""
    return resize(grid.permute(0, 3, 1, 2), size).permute(0, 2, 3, 1)


def sample_garment(garment: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """Warps a garment (B,3,H,W) by a grid (B,h,w,2) → (B,3,h,w), repeating its border outside.

    The grid is laid out corner-aligned but sampled with ``align_corners=False``: the published weights were
    trained so.
    """
    return functional.grid_sample(garment, grid, mode="bilinear", padding_mode="border", align_corners=False)


def sample_matte(matte: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """A garment's matte (B,1,H,W) along a grid (B,h,w,2) → (B,1,h,w); beyond its picture there is none."""
    return functional.grid_sample(matte, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def bend_grid(
    refinement: BendingRefinement,
    garment: torch.Tensor,
    matte: torch.Tensor,
    masked_person: torch.Tensor,
    pose_map: torch.Tensor,
    grid: torch.Tensor,
) -> torch.Tensor:
    """The grid (B,H,W,2) after all of a bending refinement's passes.

    Args:
        refinement: the network.
        garment: (B,3,H,W) in [-1,1].
        matte: (B,1,H,W) in [0,1], where the garment is in its picture.
        masked_person: (B,3,H,W), repainted pixels 0.
        pose_map: (B,18,H,W).
        grid: (B,H,W,2) by which the garment lies before.
    """
    size, looks = (garment.shape[-2], garment.shape[-1]), refinement.size
    person, pose = resize(masked_person, looks), resize(pose_map, looks)
    for _ in range(refinement.config.passes):
        laid = sample_matte(matte, grid)
        garment_laid = sample_garment(garment, grid) * laid
        flow = refinement(person, pose, resize(garment_laid, looks), resize(laid, looks))
        grid = grid + resize(flow, size).permute(0, 2, 3, 1)
    return grid


def continued(garment: torch.Tensor, matte: torch.Tensor) -> torch.Tensor:
    """The garment's own colours a little beyond its edge, where the shop's wall shines through.

    Args:
        garment: (B,3,H,W) in [-1,1], before a wall.
        matte: (B,1,H,W) in [0,1].

    Returns:
        (B,3,H,W): unchanged inside, and far from the garment.
    """
    inside = -functional.max_pool2d(-(matte > SURELY_GARMENT).to(garment.dtype), 3, 1, 1)
    near = torch.cat([garment * inside, inside], dim=1)
    for _ in range(2):
        near = functional.avg_pool2d(near, 5, 1, 2)
    colours, amount = near[:, :3], near[:, 3:]
    edge = (amount > 1e-3).to(garment.dtype) * (1 - inside)
    return garment + edge * (colours / amount.clamp_min(1e-3) - garment)
