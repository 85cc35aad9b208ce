"""Models that are told where the garment is: on mid-grey, with the warped matte beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ladi.diffusion.compare import Cell, run_cells
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.unet import unet_input
from ladi.settings import Switches
from ladi.types import LAYERS, SettingError
from tests.toy import HEIGHT, TEXT_WIDTH, WIDTH, seeded, toy_inputs, toy_matte_pipeline, toy_pipeline


@pytest.fixture(scope="module")
def pipeline() -> LadiVtonPipeline:
    return toy_matte_pipeline()


def inputs(share: float = 1.0) -> dict[str, torch.Tensor]:
    return {**toy_inputs(), "garment_matte": torch.full((1, 1, HEIGHT, WIDTH), share)}


def test_where_there_is_no_garment_the_warp_is_grey(pipeline) -> None:
    """Prevents: white cloth that cannot be told from the white around it."""
    nothing = pipeline.encode_conditions(**inputs(0.0))
    assert nothing.warped_garment.abs().max() == 0
    whole = pipeline.encode_conditions(**inputs(1.0))
    assert whole.warped_garment.abs().max() > 0
    assert (whole.warped_garment * (1 - whole.mask)).abs().max() == 0
    assert whole.warped_matte.shape == (1, 1, HEIGHT, WIDTH)


def test_the_matte_reaches_the_unet(pipeline) -> None:
    seen = []
    hook = pipeline.unet.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    try:
        pipeline(**inputs(), generator=seeded(3), output_type="latent")
        pipeline(
            **inputs(), generator=seeded(3), output_type="latent", switches=Switches(warped_garment=False)
        )
    finally:
        hook.remove()
    unconditional, conditional = seen[0].chunk(2)
    assert unconditional[:, -1].abs().max() == 0 and conditional[:, -1].max() > 0.5
    assert seen[-1][:, -1].abs().max() == 0  # what leaves the garment out leaves its matte out


def test_a_comparison_leaves_the_matte_out_too(pipeline) -> None:
    """Prevents: a cell "without the warped garment" that is still told its outline."""
    conditions = pipeline.encode_conditions(**inputs())
    off = Switches(warped_garment=False)
    cell = Cell("off", request_index=0, steps=2, guidance=3.0, seed=5, sampler=None, switches=off)
    [made] = run_cells(pipeline, [conditions], [cell])
    alone = pipeline(conditions=conditions, switches=off, generator=seeded(5), output_type="pt").images
    assert np.abs((made.image[0] + 1).numpy() / 2 - alone[0].numpy()).max() < 1e-4
    assert made.layers.shape == (1, len(LAYERS), HEIGHT, WIDTH)


def test_without_a_matte_it_says_so(pipeline) -> None:
    with pytest.raises(SettingError, match="garment_matte"):
        pipeline(**toy_inputs())


def test_other_models_make_no_use_of_it() -> None:
    """Prevents: a published model whose garments are put on grey."""
    plain = toy_pipeline()
    with_matte = plain(**inputs(0.0), generator=seeded(3), output_type="np").images
    assert np.array_equal(plain(**toy_inputs(), generator=seeded(3), output_type="np").images, with_matte)
    assert plain.encode_conditions(**inputs(0.0)).warped_matte is None


@torch.no_grad()
@pytest.mark.parametrize(("bias", "believed"), [(40.0, 1.0), (-40.0, 0.0)])
def test_the_unet_takes_what_is_known_as_far_as_it_believes_it(bias: float, believed: float) -> None:
    """Prevents: channels counted wrongly, so that pose or noise is laid on the person."""
    unet = toy_matte_pipeline().unet
    unet.grey += 0.3
    torch.nn.init.zeros_(unet.conv_out.weight[-1:])
    unet.conv_out.bias[-1] = bias
    noisy, person, garment = (torch.randn(1, 4, 8, 6) for _ in range(3))
    mask = torch.zeros(1, 1, 8, 6)
    mask[..., 2:] = 1
    matte = torch.zeros(1, 1, 8, 6)
    matte[..., 4:] = 1
    sample = unet_input(
        noisy,
        mask=mask,
        person=person,
        pose=torch.rand(1, 18, 8, 6),
        garment=torch.cat([garment, matte], dim=1),
    )
    text = torch.zeros(1, 3, TEXT_WIDTH)
    answer = unet(sample, 10, encoder_hidden_states=text).sample
    assert torch.equal(unet(sample, 10, encoder_hidden_states=text, return_dict=False)[0], answer)
    laid_on = person + garment - 0.3
    agrees = (answer - laid_on).abs().amax(1) < 1e-5
    assert agrees[..., :2].all() == bool(believed) and agrees[..., 4:].all() == bool(believed)
    assert not agrees[..., 2:4].any()


@torch.no_grad()
def test_layers_are_probabilities_and_slicing_keeps_them(pipeline) -> None:
    conditions = pipeline.encode_conditions(
        **{name: torch.cat([value] * 2) for name, value in inputs().items()}
    )
    latents = torch.randn(2, 4, HEIGHT // 4, WIDTH // 4, generator=torch.Generator().manual_seed(0))
    pictures, layers = pipeline.decode_with_layers(latents, conditions)
    assert torch.allclose(layers.sum(1), torch.ones(2, HEIGHT, WIDTH), atol=1e-5)
    pipeline.vae.enable_slicing()
    try:
        sliced, again = pipeline.decode_with_layers(latents, conditions)
    finally:
        pipeline.vae.disable_slicing()
    assert torch.allclose(pictures, sliced, atol=1e-5) and torch.allclose(layers, again, atol=1e-5)


def test_saved_and_loaded_it_still_asks_for_the_matte(pipeline, tmp_path: Path) -> None:
    pipeline.save_pretrained(tmp_path)
    again = LadiVtonPipeline.from_pretrained(tmp_path)
    assert again.config.garment_matte
    again.set_progress_bar_config(disable=True)
    first, second = (
        each(**inputs(), generator=seeded(3), output_type="np").images for each in (pipeline, again)
    )
    assert np.abs(first - second).max() < 1e-5
