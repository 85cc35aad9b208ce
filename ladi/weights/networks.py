"""The networks of a full-size model without their weights, and the sizes that no file's shapes tell.

A network built on PyTorch's ``meta`` device takes no memory, but knows every key and shape that its file must
have. Only the classes named here are ever built, whatever a configuration file asks for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ladi.models.unet import unet_input_channels
from ladi.types import ModelError

PSEUDO_WORDS = 16
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """The sizes of a model; a base folder's own configurations come before the first three."""

    unet: Config
    vae: Config
    text_encoder: Config
    vision_encoder: Config
    scheduler: Config
    """What the UNet was trained with: it overrides the base's."""
    tps: Config = field(default_factory=dict)
    """Here and below, what differs from the class's defaults, which are the published sizes."""
    refinement: Config = field(default_factory=dict)
    inversion_adapter: Config = field(default_factory=dict)
    size: tuple[int, int] = (512, 384)
    """Height and width of its pictures."""
    steps: int = 50
    guidance: float = 7.5


PUBLISHED = Recipe(
    unet={
        "out_channels": 4,
        "block_out_channels": [320, 640, 1280, 1280],
        "layers_per_block": 2,
        "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
        "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
        "attention_head_dim": [5, 10, 20, 20],
        "cross_attention_dim": 1024,
        "use_linear_projection": True,
        "sample_size": 64,
    },
    vae={
        "block_out_channels": [128, 256, 512, 512],
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
        "layers_per_block": 2,
        "latent_channels": 4,
        "scaling_factor": 0.18215,
    },
    text_encoder={
        "vocab_size": 49408,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 23,
        "num_attention_heads": 16,
        "max_position_embeddings": 77,
        "hidden_act": "gelu",
        "bos_token_id": 49406,
        "eos_token_id": 49407,
        "pad_token_id": 1,
    },
    vision_encoder={
        "hidden_size": 1280,
        "intermediate_size": 5120,
        "projection_dim": 1024,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "image_size": 224,
        "patch_size": 14,
        "hidden_act": "gelu",
    },
    scheduler={
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": "epsilon",
        "steps_offset": 1,
        "clip_sample": False,
        "set_alpha_to_one": False,
    },
)
"""Design facts of the published checkpoints: the two data sets differ in nothing but values."""

DIFFUSERS = {
    "BendingRefinement": "ladi.models.bending",
    "CompositeUNet": "ladi.models.unet",
    "EMASC": "ladi.models.emasc",
    "EmascAutoencoderKL": "ladi.models.vae",
    "GarmentLining": "ladi.models.lining",
    "GarmentMatting": "ladi.models.matting",
    "GarmentSkips": "ladi.models.garment_skips",
    "HumanParser": "ladi.models.parser",
    "InversionAdapter": "ladi.models.inversion_adapter",
    "RefinementUNet": "ladi.models.refinement",
    "ShuffleAutoencoder": "ladi.models.shuffle_vae",
    "SleeveLength": "ladi.models.sleeves",
    "ThinPlateSplineWarp": "ladi.models.tps",
    "UNet2DConditionModel": "diffusers",
}
TRANSFORMERS = {
    "CLIPTextModel": "CLIPTextConfig",
    "CLIPVisionModel": "CLIPVisionConfig",
    "CLIPVisionModelWithProjection": "CLIPVisionConfig",
}
COMPONENTS = {
    "vae": "EmascAutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "vision_encoder": "CLIPVisionModel",
    "inversion_adapter": "InversionAdapter",
    "tps": "ThinPlateSplineWarp",
    "refinement": "RefinementUNet",
    "emasc": "EMASC",
    "unet": "UNet2DConditionModel",
}
"""The networks of a converted model and their classes."""


def build(kind: str, config: Config) -> Any:
    """A network of a known class on the ``meta`` device.

    Raises:
        ModelError: an unknown class, or a configuration that it does not take.
    """
    if kind not in DIFFUSERS and kind not in TRANSFORMERS:
        raise ModelError(f"{kind} is no class of this project's models: use parts that were saved by it.")
    config = {key: value for key, value in config.items() if not key.startswith("_")}
    try:
        with torch.device("meta"):
            if kind in DIFFUSERS:
                network = getattr(importlib.import_module(DIFFUSERS[kind]), kind).from_config(config)
            else:
                library = importlib.import_module("transformers")
                sizes = getattr(library, TRANSFORMERS[kind])
                # Files of 2023 carry dozens of keys that are no sizes, some of which are refused today.
                known = sizes().to_dict().keys() - {"architectures", "dtype", "transformers_version"}
                network = getattr(library, kind)(
                    sizes(**{key: config[key] for key in config if key in known})
                )
    except Exception as error:  # each class has its own complaints about sizes
        raise ModelError(
            f"The configuration of {kind} cannot be used ({error}): take the one that belongs to the weights."
        ) from error
    return network.eval()


def build_parts(recipe: Recipe, configs: Mapping[str, Config]) -> dict[str, nn.Module]:
    """Every network of a model by its name in the pipeline, on the ``meta`` device.

    Args:
        recipe: sizes for whatever ``configs`` does not have.
        configs: of ``vae``, ``text_encoder``, ``vision_encoder`` and ``unet``, as found beside their weights.
    """
    sizes = {name: configs.get(name) or getattr(recipe, name) for name in ("vae", "unet")}
    sizes |= {name: configs.get(name) or getattr(recipe, name) for name in ("text_encoder", "vision_encoder")}
    latent = dict(sizes["vae"]).get("latent_channels", 4)
    sizes["unet"] = {**sizes["unet"], "in_channels": unet_input_channels(latent)}
    parts = {name: build(COMPONENTS[name], config) for name, config in sizes.items()}
    incoming, outgoing = parts["vae"].skip_channels
    words = {
        "hidden_size": parts["vision_encoder"].config.hidden_size,
        "word_dim": parts["text_encoder"].config.hidden_size,
    }
    rest: dict[str, Config] = {
        "tps": recipe.tps,
        "refinement": recipe.refinement,
        "inversion_adapter": {**words, "num_words": PSEUDO_WORDS, **recipe.inversion_adapter},
        "emasc": {"in_channels": incoming, "out_channels": outgoing},
    }
    return parts | {name: build(COMPONENTS[name], config) for name, config in rest.items()}


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Every key of a network's file and its shape."""
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def differences(needed: Mapping[str, tuple[int, ...]], got: Mapping[str, tuple[int, ...]]) -> str:
    """What keeps weights from fitting a network, in words; empty if they fit."""
    missing = [key for key in needed if key not in got]
    unknown = [key for key in got if key not in needed]
    misshapen = [key for key in needed if key in got and tuple(got[key]) != needed[key]]
    words = []
    if missing:
        words.append(f"lacks {_some(missing)}")
    if unknown:
        words.append(f"has {_some(unknown)} that the network does not know")
    if misshapen:
        first = misshapen[0]
        shapes = f"{tuple(got[first])} where {needed[first]} is needed"
        words.append(f"has the wrong shape for {_some(misshapen)}: {shapes}")
    return "; ".join(words)


def _some(keys: list[str]) -> str:
    """The first key, and how many more there are."""
    return f"the key {keys[0]!r}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")
