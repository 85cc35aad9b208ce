"""Pairs to evaluate: a person, a garment, and what the pipeline needs to bring them together.

Masks and pose maps come from the data's own labels and joints (``published``), or from what the app finds in
the photo by itself (``app``). It reads no files: samples come from ``ladi/data``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from ladi.data.sample import Order, PairDataset, Sample
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.pose_map import pose_map

Masks = Literal["published", "app"]
"""Whose labels and joints make the masks: the data's own, or those that the app finds in the photo."""

Find = Callable[[Sample], Sample | None]
"""A sample → the same with the labels and joints that the app would use; nothing where it finds nobody."""


@dataclass(frozen=True)
class Pair:
    """A person, a garment and the mask, as tensors at the model's size."""

    id: str
    inputs: dict[str, Any]
    """``image``, ``mask``, ``pose_map``, ``garment``, each with a batch axis of 1."""
    sample: Sample
    """Where it comes from, with the data's own labels and joints."""
    unseen: bool = False
    """The app was to find the person and did not: mask and pose map are the data's."""

    @property
    def truth(self) -> np.ndarray:
        """(H,W,3) uint8: the photo. It shows the garment only if the pair is paired."""
        return self.sample.image

    @property
    def mask(self) -> np.ndarray:
        """(H,W) bool, True = repainted."""
        return self.inputs["mask"][0, 0].numpy() > 0.5


def pair_name(person: str, garment: str, order: Order) -> str:
    """What a pair's pictures are called."""
    return person if order == "paired" else f"{person}_{garment}"


def make_pair(sample: Sample, order: Order = "paired", find: Find | None = None) -> Pair:
    """The pipeline's inputs of one sample.

    Args:
        sample: person and garment.
        order: unpaired, the garment's name becomes part of the pair's.
        find: replaces labels and joints before mask and pose map are made; the data's own stay where it finds
            nobody.
    """
    found = None if find is None else find(sample)
    seen = found or sample
    mask = inpaint_mask(seen.labels, seen.keypoints, category=seen.category, scheme=seen.scheme)
    size = (sample.image.shape[0], sample.image.shape[1])
    inputs = {
        "image": to_tensor(sample.image),
        "mask": torch.from_numpy(mask.astype(np.float32))[None, None],
        "pose_map": pose_map(seen.keypoints, size),
        "garment": to_tensor(sample.garment),
    }
    if sample.garment_mask is not None:
        inputs["garment_matte"] = torch.from_numpy(sample.garment_mask.astype(np.float32))[None, None]
    return Pair(
        id=pair_name(sample.id, sample.garment_id, order),
        inputs=inputs,
        sample=sample,
        unseen=find is not None and found is None,
    )


class Pairs:
    """The first pairs of a dataset, made when they are asked for.

    Args:
        samples: persons with garments, already in the wanted order.
        order: what that order is.
        limit: only so many.
        find: see :func:`make_pair`.
    """

    def __init__(
        self, samples: PairDataset, order: Order, *, limit: int | None = None, find: Find | None = None
    ) -> None:
        self.samples, self.order, self.find = samples, order, find
        self._count = len(samples) if limit is None else max(0, min(limit, len(samples)))
        self._names = [
            pair_name(person, garment, order)
            for person, garment in zip(samples.ids, samples.garment_ids, strict=True)
        ][: self._count]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return make_pair(self.samples[index], self.order, self.find)

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

    def name(self, index: int) -> str:
        """The id of a pair, without reading it."""
        return self._names[index]

    def first(self, count: int) -> Pairs:
        """The first so many of them."""
        return Pairs(self.samples, self.order, limit=min(count, self._count), find=self.find)


def pasted(picture: torch.Tensor, pair: Pair) -> np.ndarray:
    """A picture (1,3,H,W) in [-1,1] inside the hard mask, the photo outside: (H,W,3) in [0,1]."""
    mask, image = pair.inputs["mask"], pair.inputs["image"]
    whole = torch.where(mask > 0.5, picture.float().cpu().clamp(-1, 1), image)
    return ((whole[0].movedim(0, -1) + 1) / 2).numpy()
