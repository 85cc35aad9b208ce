"""Samples for training end to end: a photo, what of it is repainted, and the garment as a warp would lay it.

A shop's pair brings its own warped garment. A street photo has no garment picture: the worn garment is cut
out and bent a little, as a spline that is nearly right would have left it; so trousers, skirts and dresses
can be learnt too, and walls and light of all kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.postprocess.seen import layer_of_labels
from ladi.preprocess.labels import LIP, WORN
from ladi.preprocess.mask import inpaint_mask
from ladi.training.loop.stage import Batch
from ladi.training.samples.augment import colour_jitter, garment_jitter, vary_person
from ladi.training.samples.cache import Cache, pose_maps, soft_matte, to_images
from ladi.training.samples.scenes import mirrored_labels, rough_silhouette
from ladi.training.samples.street import WHOLE
from ladi.training.samples.wider import (
    FARTHER,
    FARTHER_SHARE,
    WIDER_SHARE,
    joints_from_farther,
    seen_from_farther,
    wider_mask,
    zoomed_out,
)
from ladi.types import CATEGORIES, MIRRORED_JOINTS, Category

VARIED_SHARE = 0.6
STREET_SHARE = 0.3
WHOLE_ODDS, UPPER_ODDS = (0.5, 0.25, 0.25), (0.9, 0.0, 0.1)
"""How often each of ``CATEGORIES`` is looked for in the two windows of a street photo."""
LEAST = {True: 900, False: 2500}
"""Pixels that a worn garment must have, in a window of the whole body and of the upper body."""
TRIES = 20


@dataclass(frozen=True)
class Dressed:
    """One sample, at the model's size."""

    image: np.ndarray
    """(H,W,3) uint8."""
    layers: np.ndarray
    """(H,W), what the photo shows: numbers into ``ladi.types.LAYERS``."""
    mask: np.ndarray
    """(H,W), 1 = repaint."""
    warped: np.ndarray
    """(H,W,3) uint8, the garment laid on the person."""
    matte: np.ndarray
    """(H,W) float32 in [0,1], where ``warped`` is the garment."""
    keypoints: np.ndarray
    """(18,3)."""
    garment: np.ndarray
    """(H,W,3) uint8, the garment by itself."""
    garment_matte: np.ndarray
    """(H,W) float32 in [0,1], where ``garment`` is one."""
    source_labels: np.ndarray
    """(H,W), the parser's labels of the photo, in LIP's numbers."""
    category: Category = "upper_body"


def shop_sample(cache: Cache, index: int, rng: np.random.Generator | None, *, warped: bool = True) -> Dressed:
    """A pair of the shards; without random numbers it is as it is.

    Args:
        cache: with ``warped`` and ``warped_matte``, and to vary with ``silhouette`` if there is one.
        index: of the pair.
        rng: varies the person.
        warped: without it the sample has no warped garment, and the cache need not have one.
    """
    image, labels = np.asarray(cache["image"][index]), np.asarray(cache["labels"][index])
    if rng is not None and rng.random() < VARIED_SHARE:
        found = cache["silhouette"][index] if "silhouette" in cache else rough_silhouette(labels, None)
        image = vary_person(image, labels, np.asarray(found), rng)
    return Dressed(
        image,
        layer_of_labels("upper_body")[labels],
        np.asarray(cache["mask"][index]),
        np.asarray(cache["warped"][index]) if warped else np.zeros_like(image),
        np.asarray(cache["warped_matte"][index], np.float32) / 255
        if warped
        else np.zeros(labels.shape, np.float32),
        np.array(cache["keypoints"][index]),
        np.asarray(cache["garment"][index]),
        soft_matte(np.asarray(cache["garment_mask"][index])),
        labels,
    )


