"""The garment matting network, trained on shop garments put on drawn backgrounds.

People photograph clothes on floors, beds and hangers; shops photograph them on near-white. Cut out by their
published masks, bent, lit and put on floors (``floors.py``) with a soft shadow, shop garments teach both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional

from ladi.models.matting import GarmentMatting
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.samples.augment import colour_jitter, garment_jitter
from ladi.training.samples.cache import Cache, to_images, to_masks
from ladi.training.samples.floors import draw_floor
from ladi.training.samples.placing import spread_out
from ladi.training.samples.scenes import relight
from ladi.training.sheets import sheet

DEFAULTS = LoopOptions(
    steps=4000, batch_size=8, learning_rate=1e-3, warmup_steps=100, validate_every=1000, precision="bf16"
)
ORIGINAL_BACKGROUND = 0.3


BENT_SHARE, LIT_SHARE = 0.6, 0.6
"""How often garments on other backgrounds are bent, as cloth on a bed is, and lit otherwise."""


def matting_batch(
    cache: Cache, indices: np.ndarray, rng: np.random.Generator, floors: np.ndarray | None = None
) -> Batch:
    """``image`` (B,3,H,W): garments on replaced backgrounds; ``matte`` (B,1,H,W)."""
    shown, masks = [], []
    for index in indices:
        garment = np.asarray(cache["garment"][index])
        mask = ndimage.binary_fill_holes(np.asarray(cache["garment_mask"][index]) > 0).astype(np.float32)
        if rng.random() < BENT_SHARE:
            garment, mask = spread_out(garment, mask, rng)
        shown.append(relight(garment, rng) if rng.random() < LIT_SHARE else garment)
        masks.append(mask)
    garments, mattes = to_images(np.stack(shown)), torch.from_numpy(np.stack(masks))[:, None]
    gain, offset = colour_jitter(rng, len(indices))
    together = torch.cat([(garments * gain + offset).clamp(-1, 1), mattes], dim=1)
    moved = garment_jitter(together, rng)
    garments, mattes = moved[:, :3], moved[:, 3:].clamp(0, 1)
    images = []
    for garment, matte in zip(garments, mattes, strict=True):
        if rng.random() < ORIGINAL_BACKGROUND:
            images.append(garment)
            continue
        texture = draw_floor(floors, (garment.shape[-2], garment.shape[-1]), rng).astype(np.float32)
        shadow = ndimage.gaussian_filter(matte[0].numpy(), rng.uniform(2, 8))
        shadow = ndimage.shift(shadow, rng.uniform(-6, 6, 2), order=1)
        texture = texture * (1 - rng.uniform(0, 0.5) * shadow[..., None])
        background = torch.from_numpy(texture).movedim(-1, 0).div(127.5).sub(1)
        images.append(garment * matte + background * (1 - matte))
    flip = torch.from_numpy(rng.random(len(indices)) < 0.5)[:, None, None, None]
    image = torch.stack(images)
    return {
        "image": torch.where(flip, image.flip(-1), image),
        "matte": torch.where(flip, mattes.flip(-1), mattes),
    }


def build_stage(
    matting: GarmentMatting,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    *,
    floors: np.ndarray | None = None,
) -> Stage:
    """The stage for the loop; validation measures overlap on shop and on replaced backgrounds.

    Args:
        matting: what is trained.
        train: the shards.
        val: likewise.
        options: of the loop.
        floors: (N,h,w,3) uint8, what garments are put on beside drawn textures; the last tenth validates.
    """
    kept = None if floors is None else len(floors) * 9 // 10
    seen, unseen = (None, None) if floors is None else (floors[:kept], floors[kept:])

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        logits = modules["matting"](batch["image"]).float()
        entropy = functional.binary_cross_entropy_with_logits(logits, batch["matte"])
        probability = logits.sigmoid()
        overlap = (probability * batch["matte"]).sum()
        dice = 1 - 2 * overlap / (probability.sum() + batch["matte"].sum()).clamp_min(1)
        return entropy + 0.5 * dice, {}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["matting"].parameters()).device
        drawn = matting_batch(val, np.arange(len(val)), np.random.default_rng(0), unseen)
        shop = {
            "image": to_images(val["garment"][:]),
            "matte": to_masks(val["garment_mask"][:]),
        }
        metrics, rows = {}, []
        for name, batch in (("shop", shop), ("drawn", drawn)):
            logits = torch.cat(
                [modules["matting"](part.to(device)).cpu() for part in batch["image"].split(10)]
            )
            one, other = logits > 0, batch["matte"] > 0.5
            metrics[f"iou_{name}"] = float((one & other).sum() / (one | other).sum())
            rows += [batch["image"][:12], logits[:12].sigmoid().expand(-1, 3, -1, -1) * 2 - 1]
        return metrics, sheet(rows)

    return Stage(
        name="matting",
        modules={"matting": matting},
        length=len(train),
        batch=lambda indices, rng: matting_batch(train, indices, rng, seen),
        loss=loss,
        validate=validate,
        options=options,
    )
