"""Stage 1a: the thin-plate-spline warp (paper section 3.2).

Learns to warp a shop picture of a garment onto the garment that the person wears, from the masked person and
the pose alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.warping import resize, sample_garment
from ladi.models.tps import ThinPlateSplineWarp
from ladi.preprocess.labels import LIP, UPPER_CLOTHING
from ladi.preprocess.pose_map import POSE_SIGMA
from ladi.training.loop.stage import Batch, FullSizeOptions, LoopOptions, PaperStage, Stage
from ladi.training.losses import grid_terms
from ladi.training.samples.augment import colour_jitter, garment_jitter
from ladi.training.samples.cache import Cache, mirror_batch, pose_maps, to_images, to_masks
from ladi.training.samples.pairs import TrainingPairs, pictures
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=8000, batch_size=16, learning_rate=3e-4, betas=(0.5, 0.99), validate_every=1000, precision="bf16"
)
GRID_WEIGHT = 0.01
WORN = tuple(LIP[name] for name in UPPER_CLOTHING)


def worn_over_white(cache: Cache, indices: np.ndarray) -> torch.Tensor:
    """The garment as the person wears it, everything else white: (B,3,H,W)."""
    worn = to_masks(np.isin(cache["labels"][indices], WORN))
    return to_images(cache["image"][indices]) * worn + (1 - worn)


def warp_batch(
    cache: Cache, tps: ThinPlateSplineWarp, indices: np.ndarray, rng: np.random.Generator | None
) -> Batch:
    """Inputs and target at the network's own size.

    Args:
        cache: decoded pairs.
        tps: for its size.
        indices: which pairs.
        rng: draws mirroring, colours and garment placement; ``None`` leaves the pictures as they are.

    Returns:
        ``garment`` (B,3,h,w), ``person`` (B,21,h,w), ``target`` (B,3,h,w): the worn garment over white.
    """
    images, garments = to_images(cache["image"][indices]), to_images(cache["garment"][indices])
    masked = images * (1 - to_masks(cache["mask"][indices]))
    scale = tps.size[0] / images.shape[-2]
    batch = {
        "person": resize(masked, tps.size),
        "garment": resize(garments, tps.size),
        "target": resize(worn_over_white(cache, indices), tps.size),
        "pose_map": pose_maps(cache["keypoints"][indices], tps.size, scale),
    }
    if rng is not None:
        batch = mirror_batch(batch, rng.random(len(indices)) < 0.5)
        gain, offset = colour_jitter(rng, len(indices))
        for key in ("person", "garment", "target"):
            batch[key] = (batch[key] * gain + offset).clamp(-1, 1)
        batch["garment"] = garment_jitter(batch["garment"], rng)
    person = torch.cat([batch["person"], batch["pose_map"]], dim=1)
    return {"garment": batch["garment"], "person": person, "target": batch["target"]}


def warp_loss(
    modules: Mapping[str, nn.Module], batch: Batch, grid_weight: float = GRID_WEIGHT
) -> tuple[torch.Tensor, dict[str, float]]:
    """L1 against the worn garment plus the control points' regularity, as published."""
    warp = modules["tps"](batch["garment"], batch["person"])
    l1 = functional.l1_loss(sample_garment(batch["garment"], warp.grid), batch["target"])
    terms = grid_terms(warp.theta).sum()
    return l1 + grid_weight * terms, {"l1": float(l1.detach()), "grid": float(terms.detach())}


def warp_validation(
    modules: Mapping[str, nn.Module], batch: Batch
) -> tuple[dict[str, float], np.ndarray | None]:
    """L1 against the worn garment, and a sheet: masked person, garment, warped garment, worn garment."""
    warped = sample_garment(batch["garment"], modules["tps"](batch["garment"], batch["person"]).grid)
    rows = [batch["person"][:, :3], batch["garment"], warped, batch["target"]]
    metrics = {"val_l1": float(functional.l1_loss(warped, batch["target"]))}
    return metrics, sheet([row[:12].cpu() for row in rows])


def build_stage(tps: ThinPlateSplineWarp, train: Cache, val: Cache, options: LoopOptions = DEFAULTS) -> Stage:
    """The embedded model's stage; validation measures L1 against the worn garment on ``val``."""

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray | None]:
        device = next(modules["tps"].parameters()).device
        batch = warp_batch(val, tps, np.arange(len(val)), None)
        return warp_validation(modules, {key: value.to(device) for key, value in batch.items()})

    return Stage(
        name="warp",
        modules={"tps": tps},
        length=len(train),
        batch=lambda indices, rng: warp_batch(train, tps, np.sort(indices), rng),
        loss=lambda modules, batch, draws: warp_loss(modules, batch),
        validate=validate,
        options=options,
    )


@dataclass(frozen=True)
class WarpOptions(FullSizeOptions):
    """Stage 1a as published."""

    epochs: float = 50.0
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.5, 0.99)
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup_steps: int = 0
    clip_norm: float | None = None
    grid_weight: float = GRID_WEIGHT
    """Of the control points' regularity."""


def published_stage(parts: Mapping[str, Any], pairs: TrainingPairs, options: WarpOptions) -> Stage:
    """Stage 1a at full size: everything is read at the network's own size, pose blobs of 9 pixels there."""

    def inputs(batch: Batch) -> Batch:
        read = pictures(batch, POSE_SIGMA)
        person = torch.cat([read["masked"], read["pose_map"]], dim=1)
        return {"garment": read["garment"], "person": person, "target": read["target"]}

    return Stage(
        name="warp",
        modules={"tps": parts["tps"]},
        length=len(pairs.train),
        batch=pairs.batch,
        loss=lambda modules, batch, draws: warp_loss(modules, inputs(batch), options.grid_weight),
        validate=pairs.validation(lambda modules, batch, draws: warp_validation(modules, inputs(batch))),
        options=options,
        independent=True,
    )


PAPER = PaperStage(WarpOptions, ("tps",), published_stage)
