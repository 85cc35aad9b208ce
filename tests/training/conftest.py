"""A toy model, a toy base and a drawn data set on disk, for the stages of the paper's model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from ladi.training.paper_model import PaperTraining
from ladi.training.parts import Parts
from ladi.training.perceptual import vgg19_features
from ladi.training.stages import denoising
from ladi.weights.networks import PUBLISHED
from tests.drawn_datasets import write_viton_hd
from tests.toy import HEIGHT, TEXT_WIDTH, VISION_WIDTH, WIDTH, toy_parts, toy_pipeline, toy_unet

PLAIN_CHANNELS = 9
TOY_RECIPE = replace(
    PUBLISHED,
    size=(HEIGHT, WIDTH),
    vision_encoder={"hidden_size": VISION_WIDTH},
    text_encoder={"hidden_size": TEXT_WIDTH},
    tps={
        "height": 64,
        "width": 64,
        "widths": (4, 4, 8, 8),
        "regression_widths": (8, 8, 8, 8),
        "grid_size": 3,
    },
    refinement={"widths": (4, 4, 8, 8)},
    inversion_adapter={"intermediate_size": 32, "num_heads": 2, "mlp_width": 32, "num_words": 4},
    steps=2,
)
QUICK: dict[str, Any] = {
    "steps": 2,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "warmup_steps": 1,
    "workers": 0,
    "log_every": 1,
    "validate_every": 99,
    "precision": "no",
}


@pytest.fixture(scope="package", autouse=True)
def _short_validation() -> Iterator[None]:
    """Pictures that nobody looks at need not be painted well, nor those of trainings that tests share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoising, "VALIDATION_STEPS", 2)
        yield


@dataclass(frozen=True)
class Places:
    """Where the toy things lie."""

    data: Path
    model: Path
    """A saved pipeline."""
    base: Path
    vision: Path
    vgg: Path


def write_vgg(path: Path) -> Path:
    """VGG-19's weights under torchvision's names, three channels a block, and an unread classifier."""
    torch.manual_seed(1)
    state = {f"features.{key}": value for key, value in vgg19_features((3,) * 5).state_dict().items()}
    torch.save({**state, "classifier.0.weight": torch.zeros(2, 2)}, path)
    return path


def listening_unet() -> nn.Module:
    """A plain inpainting UNet to which text makes a difference, which to fresh weights it hardly does."""
    torch.manual_seed(2)
    unet = toy_unet(PLAIN_CHANNELS)
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if "attn2.to_v" in name or "attn2.to_out.0.weight" in name or "proj_out.weight" in name:
                weight.mul_(12)
    return unet


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    root = tmp_path_factory.mktemp("toy")
    write_viton_hd(root / "data", "train", [0, 1, 2, 4, 5])
    write_viton_hd(root / "data", "test", [100])
    for path in (*root.glob("data/*/*/*.jpg"), *root.glob("data/*/*/*.png")):
        # Reading is not what these tests are about.
        Image.open(path).resize((96, 128), Image.Resampling.NEAREST).save(path)
    # The toy's own skips are of the embedded model only.
    toy_pipeline(garment_skips=None).save_pretrained(root / "model")
    parts = toy_parts()
    for name in ("vae", "text_encoder", "tokenizer", "scheduler"):
        parts[name].save_pretrained(root / "base" / name)
    listening_unet().save_pretrained(root / "base" / "unet")
    parts["vision_encoder"].save_pretrained(root / "vision")
    return Places(
        root / "data", root / "model", root / "base", root / "vision", write_vgg(root / "vgg19.pth")
    )


def job_from(places: Places, work: Path, *, scratch: bool = False, **changes: Any) -> PaperTraining:
    """A training on the toy data, from the toy model, or from the base where that is asked for."""
    return PaperTraining(
        model="vitonhd",
        work=work,
        parts=Parts(
            work,
            init=None if scratch else str(places.model),
            base=str(places.base),
            vision=str(places.vision),
            recipe=TOY_RECIPE,
        ),
        data=places.data,
        vgg=places.vgg,
        device="cpu",
        changes={**QUICK, **changes},
    )


def same_state(one: Any, other: Any) -> bool:
    """Whether two nested states are equal to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_state(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same_state, one, other))
    return bool(one == other)


def mean_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Between two sets of weights.

    Not the largest: where a gradient is nearly zero, its rounding decides the sign of Adam's first step.
    """
    apart = [
        (one[name][key].float() - value.float()).abs().flatten()
        for name, state in other.items()
        for key, value in state.items()
    ]
    return float(torch.cat(apart).mean())
