"""Which part of a garment's picture is its inside, learnt from shop pairs without anybody having marked it.

The garment's picture is warped onto its person, and what the person shows there is carried back: where a neck
or a chin is, the picture shows lining. Single warps are a few pixels off, but not always to the same side;
what all of them have in common is the neckline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ladi.diffusion.conditioning import predict_warp
from ladi.models.lining import GarmentLining
from ladi.models.tps import ThinPlateSplineWarp
from ladi.preprocess.labels import LIP, UPPER_CLOTHING
from ladi.preprocess.lining import lining_view
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.samples.augment import draw_moves, dye
from ladi.training.samples.cache import Cache, chunks, picture_batch
from ladi.training.sheets import sheet
from ladi.types import Size

DEFAULTS = LoopOptions(
    steps=7000, batch_size=16, learning_rate=2e-3, ema_decay=0.99, validate_every=500, precision="no"
)
HIDING = ("neck", "vitonhd_neck", "face")
"""What a garment's lining is behind. Hair is left out: it lies before the cloth as well."""
RARER = 1.5
"""How much more a pixel that hides lining counts: hair hides it too, and tells nothing."""
ENOUGH = 2.0
"""Pixels of a person that lie on one of the picture's, from which on its answer counts fully."""
NOISE = 0.12
SHOWN = 12


def add_hiding(cache: Cache, tps: ThinPlateSplineWarp, size: Size, device: torch.device) -> None:
    """Adds ``hiding`` (N,2,*size) uint8: pixels of neck and of cloth that lie on each of the garment."""
    if "hiding" in cache and cache["hiding"].shape[2:] == size:
        return
    tps.to(device).eval()

    def counted() -> Iterator[np.ndarray]:
        for indices in chunks(len(cache)):
            batch = {key: value.to(device) for key, value in picture_batch(cache, indices).items()}
            masked = batch["image"] * (1 - batch["mask"])
            with torch.no_grad():
                grid = predict_warp(tps, batch["garment"], masked, batch["pose_map"]).cpu().numpy()
            labels = np.asarray(cache["labels"][indices])
            yield np.stack([carried_back(one, told, size) for one, told in zip(grid, labels, strict=True)])

    cache.add("hiding", counted(), (2, *size), "uint8")


def carried_back(grid: np.ndarray, labels: np.ndarray, size: Size) -> np.ndarray:
    """How many pixels of neck and of cloth a warp lays on each pixel of the garment's picture.

    Args:
        grid: (H,W,2) in [-1,1], where each pixel of the person takes its cloth from.
        labels: (H,W), LIP's numbers.
        size: of the garment's picture, as it is to be told.

    Returns:
        (2,*size) uint8.
    """
    columns = np.rint((grid[..., 0] + 1) * size[1] / 2 - 0.5).astype(int)
    rows = np.rint((grid[..., 1] + 1) * size[0] / 2 - 0.5).astype(int)
    inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    counts = []
    for names in (HIDING, UPPER_CLOTHING):
        here = inside & np.isin(labels, [LIP[name] for name in names])
        places = rows[here] * size[1] + columns[here]
        counts.append(np.bincount(places, minlength=size[0] * size[1]).reshape(size))
    return np.stack(counts).clip(0, 255).astype(np.uint8)


def lining_views(cache: Cache, size: Size) -> torch.Tensor:
    """Every garment as the network sees it: (N,4,*size) float16."""
    views = []
    for indices in chunks(len(cache)):
        batch = picture_batch(cache, indices)
        views.append(lining_view(batch["garment"], batch["garment_matte"], size).half())
    return torch.cat(views)


def lining_batch(
    views: torch.Tensor, hiding: torch.Tensor, indices: np.ndarray, rng: np.random.Generator | None
) -> Batch:
    """``view`` (B,4,h,w) and ``hiding`` (B,2,h,w); moved, dyed and with noise at random, if there is any."""
    chosen = torch.from_numpy(indices)
    view, told = views[chosen].float(), hiding[chosen].float()
    if rng is None:
        return {"view": view, "hiding": told}
    count, (height, width) = len(indices), view.shape[2:]
    grid = draw_moves(rng, count, (height, width), turn=0.1, scale=(0.05, 0.15))
    view = functional.grid_sample(view, grid, align_corners=False)
    told = functional.grid_sample(told, grid, mode="nearest", align_corners=False)
    colours, matte = dye(view[:, :3], rng, most=1.3), view[:, 3:]
    strength = rng.uniform(0, NOISE, (count, 1, 1, 1)) * (rng.random((count, 1, 1, 1)) < 0.5)
    noise = rng.standard_normal(tuple(colours.shape)) * strength
    colours = colours + torch.from_numpy(noise.astype(np.float32)) * matte
    return {"view": torch.cat([colours, matte], dim=1), "hiding": told}


def told_and_weight(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """How much of each pixel is lining, and how surely: (B,1,h,w) in [0,1] each."""
    neck, cloth = RARER * batch["hiding"][:, :1], batch["hiding"][:, 1:]
    known = (neck + cloth).clamp(min=1)
    return neck / known, ((neck + cloth) / ENOUGH).clamp(max=1) * (batch["view"][:, 3:] > 0.5)


def build_stage(
    network: GarmentLining,
    tps: ThinPlateSplineWarp,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
) -> Stage:
    """The stage for the loop; validation says how surely the network tells what it was never told."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for cache in (train, val):
        add_hiding(cache, tps, network.size, device)
    views, judged = lining_views(train, network.size), lining_views(val, network.size)
    hiding, truth = (torch.from_numpy(np.array(cache["hiding"])) for cache in (train, val))

    def entropy(module: nn.Module, batch: Batch) -> torch.Tensor:
        told, weight = told_and_weight(batch)
        logits = module(batch["view"]).float()
        each = functional.binary_cross_entropy_with_logits(logits, told, reduction="none")
        return (each * weight).sum() / weight.sum().clamp(min=1)

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        return entropy(modules["lining"], batch), {}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        module = modules["lining"]
        place = next(module.parameters()).device
        batch = lining_batch(judged, truth, np.arange(len(judged)), None)
        batch = {key: value.to(place) for key, value in batch.items()}
        shown = batch["view"][:SHOWN]
        found = module(shown).float().sigmoid() * shown[:, 3:]
        rows = [shown[:, :3].cpu(), (2 * found.cpu() - 1).expand(-1, 3, -1, -1)]
        return {"val_entropy": float(entropy(module, batch))}, sheet(rows)

    return Stage(
        name="lining",
        modules={"lining": network},
        length=len(views),
        batch=lambda indices, rng: lining_batch(views, hiding, indices, rng),
        loss=loss,
        validate=validate,
        options=options,
    )
