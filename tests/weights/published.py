"""Files in exactly the published format, at any size: four checkpoints, a base folder, a vision encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ladi.models.tokenizer import END, PROMPT_WORDS, START, WORD_END, byte_alphabet, merge_rules
from ladi.models.tps import ThinPlateSplineWarp
from ladi.weights.networks import PUBLISHED, Recipe, build_parts

Fill = Callable[[str, Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]
"""(component, its keys on the meta device) → the same keys with values."""

BASE_ID, VISION_ID = "sd2-community/stable-diffusion-2-inpainting", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"

TOY = Recipe(
    unet={
        "out_channels": 4,
        "block_out_channels": [8, 16],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1,
        "cross_attention_dim": 16,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
        "use_linear_projection": True,
    },
    vae={
        "block_out_channels": [8, 8, 16],
        "down_block_types": ["DownEncoderBlock2D"] * 3,
        "up_block_types": ["UpDecoderBlock2D"] * 3,
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 4,
    },
    text_encoder={
        "vocab_size": 600,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 77,
        "hidden_act": "gelu",
    },
    vision_encoder={
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    },
    scheduler=PUBLISHED.scheduler,
    tps={
        "height": 64,
        "width": 64,
        "widths": [4, 4, 8, 8],
        "regression_widths": [8, 8, 8, 8],
        "grid_size": 3,
    },
    refinement={"widths": [4, 4, 8, 8]},
    inversion_adapter={"intermediate_size": 32, "num_heads": 2, "mlp_width": 32},
    size=(64, 48),
)


def random_fill(component: str, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Small random weights, the same at every call; counters are zero."""
    generator = torch.Generator().manual_seed(len(component))
    return {
        key: torch.randn(tensor.shape, generator=generator).mul(0.05).abs()
        if tensor.is_floating_point()
        else torch.zeros(tensor.shape, dtype=tensor.dtype)
        for key, tensor in state.items()
    }


def write_checkpoints(
    folder: Path, recipe: Recipe, fill: Fill = random_fill, dataset: str = "vitonhd"
) -> None:
    """The four ``.pth`` files, as ``torch.save`` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = build_parts(recipe, {})
    for name in ("emasc", "inversion_adapter", "unet"):
        torch.save(fill(name, parts[name].state_dict()), folder / f"{name}_{dataset}.pth")
    warping = {name: fill(name, parts[name].state_dict()) for name in ("tps", "refinement")}
    # The spline's constants and its regular grid are what they are in every file.
    built = ThinPlateSplineWarp(**recipe.tps).state_dict()
    for key in warping["tps"]:
        if key.startswith("gridGen.") or key == "loc_net.regression.linear.bias":
            warping["tps"][key] = built[key]
    warping["tps"]["loc_net.regression.linear.weight"] *= 0.05
    torch.save(warping, folder / f"warping_{dataset}.pth")


def write_base(folder: Path, recipe: Recipe, fill: Fill = random_fill) -> None:
    """Stable Diffusion 2 inpainting with the key names of 2022, as the hub has it; of the UNet its sizes."""
    parts = build_parts(recipe, {})
    text = {
        f"text_model.{key}": tensor
        for key, tensor in fill("text", parts["text_encoder"].state_dict()).items()
    }
    text["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    _write(folder / "text_encoder", "model", text, recipe.text_encoder)
    old = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    vae: dict[str, torch.Tensor] = {}
    for key, tensor in fill("vae", parts["vae"].state_dict()).items():
        for new, before in old.items():
            key = key.replace(new, before)
        vae[key] = tensor
    _write(folder / "vae", "diffusion_pytorch_model", vae, {"_class_name": "AutoencoderKL", **recipe.vae})
    unet = {"_class_name": "UNet2DConditionModel", **recipe.unet, "in_channels": 9}
    _write_json(folder / "unet" / "config.json", unet)
    schedule = {"_class_name": "PNDMScheduler", "num_train_timesteps": 1000, "skip_prk_steps": True}
    _write_json(folder / "scheduler" / "scheduler_config.json", schedule | dict(recipe.scheduler))
    _write_tokenizer(folder / "tokenizer")


def write_vision(folder: Path, recipe: Recipe, fill: Fill = random_fill) -> None:
    """A whole CLIP: vision tower, projections, and a little of its text tower."""
    tower = build_parts(recipe, {})["vision_encoder"].state_dict()
    weights = {f"vision_model.{key}": tensor for key, tensor in fill("vision", tower).items()}
    width = recipe.vision_encoder["hidden_size"]
    weights["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    weights["visual_projection.weight"] = torch.zeros(4, width)
    weights["text_model.final_layer_norm.weight"] = torch.zeros(4)
    weights["logit_scale"] = torch.zeros(())
    config = {
        "model_type": "clip",
        "vision_config": {**recipe.vision_encoder, "torch_dtype": None, "top_k": 50},
    }
    _write(folder, "model", weights, config)


def _write_tokenizer(folder: Path) -> None:
    """A toy vocabulary in the two files of the published tokenizer; "$" is where it is in CLIP's."""
    merges = merge_rules(PROMPT_WORDS)
    alphabet = byte_alphabet()
    tokens = [
        *alphabet,
        *(char + WORD_END for char in alphabet),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    _write_json(folder / "vocab.json", {token: number for number, token in enumerate(tokens)})
    (folder / "merges.txt").write_text(
        "\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]) + "\n", encoding="utf-8"
    )
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": "!"}
    _write_json(folder / "special_tokens_map.json", special)
    _write_json(folder / "tokenizer_config.json", {**special, "model_max_length": 77})


def _write(folder: Path, stem: str, weights: dict[str, torch.Tensor], config: Mapping[str, Any]) -> None:
    _write_json(folder / "config.json", config)
    save_file(weights, folder / f"{stem}.safetensors", metadata={"format": "pt"})


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(content)))
