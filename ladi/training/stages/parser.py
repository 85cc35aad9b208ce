"""The human parser, trained on the shards' labels.

Shop photos have white backgrounds and users' photos do not, so backgrounds are replaced at random. At use
the silhouette and the joints come from a detector: half of the samples have the silhouette that it finds,
with its own faults, the others the labels', roughened; the joints, which it finds well, are the labels',
roughened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from ladi.models.parser import LABELS, HumanParser
from ladi.preprocess.labels import LIP
from ladi.preprocess.pose import PoseDetector
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import segmentation_loss
from ladi.training.samples.augment import background_texture, colour_jitter
from ladi.training.samples.cache import MIRRORED_JOINTS, Cache, pose_maps, to_images, to_masks
from ladi.training.sheets import sheet
from ladi.types import PersonError

LOGGER = logging.getLogger(__name__)

DEFAULTS = LoopOptions(
    steps=6000, batch_size=8, learning_rate=1e-3, warmup_steps=100, validate_every=1000, precision="bf16"
)
GROUPS = {
    "upper": ("upper_clothes", "dress", "coat"),
    "head": ("hair", "face"),
    "arms": ("left_arm", "right_arm"),
}
_PAIRS = (("left_arm", "right_arm"), ("left_leg", "right_leg"), ("left_shoe", "right_shoe"))
NECK = 20
FOUND_SHARE = 0.5
"""Of the samples, those with the detector's own silhouette."""


def mirrored_labels(labels: np.ndarray) -> np.ndarray:
    """Labels of the mirrored picture, left and right exchanged: (…,H,W) → same."""
    table = np.arange(256, dtype=np.uint8)
    for left, right in _PAIRS:
        table[LIP[left]], table[LIP[right]] = LIP[right], LIP[left]
    return table[labels[..., ::-1]]


