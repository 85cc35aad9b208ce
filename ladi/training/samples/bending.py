"""Samples for the refinement that bends: a garment as the spline leaves it, and where it should lie.

A shop's pair brings its garment and the spline's control points, moved a little at random, so that errors of
many kinds are seen. A street photo brings the worn garment, bent (``dressed.py``), which must be bent back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.diffusion.warping import enlarge_grid, resize
from ladi.models.tps import ThinPlateSplineWarp
from ladi.preprocess.labels import LIP
from ladi.training.loop.stage import Batch
from ladi.training.samples.augment import colour_jitter
from ladi.training.samples.cache import (
    Cache,
    chunks,
    picture_batch,
    pose_maps,
    soft_matte,
    to_images,
)
from ladi.training.samples.dressed import WORN, street_sample
from ladi.training.samples.wider import (
    FARTHER,
    FARTHER_SHARE,
    WIDER_SHARE,
    joints_from_farther,
    seen_from_farther,
    wider_mask,
    zoomed_out,
)
from ladi.types import MIRRORED_JOINTS

LOGGER = logging.getLogger(__name__)

STREET_SHARE = 0.2
HIDING = ("hair", "bag", "scarf", "glove", "sunglasses")
"""What may lie before a garment: there, nobody knows whether it goes on beneath."""
ARMS = ("left_arm", "right_arm")
ARM_WEIGHT = 0.3
"""Of pixels where an arm is: a sleeve must leave it bare, a body may go on beneath."""


def add_warp_points(cache: Cache, tps: ThinPlateSplineWarp, *, device: torch.device) -> None:
    """Places every garment, unless the cache has it: ``warp_points`` (N,P,2), the spline's control points."""
    if "warp_points" in cache:
        return
    LOGGER.info("placing %d garments", len(cache))
    tps.to(device).eval()

    def points() -> Iterator[np.ndarray]:
        with torch.no_grad():
            for indices in chunks(len(cache)):
                batch = {key: value.to(device) for key, value in picture_batch(cache, indices).items()}
                masked = batch["image"] * (1 - batch["mask"])
                person = torch.cat([masked, batch["pose_map"]], dim=1)
                yield tps(resize(batch["garment"], tps.size), resize(person, tps.size)).theta.cpu().numpy()

    cache.add("warp_points", points(), (tps.config.grid_size**2, 2), "float32")


@dataclass(frozen=True)
class Bent:
    """One sample, at the model's size."""

    image: np.ndarray
    """(H,W,3) uint8."""
    labels: np.ndarray
    """(H,W), of the photo, in LIP's numbers."""
    mask: np.ndarray
    """(H,W), 1 = repaint."""
    worn: np.ndarray
    """(H,W) bool, where the garment is to lie."""
    known: np.ndarray
    """(H,W) float32 in [0,1], how surely the garment is to lie there or not."""
    garment: np.ndarray
    """(H,W,3) uint8."""
    matte: np.ndarray
    """(H,W) float32 in [0,1], where the garment is in its picture."""
    keypoints: np.ndarray
    """(18,3)."""
    points: np.ndarray | None
    """(P,2) the spline's control points; none where the garment lies as it is."""
    mirrored: bool = False
    farther: np.ndarray | None = None
    """(2,3), the map to the wider window that all but garment and points are already in."""


def certainty(labels: np.ndarray, worn: np.ndarray) -> np.ndarray:
    """How surely a garment is to lie on each pixel or not, by the labels (H,W): (H,W) float32."""
    known = np.ones(labels.shape, np.float32)
    known[np.isin(labels, [LIP[name] for name in ARMS])] = ARM_WEIGHT
    known[np.isin(labels, [LIP[name] for name in HIDING if name in LIP])] = 0
    # "Nothing" in the midst of a garment is a print or a button.
    known[ndimage.binary_fill_holes(worn) & (labels == 0)] = 0
    return known


def shop_bent(cache: Cache, index: int, rng: np.random.Generator | None) -> Bent:
    """A pair of the shards; without random numbers as the spline lays it.

    Args:
        cache: with ``warp_points``.
        index: of the pair.
        rng: moves the control points.
    """
    labels = np.asarray(cache["labels"][index])
    worn = np.isin(labels, [LIP[name] for name in WORN["upper_body"]])
    points = np.array(cache["warp_points"][index])
    if rng is not None and rng.random() < 0.7:
        points = points + rng.normal(0, 0.03) + rng.normal(0, rng.uniform(0, 0.03), points.shape)
    return Bent(
        np.asarray(cache["image"][index]),
        labels,
        np.asarray(cache["mask"][index]),
        worn,
        certainty(labels, worn),
        np.asarray(cache["garment"][index]),
        soft_matte(np.asarray(cache["garment_mask"][index])),
        np.array(cache["keypoints"][index]),
        points.astype(np.float32),
    )


