"""The whole warping step at the published size against the published implementation."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import interpolate

from ladi.diffusion.conditioning import warp_garment
from tests.reference.filled import filled_refinement, filled_tps


def test_warp_at_full_size(reference_dir, fill, values, assert_close):
    """Prevents: shrinking without antialiasing, a garment sampled small, another border or corner rule."""
    expected = np.load(reference_dir / "warp512.npz")
    masked_person = torch.tanh(values("im_mask", (1, 3, 512, 384)))
    pose_map = torch.sigmoid(values("pose", (1, 18, 512, 384)))
    small = values("cl", (1, 3, 32, 24))
    garment = torch.tanh(interpolate(small, (512, 384), mode="bilinear", align_corners=False))
    tps, refinement = filled_tps(reference_dir, fill), filled_refinement(reference_dir, fill)
    with torch.no_grad():
        coarse, refined, _ = warp_garment(tps, refinement, garment, masked_person, pose_map)
    assert_close(coarse[:, :, ::8, ::8], expected["coarse"])
    assert_close(refined[:, :, ::8, ::8], expected["refined"])
