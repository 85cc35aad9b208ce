"""Pairs of a data set on disk → batches, for the full-size stages.

Workers read pictures and draw masks; they hand out bytes and joints, because floats and pose maps are
thirteen times as much to pass on. ``pictures`` turns them into tensors on the device that trains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ladi.data.sample import PairDataset, Sample
from ladi.preprocess.labels import label_table, worn_names
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.pose_map import draw_pose_maps
from ladi.training.loop.draws import Draws
from ladi.training.loop.feeding import bring
from ladi.training.loop.stage import Batch, Validation
from ladi.training.samples.cache import Cache, as_images
from ladi.types import CATEGORIES, LadiError

CHUNK = 8
SHOWN = 4
"""Pairs that are validated on: sampling with the full-size model takes long."""
Look = Callable[[Mapping[str, nn.Module], Batch, Draws], tuple[dict[str, float], np.ndarray | None]]
"""(modules, batch, random numbers) → metrics and a sheet to look at."""


def pair_row(sample: Sample) -> dict[str, np.ndarray]:
    """One pair as arrays: what a batch has of it, see ``pair_batch``."""
    table = label_table(sample.scheme)
    worn = [table[name] for name in worn_names(sample.category, sample.scheme)]
    mask = inpaint_mask(sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme)
    return {
        "image": sample.image,
        "garment": sample.garment,
        "mask": mask,
        "worn": np.isin(sample.labels, worn),
        "keypoints": sample.keypoints,
        "category": np.asarray(CATEGORIES.index(sample.category)),
    }


def pair_batch(samples: PairDataset, indices: Sequence[int] | np.ndarray) -> Batch:
    """Some pairs, with the mask of the published rule.

    Args:
        samples: the data set.
        indices: which of them.

    Returns:
        ``image`` and ``garment`` (B,H,W,3) uint8, ``mask`` and ``worn`` (B,H,W) bool, ``keypoints``
        (B,18,3), and ``category`` (B,) as its number in ``CATEGORIES``.

    Raises:
        LadiError: a file is missing or damaged.
    """
    rows = [pair_row(samples[int(index)]) for index in indices]
    batch = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {name: torch.from_numpy(value) for name, value in batch.items()}


def pictures(batch: Batch, sigma: float | None = None) -> Batch:
    """A batch as the networks take it, on its own device.

    Args:
        batch: of ``pair_batch``.
        sigma: of the pose map, in pixels; in proportion to the height, if not given.

    Returns:
        ``image``, ``garment`` and ``masked`` (B,3,H,W) in [-1,1], ``mask`` (B,1,H,W), ``pose_map``
        (B,18,H,W), and ``target`` (B,3,H,W): the garment on the person, everything else white.
    """
    image, mask = as_images(batch["image"]), batch["mask"].float()[:, None]
    worn = batch["worn"].float()[:, None]
    size = (image.shape[-2], image.shape[-1])
    return {
        "image": image,
        "garment": as_images(batch["garment"]),
        "masked": image * (1 - mask),
        "mask": mask,
        "pose_map": draw_pose_maps(batch["keypoints"], size, sigma),
        "target": image * worn + (1 - worn),
    }


class Chunks(Dataset[Batch | LadiError]):
    """A whole data set in order, some pairs at a time."""

    def __init__(self, samples: PairDataset) -> None:
        self.samples = samples

    def __len__(self) -> int:
        """How many chunks there are."""
        return -(-len(self.samples) // CHUNK)

    def __getitem__(self, number: int) -> Batch | LadiError:
        """One chunk, or the error: raised in a worker, it would arrive as a traceback."""
        try:
            return pair_batch(self.samples, range(len(self.samples))[number * CHUNK : (number + 1) * CHUNK])
        except LadiError as error:
            return error


def all_pairs(samples: PairDataset, workers: int) -> Iterator[Batch]:
    """Every pair once, in order.

    Raises:
        LadiError: a file is missing or damaged.
    """
    return bring(DataLoader(Chunks(samples), batch_size=None, num_workers=workers))


@dataclass(frozen=True)
class TrainingPairs:
    """A data set to train on, and the few pairs that a training shows."""

    train: PairDataset
    shown: PairDataset | None = None
    """Its first pairs are validated on; without one there is no validation."""
    stored: Cache | None = None
    """What was computed before, of ``train``."""
    stored_names: tuple[str, ...] = ()
    """Which of it joins the batches."""

    def batch(self, indices: np.ndarray, rng: np.random.Generator) -> Batch:
        """A stage's batch; nothing in it is random."""
        return pair_batch(self.train, indices) | self._stored(indices)

    def _stored(self, indices: np.ndarray) -> Batch:
        if self.stored is None:
            return {}
        return {
            name: torch.from_numpy(np.stack([self.stored[name][index] for index in indices]))
            for name in self.stored_names
        }

    def validation(self, look: Look) -> Validation | None:
        """A stage's validation: always the same pairs with the same random numbers."""
        if self.shown is None:
            return None
        shown = self.shown

        def validate(modules: Mapping[str, nn.Module]) -> tuple[dict[str, float], np.ndarray | None]:
            device = next(next(iter(modules.values())).parameters()).device
            batch = pair_batch(shown, range(min(SHOWN, len(shown))))
            draws = Draws(0, 0, range(len(batch["image"])))
            return look(modules, {name: value.to(device) for name, value in batch.items()}, draws)

        return validate