def street_sample(cache: Cache, rng: np.random.Generator) -> Dressed | None:
    """A person of the street in their own garment; ``None`` where several draws wear too little of one."""
    for _ in range(TRIES):
        index = int(rng.integers(len(cache)))
        labels, whole = np.asarray(cache["labels"][index]), int(cache["window"][index]) == WHOLE
        category = CATEGORIES[int(rng.choice(3, p=WHOLE_ODDS if whole else UPPER_ODDS))]
        worn = np.isin(labels, [LIP[name] for name in WORN[category]])
        if worn.sum() < LEAST[whole]:
            continue
        keypoints = np.array(cache["keypoints"][index])
        mask = inpaint_mask(labels, keypoints, category=category, scheme="lip", rule="worn")
        image = np.asarray(cache["image"][index])
        warped, matte, garment, garment_matte = cut_and_bend(image, worn, rng)
        return Dressed(
            image,
            layer_of_labels(category)[labels],
            mask.astype(np.uint8),
            warped,
            matte,
            keypoints,
            garment,
            garment_matte,
            labels,
            category,
        )
    return None


def cut_and_bend(
    image: np.ndarray, worn: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A worn garment as if a spline had brought it there.

    What an arm or a bag hides of it is filled from beside it. Then it is shifted smoothly, scaled, turned and
    lit a little differently.

    Args:
        image: (H,W,3) uint8.
        worn: (H,W) bool.
        rng: chooses everything.

    Returns:
        The bent garment (H,W,3) uint8, its matte (H,W) float32, the garment by itself on white, large in its
        picture (H,W,3) uint8, and where it is there (H,W) float32.
    """
    height, width = worn.shape
    reach = int(rng.integers(2, 13))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    full = cv2.morphologyEx(worn.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0
    inner = ndimage.binary_erosion(worn)
    inner = inner if inner.any() else worn
    rows, columns = ndimage.distance_transform_edt(~inner, return_distances=False, return_indices=True)
    cloth = image[rows, columns]
    knots = int(rng.integers(3, 6))
    shifts = rng.normal(0, rng.uniform(0.5, 5.0), (2, knots + 1, knots)).astype(np.float32)
    along, down = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in shifts)
    scale, turn = rng.normal(1, 0.02), rng.normal(0, 0.02)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - height / 2, x - width / 2
    map_x = (x * scale - y * turn + width / 2 + along + rng.normal(0, 1.5)).astype(np.float32)
    map_y = (x * turn + y * scale + height / 2 + down + rng.normal(0, 1.5)).astype(np.float32)
    soft = ndimage.gaussian_filter(full.astype(np.float32), 0.6)
    bent = cv2.remap(cloth, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    matte = cv2.remap(soft, map_x, map_y, cv2.INTER_LINEAR, borderValue=0)
    light = rng.uniform(0.85, 1.15) * rng.uniform(0.96, 1.04, 3)
    found_rows, found_columns = np.flatnonzero(full.any(1)), np.flatnonzero(full.any(0))
    top, bottom = found_rows[0], found_rows[-1] + 1
    left, right = found_columns[0], found_columns[-1] + 1
    larger = 0.9 / max((bottom - top) / height, (right - left) / width)
    matrix = np.array(
        [
            [larger, 0, width / 2 - larger * (left + right) / 2],
            [0, larger, height / 2 - larger * (top + bottom) / 2],
        ]
    )
    flat = np.where(full[..., None], cloth, np.uint8(255))
    alone = cv2.warpAffine(flat, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255))
    alone_matte = cv2.warpAffine(full.astype(np.float32), matrix, (width, height), flags=cv2.INTER_LINEAR)
    return (bent * light).clip(0, 255).astype(np.uint8), matte, alone, alone_matte


def mirrored(sample: Dressed) -> Dressed:
    """The sample in a mirror."""
    keypoints = sample.keypoints.copy()
    present = keypoints[:, :2].any(-1)
    keypoints[:, 0] = np.where(present, sample.image.shape[1] - 1 - keypoints[:, 0], 0)
    pictures = {
        name: getattr(sample, name)[:, ::-1]
        for name in ("image", "layers", "mask", "warped", "matte", "garment", "garment_matte")
    }
    pictures["source_labels"] = mirrored_labels(sample.source_labels)
    return replace(sample, **pictures, keypoints=keypoints[MIRRORED_JOINTS])


def draw_samples(
    shop: Cache, indices: np.ndarray, street: Cache | None, rng: np.random.Generator
) -> list[Dressed]:
    """As many samples as indices: the shop's of these, some of them replaced by street photos."""
    samples = []
    for index in indices:
        found = None
        if street is not None and rng.random() < STREET_SHARE:
            found = street_sample(street, rng)
        sample = found or from_farther(shop_sample(shop, int(index), rng), rng)
        sample = in_wider_mask(sample, street, rng)
        samples.append(mirrored(sample) if rng.random() < 0.5 else sample)
    return samples


def from_farther(sample: Dressed, rng: np.random.Generator) -> Dressed:
    """The sample, now and then in a wider window, as long coats need one; the garment by itself stays."""
    if rng.random() >= FARTHER_SHARE:
        return sample
    matrix = zoomed_out(rng.uniform(*FARTHER), sample.mask.shape)
    smooth = {"image": True, "warped": True, "matte": True, "layers": False, "mask": False}
    moved: dict[str, Any] = {
        name: seen_from_farther(getattr(sample, name), matrix, smooth=soft) for name, soft in smooth.items()
    }
    moved["source_labels"] = seen_from_farther(sample.source_labels, matrix, smooth=False)
    return replace(sample, **moved, keypoints=joints_from_farther(sample.keypoints, matrix))


def in_wider_mask(sample: Dressed, street: Cache | None, rng: np.random.Generator) -> Dressed:
    """The sample, often with more repainted than its garment needs, if street photos can tell what."""
    if street is None or rng.random() >= WIDER_SHARE:
        return sample
    mask = wider_mask(sample.mask, sample.source_labels, sample.keypoints, street, rng)
    return replace(sample, mask=mask)


def dressed_batch(samples: Sequence[Dressed], rng: np.random.Generator | None, scale: int) -> Batch:
    """Samples as tensors, in other colours and with other edges of the matte where ``rng`` says so.

    Args:
        samples: of one size.
        rng: random changes; without it nothing is changed.
        scale: picture pixels per latent pixel, for the pose map.

    Returns:
        ``image``, ``masked``, ``warped`` on mid-grey, ``garment`` (B,3,H,W), ``mask``, ``matte`` (B,1,H,W),
        ``layers`` (B,H,W), ``pose_map`` (B,18,h,w), ``category`` (B,) numbers into ``CATEGORIES``.
    """
    count = len(samples)
    pictures = {
        name: to_images(np.stack([getattr(sample, name) for sample in samples]))
        for name in ("image", "warped", "garment")
    }
    mask, matte = (
        torch.from_numpy(np.stack([np.asarray(getattr(sample, name), np.float32) for sample in samples]))[
            :, None
        ]
        for name in ("mask", "matte")
    )
    if rng is not None:
        gain, offset = colour_jitter(rng, count)
        changed = torch.from_numpy(rng.random(count) < VARIED_SHARE).view(-1, 1, 1, 1)
        pictures = {
            name: torch.where(changed, (picture * gain + offset).clamp(-1, 1), picture)
            for name, picture in pictures.items()
        }
        pictures["garment"] = garment_jitter(pictures["garment"], rng)
        edge = rng.random()  # a matting network's edges are not the data's
        if edge < 0.2:
            matte = functional.max_pool2d(matte, 3, 1, 1)
        elif edge < 0.4:
            matte = -functional.max_pool2d(-matte, 3, 1, 1)
    matte = matte * mask
    height, width = mask.shape[-2:]
    keypoints = np.stack([sample.keypoints for sample in samples])
    return {
        "image": pictures["image"],
        "masked": pictures["image"] * (1 - mask),
        "warped": pictures["warped"] * matte,
        "garment": pictures["garment"],
        "mask": mask,
        "matte": matte,
        "layers": torch.from_numpy(np.stack([sample.layers for sample in samples])),
        "pose_map": pose_maps(keypoints, (height // scale, width // scale), 1 / scale),
        "category": torch.tensor([CATEGORIES.index(sample.category) for sample in samples]),
    }
