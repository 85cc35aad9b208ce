"""Stage 4: the UNet and the inversion adapter; for a model from scratch the CLIP encoders too (section 3.3).

Everything before it is frozen, so its inputs are latents made once (``samples/latents.py``). The loss is the
mean squared error of whatever the scheduler predicts, weighted towards the pixels that are repainted: the
others are pasted back from the photo.

A small network's first answer, from noise alone, is soft. Had it only seen noise on real photos, it would
take its own answer for one in the next step, and more steps would paint worse pictures than one. Much of the
training therefore adds the noise to the network's own first answer, as sampling does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.conditioning import (
    encode_text,
    placeholder_id,
    prompt_text,
    pseudo_words,
    tokenize,
)
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.unet import mask_to_latent_size, unet_input
from ladi.training.diffusion import Noisy, add_noise, drawn_latent, visited_timesteps
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import masked_l1
from ladi.training.samples.cache import Cache, mirror_batch, picture_batch, pose_maps, to_images, to_masks
from ladi.training.samples.latents import LATENT_NAMES, VARIED_NAMES
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=20000, batch_size=16, learning_rate=6e-4, warmup_steps=100, validate_every=1000, precision="bf16"
)
DROP_ONE = 0.05
DROP_ALL = 0.05
VARIED_SHARE = 0.5
OUTSIDE_WEIGHT = 0.15
VISITED_STEPS, VISITED_SHARE = 2, 0.7
"""The embedded model samples in two steps: that share of the training is spent on the timesteps that they
visit, the later always after its own first answer, the rest on all."""
OWN_SHARE = 0.5
"""Of that rest, how much follows the network's own first answer instead of the photo's latent."""


class TryOnStep(nn.Module):
    """Vision encoder, adapter, text encoder and UNet in one ``forward``, as wrappers need it."""

    def __init__(self, pipeline: LadiVtonPipeline) -> None:
        super().__init__()
        self.vision_encoder = pipeline.vision_encoder
        self.inversion_adapter = pipeline.inversion_adapter
        self.text_encoder = pipeline.text_encoder
        self.unet = pipeline.unet
        self.placeholder = placeholder_id(pipeline.tokenizer)

    def forward(
        self, sample: torch.Tensor, timesteps: torch.Tensor, garment: torch.Tensor, ids: torch.Tensor
    ) -> torch.Tensor:
        """(B,3L+19,h,w), (B,), garment (B,3,H,W), token numbers (B,T) → prediction (B,L,h,w)."""
        words = pseudo_words(self.vision_encoder, self.inversion_adapter, garment)  # [B,N,D]
        text = encode_text(self.text_encoder, ids, words, self.placeholder)  # [B,T,D]
        return self.unet(sample, timesteps, encoder_hidden_states=text, return_dict=False)[0]


def latent_batch(cache: Cache, indices: np.ndarray, rng: np.random.Generator, garment_size: int) -> Batch:
    """Moments of latents, masks and pose at latent size, garments as small as the vision encoder takes.

    Where the cache has the varied pictures' latents, a share of the samples are those. The flags say what is
    dropped from a sample: ``drop_text``, ``drop_pose``, ``drop_garment``.
    """
    moments = {name: _numbers(cache, name, indices) for name in LATENT_NAMES}
    latent_size = (moments["image_moments"].shape[-2], moments["image_moments"].shape[-1])
    garments = functional.interpolate(
        to_images(cache["garment"][indices]), (garment_size, garment_size), mode="bilinear", antialias=True
    )
    scale = latent_size[0] / cache["image"].shape[1]
    shown = {
        "garment": garments,
        "mask": mask_to_latent_size(to_masks(cache["mask"][indices]), latent_size),
        "pose_map": pose_maps(cache["keypoints"][indices], latent_size, scale),
    }
    if all(name in cache for name in VARIED_NAMES):
        varied = rng.random(len(indices)) < VARIED_SHARE
        shown = mirror_batch(shown, varied)
        for name, twin in zip(LATENT_NAMES, VARIED_NAMES, strict=True):
            moments[name][varied] = _numbers(cache, twin, indices[varied])
    every = rng.random(len(indices)) < DROP_ALL
    flags = {
        f"drop_{part}": torch.from_numpy(every | (rng.random(len(indices)) < DROP_ONE))
        for part in ("text", "pose", "garment")
    }
    return {**moments, **shown, **flags}


def _numbers(cache: Cache, name: str, indices: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(cache[name][indices], np.float32))


def repainted_weight(mask: torch.Tensor) -> torch.Tensor:
    """1 where a latent pixel touches the mask, ``OUTSIDE_WEIGHT`` elsewhere: (B,1,h,w) → same."""
    near = functional.max_pool2d(mask, 3, stride=1, padding=1)
    return OUTSIDE_WEIGHT + (1 - OUTSIDE_WEIGHT) * near


def after_first_answer(
    scheduler: Any, noisy: Noisy, draws: Draws, answer: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """The noisy latents, some of them around the network's own answer to pure noise: (B,L,h,w).

    Args:
        scheduler: of a network that predicts the clean latent, with zero signal at its last timestep, so that
            DDIM's step from there to any other is the answer with the same noise added.
        noisy: around the photos' latents.
        draws: of the samples.
        answer: (rows (B,) bool, pure noise of these rows (R,L,h,w)) → the network's latents (R,L,h,w).
    """
    last = scheduler.config.num_train_timesteps - 1
    timesteps = noisy.timesteps
    visited = torch.isin(timesteps, visited_timesteps(last + 1, VISITED_STEPS).to(timesteps))
    own = (visited | draws.chance(OWN_SHARE).to(timesteps.device)) & (timesteps < last)  # [B]
    if not own.any():
        return noisy.latent
    with torch.no_grad():
        answered = answer(own, noisy.noise[own])
    latent = noisy.latent.clone()
    latent[own] = scheduler.add_noise(answered.to(latent), noisy.noise[own], timesteps[own])
    return latent


def build_stage(
    pipeline: LadiVtonPipeline,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    *,
    trained: Sequence[str],
) -> Stage:
    """The stage for the loop.

    Args:
        pipeline: holds every part; its own parts are trained, not copies.
        train: with latents.
        val: its first samples are tried on for validation.
        options: of the loop.
        trained: components with gradients, such as ``unet`` and ``inversion_adapter``; the others stay as
            they are.
    """
    step = TryOnStep(pipeline)
    for frozen in (pipeline.vae, pipeline.tps, pipeline.refinement, pipeline.emasc):
        frozen.eval()
    for name in ("vision_encoder", "inversion_adapter", "text_encoder", "unet"):
        getattr(step, name).requires_grad_(name in trained)
    scheduler = pipeline.scheduler
    starts_from_noise = (
        scheduler.config.prediction_type == "sample" and scheduler.config.rescale_betas_zero_snr
    )
    scaling = float(pipeline.vae.config.scaling_factor)
    words = pipeline.inversion_adapter.config.num_words
    prompts = [prompt_text("upper_body")]
    prompt_ids = tokenize(pipeline.tokenizer, prompts, words)
    empty_ids = tokenize(pipeline.tokenizer, [""])
    garment_size = pipeline.vision_encoder.config.image_size

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        device = batch["mask"].device
        latent, person, garment = (
            drawn_latent(batch[f"{name}_moments"], draws, scaling) for name in ("image", "person", "garment")
        )
        noisy = add_noise(scheduler, latent, draws, visited=VISITED_STEPS, share=VISITED_SHARE)
        keep_pose, keep_garment = (
            (~batch[key]).float()[:, None, None, None] for key in ("drop_pose", "drop_garment")
        )
        pose, shown = batch["pose_map"] * keep_pose, garment * keep_garment
        ids = torch.where(batch["drop_text"][:, None], empty_ids.to(device), prompt_ids.to(device))

        def answer(rows: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
            sample = unet_input(
                noise, mask=batch["mask"][rows], person=person[rows], pose=pose[rows], garment=shown[rows]
            )
            pure = torch.full((len(noise),), scheduler.config.num_train_timesteps - 1, device=device)
            # Not the wrapped module: processes may differ in how many rows they have, or in having any.
            step.eval()  # as in sampling, without dropout
            answered = step(sample, pure, batch["garment"][rows], ids[rows]).float()
            step.train()
            return answered

        latents = noisy.latent
        if starts_from_noise:
            latents = after_first_answer(scheduler, noisy, draws, answer)
        sample = unet_input(latents, mask=batch["mask"], person=person, pose=pose, garment=shown)
        predicted = modules["tryon"](sample, noisy.timesteps, batch["garment"], ids).float()
        error = (predicted - noisy.target).square()
        weight = repainted_weight(batch["mask"])
        value = (error * weight).sum() / (weight.sum() * error.shape[1])
        return value, {}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        batch = picture_batch(val, np.arange(min(16, len(val))))
        pipeline.set_progress_bar_config(disable=True)
        images, conditions = pipeline(
            **batch,
            num_inference_steps=VISITED_STEPS,
            guidance_scale=1.0,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
            return_dict=False,
        )
        pasted = torch.where(batch["mask"] > 0, images.cpu() * 2 - 1, batch["image"])
        error = masked_l1(pasted, batch["image"], batch["mask"]) / 2
        assert conditions.warped_garment is not None
        warped = conditions.warped_garment.cpu()
        rows = [picture[:10] for picture in (batch["garment"], warped, pasted, batch["image"])]
        return {"val_masked_error": float(error)}, sheet(rows)

    return Stage(
        name="tryon",
        modules={"tryon": step},
        length=len(train),
        batch=lambda indices, rng: latent_batch(train, np.sort(indices), rng, garment_size),
        loss=loss,
        validate=validate,
        options=options,
        # The vision encoder's last norm serves its pooled output, which nobody reads.
        unused_parameters="vision_encoder" in trained,
    )
