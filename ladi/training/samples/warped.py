"""Every garment of a cache laid on its person by the warp, once: it is frozen while later stages train."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import torch

from ladi.diffusion.conditioning import WarpedGarment, warp_garment
from ladi.diffusion.warping import sample_matte
from ladi.models.bending import BendingRefinement
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.training.samples.cache import Cache, chunks, picture_batch, soft_matte

LOGGER = logging.getLogger(__name__)


def add_warped(
    cache: Cache,
    tps: ThinPlateSplineWarp,
    refinement: RefinementUNet | BendingRefinement,
    *,
    device: torch.device,
) -> None:
    """Warps and refines every garment, unless the cache has them.

    ``warped`` (N,H,W,3) uint8, and ``warped_matte`` (N,H,W) uint8, where the garment lies, its holes filled.

    Args:
        cache: of one split; it is added to.
        tps: warps.
        refinement: refines the warp.
        device: where to compute.
    """
    if "warped" in cache and "warped_matte" in cache:
        return
    LOGGER.info("warping %d garments", len(cache))
    mattes: list[np.ndarray] = []

    def pictures() -> Iterator[np.ndarray]:
        for warp, matte in warps(cache, tps, refinement, device):
            mattes.append((sample_matte(matte, warp.grid)[:, 0] * 255).round().byte().cpu().numpy())
            yield ((warp.refined + 1) * 127.5).round().byte().movedim(1, -1).cpu().numpy()

    cache.add("warped", pictures(), cache["image"].shape[1:], "uint8")
    cache.add("warped_matte", iter(mattes), cache["labels"].shape[1:], "uint8")


def warps(
    cache: Cache,
    tps: ThinPlateSplineWarp,
    refinement: RefinementUNet | BendingRefinement,
    device: torch.device,
) -> Iterator[tuple[WarpedGarment, torch.Tensor]]:
    """Every garment of a cache on its person, some at a time, with their mattes (B,1,H,W) as they were."""
    for module in (tps, refinement):
        module.to(device).eval()
    for indices in chunks(len(cache)):
        batch = {key: value.to(device) for key, value in picture_batch(cache, indices).items()}
        masked = batch["image"] * (1 - batch["mask"])
        mattes = np.stack([soft_matte(mask) for mask in np.asarray(cache["garment_mask"][indices])])
        matte = torch.from_numpy(mattes)[:, None].to(device)
        with torch.no_grad():
            warp = warp_garment(tps, refinement, batch["garment"], masked, batch["pose_map"], matte)
        yield warp, matte
