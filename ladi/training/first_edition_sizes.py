"""The first edition of the embedded model, untrained: LaDI-VTON's networks in sizes for 256×192.

The same classes as the published model with other numbers. How they are trained and put together is
``first_edition.py``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.emasc import EMASC
from ladi.models.garment_skips import GarmentSkips
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.refinement import RefinementUNet
from ladi.models.tokenizer import build_tokenizer
from ladi.models.tps import ThinPlateSplineWarp
from ladi.models.unet import unet_input_channels
from ladi.models.vae import EmascAutoencoderKL
from ladi.types import Size

SIZE: Size = (256, 192)
WORD_WIDTH = 192
LATENT_CHANNELS = 8
COLOUR_SENSITIVITY = 5.0


def build_vae() -> EmascAutoencoderKL:
    """Widths 16–128 and no attention, so that crops train what whole pictures need.

    Eight latent channels instead of the published four: a small autoencoder cannot get a garment's pattern
    through four. Two norm groups, because pairs of channels normalised by themselves forget their colour.
    """
    autoencoder = EmascAutoencoderKL(
        block_out_channels=(16, 24, 64, 128),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=2,
        mid_block_add_attention=False,
    )
    # Colour differences are far smaller than differences of brightness: unless the first convolution starts
    # out more sensitive to them, training takes hours to find that there are colours.
    with torch.no_grad():
        weight = autoencoder.encoder.conv_in.weight
        grey = weight.mean(1, keepdim=True)
        weight.copy_(grey + COLOUR_SENSITIVITY * (weight - grey))
    return autoencoder


def build_unet() -> UNet2DConditionModel:
    """Widths 64–256, attention at the two lower resolutions only; norm groups about as wide as published."""
    return UNet2DConditionModel(
        sample_size=SIZE[0] // 8,
        in_channels=unet_input_channels(LATENT_CHANNELS),
        out_channels=LATENT_CHANNELS,
        block_out_channels=(64, 128, 256),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4, 8),
        cross_attention_dim=WORD_WIDTH,
        use_linear_projection=True,
        norm_num_groups=8,
    )


def build_scheduler() -> DDIMScheduler:
    """The network predicts the clean latent, from pure noise on.

    Every timestep then teaches the same thing, which a short training needs, and the first step already
    decides colours. The published model predicts noise.
    """
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )


def build_pipeline(tokenizer_folder: Path) -> LadiVtonPipeline:
    """The untrained pipeline.

    Args:
        tokenizer_folder: where the tokenizer's files are written.
    """
    autoencoder = build_vae()
    incoming, outgoing = autoencoder.skip_channels
    tokenizer = build_tokenizer(tokenizer_folder)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WORD_WIDTH,
        intermediate_size=4 * WORD_WIDTH,
        projection_dim=WORD_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=6,
        max_position_embeddings=77,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    vision = CLIPVisionConfig(
        hidden_size=192,
        intermediate_size=768,
        projection_dim=WORD_WIDTH,
        num_hidden_layers=4,
        num_attention_heads=6,
        image_size=64,
        patch_size=8,
        hidden_act="gelu",
    )
    return LadiVtonPipeline(
        vae=autoencoder,
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        vision_encoder=CLIPVisionModel(vision),
        inversion_adapter=InversionAdapter(
            hidden_size=192,
            intermediate_size=768,
            num_heads=6,
            mlp_width=512,
            num_words=16,
            word_dim=WORD_WIDTH,
            dropout=0.1,
        ),
        tps=ThinPlateSplineWarp(
            height=SIZE[0] // 2,
            width=SIZE[1] // 2,
            widths=(32, 64, 128, 256),
            regression_widths=(256, 128, 64, 32),
        ),
        refinement=RefinementUNet(widths=(16, 32, 64, 128)),
        emasc=EMASC(incoming, outgoing),
        unet=build_unet(),
        scheduler=build_scheduler(),
        garment_skips=GarmentSkips(incoming, outgoing, hidden_channels=(16, 24, 32, 48, 64)),
        default_steps=2,
        default_guidance=1.0,
        height=SIZE[0],
        width=SIZE[1],
    )
