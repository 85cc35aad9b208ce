"""Stages 3 and 4 at full size, which are one thing: predicting noise, told of a garment by pseudo-words.

Stage 3 trains the inversion adapter alone, on the plain inpainting UNet with its 9 channels. Stage 4 trains
the 31-channel UNet and the adapter, and drops text, pose and garment at random, so that guidance has
something to guide from (paper section 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.conditioning import (
    encode_text,
    garment_features,
    placeholder_id,
    prompt_text,
    tokenize,
    warp_garment,
)
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.unet import (
    extend_input_channels,
    mask_to_latent_size,
    pose_to_latent_size,
    unet_input,
    unet_input_channels,
)
from ladi.settings import Switches
from ladi.training.diffusion import add_noise, drawn_latent
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, FullSizeOptions, PaperStage, Stage, Validation
from ladi.training.losses import masked_l1
from ladi.training.samples.cache import as_images
from ladi.training.samples.pairs import TrainingPairs, pictures
from ladi.training.sheets import sheet
from ladi.types import CATEGORIES

VALIDATION_STEPS = 20


@dataclass(frozen=True)
class InversionAdapterOptions(FullSizeOptions):
    """Stage 3 as published."""

    steps: int = 200_000


@dataclass(frozen=True)
class TryOnOptions(FullSizeOptions):
    """Stage 4 as published."""

    steps: int = 200_000
    precision: str = "fp16"
    drop: float = 0.2
    """Probability with which text, pose and garment are each left out of a sample."""


class Denoising:
    """The loss of both stages, and what it needs of a model.

    Args:
        parts: the model's networks, tokenizer and scheduler, by their names in the pipeline. ``unet`` may be
            the plain inpainting UNet; then neither pose nor garment is given to it, and ``tps`` and
            ``refinement`` are not needed.
        drop: probability with which text, pose and garment are each left out.
    """

    def __init__(self, parts: Mapping[str, Any], *, drop: float = 0.0) -> None:
        self.parts, self.drop = parts, drop
        tokenizer, words = parts["tokenizer"], parts["inversion_adapter"].config.num_words
        self.placeholder = placeholder_id(tokenizer)
        self.prompts = tokenize(tokenizer, [prompt_text(category) for category in CATEGORIES], words)
        self.empty = tokenize(tokenizer, [""])
        latent_channels = parts["vae"].config.latent_channels
        self.plain = parts["unet"].config.in_channels == 2 * latent_channels + 1

    def __call__(
        self, modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Mean squared error of the predicted noise; arguments as a stage's loss."""
        read, vae = pictures(batch), self.parts["vae"]
        device, scaling = read["image"].device, vae.config.scaling_factor
        with torch.no_grad():
            moments = [self.moments(read[name]) for name in ("image", "masked")]
            if not self.plain:
                moments.append(self.moments(self.warped(batch, read)))
            features = self.features(batch, read)
        latent, person, *garment = (drawn_latent(each, draws, scaling) for each in moments)
        noisy = add_noise(self.parts["scheduler"], latent, draws)
        size = (latent.shape[-2], latent.shape[-1])
        dropped = [draws.chance(self.drop).to(device) for _ in ("text", "pose", "garment")]
        no_text, no_pose, no_garment = (flag[:, None] for flag in dropped)

        ids = self.prompts.to(device)[batch["category"]]
        ids = torch.where(no_text, self.empty.to(device), ids)
        words = modules["inversion_adapter"](features)  # [B,N,D]
        text = encode_text(self.parts["text_encoder"], ids, words, self.placeholder)  # [B,T,D]
        mask = mask_to_latent_size(read["mask"], size)
        if self.plain:
            sample = torch.cat([noisy.latent, mask, person], dim=1)
        else:
            pose = pose_to_latent_size(read["pose_map"], size)
            sample = unet_input(
                noisy.latent,
                mask=mask,
                person=person,
                pose=pose.masked_fill(no_pose[..., None, None], 0.0),
                garment=garment[0].masked_fill(no_garment[..., None, None], 0.0),
            )
        unet = modules.get("unet", self.parts["unet"])
        predicted = unet(sample, noisy.timesteps, encoder_hidden_states=text, return_dict=False)[0]
        return functional.mse_loss(predicted.float(), noisy.target), {}

    def moments(self, picture: torch.Tensor) -> torch.Tensor:
        """A picture's latent distribution in float32: (B,3,H,W) → (B,2L,h,w)."""
        vae = self.parts["vae"]
        return vae.encode_with_features(picture.to(vae.dtype))[0].float()

    def features(self, batch: Batch, read: Batch) -> torch.Tensor:
        """What the vision encoder sees in the garments: as stored, or computed."""
        if "garment_features" in batch:
            return batch["garment_features"].float()
        return garment_features(self.parts["vision_encoder"], read["garment"]).float()

    def warped(self, batch: Batch, read: Batch) -> torch.Tensor:
        """The warped and refined garments: as stored, or computed."""
        if "warped" in batch:
            return as_images(batch["warped"])
        tps, refinement = self.parts["tps"], self.parts["refinement"]
        return warp_garment(tps, refinement, read["garment"], read["masked"], read["pose_map"]).refined


