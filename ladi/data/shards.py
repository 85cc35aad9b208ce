"""WebDataset shards of person–garment pairs, read sample by sample.

A shard is a tar file in which the members of one sample stand together: ``{id}.image.jpg``, ``.cloth.jpg``,
    ``.cloth-mask.png``, ``.parse.png`` and ``.pose.json`` (18 × x, y, confidence in pixels, or an empty
    list). Pictures are resized to the wanted size here; masks of repainting and pose maps are made by whoever
    needs them.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from ladi.data.sample import Sample
from ladi.types import Category, LadiError, Size

FIELDS = ("image.jpg", "cloth.jpg", "cloth-mask.png", "parse.png", "pose.json")


def shard_paths(folder: Path, split: str) -> list[Path]:
    """The shards ``{split}-NN.tar`` of a folder, in order.

    Raises:
        LadiError: there is none.
    """
    paths = sorted(folder.glob(f"{split}-*.tar"))
    if not paths:
        raise LadiError(f"no shards {split}-*.tar in {folder}: give the folder that holds them with --data")
    return paths


def _members(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    current = ""
    parts: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            if not member.isfile():
                continue
            identity, _, field = member.name.partition(".")
            if identity != current and parts:
                yield current, parts
                parts = {}
            current = identity
            handle = archive.extractfile(member)
            assert handle is not None
            parts[field] = handle.read()
    if parts:
        yield current, parts


def _picture(data: bytes, size: Size, mode: str) -> np.ndarray:
    image: Image.Image = Image.open(io.BytesIO(data))
    if mode == "RGB":
        image = image.convert("RGB")
    resample = Image.Resampling.BICUBIC if mode == "RGB" else Image.Resampling.NEAREST
    if image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), resample)
    return np.asarray(image)


def keypoints_from_list(flat: list[float], scale: tuple[float, float]) -> np.ndarray:
    """18 × (x, y, confidence) as one list → (18,3) float32, scaled; an empty list means nobody was found."""
    if not flat:
        return np.zeros((18, 3), np.float32)
    points = np.asarray(flat, np.float32).reshape(18, 3)
    return points * np.array([scale[0], scale[1], 1.0], np.float32)


def read_shards(
    folder: str | Path, split: str, size: Size = (256, 192), category: Category = "upper_body"
) -> Iterator[Sample]:
    """Every sample of a split, in the shards' order.

    Args:
        folder: where ``{split}-NN.tar`` lie.
        split: ``train``, ``val`` or another prefix.
        size: height and width that pictures, labels and keypoints are brought to.
        category: what the garments are; the shards do not say.

    Raises:
        LadiError: no shards, or a sample with a missing or broken part, named.
    """
    for path in shard_paths(Path(folder), split):
        for identity, parts in _members(path):
            missing = [field for field in FIELDS if field not in parts]
            if missing:
                raise LadiError(f"sample {identity} of {path.name} lacks {', '.join(missing)}")
            try:
                original = Image.open(io.BytesIO(parts["image.jpg"])).size
                garment_mask = _picture(parts["cloth-mask.png"], size, "L") > 0
                yield Sample(
                    id=identity,
                    image=_picture(parts["image.jpg"], size, "RGB"),
                    garment=_picture(parts["cloth.jpg"], size, "RGB"),
                    # The published masks have holes where a garment is as pale as its background.
                    garment_mask=ndimage.binary_fill_holes(garment_mask),
                    labels=_picture(parts["parse.png"], size, "P").astype(np.uint8),
                    keypoints=keypoints_from_list(
                        json.loads(parts["pose.json"]), (size[1] / original[0], size[0] / original[1])
                    ),
                    category=category,
                    scheme="lip",
                    garment_id=identity,
                )
            except (OSError, ValueError) as error:
                raise LadiError(f"sample {identity} of {path.name} cannot be read: {error}") from error
