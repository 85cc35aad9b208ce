"""Latents of everything that stage 4 reads, encoded once: the networks before it are frozen by then.

Adds to a cache ``image_moments``, ``person_moments`` and ``garment_moments`` (N,2L,h,w) float16.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import numpy as np
import torch

from ladi.conditioning import warp_garment
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.models.vae import EmascAutoencoderKL
from ladi.training.cache import Cache, picture_batch

LOGGER = logging.getLogger(__name__)

NAMES = ("image_moments", "person_moments", "garment_moments")
CHUNK = 16


@torch.no_grad()
def add_latents(
    cache: Cache,
    vae: EmascAutoencoderKL,
    tps: ThinPlateSplineWarp,
    refinement: RefinementUNet,
    *,
    device: torch.device,
    precision: str = "no",
) -> None:
    """Encodes photo, masked person and warped garment of every sample, unless the cache has them.

    Args:
        cache: of one split; it is added to.
        vae: encodes.
        tps: warps.
        refinement: refines the warp.
        device: where to compute.
        precision: ``bf16`` encodes under autocast.
    """
    for module in (vae, tps, refinement):
        module.to(device).eval()
    size = vae.scale_factor
    height, width = cache["image"].shape[1] // size, cache["image"].shape[2] // size
    shape = (2 * vae.config.latent_channels, height, width)

    def pictures(name: str, indices: np.ndarray) -> torch.Tensor:
        batch = {key: value.to(device) for key, value in picture_batch(cache, indices).items()}
        if name == "image_moments":
            return batch["image"]
        masked = batch["image"] * (1 - batch["mask"])
        if name == "person_moments":
            return masked
        return warp_garment(tps, refinement, batch["garment"], masked, batch["pose_map"])[1]

    def encoded(name: str, make: Callable[[str, np.ndarray], torch.Tensor]) -> Iterator[np.ndarray]:
        for start in range(0, len(cache), CHUNK):
            indices = np.arange(start, min(start + CHUNK, len(cache)))
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                moments, _ = vae.encode_with_features(make(name, indices))
            yield moments.float().cpu().numpy().astype(np.float16)

    for name in NAMES:
        if name not in cache:
            LOGGER.info("encoding %s of %d samples", name, len(cache))
            cache.add(name, encoded(name, pictures), shape, "float16")


def latent_scale(cache: Cache) -> float:
    """1 / the standard deviation of the photos' latents: the autoencoder's ``scaling_factor``."""
    moments = np.asarray(cache["image_moments"][:1000], np.float32)
    return float(1.0 / moments[:, : moments.shape[1] // 2].std())
