"""Stage 2: EMASC with the autoencoder frozen (paper section 3.3).

The latent comes from the photo, the skips from the masked photo, and the decoded picture must equal the
photo. For the embedded model, ``detail_loss`` stands in for VGG's perceptual loss, see ``losses.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.models.emasc import EMASC
from ladi.models.vae import EmascAutoencoderKL
from ladi.training.diffusion import drawn_latent
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, FullSizeOptions, LoopOptions, Loss, PaperStage, Stage
from ladi.training.losses import detail_loss
from ladi.training.perceptual import PerceptualLoss, l1_and_perceptual, modules_of
from ladi.training.samples.cache import Cache, mirror_batch, to_images, to_masks
from ladi.training.samples.pairs import TrainingPairs, pictures
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=4000, batch_size=4, learning_rate=1e-3, warmup_steps=100, validate_every=1000, precision="bf16"
)
DETAIL_WEIGHT = 0.5
CROP = (128, 96)


def emasc_batch(cache: Cache, indices: np.ndarray, rng: np.random.Generator) -> Batch:
    """Random windows of photos and their masks, mirrored at random: ``image`` and ``mask``."""
    height, width = cache["image"].shape[1:3]
    images, masks = [], []
    for index in indices:
        top, left = int(rng.integers(height - CROP[0] + 1)), int(rng.integers(width - CROP[1] + 1))
        window = np.s_[index : index + 1, top : top + CROP[0], left : left + CROP[1]]
        images.append(to_images(cache["image"][window]))
        masks.append(to_masks(cache["mask"][window]))
    return mirror_batch(
        {"image": torch.cat(images), "mask": torch.cat(masks)}, rng.random(len(indices)) < 0.5
    )


def reconstruct(
    modules: Mapping[str, nn.Module], vae: EmascAutoencoderKL, batch: Batch, draws: Draws
) -> torch.Tensor:
    """The photo (B,3,H,W) from its own latent, helped by the masked photo's features."""
    image, mask = batch["image"], batch["mask"]
    vae.to(image.device)
    with torch.no_grad():
        moments, _ = vae.encode_with_features(image)
        _, features = vae.encode_with_features(image * (1 - mask))
        latent = drawn_latent(moments, draws, 1.0)
    return vae.decode_with_skips(latent, modules["emasc"](features, mask)).float()


def emasc_validation(
    modules: Mapping[str, nn.Module], vae: EmascAutoencoderKL, batch: Batch, draws: Draws
) -> tuple[dict[str, float], np.ndarray]:
    """L1 with and without EMASC, and a sheet: photo, decoded without, decoded with."""
    image = batch["image"]
    decoded = reconstruct(modules, vae, batch, draws).clamp(-1, 1)
    mean = vae.encode_with_features(image)[0].chunk(2, dim=1)[0]
    plain = vae.decode_with_skips(mean).float().clamp(-1, 1)
    metrics = {"val_l1": float(functional.l1_loss(decoded, image))}
    metrics["val_l1_without"] = float(functional.l1_loss(plain, image))
    return metrics, sheet([image.cpu(), plain.cpu(), decoded.cpu()])


def emasc_loss(
    vae: EmascAutoencoderKL, prepare: Callable[[Batch], Batch], perceptual: PerceptualLoss, weight: float
) -> Loss:
    """L1 and a perceptual loss between the decoded picture and the photo."""

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        batch = prepare(batch)
        return l1_and_perceptual(reconstruct(modules, vae, batch, draws), batch["image"], perceptual, weight)

    return loss


def build_stage(
    emasc: EMASC, vae: EmascAutoencoderKL, train: Cache, val: Cache, options: LoopOptions = DEFAULTS
) -> Stage:
    """The embedded model's stage; ``vae`` is used as it is."""
    vae.requires_grad_(False)
    vae.eval()

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["emasc"].parameters()).device
        batch = {"image": to_images(val["image"][:8]), "mask": to_masks(val["mask"][:8])}
        batch = {key: value.to(device) for key, value in batch.items()}
        return emasc_validation(modules, vae, batch, Draws(0, 0, range(len(batch["image"]))))

    return Stage(
        name="emasc",
        modules={"emasc": emasc},
        length=len(train),
        batch=lambda indices, rng: emasc_batch(train, indices, rng),
        loss=emasc_loss(vae, lambda batch: batch, detail_loss, DETAIL_WEIGHT),
        validate=validate,
        options=options,
    )


@dataclass(frozen=True)
class EmascOptions(FullSizeOptions):
    """Stage 2 as published."""

    steps: int = 40_000
    perceptual_weight: float = 0.5


NEEDED = ("emasc", "vae", "perceptual")


def published_stage(parts: Mapping[str, Any], pairs: TrainingPairs, options: EmascOptions) -> Stage:
    """Stage 2 at full size, on whole pictures."""
    emasc, vae, perceptual = (parts[name] for name in NEEDED)
    return Stage(
        name="emasc",
        modules={"emasc": emasc},
        length=len(pairs.train),
        batch=pairs.batch,
        loss=emasc_loss(vae, pictures, perceptual, options.perceptual_weight),
        validate=pairs.validation(
            lambda modules, batch, draws: emasc_validation(modules, vae, pictures(batch), draws)
        ),
        options=options,
        frozen={"vae": vae, **modules_of(perceptual)},
        independent=True,
    )


PAPER = PaperStage(EmascOptions, NEEDED, published_stage)
