"""The content filter and the preview decoder, with toy networks of the real classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor

from ladi.runtime.content import ContentFilter, FilterChoice
from ladi.runtime.extras import FILTER, PREVIEWS, STABLE_DIFFUSION_SCALING, load_extras
from ladi.types import ContentError, ModelError
from tests.toy import toy_pipeline

SAFETY_CHECKER = FilterChoice("safety-checker")
PICTURE = np.full((64, 48, 3), 128, np.uint8)


@pytest.fixture
def nothing_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)


def write_filter(folder: Path, threshold: float) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        vision_config=sizes | {"image_size": 32, "patch_size": 16}, text_config=sizes, projection_dim=8
    )
    checker = StableDiffusionSafetyChecker(config)
    for weights in (checker.concept_embeds_weights, checker.special_care_embeds_weights):
        weights.data.fill_(threshold)
    checker.save_pretrained(folder / FILTER)
    size = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(folder / FILTER)


def test_the_safety_checker_refuses_in_words_or_lets_pass(tmp_path: Path) -> None:
    """Prevents: a black picture without a word, and a filter that is switched on and never looks."""

    def load() -> ContentFilter:
        looking = load_extras(toy_pipeline(), content_filter=SAFETY_CHECKER, models=tmp_path).content_filter
        assert looking is not None
        return looking

    write_filter(tmp_path, -2.0)  # no similarity is below it
    with pytest.raises(ContentError, match="content filter .* another photo, garment or seed"):
        load().check_results([PICTURE])
    write_filter(tmp_path, 2.0)
    load().check_results([PICTURE, PICTURE])


def test_what_is_not_there_is_named_with_its_command(tmp_path: Path, nothing_cached: None) -> None:
    """Prevents: a download that nobody asked for, or a server that runs without the filter it was given."""
    with pytest.raises(ModelError, match="hf download CompVis/stable-diffusion-safety-checker"):
        load_extras(toy_pipeline(), content_filter=SAFETY_CHECKER, models=tmp_path)
    pipeline = toy_pipeline()
    pipeline.vae.register_to_config(scaling_factor=STABLE_DIFFUSION_SCALING)
    with pytest.raises(ModelError, match="hf download madebyollin/taesd"):
        load_extras(pipeline, fast_previews=True, models=tmp_path)


def test_off_is_the_default_and_asks_for_nothing(tmp_path: Path, nothing_cached: None) -> None:
    extras = load_extras(toy_pipeline(), models=tmp_path)
    assert extras.content_filter is None and extras.preview_decoder is None


def test_previews_only_for_latents_that_the_small_decoder_knows(tmp_path: Path) -> None:
    """Prevents: previews in false colours for the embedded model, whose latents are its own."""
    tiny = AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )
    tiny.save_pretrained(tmp_path / PREVIEWS)
    pipeline = toy_pipeline()
    pipeline.vae.register_to_config(scaling_factor=0.5)
    assert load_extras(pipeline, fast_previews=True, models=tmp_path).preview_decoder is None
    pipeline.vae.register_to_config(scaling_factor=STABLE_DIFFUSION_SCALING)
    decoder = load_extras(pipeline, fast_previews=True, models=tmp_path).preview_decoder
    assert decoder.decode(torch.zeros(1, 4, 8, 6)).sample.shape == (1, 3, 64, 48)