def street_bent(cache: Cache, rng: np.random.Generator) -> Bent | None:
    """A person of the street, their garment bent; ``None`` where several draws wear too little of one."""
    sample = street_sample(cache, rng)
    if sample is None:
        return None
    worn = np.isin(sample.source_labels, [LIP[name] for name in WORN[sample.category]])
    return Bent(
        sample.image,
        sample.source_labels,
        sample.mask,
        worn,
        certainty(sample.source_labels, worn),
        sample.warped,
        sample.matte,
        sample.keypoints,
        None,
    )


def from_farther(sample: Bent, scale: float) -> Bent:
    """The sample in a wider window, as long coats need one."""
    matrix = zoomed_out(scale, sample.mask.shape)
    smooth = {"image": True, "known": True, "labels": False, "mask": False}
    moved: dict[str, Any] = {
        name: seen_from_farther(getattr(sample, name), matrix, smooth=soft) for name, soft in smooth.items()
    }
    moved["worn"] = seen_from_farther(sample.worn.astype(np.uint8), matrix, smooth=False) > 0
    return replace(sample, **moved, keypoints=joints_from_farther(sample.keypoints, matrix), farther=matrix)


def draw_bent(shop: Cache, indices: np.ndarray, street: Cache | None, rng: np.random.Generator) -> list[Bent]:
    """As many samples as indices: the shop's of these, some of them replaced by street photos."""
    samples = []
    for index in indices:
        found = street_bent(street, rng) if street is not None and rng.random() < STREET_SHARE else None
        sample = found or shop_bent(shop, int(index), rng)
        if found is None and rng.random() < FARTHER_SHARE:
            sample = from_farther(sample, rng.uniform(*FARTHER))
        if street is not None and rng.random() < WIDER_SHARE:
            wide = wider_mask(sample.mask, sample.labels, sample.keypoints, street, rng)
            sample = replace(sample, mask=wide)
        samples.append(replace(sample, mirrored=bool(rng.random() < 0.5)))
    return samples


def bent_batch(samples: Sequence[Bent], tps: ThinPlateSplineWarp, rng: np.random.Generator | None) -> Batch:
    """Samples as tensors, in other colours where ``rng`` says so.

    Returns:
        ``image``, ``masked``, ``garment`` (B,3,H,W), ``mask``, ``matte``, ``worn``, ``known`` (B,1,H,W),
        ``pose_map`` (B,18,H,W), ``grid`` (B,H,W,2).
    """
    stacked = {
        name: np.stack([getattr(sample, name) for sample in samples])
        for name in ("image", "garment", "mask", "matte", "worn", "known")
    }
    batch = {name: to_images(stacked[name]) for name in ("image", "garment")}
    for name in ("mask", "matte", "worn", "known"):
        batch[name] = torch.from_numpy(stacked[name].astype(np.float32))[:, None]
    if rng is not None:
        gain, offset = colour_jitter(rng, len(samples))
        for name in ("image", "garment"):
            batch[name] = (batch[name] * gain + offset).clamp(-1, 1)
    size = (stacked["image"].shape[1], stacked["image"].shape[2])
    batch["pose_map"] = pose_maps(np.stack([sample.keypoints for sample in samples]), size)
    device = next(tps.parameters()).device
    grids = []
    for sample in samples:
        if sample.points is None:
            grids.append(plain_grid(size))
            continue
        grid = tps.gridGen(torch.from_numpy(sample.points)[None].to(device))
        grid = enlarge_grid(grid, size)[0].cpu()
        if sample.farther is not None:
            # Where the narrower window had nothing, nothing is fetched.
            beyond = (-2.0, -2.0, 0.0, 0.0)
            grid = torch.from_numpy(
                cv2.warpAffine(grid.numpy(), sample.farther, size[::-1], borderValue=beyond)
            )
        grids.append(grid)
    batch["grid"] = torch.stack(grids)
    flip = torch.tensor([sample.mirrored for sample in samples])
    batch = mirror_grids(batch, flip)
    batch["masked"] = batch["image"] * (1 - batch["mask"])
    return batch


def plain_grid(size: tuple[int, int]) -> torch.Tensor:
    """The sampling grid (H,W,2) that leaves a picture as it is."""
    y, x = ((torch.arange(side) + 0.5) / side * 2 - 1 for side in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def mirror_grids(batch: Batch, flip: torch.Tensor) -> Batch:
    """Mirrors the chosen samples (B,), pictures and sampling grids alike."""
    mirrored = {}
    for name, value in batch.items():
        if name == "grid":
            other = value.flip(2) * torch.tensor([-1.0, 1.0])
        else:
            other = value.flip(-1)
        if name == "pose_map":
            other = other[:, MIRRORED_JOINTS]
        mirrored[name] = torch.where(flip.view(-1, 1, 1, 1), other, value)
    return mirrored
