"""The second edition's spline: the warp's network (paper section 3.2), taught on the street too.

The loss is the bending refinement's without LPIPS, at the spline's own size, and the published regularity of
the control points. The published stage compares over white, where white cloth and nothing are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from ladi.diffusion.warping import sample_garment, sample_matte
from ladi.models.tps import ThinPlateSplineWarp
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import grid_terms, masked_l1
from ladi.training.samples.cache import Cache
from ladi.training.samples.dressed import Dressed, shop_sample, street_sample
from ladi.training.samples.placing import draw_placed, placed_batch
from ladi.training.samples.wider import wider_mask
from ladi.training.sheets import sheet
from ladi.training.stages.bending import far_pictures, laid_terms, overlap
from ladi.training.stages.warp import GRID_WEIGHT

# In float32: on CPUs, bfloat16 made its answer NaN once in a hundred steps, and the network is small anyway.
DEFAULTS = LoopOptions(steps=3000, batch_size=16, learning_rate=3e-4, warmup_steps=50, validate_every=500)
JUDGED = 32
"""People of each kind that validation looks at."""


def placing_loss(
    modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
) -> tuple[torch.Tensor, dict[str, float]]:
    """The sum of all terms; arguments as a stage's loss."""
    warp = modules["tps"](batch["garment"], batch["person"])
    terms, _ = laid_terms(warp.grid, batch, *far_pictures(batch))
    terms["grid"] = GRID_WEIGHT * grid_terms(warp.theta).sum()
    return torch.stack(list(terms.values())).sum(), {
        name: float(term.detach()) for name, term in terms.items()
    }


def build_stage(
    tps: ThinPlateSplineWarp,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    *,
    street: tuple[Cache, Cache] | None = None,
) -> Stage:
    """The stage for the loop; validation places garments on people of ``val`` and of the street.

    Args:
        tps: what is trained.
        train: the shards, with ``silhouette`` if there is one.
        val: likewise.
        options: of the loop.
        street: framed street photos to train on and to validate on.
    """

    def judged() -> dict[str, list[Dressed]]:
        kinds = {"": [shop_sample(val, index, None, warped=False) for index in range(min(JUDGED, len(val)))]}
        if street is not None:
            rng = np.random.default_rng(0)
            drawn = [street_sample(street[1], rng) for _ in range(JUDGED)]
            kinds["street_"] = [sample for sample in drawn if sample is not None]
            kinds["wide_"] = [
                replace(
                    sample,
                    mask=wider_mask(sample.mask, sample.source_labels, sample.keypoints, street[1], rng),
                )
                for sample in kinds[""]
            ]
        return {prefix: samples for prefix, samples in kinds.items() if samples}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        place = next(modules["tps"].parameters()).device
        metrics: dict[str, float] = {}
        rows = []
        for prefix, samples in judged().items():
            batch = {name: value.to(place) for name, value in placed_batch(samples, tps, None).items()}
            grid = modules["tps"](batch["garment"], batch["person"]).grid
            matte = sample_matte(batch["matte"], grid)
            laid = sample_garment(batch["garment"], grid) * matte
            target, known = batch["image"] * batch["worn"], batch["known"]
            metrics[f"val_{prefix}l1"] = float(masked_l1(laid, target, known))
            metrics[f"val_{prefix}iou"] = overlap(matte, batch)
            rows += [batch["garment"], laid, target, batch["image"]]
        return metrics, sheet([row[:12].float().cpu() for row in rows])

    return Stage(
        name="placing",
        modules={"tps": tps},
        length=len(train),
        batch=lambda indices, rng: placed_batch(
            draw_placed(train, np.sort(indices), None if street is None else street[0], rng), tps, rng
        ),
        loss=placing_loss,
        validate=validate,
        options=options,
    )
