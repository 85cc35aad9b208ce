"""The embedded model's autoencoder: the same promises as Stable Diffusion's, and colours from the start."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ladi.models.laying import LaidGarment, lay_garment
from ladi.models.shuffle_vae import ShuffleAutoencoder
from ladi.types import LAYERS

PICTURE = (2, 3, 32, 24)


@pytest.fixture
def vae() -> ShuffleAutoencoder:
    torch.manual_seed(0)
    model = ShuffleAutoencoder(
        latent_channels=4, widths=(8, 8, 16), encoder_units=(1, 1, 1), decoder_units=(1, 1, 1), layers=4
    ).eval()
    for name, parameter in model.named_parameters():
        if "conv2" in name:  # as if trained: fresh units are the identity
            torch.nn.init.normal_(parameter, std=0.1)
    return model


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.randn(PICTURE, generator=torch.Generator().manual_seed(1)).tanh()


@torch.no_grad()
def test_shapes_agree_with_what_it_says_of_itself(vae, picture) -> None:
    """Prevents: EMASC and garment skips built for other widths than the decoder has."""
    moments, features = vae.encode_with_features(picture)
    incoming, outgoing = vae.skip_channels
    assert moments.shape == (2, 8, 32 // vae.scale_factor, 24 // vae.scale_factor)
    assert tuple(feature.shape[1] for feature in features) == incoming
    seen = []
    pictures, logits = vae.decode_with_layers(
        moments[:, :4], adapt=lambda depth, hidden: seen.append((depth, hidden.shape[1])) or hidden * 0
    )
    assert pictures.shape == PICTURE and logits.shape == (2, 4, 32, 24)
    assert sorted(seen) == list(enumerate(outgoing))


@torch.no_grad()
def test_skips_of_zero_change_nothing_and_others_do(vae, picture) -> None:
    moments, features = vae.encode_with_features(picture)
    latents = moments[:, :4]
    plain = vae.decode_with_skips(latents)
    nothing = [torch.zeros_like(feature) for feature in features]
    assert torch.equal(vae.decode_with_skips(latents, nothing), plain)
    for depth in range(len(features)):
        one = list(nothing)
        one[depth] = torch.randn_like(features[depth])
        assert not torch.allclose(vae.decode_with_skips(latents, one), plain)


@torch.no_grad()
def test_slicing_changes_memory_only(vae, picture) -> None:
    whole, features = vae.encode_with_features(picture)
    vae.enable_slicing()
    sliced, pieces = vae.encode_with_features(picture)
    assert torch.allclose(whole, sliced, atol=1e-6)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(features, pieces, strict=True))


@torch.no_grad()
def test_the_straight_path_alone_carries_colour() -> None:
    """Prevents: hours of training until the first colours, which group norm had cost before."""
    vae = ShuffleAutoencoder(
        latent_channels=3, widths=(8, 8, 8), encoder_units=(1, 1, 1), decoder_units=(1, 1, 1)
    )
    for part in (vae.encoder.head[1], vae.decoder.exit, vae.encoder.patches, vae.decoder.patches):
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    for channel in range(3):  # each patch's mean colour, there and back
        vae.encoder.patches.weight[channel, channel] = 1 / 64
        vae.decoder.patches.weight[channel, channel] = 1
    red = torch.tensor([0.8, -0.5, -0.4]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    moments, _ = vae.encode_with_features(red)
    assert torch.allclose(vae.decode_with_skips(moments[:, :3]), red, atol=1e-5)


@torch.no_grad()
def test_without_a_head_the_latent_is_linear(picture) -> None:
    """Prevents: a person and a garment whose latents do not add up to one wearing the other."""
    sizes = {"latent_channels": 4, "widths": (8, 8, 16), "encoder_units": (1, 1, 0)}
    vae = ShuffleAutoencoder(**sizes, decoder_units=(1, 1, 1), head=False).eval()
    mean, nothing = vae.encoder.mean(picture), vae.encoder.mean(picture * 0)
    assert torch.allclose(vae.encoder.mean(picture * 0.5), (mean + nothing) / 2, atol=1e-5)
    assert torch.equal(vae.encode_with_features(picture)[0][:, :4], mean)


def test_the_garment_itself_is_laid_where_one_shows() -> None:
    """Prevents: white cloth that turns grey, cloth on bare arms, cloth hidden because it pays."""
    painted = torch.zeros(1, 3, 16, 16)
    white = torch.ones(1, 3, 16, 16)
    matte = torch.zeros(1, 1, 16, 16)
    matte[..., 4:12, :] = 1
    matte[..., 3, :] = 0.5
    logits = torch.zeros(1, len(LAYERS), 16, 16)
    logits[:, LAYERS.index("garment"), :, :8] = 40
    logits[:, LAYERS.index("skin"), :, 8:] = 40
    logits.requires_grad_(True)
    light = torch.zeros(1, 4, 16, 16, requires_grad=True)
    laid = lay_garment(painted, logits, light, LaidGarment(white * matte, matte))
    assert torch.allclose(laid[..., 4:12, :8], torch.tensor(1.0)) and laid[..., 8:].abs().max() < 1e-6
    assert torch.allclose(laid[..., 3, :8], torch.tensor(0.5))  # half of it, not half of grey
    assert not laid[..., :3, :].any()
    laid.sum().backward()
    assert logits.grad is None and light.grad is not None and light.grad.abs().max() > 0


@torch.no_grad()
def test_the_decoder_lays_what_it_is_given(picture) -> None:
    sizes = {"latent_channels": 4, "widths": (8, 8, 16), "encoder_units": (1, 1, 0)}
    vae = ShuffleAutoencoder(**sizes, decoder_units=(1, 1, 1), layers=4, light=True, head=False).eval()
    mean = vae.encoder.mean(picture)
    plain, logits = vae.decode_with_layers(mean)
    assert logits.shape == (2, 4, 32, 24)
    garment = LaidGarment(torch.ones_like(picture), torch.ones(2, 1, 32, 24))
    laid, _ = vae.decode_with_layers(mean, laid=garment)
    assert not torch.allclose(laid, plain)


@torch.no_grad()
def test_saved_and_loaded_it_is_the_same(vae, picture, tmp_path: Path) -> None:
    vae.save_pretrained(tmp_path)
    again = ShuffleAutoencoder.from_pretrained(tmp_path)
    noise = torch.zeros(2, 4, 4, 3)
    assert torch.allclose(again(picture, noise)[1], vae(picture, noise)[1], atol=1e-6)
