"""Samples for the spline of the second edition: a garment by itself, and where somebody wears it.

A shop's pair, its person before walls and in light of all kinds; or a person of the street, whose own garment
is cut out, laid large on white and bent, as if it had been photographed by itself. So people of the street,
trousers, skirts and dresses are learnt too, of which there are no pairs.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from ladi.diffusion.warping import resize
from ladi.models.tps import ThinPlateSplineWarp
from ladi.preprocess.labels import LIP
from ladi.training.loop.stage import Batch
from ladi.training.samples.augment import colour_jitter
from ladi.training.samples.bending import certainty
from ladi.training.samples.cache import Cache, pose_maps, to_images
from ladi.training.samples.dressed import (
    WORN,
    Dressed,
    from_farther,
    in_wider_mask,
    mirrored,
    shop_sample,
    street_sample,
)

STREET_SHARE = 0.4
KNOTS, LARGEST_BEND = (3, 5), 7.0
"""Of the random bending of cut-out garments: knots a side, and standard deviation in pixels at most."""
SIZES, SHIFT = (0.85, 1.1), 0.05
"""How large and how far from the middle, in shares of the picture, a garment may lie by itself."""


def spread_out(
    garment: np.ndarray, matte: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A cut-out garment, on white, as another photo of it might show it: bent, larger or smaller, shifted.

    Args:
        garment: (H,W,3) uint8 on white.
        matte: (H,W) float32.
        rng: chooses everything.

    Returns:
        Both, changed alike.
    """
    height, width = matte.shape
    knots = int(rng.integers(*KNOTS))
    bends = rng.normal(0, rng.uniform(0, LARGEST_BEND), (2, knots + 1, knots)).astype(np.float32)
    along, down = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in bends)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    shrunk = 1 / rng.uniform(*SIZES)
    right, below = rng.uniform(-SHIFT, SHIFT, 2) * (width, height)
    map_x = ((x - width / 2 - right) * shrunk + width / 2 + along).astype(np.float32)
    map_y = ((y - height / 2 - below) * shrunk + height / 2 + down).astype(np.float32)
    return (
        cv2.remap(garment, map_x, map_y, cv2.INTER_LINEAR, borderValue=(255, 255, 255)),
        cv2.remap(matte, map_x, map_y, cv2.INTER_LINEAR, borderValue=0),
    )


def draw_placed(
    shop: Cache, indices: np.ndarray, street: Cache | None, rng: np.random.Generator
) -> list[Dressed]:
    """As many samples as indices: the shop's of these, some of them replaced by street photos."""
    samples = []
    for index in indices:
        found = street_sample(street, rng) if street is not None and rng.random() < STREET_SHARE else None
        sample = found or from_farther(shop_sample(shop, int(index), rng, warped=False), rng)
        sample = in_wider_mask(sample, street, rng)
        samples.append(mirrored(sample) if rng.random() < 0.5 else sample)
    return samples


def placed_batch(samples: list[Dressed], tps: ThinPlateSplineWarp, rng: np.random.Generator | None) -> Batch:
    """Samples at the spline's own size, garments spread out and colours changed where ``rng`` says so.

    Returns:
        ``image``, ``garment`` (B,3,h,w), ``person`` (B,21,h,w), ``matte``, ``worn``, ``known`` (B,1,h,w).
    """
    laid = [(sample.garment, sample.garment_matte) for sample in samples]
    if rng is not None:
        laid = [spread_out(*one, rng) for one in laid]
    worn = [
        np.isin(sample.source_labels, [LIP[name] for name in WORN[sample.category]]) for sample in samples
    ]
    known = [certainty(sample.source_labels, one) for sample, one in zip(samples, worn, strict=True)]
    batch = {
        "image": to_images(np.stack([sample.image for sample in samples])),
        "garment": to_images(np.stack([garment for garment, _ in laid])),
    }
    masks = {
        "matte": np.stack([matte for _, matte in laid]),
        "worn": np.stack(worn),
        "known": np.stack(known),
        "mask": np.stack([sample.mask for sample in samples]),
    }
    batch |= {name: torch.from_numpy(value.astype(np.float32))[:, None] for name, value in masks.items()}
    batch["masked"] = batch["image"] * (1 - batch.pop("mask"))
    if rng is not None:
        gain, offset = colour_jitter(rng, len(samples))
        for name in ("image", "garment", "masked"):
            batch[name] = (batch[name] * gain + offset).clamp(-1, 1)
    scale = tps.size[0] / batch["image"].shape[-2]
    batch = {name: resize(value, tps.size) for name, value in batch.items()}
    pose = pose_maps(np.stack([sample.keypoints for sample in samples]), tps.size, scale)
    batch["person"] = torch.cat([batch.pop("masked"), pose], dim=1)
    return batch