def rough_silhouette(labels: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """The labels' outline, about as a detector gives it: (H,W) → (H,W) float32, soft, grown or shrunk."""
    outline = labels > 0
    if rng is not None:
        amount = int(rng.integers(-3, 4))
        if amount:
            change = ndimage.binary_dilation if amount > 0 else ndimage.binary_erosion
            outline = change(outline, iterations=abs(amount))
    return ndimage.gaussian_filter(outline.astype(np.float32), 1.5)


def add_found_silhouettes(cache: Cache) -> None:
    """Looks for every person, unless the cache has it: ``silhouette`` (N,H,W) uint8, 255 = person.

    Who is not found gets the labels' outline.
    """
    if "silhouette" in cache:
        return
    LOGGER.info("looking for %d people", len(cache))
    detector = PoseDetector()

    def found() -> Iterator[np.ndarray]:
        for index in range(len(cache)):
            try:
                outline = detector.detect(np.asarray(cache["image"][index])).silhouette
            except PersonError:
                outline = rough_silhouette(np.asarray(cache["labels"][index]), None)
            yield np.round(outline * 255).astype(np.uint8)[None]

    cache.add("silhouette", found(), cache["labels"].shape[1:], "uint8")
    detector.close()


def parser_sample(
    cache: Cache, index: int, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One picture, its labels, silhouette and joints.

    Args:
        cache: with ``silhouette``.
        index: of the sample.
        rng: changes everything at random; without it the silhouette is the detector's.
    """
    image, labels = np.asarray(cache["image"][index]), np.asarray(cache["labels"][index])
    keypoints = np.array(cache["keypoints"][index])
    if rng is None or rng.random() < FOUND_SHARE:
        silhouette = np.asarray(cache["silhouette"][index], np.float32) / 255
    else:
        silhouette = rough_silhouette(labels, rng)
    if rng is None:
        return image, labels, silhouette, keypoints
    if rng.random() < 0.6:
        soft = ndimage.gaussian_filter((labels > 0).astype(np.float32), 0.7)[..., None]
        image = (image * soft + background_texture(image.shape[:2], rng) * (1 - soft)).astype(np.uint8)
    if rng.random() < 0.5:
        image, silhouette = image[:, ::-1], silhouette[:, ::-1]
        labels = mirrored_labels(labels)
        present = keypoints[:, :2].any(-1)
        keypoints[:, 0] = np.where(present, image.shape[1] - 1 - keypoints[:, 0], 0)
        keypoints = keypoints[MIRRORED_JOINTS]
    jitter = rng.normal(0, 1.5, (18, 2)).astype(np.float32)
    keypoints[:, :2] += jitter * keypoints[:, :2].any(-1, keepdims=True)
    keypoints[rng.random(18) < 0.05] = 0
    return image, labels, silhouette, keypoints


def parser_batch(cache: Cache, indices: np.ndarray, rng: np.random.Generator | None) -> Batch:
    """``image``, ``silhouette``, ``pose_map`` and ``labels`` (B,H,W) int64."""
    images, labels, silhouettes, keypoints = zip(
        *(parser_sample(cache, int(index), rng) for index in indices), strict=True
    )
    pictures = to_images(np.stack(images))
    size = (pictures.shape[-2], pictures.shape[-1])
    if rng is not None:
        gain, offset = colour_jitter(rng, len(indices))
        pictures = (pictures * gain + offset).clamp(-1, 1)
    return {
        "image": pictures,
        "silhouette": to_masks(np.stack(silhouettes)),
        "pose_map": pose_maps(np.stack(keypoints), size),
        "labels": torch.from_numpy(np.stack(labels).astype(np.int64)),
    }


def intersections_over_unions(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Intersection over union of each group of labels, over all pictures together: (B,H,W) twice."""
    values = {}
    for name, members in GROUPS.items():
        numbers = [LIP[member] for member in members]
        one, other = np.isin(predicted, numbers), np.isin(truth, numbers)
        values[f"iou_{name}"] = float((one & other).sum() / max((one | other).sum(), 1))
    return values


def build_stage(parser: HumanParser, train: Cache, val: Cache, options: LoopOptions = DEFAULTS) -> Stage:
    """The stage for the loop; validation measures intersection over union on ``val``.

    Args:
        parser: what is trained.
        train: with ``silhouette``, as ``val``.
        val: labelled pictures that are not trained on.
        options: of the loop.
    """
    counts = np.bincount(np.asarray(train["labels"][:500]).ravel(), minlength=LABELS)[:LABELS]
    frequency = counts / counts.sum()
    weight = torch.from_numpy(1 / np.sqrt(frequency + 1e-4)).float()
    weight = weight / (weight * torch.from_numpy(frequency).float()).sum()

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        logits = modules["parser"](batch["image"], batch["silhouette"], batch["pose_map"]).float()
        return segmentation_loss(logits, batch["labels"], weight.to(logits)), {}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["parser"].parameters()).device
        predictions, truths, pictures = [], [], []
        for indices in np.array_split(np.arange(len(val)), max(1, len(val) // 10)):
            batch = parser_batch(val, indices, None)
            inputs = [batch[key].to(device) for key in ("image", "silhouette", "pose_map")]
            predictions.append(modules["parser"](*inputs).argmax(1).cpu().numpy())
            truths.append(batch["labels"].numpy())
            pictures.append(batch["image"])
        predicted, truth = np.concatenate(predictions), np.concatenate(truths)
        rows = [torch.cat(pictures)[:12], colour_labels(predicted[:12]), colour_labels(truth[:12])]
        return intersections_over_unions(predicted, truth), sheet(rows)

    return Stage(
        name="parser",
        modules={"parser": parser},
        length=len(train),
        batch=lambda indices, rng: parser_batch(train, indices, rng),
        loss=loss,
        validate=validate,
        options=options,
    )


def colour_labels(labels: np.ndarray) -> torch.Tensor:
    """Labels (B,H,W) as colours (B,3,H,W) in [-1,1]; neighbouring numbers differ clearly."""
    palette = np.random.default_rng(7).integers(40, 256, (256, 3), dtype=np.uint8)
    palette[0] = 0
    return to_images(palette[labels])
