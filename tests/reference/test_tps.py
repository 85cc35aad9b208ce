"""The warping network and its regularity terms against the published implementation."""

from __future__ import annotations

import numpy as np
import torch

from ladi.training.losses import grid_terms
from tests.reference.filled import filled_tps


def test_control_points_grid_and_terms(reference_dir, fill, values, assert_close):
    """Prevents: transposed correlation channels, another spline kernel, a loss over the wrong steps."""
    expected = np.load(reference_dir / "tps.npz")
    garment = torch.tanh(values("cloth", (2, 3, 256, 192)))
    person = torch.tanh(values("agnostic", (2, 21, 256, 192)))
    with torch.no_grad():
        warp = filled_tps(reference_dir, fill)(garment, person)
    assert_close(warp.theta, expected["theta"])
    assert_close(warp.grid[:, ::8, ::8], expected["grid"])
    assert_close(grid_terms(warp.theta, first_sample_only=True), expected["losses"])
