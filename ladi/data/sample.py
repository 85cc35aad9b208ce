"""One labelled person with one garment, as every data set hands it out, and the reading of such files.

It does not know where a data set keeps its files (``vitonhd.py``, ``dresscode.py``, ``shards.py``), and it
computes nothing from a sample: masks and pose maps are made by ``ladi/preprocess``.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

from ladi.types import Category, LabelScheme, LadiError, Size

Order = Literal["paired", "unpaired"]
"""``paired``: the garment is the one that the person wears. ``unpaired``: it is another one."""


class DatasetError(LadiError):
    """A data set on disk that is incomplete or damaged."""


@dataclass(frozen=True)
class Sample:
    """A person, a garment and what is known of the person, all at one size."""

    id: str
    image: np.ndarray
    """(H,W,3) uint8 RGB, the person."""
    garment: np.ndarray
    """(H,W,3) uint8 RGB."""
    garment_mask: np.ndarray | None
    """(H,W) bool, True = garment, where the data set has it."""
    labels: np.ndarray
    """(H,W) uint8 in ``scheme``."""
    keypoints: np.ndarray
    """(18,3) float32 in pixels of ``image``; an absent joint is (0,0,…)."""
    category: Category
    scheme: LabelScheme
    garment_id: str


class PairDataset(Dataset[Sample]):
    """Person–garment pairs by index, whatever their layout on disk; picklable, for a DataLoader's workers."""

    @property
    @abstractmethod
    def ids(self) -> list[str]:
        """Every sample's ``id`` in order, without reading a picture."""

    @property
    @abstractmethod
    def garment_ids(self) -> list[str]:
        """Every sample's ``garment_id`` in order, without reading a picture."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Read pair ``index``; raises ``DatasetError``, which names the file that cannot be read."""

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.ids)


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Lines of "person-file garment-file"; further columns and empty lines are ignored.

    Raises:
        DatasetError: The list is missing, or has a line with fewer than two names.
    """
    if not path.is_file():
        raise DatasetError(f"The list of pairs {path} is missing; give the folder that holds it.")
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        names = line.split()
        if len(names) == 1:
            raise DatasetError(f'Line {number} of {path} must name a person and a garment, got "{line}".')
        if names:
            pairs.append((names[0], names[1]))
    return pairs


def read_image(path: Path) -> Image.Image:
    """A decoded picture in its own mode and size.

    Raises:
        DatasetError: The file is missing, truncated or no picture.
    """
    if not path.is_file():
        raise DatasetError(f"The picture {path} is missing from the data set.")
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture.copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"The picture {path} is damaged and cannot be read ({error}).") from error


def read_rgb(path: Path, size: Size) -> np.ndarray:
    """A picture as (H,W,3) uint8 at ``size``, resized by Pillow's bicubic filter as in the published code."""
    return to_size(read_image(path).convert("RGB"), size)


def read_mask(path: Path, size: Size) -> np.ndarray:
    """A black-and-white picture as (H,W) bool at ``size``."""
    grey = read_image(path).convert("L").resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(grey) > 127


def read_labels(path: Path, size: Size) -> np.ndarray:
    """A label map as (H,W) uint8 at ``size``, nearest neighbour.

    Raises:
        DatasetError: The file is missing, damaged, or a colour picture instead of label numbers.
    """
    picture = read_image(path)
    if picture.mode not in ("L", "P"):
        raise DatasetError(
            f"{path} must hold label numbers in one channel, got a picture of mode {picture.mode}."
        )
    # A palette picture's pixels are the label numbers; converting it would give the palette's colours.
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.NEAREST))


def read_json(path: Path) -> Any:
    """The content of a json file.

    Raises:
        DatasetError: The file is missing or no json.
    """
    if not path.is_file():
        raise DatasetError(f"The joints {path} are missing from the data set.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"The joints {path} are damaged and cannot be read ({error}).") from error


def to_size(picture: Image.Image, size: Size) -> np.ndarray:
    """A picture as an array of ``size``, by Pillow's bicubic filter."""
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def scale_keypoints(keypoints: np.ndarray, from_size: Size, to_size: Size) -> np.ndarray:
    """Joints (18,3) from pixels of one size to pixels of another, float32."""
    factor = np.array([to_size[1] / from_size[1], to_size[0] / from_size[0], 1.0])
    return (keypoints * factor).astype(np.float32)
