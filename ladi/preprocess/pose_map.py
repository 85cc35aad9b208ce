"""Joints as the networks see them: 18 of them, one blob each.

Where joints are is found by ``pose.py``, or read from a data set.
"""

from __future__ import annotations

import numpy as np
import torch

from ladi.types import Size

POSE_SIGMA, _SIGMA_HEIGHT = 9.0, 512
"""Width of a joint's blob in pixels at that height (paper, section 3; published checkpoints)."""

_BODY25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
"""OpenPose's BODY-25 joints in the order of our 18."""


def body25_to_keypoints(body25: np.ndarray) -> np.ndarray:
    """OpenPose's BODY-25 joints (25,3) to our (18,3); joints without confidence become (0,0,0)."""
    points = np.asarray(body25, dtype=np.float32).reshape(25, 3)[list(_BODY25)]
    return points * (points[:, 2:] > 0)


def pose_map(keypoints: np.ndarray, size: Size, sigma: float | None = None) -> torch.Tensor:
    """One blob per joint, exp(−d²/σ²) scaled to a maximum of 1; an absent joint is a zero channel.

    Args:
        keypoints: (18,3) in pixels of ``size``; (0,0) or confidence 0 = absent. Two columns will do.
        size: Height and width of the map.
        sigma: Pixels; 9 at a height of 512, in proportion, if not given.

    Returns:
        (1,18,H,W) float32 in [0,1].
    """
    return draw_pose_maps(torch.as_tensor(np.asarray(keypoints), dtype=torch.float32)[None], size, sigma)


def draw_pose_maps(keypoints: torch.Tensor, size: Size, sigma: float | None = None) -> torch.Tensor:
    """The pose maps of many people, on their joints' device: (B,18,3) → (B,18,H,W); see ``pose_map``."""
    height, width = size
    width_of_blob = POSE_SIGMA * height / _SIGMA_HEIGHT if sigma is None else sigma
    points = keypoints.float()
    x = torch.arange(width, dtype=torch.float32, device=points.device)
    y = torch.arange(height, dtype=torch.float32, device=points.device)
    across = torch.exp(-(((x - points[..., :1]) / width_of_blob) ** 2))  # [B,18,W]
    down = torch.exp(-(((y - points[..., 1:2]) / width_of_blob) ** 2))  # [B,18,H]
    # Each factor's peak is brought to 1 by itself: their product would underflow for joints outside the map.
    across = across / across.amax(dim=-1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    down = down / down.amax(dim=-1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    present = (points[..., 0] != 0) | (points[..., 1] != 0)
    if points.shape[-1] > 2:
        present &= points[..., 2] > 0
    return down[..., :, None] * across[..., None, :] * present[..., None, None]  # [B,18,H,W]