def needed_parts(parts: Mapping[str, Any], pairs: TrainingPairs) -> dict[str, Any]:
    """A model's parts without those whose work is stored, unless validation makes everything from photos."""
    spared = {"vision_encoder"} if "garment_features" in pairs.stored_names else set()
    spared |= {"tps", "refinement"} if "warped" in pairs.stored_names else set()
    return {name: part for name, part in parts.items() if pairs.shown is not None or name not in spared}


def frozen_parts(parts: Mapping[str, Any], trained: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """The networks that a stage uses as they are."""
    return {name: part for name, part in parts.items() if isinstance(part, nn.Module) and name not in trained}


def adapter_stage(parts: Mapping[str, Any], pairs: TrainingPairs, options: InversionAdapterOptions) -> Stage:
    """Stage 3 at full size: ``parts["unet"]`` is the plain inpainting UNet."""
    parts = needed_parts(parts, pairs)
    loss = Denoising(parts)
    trained = {"inversion_adapter": parts["inversion_adapter"]}

    def look(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[dict[str, float], np.ndarray | None]:
        return {"val_loss": float(loss(modules, batch, draws)[0])}, None

    return Stage(
        name="inversion_adapter",
        modules=trained,
        length=len(pairs.train),
        batch=pairs.batch,
        loss=loss,
        validate=pairs.validation(look),
        options=options,
        frozen=frozen_parts(parts, trained),
        independent=True,
    )


def tryon_stage(parts: Mapping[str, Any], pairs: TrainingPairs, options: TryOnOptions) -> Stage:
    """Stage 4 at full size; a plain inpainting UNet gets its further channels here, at zero.

    Args:
        parts: every part of the pipeline, and ``emasc_trained``: whether EMASC may help the pictures that are
            looked at; it may unless that is said.
        pairs: to train on.
        options: of the stage.
    """
    parts = needed_parts(parts, pairs)
    emasc = parts.pop("emasc_trained", True)
    channels = unet_input_channels(parts["vae"].config.latent_channels)
    if parts["unet"].config.in_channels < channels:
        extend_input_channels(parts["unet"], channels)
    loss = Denoising(parts, drop=options.drop)
    trained = {name: parts[name] for name in ("unet", "inversion_adapter")}
    return Stage(
        name="tryon",
        modules=trained,
        length=len(pairs.train),
        batch=pairs.batch,
        loss=loss,
        validate=_tryon_validation(parts, pairs, emasc=emasc),
        options=options,
        frozen=frozen_parts(parts, trained),
        independent=True,
    )


def _tryon_validation(parts: Mapping[str, Any], pairs: TrainingPairs, *, emasc: bool) -> Validation | None:
    """Tries on, and compares what is repainted with the photo."""

    def look(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[dict[str, float], np.ndarray | None]:
        read = pictures(batch)
        height, width = read["image"].shape[-2:]
        pipeline = LadiVtonPipeline(**parts, height=height, width=width)
        pipeline.set_progress_bar_config(disable=True)
        images, conditions = pipeline(
            read["image"],
            read["mask"],
            read["pose_map"],
            read["garment"],
            category=[CATEGORIES[int(number)] for number in batch["category"]],
            num_inference_steps=VALIDATION_STEPS,
            switches=Switches(emasc=emasc),
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
            return_dict=False,
        )
        tried = images.to(read["image"]) * 2 - 1
        error = masked_l1(tried, read["image"], read["mask"]) / 2
        rows = [read["garment"], conditions.warped_garment, tried, read["image"]]
        return {"val_masked_error": float(error)}, sheet([row.cpu() for row in rows])

    return pairs.validation(look)


ENCODERS = ("vae", "text_encoder", "vision_encoder", "inversion_adapter")
"""What both stages need beside a UNet, a tokenizer and a scheduler."""

PAPER_ADAPTER = PaperStage(
    InversionAdapterOptions,
    (*ENCODERS, "tokenizer", "scheduler", "plain_unet"),
    adapter_stage,
    stored=True,
)
PAPER_TRYON = PaperStage(
    TryOnOptions,
    (*ENCODERS, "tokenizer", "scheduler", "tps", "refinement", "emasc", "unet", "emasc_trained"),
    tryon_stage,
    needs=("warp", "refinement", "inversion_adapter"),
    stored=True,
)
