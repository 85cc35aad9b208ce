"""The denoiser's input."""

from __future__ import annotations

import pytest
import torch

from ladi.models.unet import check_unet, extend_input_channels, unet_input, unet_input_channels
from ladi.types import ModelError
from tests.toy import LATENT_CHANNELS, TEXT_WIDTH, toy_unet


def test_published_number_of_channels():
    """Prevents: a forgotten input."""
    assert unet_input_channels(4) == 31


def test_order_of_inputs():
    """Prevents: swapped inputs, which still have the right number of channels."""
    sizes = {"noisy": 4, "mask": 1, "person": 4, "pose": 18, "garment": 4}
    parts = {
        name: torch.full((1, size, 2, 2), float(index)) for index, (name, size) in enumerate(sizes.items())
    }
    joined = unet_input(parts.pop("noisy"), **parts)
    expected = torch.repeat_interleave(torch.arange(5.0), torch.tensor(list(sizes.values())))
    assert torch.equal(joined[0, :, 0, 0], expected)


def test_new_channels_begin_as_the_old_network(tmp_path):
    """Prevents: training that starts from a disturbed model, or a saved config that no longer fits."""
    inpainting = toy_unet(9).eval()
    sample, text = torch.randn(1, 31, 16, 12), torch.randn(1, 7, TEXT_WIDTH)
    with torch.no_grad():
        before = inpainting(sample[:, :9], 10, text).sample
        extended = extend_input_channels(inpainting, 31)
        assert torch.allclose(extended(sample, 10, text).sample, before, atol=1e-6)
    extended.save_pretrained(tmp_path)
    assert type(extended).from_pretrained(tmp_path).config.in_channels == 31


def test_channels_cannot_shrink():
    """Prevents: silently dropping trained inputs."""
    with pytest.raises(ValueError, match="at least 9"):
        extend_input_channels(toy_unet(9), 4)


def test_unet_of_another_model_is_refused():
    """Prevents: a shape error deep in the first convolution instead of a sentence."""
    check_unet(toy_unet(), LATENT_CHANNELS, TEXT_WIDTH)
    with pytest.raises(ModelError, match="9 input channels"):
        check_unet(toy_unet(9), LATENT_CHANNELS, TEXT_WIDTH)
    with pytest.raises(ModelError, match="puts out 4 channels"):
        check_unet(toy_unet(43), 8, TEXT_WIDTH)
    with pytest.raises(ModelError, match="text of width 16"):
        check_unet(toy_unet(), LATENT_CHANNELS, 1024)
