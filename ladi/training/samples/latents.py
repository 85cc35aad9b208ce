"""Latents of all that the first edition's stages read, encoded once: the networks that make them are frozen.

Adds to a cache that has warped garments (``warped.py``) ``image_moments``, ``person_moments`` and
``garment_moments`` (N,2L,h,w) float16; for training the same of varied pictures under names of their own:
mirrored, and the person before other walls, with other skin, in other light (``vary_person``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from ladi.diffusion.conditioning import (
    encode_prompts,
    prompts_for,
    pseudo_words,
)
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.diffusion.sampling import Sampling, draw_latents
from ladi.models.vae import EmascAutoencoderKL
from ladi.settings import Switches
from ladi.training.samples.augment import vary_person
from ladi.training.samples.cache import Cache, chunks, picture_batch, to_images, to_masks
from ladi.types import Conditions

LOGGER = logging.getLogger(__name__)

LATENT_NAMES = ("image_moments", "person_moments", "garment_moments")
VARIED_NAMES = tuple(f"{name}_varied" for name in LATENT_NAMES)
VARIATION = 5
"""Seed of the variations: a cache that is made again is the same."""
PREDICTION_STEPS = 2
"""Enough for what the garment skips must mend: a latent as soft as the UNet's."""


@torch.no_grad()
def add_latents(
    cache: Cache,
    vae: EmascAutoencoderKL,
    *,
    device: torch.device,
    precision: str = "no",
    names: Sequence[str] = LATENT_NAMES,
) -> None:
    """Encodes photo, masked person and warped garment of every sample, unless the cache has them.

    Args:
        cache: of one split, with ``warped``, for varied pictures with ``silhouette``; it is added to.
        vae: encodes.
        device: where to compute.
        precision: ``bf16`` encodes under autocast.
        names: which of ``LATENT_NAMES`` and ``VARIED_NAMES``. The varied garment is the mirrored warp: a warp
            that treats left and right alike would make it.
    """
    vae.to(device).eval()
    size = vae.scale_factor
    height, width = cache["image"].shape[1] // size, cache["image"].shape[2] // size
    shape = (2 * vae.config.latent_channels, height, width)

    def pictures(name: str, indices: np.ndarray) -> torch.Tensor:
        kind, varied = name.removesuffix("_varied"), name in VARIED_NAMES
        if kind == "garment_moments":
            shown = to_images(cache["warped"][indices])
        else:
            shown = to_images(varied_people(cache, indices) if varied else cache["image"][indices])
            if kind == "person_moments":
                shown = shown * (1 - to_masks(cache["mask"][indices]))
        return shown.flip(-1) if varied else shown

    def encoded(name: str) -> Iterator[np.ndarray]:
        for indices in chunks(len(cache)):
            shown = pictures(name, indices).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                moments, _ = vae.encode_with_features(shown)
            yield moments.float().cpu().numpy().astype(np.float16)

    for name in names:
        if name not in cache:
            LOGGER.info("encoding %s of %d samples", name, len(cache))
            cache.add(name, encoded(name), shape, "float16")


def varied_people(cache: Cache, indices: np.ndarray) -> np.ndarray:
    """People as ``vary_person`` varies them, every one always in the same way: (B,H,W,3) uint8."""
    return np.stack(
        [
            vary_person(
                cache["image"][index],
                cache["labels"][index],
                cache["silhouette"][index],
                np.random.default_rng([VARIATION, int(index)]),
            )
            for index in indices
        ]
    )


@torch.no_grad()
def add_predicted(cache: Cache, pipeline: LadiVtonPipeline, *, device: torch.device) -> None:
    """Samples every person in their own garment, unless the cache has it: ``predicted`` (N,L,h,w) float16.

    Args:
        cache: of one split, with ``warped`` and the moments of person and garment; it is added to.
        pipeline: samples, in a few steps without guidance.
        device: where to compute.
    """
    if "predicted" in cache:
        return
    LOGGER.info("sampling %d people", len(cache))
    pipeline.to(device)
    pipeline.set_progress_bar_config(disable=True)

    def predicted() -> Iterator[np.ndarray]:
        for indices in chunks(len(cache)):
            batch = {key: value.to(device) for key, value in picture_batch(cache, indices).items()}
            words = pseudo_words(pipeline.vision_encoder, pipeline.inversion_adapter, batch["garment"])
            texts = prompts_for(len(indices), "upper_body")
            embeds = encode_prompts(pipeline.text_encoder, pipeline.tokenizer, texts, words)
            person, garment = (
                torch.from_numpy(np.asarray(cache[f"{name}_moments"][indices], np.float32)).to(device)
                for name in ("person", "garment")
            )
            conditions = Conditions(
                mask=batch["mask"],
                pose_map=batch["pose_map"],
                person_moments=person,
                person_features=(),
                garment_moments=garment,
                garment_features=(),
                prompt_embeds=embeds,
                plain_prompt_embeds=embeds,
                negative_embeds=embeds,
            )
            generator = torch.Generator().manual_seed(int(indices[0]))
            latents = pipeline.denoise(
                conditions,
                draw_latents(conditions, pipeline.vae.config.scaling_factor, generator),
                Sampling(steps=PREDICTION_STEPS, guidance=1.0, switches=Switches()),
            )
            yield latents.float().cpu().numpy().astype(np.float16)

    size = pipeline.vae.scale_factor
    height, width = cache["image"].shape[1] // size, cache["image"].shape[2] // size
    shape = (pipeline.vae.config.latent_channels, height, width)
    cache.add("predicted", predicted(), shape, "float16")


def latent_scale(cache: Cache) -> float:
    """1 / the standard deviation of the photos' latents: the autoencoder's ``scaling_factor``."""
    moments = np.asarray(cache["image_moments"][:1000], np.float32)
    return float(1.0 / moments[:, : moments.shape[1] // 2].std())
