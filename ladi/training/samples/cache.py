"""Pictures decoded once, and whatever else of a training set does not change, as memory-mapped arrays.

A cache folder holds one ``.npy`` file per quantity and split, sample by sample in the shards' order. It is
derived data: it can be deleted at any time, is made again by the same command, and stays out of version
control.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from ladi.data.shards import read_shards, shard_paths
from ladi.files import write_json, written_whole
from ladi.preprocess.mask import inpaint_mask
from ladi.types import MIRRORED_JOINTS, Size

LOGGER = logging.getLogger(__name__)

MADE_OF = "made-of.json"
"""The record of which shards a split was decoded of."""
_BEGINNING = 1 << 16
"""Bytes of a shard that tell it from another one of its name and size."""
_CHUNK = 16
"""Samples that are worked on at a time, where all are gone through."""
_EDGE = 0.6
"""Pixels over which a mask's edge is softened, about as a matting network's is."""


class Cache:
    """The arrays of one split.

    ``image``, ``garment`` (N,H,W,3) uint8, ``labels``, ``mask``, ``garment_mask`` (N,H,W) uint8,
    ``keypoints`` (N,18,3) float32, and whatever later stages add.
    """

    def __init__(self, folder: Path, split: str) -> None:
        self.folder = folder / split
        self.ids: list[str] = json.loads((self.folder / "ids.json").read_text())
        self._arrays: dict[str, np.ndarray] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without the arrays, so that another process maps them itself instead of being sent them."""
        return {**self.__dict__, "_arrays": {}}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, name: str) -> bool:
        return (self.folder / f"{name}.npy").is_file()

    def __getitem__(self, name: str) -> np.ndarray:
        """One quantity, memory-mapped, read-only."""
        if name not in self._arrays:
            self._arrays[name] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return self._arrays[name]

    def add(self, name: str, parts: Iterator[np.ndarray], shape: tuple[int, ...], dtype: str) -> None:
        """Writes a quantity sample by sample; nothing under its name until it is whole.

        Args:
            name: of the quantity.
            parts: arrays (n,*shape), in order, together N samples.
            shape: of one sample.
            dtype: numpy's name of it.
        """
        with written_whole(self.folder / f"{name}.npy") as draft:
            array = np.lib.format.open_memmap(draft, mode="w+", dtype=dtype, shape=(len(self), *shape))
            done = 0
            for part in parts:
                array[done : done + len(part)] = part
                done += len(part)
            assert done == len(self)
            array.flush()
            del array
        self._arrays.pop(name, None)

    def discard(self, *names: str) -> None:
        """Deletes quantities that no longer hold, if they are there."""
        for name in names:
            self._arrays.pop(name, None)
            (self.folder / f"{name}.npy").unlink(missing_ok=True)


def build_cache(data: Path, folder: Path, split: str, size: Size) -> Cache:
    """Decodes a split of the shards, or opens what was decoded of the same shards before.

    Args:
        data: the folder with the shards; ``folder`` itself where there are none any more.
        folder: where the cache lies.
        split: ``train`` or ``val``.
        size: height and width of everything.
    """
    target, made_of = folder / split, None if data == folder else fingerprint(data, split, size)
    record = target / MADE_OF
    # Without a record it was decoded before there were any, and is believed.
    if made_of is not None and record.is_file() and json.loads(record.read_text()) != made_of:
        LOGGER.info("the shards of %s are others than %s was decoded of", split, target)
        for path in (target / "ids.json", *target.glob("*.npy")):
            path.unlink(missing_ok=True)
    if not (target / "ids.json").is_file():
        LOGGER.info("decoding the shards of %s into %s", split, target)
        target.mkdir(parents=True, exist_ok=True)
        columns: dict[str, list[np.ndarray]] = {}
        ids = []
        for sample in read_shards(data, split, size):
            mask = inpaint_mask(
                sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme
            )
            row = {
                "image": sample.image,
                "garment": sample.garment,
                "labels": sample.labels,
                "garment_mask": np.asarray(sample.garment_mask, np.uint8),
                "mask": mask.astype(np.uint8),
                "keypoints": sample.keypoints,
            }
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
            ids.append(sample.id)
        for name, rows in columns.items():
            np.save(target / f"{name}.npy", np.stack(rows))
        write_json(record, made_of)
        write_json(target / "ids.json", ids)
    return Cache(folder, split)


