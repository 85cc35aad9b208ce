"""What the vision encoder is fed, against the published implementation."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import interpolate

from ladi.diffusion.conditioning import clip_pixels


def test_clip_pixels(reference_dir, values):
    """Prevents: another resize, a second division by 255, swapped mean and deviation.

    The published path makes 8-bit numbers on the way, hence the tolerance of 0.02.
    """
    expected = np.load(reference_dir / "clip_input.npz")["pixel_values"]
    small = values("clip_garment", (1, 3, 64, 48))
    garment = torch.tanh(interpolate(small, (512, 384), mode="bilinear", align_corners=False))
    pixels = clip_pixels(garment, 224)
    assert pixels.shape == (1, 3, 224, 224)
    assert np.abs(pixels[:, :, ::4, ::4].numpy() - expected).max() <= 0.02
