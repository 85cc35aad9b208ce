"""Networks that stay in float32."""

from __future__ import annotations

import pytest
import torch

from ladi.models.refinement import RefinementUNet
from tests.toy import toy_parts

HALVES = [torch.float16, torch.bfloat16]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ["tps", "refinement"])
def test_casting_changes_no_weight(name, dtype):
    """Prevents: a warp rounded to half precision, which moves pixels, or mixed precisions that crash."""
    network = toy_parts()[name]
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    network.to(dtype=dtype)
    for key, tensor in network.state_dict().items():
        assert tensor.dtype == before[key].dtype
        assert torch.equal(tensor, before[key])


def test_other_casts_and_moves_still_work():
    """Prevents: a network that cannot be moved, or not be made float64."""
    network = RefinementUNet(widths=(4, 4, 8, 8))
    assert network.double().dtype == torch.float64
    assert network.float().to("meta", torch.float16).outc.conv.weight.device.type == "meta"


@pytest.mark.parametrize("dtype", HALVES)
def test_loading_in_half_precision_keeps_float32(tmp_path, dtype):
    """Prevents: diffusers' loading, which does not pass through casts, rounding what a cast would keep."""
    network = RefinementUNet(widths=(4, 4, 8, 8))
    network.save_pretrained(tmp_path)
    loaded = RefinementUNet.from_pretrained(tmp_path, torch_dtype=dtype)
    for key, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], tensor)
