"""The human parser, trained on the shards' labels and, where they are given, on street photos'.

Shop photos have white walls and users' photos do not, so that everything is varied (``scenes.py``). At use
the silhouette and the joints come from a detector: half of the samples have the silhouette that it finds,
with its own faults, the others the labels', roughened; the shards' joints, which it finds well, are the
labels', roughened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from ladi.models.parser import LABELS, HumanParser
from ladi.preprocess.labels import LIP, UPPER_CLOTHING
from ladi.preprocess.pose import PoseDetector
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Batch, LoopOptions, Stage
from ladi.training.losses import UNKNOWN, segmentation_loss
from ladi.training.samples.augment import background_texture
from ladi.training.samples.cache import Cache, pose_maps, to_images, to_masks
from ladi.training.samples.scenes import (
    Scene,
    add_print,
    change_wall,
    crop,
    dye,
    mirror,
    relight,
    rough_silhouette,
    shaken_joints,
    vary_wall,
    wear_out,
)
from ladi.training.sheets import sheet
from ladi.types import PersonError

LOGGER = logging.getLogger(__name__)

DEFAULTS = LoopOptions(
    steps=8000, batch_size=16, learning_rate=1e-3, warmup_steps=100, validate_every=500, precision="bf16"
)
GROUPS = {
    "upper": UPPER_CLOTHING,
    "lower": ("pants", "skirt"),
    "dress": ("dress",),
    "head": ("hair", "face"),
    "arms": ("left_arm", "right_arm"),
    "legs": ("left_leg", "right_leg"),
    "bag": ("bag",),
}
FOUND_SHARE = 0.5
"""Of the samples, those with the detector's own silhouette."""
NEAREST = {"shop": 1.3, "upper": 1.25, "whole": 2.1}
"""How near random crops come: a whole body as near as head to hips, which is how the others stand."""
_JUMPSUIT = 10
"""LIP's number of it, in a few of the shards' labels; VITON-HD's neck elsewhere."""
_WHITE = 222
DISPUTED = 255
"""Label of pixels of which nothing is to be learnt."""


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
                yield np.round(outline * 255).astype(np.uint8)[None]
            except PersonError:
                yield rough_silhouette(np.asarray(cache["labels"][index]), None)[None]

    cache.add("silhouette", found(), cache["labels"].shape[1:], "uint8")
    detector.close()


class People:
    """The labelled people of one or two caches, as one list with an equal share of each.

    Args:
        shop: the shards', with ``silhouette``.
        street: street photos, with ``wall`` too; without them only the shards' people are there.
    """

    def __init__(self, shop: Cache, street: Cache | None = None) -> None:
        self.shop, self.street = shop, street

    def __len__(self) -> int:
        return len(self.shop) * (1 if self.street is None else 2)

    def scene(self, index: int) -> tuple[Scene, str]:
        """One of them, and their kind: ``shop``, ``upper`` or ``whole``."""
        street = self.street is not None and index >= len(self.shop)
        cache = self.street if street and self.street is not None else self.shop
        place = index % len(self.shop) % len(cache)
        scene = Scene(
            np.asarray(cache["image"][place]),
            np.asarray(cache["labels"][place]),
            np.asarray(cache["silhouette"][place]),
            np.array(cache["keypoints"][place]),
        )
        if street:
            return scene, "whole" if cache["window"][place] else "upper"
        return scene, "shop"

    def wall(self, rng: np.random.Generator) -> np.ndarray:
        """A wall to stand before, real or drawn: (H,W,3) uint8."""
        if self.street is None or rng.random() < 0.3:
            return background_texture(self.shop["labels"].shape[1:], rng)
        return vary_wall(np.asarray(self.street["wall"][int(rng.integers(len(self.street)))]), rng)

    def picture(self, rng: np.random.Generator) -> np.ndarray:
        """Any of the pictures, for prints."""
        return np.asarray(self.shop["image"][int(rng.integers(len(self.shop)))])


def doubted_labels(scene: Scene) -> np.ndarray:
    """The shards' labels, "nothing" in the midst of a person in doubt: it is a print, a belt or a bag.

    What is as white there as a shop's wall may be one: it stays nothing.
    """
    labels = np.where(scene.labels == _JUMPSUIT, np.uint8(LIP["dress"]), scene.labels)
    doubt = (labels == 0) & (scene.silhouette > 250) & (scene.image.min(-1) < _WHITE)
    return np.where(doubt, np.uint8(DISPUTED), labels)


def parser_sample(people: People, index: int, rng: np.random.Generator | None) -> Scene:
    """One picture with its labels, silhouette and joints.

    Args:
        people: all of them.
        index: of the sample.
        rng: changes everything at random; without it the silhouette is the detector's.
    """
    scene, kind = people.scene(index)
    if rng is None:
        return scene
    if kind == "shop":
        scene = replace(scene, labels=doubted_labels(scene))
    if rng.random() >= FOUND_SHARE:
        scene = replace(scene, silhouette=rough_silhouette(scene.labels, rng))
    if rng.random() < (0.75 if kind == "shop" else 0.3):
        scene = change_wall(scene, people.wall(rng), rng)
    if rng.random() < 0.3:
        scene = add_print(scene, people.picture(rng), rng)
    if rng.random() < 0.35:
        scene = dye(scene, rng)
    if rng.random() < 0.5:
        scene = mirror(scene)
    if rng.random() < (0.6 if kind == "shop" else 0.8):
        scene = crop(scene, NEAREST[kind], rng)
    image = relight(scene.image, rng) if rng.random() < 0.7 else scene.image
    size = (image.shape[0], image.shape[1])
    joints = shaken_joints(scene.keypoints, rng, size)
    return replace(scene, image=wear_out(image, rng), keypoints=joints)


