"""A try-on pipeline of real classes at toy size, with random weights, and inputs that fit it.

Builds in under a second, so each test may have its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    SegformerConfig,
    SegformerForSemanticSegmentation,
)

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.emasc import EMASC
from ladi.models.garment_skips import GarmentSkips
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.refinement import RefinementUNet
from ladi.models.shuffle_vae import ShuffleAutoencoder
from ladi.models.tokenizer import build_tokenizer
from ladi.models.tps import ThinPlateSplineWarp
from ladi.models.unet import CompositeUNet, unet_input_channels
from ladi.models.vae import EmascAutoencoderKL
from ladi.types import LAYERS

HEIGHT, WIDTH = 64, 48
TEXT_WIDTH, VISION_WIDTH, LATENT_CHANNELS, WORDS = 16, 24, 4, 4


def toy_vae() -> EmascAutoencoderKL:
    """Three depths, so pictures are 4 times the latent."""
    return EmascAutoencoderKL(
        block_out_channels=(8, 8, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=4,
    )


def toy_unet(in_channels: int | None = None) -> UNet2DConditionModel:
    """Two depths, attention at the lower one."""
    return UNet2DConditionModel(
        sample_size=None,
        in_channels=in_channels or unet_input_channels(LATENT_CHANNELS),
        out_channels=LATENT_CHANNELS,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=2,
        norm_num_groups=4,
        use_linear_projection=True,
    )


def toy_parts() -> dict[str, Any]:
    """The pipeline's components by name."""
    torch.manual_seed(0)
    tokenizer = build_tokenizer(max_length=32)
    vae = toy_vae()
    features, skips = vae.skip_channels
    return {
        "vae": vae,
        "tokenizer": tokenizer,
        "text_encoder": CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=TEXT_WIDTH,
                intermediate_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=32,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        ),
        "vision_encoder": CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=VISION_WIDTH,
                intermediate_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=32,
                patch_size=8,
            )
        ),
        "inversion_adapter": InversionAdapter(
            hidden_size=VISION_WIDTH,
            intermediate_size=32,
            num_heads=2,
            mlp_width=32,
            num_words=WORDS,
            word_dim=TEXT_WIDTH,
        ),
        "tps": ThinPlateSplineWarp(
            height=64, width=64, widths=(4, 4, 8, 8), regression_widths=(8, 8, 8, 8), grid_size=3
        ),
        "refinement": RefinementUNet(widths=(4, 4, 8, 8)),
        "emasc": EMASC(in_channels=features, out_channels=skips),
        "garment_skips": toy_garment_skips(features, skips),
        "unet": toy_unet(),
        "scheduler": DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
    }


def toy_garment_skips(features: tuple[int, ...], skips: tuple[int, ...]) -> GarmentSkips:
    """As if trained: fresh ones add nothing."""
    module = GarmentSkips(features, skips, hidden_channels=(4,) * len(features))
    for unit in module.conv:
        torch.nn.init.normal_(unit[-1].weight, std=0.3)
    return module


def toy_pipeline(**parts: Any) -> LadiVtonPipeline:
    """In evaluation mode, with defaults of 2 steps at guidance 3; ``parts`` replace components."""
    pipeline = LadiVtonPipeline(
        **{**toy_parts(), **parts}, default_steps=2, default_guidance=3.0, height=HEIGHT, width=WIDTH
    )
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def toy_segformer(labels: int = 18) -> SegformerForSemanticSegmentation:
    """A parser of the kind that full-size models borrow."""
    config = SegformerConfig(
        num_labels=labels,
        depths=[1, 1, 1, 1],
        hidden_sizes=[4, 4, 8, 8],
        num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=8,
    )
    return SegformerForSemanticSegmentation(config).eval()


def toy_inputs(people: int = 1, seed: int = 0) -> dict[str, torch.Tensor]:
    """Different people and garments, each with a box to repaint: the tensors of a pipeline call."""
    generator = torch.Generator().manual_seed(seed)

    def picture(channels: int) -> torch.Tensor:
        small = torch.randn(people, channels, 8, 6, generator=generator)
        return torch.nn.functional.interpolate(small, (HEIGHT, WIDTH), mode="bilinear")

    mask = torch.zeros(people, 1, HEIGHT, WIDTH)
    mask[:, :, 20:44, 12:36] = 1
    return {
        "image": picture(3).tanh(),
        "mask": mask,
        "pose_map": picture(18).sigmoid(),
        "garment": picture(3).tanh(),
    }


def seeded(*seeds: int) -> list[torch.Generator]:
    """One generator per picture."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Equal but for the order of sums, which depends on how memory happens to be aligned."""
    return bool(np.abs(first - second).max() < 1e-5)


def pictures(pipeline: LadiVtonPipeline, people: int = 1, seed: int = 3, **arguments) -> np.ndarray:
    """(B,H,W,3) of the toy people, from one generator unless given others."""
    arguments.setdefault("generator", torch.Generator().manual_seed(seed))
    if "conditions" not in arguments:
        arguments = {**toy_inputs(people), **arguments}
    return pipeline(**arguments, output_type="np").images


def toy_matte_pipeline() -> LadiVtonPipeline:
    """Of the embedded model's kind: told the garment's matte, with a decoder that tells layers apart."""
    torch.manual_seed(1)
    vae = ShuffleAutoencoder(
        latent_channels=LATENT_CHANNELS,
        widths=(8, 8),
        encoder_units=(1, 1),
        decoder_units=(1, 1),
        layers=len(LAYERS),
    )
    features, skips = vae.skip_channels
    return toy_pipeline(
        vae=vae,
        emasc=EMASC(in_channels=features, out_channels=skips),
        garment_skips=toy_garment_skips(features, skips),
        unet=CompositeUNet.from_config(toy_unet(unet_input_channels(LATENT_CHANNELS, matte=True)).config),
        garment_matte=True,
    )
