"""The refinement U-Net at toy size."""

from __future__ import annotations

import pytest
import torch

from ladi.models.refinement import RefinementUNet


@pytest.mark.parametrize("size", [(64, 48), (50, 38)])
def test_any_picture_size(size):
    """Prevents: a crash where a size is no multiple of 16 and halves round down."""
    refined = RefinementUNet(widths=(4, 4, 8, 8))(torch.randn(2, 24, *size))
    assert refined.shape == (2, 3, *size)


def test_lowest_level_reaches_the_output():
    """Prevents: an up-path that ignores what comes from below."""
    refinement = RefinementUNet(widths=(4, 4, 8, 8)).eval()
    sample = torch.randn(1, 24, 64, 48)
    before = refinement(sample)
    with torch.no_grad():
        refinement.down4.maxpool_conv[1].double_conv[0].weight.mul_(-1)
    assert not torch.equal(refinement(sample), before)