def parser_batch(people: People, indices: np.ndarray, rng: np.random.Generator | None) -> Batch:
    """``image``, ``silhouette``, ``pose_map`` and ``labels`` (B,H,W) int64."""
    scenes = [parser_sample(people, int(index), rng) for index in indices]
    labels = np.stack([scene.labels for scene in scenes]).astype(np.int64)
    pictures = to_images(np.stack([scene.image for scene in scenes]))
    size = (pictures.shape[-2], pictures.shape[-1])
    return {
        "image": pictures,
        "silhouette": to_masks(np.stack([scene.silhouette for scene in scenes])) / 255,
        "pose_map": pose_maps(np.stack([scene.keypoints for scene in scenes]), size),
        "labels": torch.from_numpy(np.where(labels == DISPUTED, UNKNOWN, labels)),
    }


def intersections_over_unions(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Intersection over union of each group of labels that occurs, over all pictures together: (B,H,W) twice.

    Pixels of which the truth is unknown do not count.
    """
    values = {}
    for name, members in GROUPS.items():
        numbers = [LIP[member] for member in members]
        one, other = np.isin(predicted, numbers) & (truth >= 0), np.isin(truth, numbers)
        if other.any():
            values[f"iou_{name}"] = float((one & other).sum() / (one | other).sum())
    return values


def label_weights(caches: Sequence[Cache]) -> torch.Tensor:
    """Weights of the cross entropy, rarer labels' higher: (K,)."""
    frequencies = []
    for cache in caches:
        counts = np.bincount(np.asarray(cache["labels"][:500]).ravel(), minlength=LABELS)[:LABELS]
        frequencies.append(counts / counts.sum())
    frequency = torch.from_numpy(np.mean(frequencies, axis=0)).float()
    weight = 1 / torch.sqrt(frequency + 1e-4)
    return weight / (weight * frequency).sum()


def build_stage(
    parser: HumanParser,
    train: Cache,
    val: Cache,
    options: LoopOptions = DEFAULTS,
    *,
    street: tuple[Cache, Cache] | None = None,
) -> Stage:
    """The stage for the loop; validation measures intersection over union on ``val`` and the street's.

    Args:
        parser: what is trained.
        train: with ``silhouette``, as ``val``.
        val: labelled pictures that are not trained on.
        options: of the loop.
        street: labelled street photos to train on, with ``wall``, and to validate on.
    """
    people = People(train, street[0] if street else None)
    judged = {"": val, **({"street_": street[1]} if street else {})}
    weight = label_weights([train, *([street[0]] if street else [])])
    parser.to(memory_format=torch.channels_last)

    def loss(
        modules: Mapping[str, nn.Module], batch: Batch, draws: Draws
    ) -> tuple[torch.Tensor, dict[str, float]]:
        # In the precision that the network computes in: 22 full-size channels take long to convert.
        kind = batch["image"].device.type
        precise = not torch.is_autocast_enabled(kind)
        number = torch.float32 if precise else torch.get_autocast_dtype(kind)
        inputs = [batch[key].to(number) for key in ("image", "silhouette", "pose_map")]
        logits = modules["parser"](*inputs, enlarge=False).float()  # [B,K,H/2,W/2]
        # Weights make rare labels likelier than they are; added here, they are not in the network's answer.
        logits = logits + weight.log().to(logits).view(1, -1, 1, 1)
        # One of the four pixels under each logit, another one each time: the same gradient on average, for a
        # quarter of the work.
        down, across = (int(number) for number in torch.randint(0, 2, (2,)))
        return segmentation_loss(logits, batch["labels"][:, down::2, across::2], weight.to(logits)), {}

    def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray]:
        device = next(modules["parser"].parameters()).device
        metrics: dict[str, float] = {}
        rows = []
        for prefix, cache in judged.items():
            predictions, truths, pictures = [], [], []
            for indices in np.array_split(np.arange(len(cache)), max(1, len(cache) // 10)):
                batch = parser_batch(People(cache), indices, None)
                inputs = [batch[key].to(device) for key in ("image", "silhouette", "pose_map")]
                predictions.append(modules["parser"](*inputs).argmax(1).cpu().numpy())
                truths.append(batch["labels"].numpy())
                pictures.append(batch["image"])
            predicted, truth = np.concatenate(predictions), np.concatenate(truths)
            found = intersections_over_unions(predicted, truth)
            metrics |= {f"{prefix}{name}": value for name, value in found.items()}
            rows += [torch.cat(pictures)[:12], colour_labels(predicted[:12]), colour_labels(truth[:12])]
        return metrics, sheet(rows)

    return Stage(
        name="parser",
        modules={"parser": parser},
        length=len(people),
        batch=lambda indices, rng: parser_batch(people, indices, rng),
        loss=loss,
        validate=validate,
        options=options,
    )


def colour_labels(labels: np.ndarray) -> torch.Tensor:
    """Labels (B,H,W) as colours (B,3,H,W) in [-1,1]; neighbouring numbers differ clearly."""
    palette = np.random.default_rng(7).integers(40, 256, (256, 3), dtype=np.uint8)
    palette[0] = 0
    return to_images(palette[labels.clip(0)])