def fingerprint(data: Path, split: str, size: Size) -> str:
    """A digest by which shards are known again wherever they lie: of their names, bytes and beginnings."""
    digest = hashlib.sha256(repr(size).encode())
    for path in shard_paths(data, split):
        digest.update(f"{path.name} {path.stat().st_size}".encode())
        with path.open("rb") as file:
            digest.update(file.read(_BEGINNING))
    return digest.hexdigest()


def chunks(length: int) -> Iterator[np.ndarray]:
    """The indices of so many samples, some at a time."""
    for start in range(0, length, _CHUNK):
        yield np.arange(start, min(start + _CHUNK, length))


def to_images(pixels: np.ndarray) -> torch.Tensor:
    """(B,H,W,3) uint8 → (B,3,H,W) in [-1,1]."""
    return as_images(torch.from_numpy(np.array(pixels)))


def as_images(pixels: torch.Tensor) -> torch.Tensor:
    """(B,H,W,3) of 0 to 255 → (B,3,H,W) in [-1,1], on the same device."""
    return pixels.movedim(-1, 1).float().div(127.5).sub(1.0)


def to_masks(pixels: np.ndarray) -> torch.Tensor:
    """(B,H,W) of 0 and 1 → (B,1,H,W)."""
    return torch.from_numpy(np.array(pixels)).float()[:, None]


def pose_maps(keypoints: np.ndarray, size: Size, scale: float = 1.0) -> torch.Tensor:
    """Pose maps of a batch, drawn directly at ``scale`` times the size that the joints are given for.

    Equal to ``ladi.preprocess.pose_map.pose_map`` resized, within rounding, but many at a time and without
    the full-size map.

    Args:
        keypoints: (B,18,3) in pixels.
        size: height and width of the result.
        scale: result pixels per keypoint pixel.

    Returns:
        (B,18,*size) in [0,1].
    """
    points = torch.from_numpy(np.array(keypoints)).float()
    present = points[..., :2].any(-1)  # [B,18]
    sigma = 9.0 / 512.0 * size[0]
    centre = (points[..., :2] + 0.5) * scale - 0.5
    x = torch.exp(-(torch.arange(size[1]) - centre[..., :1]).square() / sigma**2)  # [B,18,W]
    y = torch.exp(-(torch.arange(size[0]) - centre[..., 1:]).square() / sigma**2)  # [B,18,H]
    return y[..., :, None] * x[..., None, :] * present[..., None, None]


def soft_matte(mask: np.ndarray) -> np.ndarray:
    """A garment's mask (H,W), holes filled, its edge softened: (H,W) float32 in [0,1]."""
    filled = ndimage.binary_fill_holes(mask > 0).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(filled, _EDGE), np.float32)


def picture_batch(cache: Cache, indices: np.ndarray) -> dict[str, Any]:
    """The pipeline's pictures of some samples, at the cache's size, the garment's matte among them."""
    size = (cache["image"].shape[1], cache["image"].shape[2])
    return {
        "image": to_images(cache["image"][indices]),
        "mask": to_masks(cache["mask"][indices]),
        "pose_map": pose_maps(cache["keypoints"][indices], size),
        "garment": to_images(cache["garment"][indices]),
        "garment_matte": to_masks(cache["garment_mask"][indices]),
    }


def mirror_batch(batch: dict[str, torch.Tensor], mirrored: np.ndarray) -> dict[str, torch.Tensor]:
    """Mirrors the chosen samples of a batch, exchanging left and right joints of pose maps."""
    flip = torch.from_numpy(mirrored)[:, None, None, None]
    flipped = {key: value.flip(-1) for key, value in batch.items()}
    if "pose_map" in flipped:
        flipped["pose_map"] = flipped["pose_map"][:, MIRRORED_JOINTS]
    return {key: torch.where(flip, flipped[key], value) for key, value in batch.items()}
