"""Stage 1b: the refinement U-Net, with the warp frozen (paper section 3.2).

VGG's perceptual loss keeps patterns where the warp is a few pixels off; L1 alone would average them away. The
stated substitute has the same purpose: L1 on the pictures' coarse structure, where the target decides, and
``detail_loss`` on their fine structure, where the coarsely warped garment decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.conditioning import predict_warp
from ladi.diffusion.warping import sample_garment
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, FullSizeOptions, LoopOptions, PaperStage, Stage
from ladi.training.losses import detail_loss, masked_l1
from ladi.training.perceptual import l1_and_perceptual, modules_of
from ladi.training.samples.cache import Cache, mirror_batch, picture_batch
from ladi.training.samples.pairs import TrainingPairs, pictures
from ladi.training.sheets import sheet
from ladi.training.stages.warp import worn_over_white

DEFAULTS = LoopOptions(
    steps=4000, batch_size=8, learning_rate=1e-3, betas=(0.5, 0.99), validate_every=1000, precision="bf16"
)
DETAIL_WEIGHT = 0.5
STRUCTURE = 8
"""Pixels side by side that count as coarse structure."""
GARMENT_WEIGHT = 4.0
CLEAR_OF_RELU = 4.0
TYPICAL_MEAN, TYPICAL_DEVIATION = 0.65, 0.6
"""Of the coarse garment on white, in [-1,1]; training corrects them."""


@torch.no_grad()
def start_from_coarse(refinement: RefinementUNet) -> None:
    """Makes an untrained network return the coarse garment that it is given, in place.

    A short training then mends the warp instead of learning for hours to copy a pattern. Three
    channels carry the picture along the full-size path; batch norm's shift keeps them clear of the ReLU.
    """
    colours = slice(refinement.config.in_channels - 3, refinement.config.in_channels)
    incoming = [range(refinement.config.in_channels)[colours], range(3), range(3), range(3)]
    blocks = (refinement.inc.double_conv, refinement.up4.conv.double_conv)
    layers: list[Any] = [block[at : at + 2] for block in blocks for at in (0, 3)]
    for (convolution, norm), sources in zip(layers, incoming, strict=True):
        for target, source in enumerate(sources):
            convolution.weight[target] = 0
            convolution.weight[target, source, 1, 1] = 1
            norm.weight[target], norm.bias[target] = 1, CLEAR_OF_RELU
    readout: Any = refinement.outc.conv
    readout.weight.zero_()
    for colour in range(3):
        readout.weight[colour, colour] = TYPICAL_DEVIATION
    readout.bias.fill_(TYPICAL_MEAN - CLEAR_OF_RELU * TYPICAL_DEVIATION)


def refinement_batch(cache: Cache, indices: np.ndarray, rng: np.random.Generator | None) -> Batch:
    """What the pipeline takes, and ``target``: the worn garment over white. ``rng`` mirrors at random."""
    batch = {**picture_batch(cache, indices), "target": worn_over_white(cache, indices)}
    if rng is not None:
        batch = mirror_batch(batch, rng.random(len(indices)) < 0.5)
    return batch


@torch.no_grad()
def coarse_garment(tps: ThinPlateSplineWarp, batch: Batch) -> torch.Tensor:
    """The garment (B,3,H,W) as the frozen warp leaves it, in float32 as in the pipeline."""
    device = batch["image"].device
    tps.to(device).eval()
    masked = batch["image"] * (1 - batch["mask"])
    with torch.autocast(device.type, enabled=False):
        return sample_garment(
            batch["garment"], predict_warp(tps, batch["garment"], masked, batch["pose_map"])
        )


def refine(modules: Mapping[str, nn.Module], batch: Batch, coarse: torch.Tensor) -> torch.Tensor:
    """The network's picture (B,3,H,W), not clamped."""
    masked = batch["image"] * (1 - batch["mask"])
    return modules["refinement"](torch.cat([masked, batch["pose_map"], coarse], dim=1)).float()


def refinement_validation(
    modules: Mapping[str, nn.Module], tps: ThinPlateSplineWarp, batch: Batch
) -> tuple[dict[str, float], np.ndarray]:
    """L1 before and after refinement, and a sheet: garment, coarse, refined, worn."""
    coarse = coarse_garment(tps, batch)
    refined = refine(modules, batch, coarse).clamp(-1, 1)
    named = {"val_coarse_l1": coarse, "val_l1": refined}
    metrics = {key: float(functional.l1_loss(shown, batch["target"])) for key, shown in named.items()}
    return metrics, sheet([shown.cpu() for shown in (batch["garment"], coarse, refined, batch["target"])])


def build_stage(
    refinement: RefinementUNet,
    tps: ThinPlateSplineWarp,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
) -> Stage:
    """The embedded model's stage; ``tps`` is used as it is, in evaluation mode."""
    tps.requires_grad_(False)

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        coarse = coarse_garment(tps, batch)
        refined = refine(modules, batch, coarse)
        # The picture is mostly white: without a weight the garment would hardly count.
        weight = 1 + GARMENT_WEIGHT * (batch["target"].min(1, keepdim=True).values < 1).float()
        shrunk = [functional.avg_pool2d(picture, STRUCTURE) for picture in (refined, batch["target"], weight)]
        l1 = masked_l1(*shrunk)
        detail = detail_loss(refined, coarse, scales=2)
        return l1 + DETAIL_WEIGHT * detail, {"l1": float(l1.detach()), "detail": float(detail.detach())}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray | None]:
        device = next(modules["refinement"].parameters()).device
        metrics: dict[str, float] = {}
        shown = None
        for indices in np.array_split(np.arange(len(val)), max(1, len(val) // 10)):
            batch = {key: value.to(device) for key, value in refinement_batch(val, indices, None).items()}
            found, rows = refinement_validation(modules, tps, batch)
            for name, value in found.items():
                metrics[name] = metrics.get(name, 0.0) + value * len(indices) / len(val)
            shown = rows if shown is None else shown
        return metrics, shown

    return Stage(
        name="refinement",
        modules={"refinement": refinement},
        length=len(train),
        batch=lambda indices, rng: refinement_batch(train, np.sort(indices), rng),
        loss=loss,
        validate=validate,
        options=options,
    )


@dataclass(frozen=True)
class RefinementOptions(FullSizeOptions):
    """Stage 1b as published: as stage 1a, with VGG's loss in place of the grid's."""

    epochs: float = 50.0
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.5, 0.99)
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup_steps: int = 0
    clip_norm: float | None = None
    perceptual_weight: float = 0.25


def published_stage(parts: Mapping[str, Any], pairs: TrainingPairs, options: RefinementOptions) -> Stage:
    """Stage 1b at full size: L1 and the perceptual loss against the worn garment."""
    refinement, tps = parts["refinement"], parts["tps"]

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        read = pictures(batch)
        refined = refine(modules, read, coarse_garment(tps, read))
        return l1_and_perceptual(refined, read["target"], parts["perceptual"], options.perceptual_weight)

    return Stage(
        name="refinement",
        modules={"refinement": refinement},
        length=len(pairs.train),
        batch=pairs.batch,
        loss=loss,
        validate=pairs.validation(
            lambda modules, batch, draws: refinement_validation(modules, tps, pictures(batch))
        ),
        options=options,
        frozen={"tps": tps, **modules_of(parts["perceptual"])},
        independent=True,
    )


PAPER = PaperStage(RefinementOptions, ("refinement", "tps", "perceptual"), published_stage, needs=("warp",))
