"""Networks with the reference's weights, loaded strictly under the published key names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.emasc import EMASC
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.models.unet import unet_input_channels
from ladi.models.vae import EmascAutoencoderKL
from ladi.weights.renames import rename_text_encoder_keys, rename_vae_keys
from tests.toy import VISION_WIDTH, toy_pipeline

PLACEHOLDER_ID = 259
PUBLISHED_UNET: dict[str, Any] = {
    "in_channels": unet_input_channels(4),
    "out_channels": 4,
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}
Fill = Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]


def published_state(names: Mapping[str, list[int]], fill: Fill) -> dict[str, torch.Tensor]:
    """Filled weights for exactly the keys and shapes of a published file."""
    integers = {key for key in names if key.endswith(("num_batches_tracked", "position_ids"))}
    return fill(
        {
            key: torch.zeros(shape, dtype=torch.long if key in integers else torch.float32)
            for key, shape in names.items()
        }
    )


def manifest(reference_dir: Path, name: str = "manifest.json") -> dict:
    """Keys and shapes of the published files."""
    return json.loads((reference_dir / name).read_text())


def filled_tps(reference_dir: Path, fill: Fill) -> ThinPlateSplineWarp:
    """As the reference's README says: grid constants and the last bias as built, the last weight × 0.05."""
    tps = ThinPlateSplineWarp().eval()
    state = published_state(manifest(reference_dir)["warping.tps"], fill)
    built = tps.state_dict()
    for key in state:
        if key.startswith("gridGen.") or key == "loc_net.regression.linear.bias":
            assert built[key].shape == state[key].shape
            state[key] = built[key]
    state["loc_net.regression.linear.weight"] *= 0.05
    tps.load_state_dict(state)
    return tps


def filled_refinement(reference_dir: Path, fill: Fill) -> RefinementUNet:
    """Every key of the published file, filled."""
    refinement = RefinementUNet().eval()
    refinement.load_state_dict(published_state(manifest(reference_dir)["warping.refinement"], fill))
    return refinement


def filled_text_encoder(reference_dir: Path, fill: Fill) -> CLIPTextModel:
    """The toy text encoder, from a file of 2023's key names."""
    encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=1000,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=77,
            hidden_act="gelu",
            pad_token_id=1,
            bos_token_id=998,
            eos_token_id=999,
        )
    ).eval()
    state = published_state(manifest(reference_dir, "tiny_manifest.json")["text_encoder"], fill)
    encoder.load_state_dict(rename_text_encoder_keys(state))
    return encoder


def empty_ids() -> torch.Tensor:
    """Two token rows without a word."""
    ids = torch.full((2, 77), 999)
    ids[:, 0] = 998
    return ids


def text_ids() -> torch.Tensor:
    """The reference's two token rows: words, then sixteen placeholders."""
    ids = empty_ids()
    ids[0, 1:9], ids[0, 9:25] = torch.arange(10, 18), PLACEHOLDER_ID
    ids[1, 1:8], ids[1, 8:24] = torch.arange(20, 27), PLACEHOLDER_ID
    return ids


def filled_pipeline(reference_dir: Path, fill: Fill) -> LadiVtonPipeline:
    """The pipeline with the reference's VAE, UNet, EMASC and text encoder; the rest is toy and not run."""
    vae = EmascAutoencoderKL(
        block_out_channels=(32, 32, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=32,
        scaling_factor=0.18215,
    )
    unet = UNet2DConditionModel(
        in_channels=unet_input_channels(4),
        out_channels=4,
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        norm_num_groups=32,
    )
    emasc = EMASC(in_channels=(32, 32, 32, 32, 64), out_channels=(32, 32, 64, 64, 64))
    names = manifest(reference_dir, "tiny_manifest.json")
    vae.load_state_dict(rename_vae_keys(published_state(names["vae"], fill)))
    unet.load_state_dict(published_state(names["unet"], fill))
    emasc.load_state_dict(published_state(names["emasc"], fill))
    adapter = InversionAdapter(
        hidden_size=VISION_WIDTH, intermediate_size=32, num_heads=2, mlp_width=32, word_dim=32
    )
    return toy_pipeline(
        vae=vae,
        unet=unet,
        emasc=emasc,
        text_encoder=filled_text_encoder(reference_dir, fill),
        garment_skips=None,
        inversion_adapter=adapter,
    )
