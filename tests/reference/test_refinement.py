"""The refinement U-Net against the published implementation."""

from __future__ import annotations

import numpy as np
import torch

from tests.reference.filled import filled_refinement


def test_refinement(reference_dir, fill, values, assert_close):
    """Prevents: skips joined in the other order, another up-sampling, batch norm in training mode."""
    expected = np.load(reference_dir / "refinement.npz")
    sample = torch.tanh(values("refine_in", (1, 24, 128, 96)))
    with torch.no_grad():
        refined = filled_refinement(reference_dir, fill)(sample)
    assert_close(refined[:, :, ::2, ::2], expected["out"])
