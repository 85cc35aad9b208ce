"""Dress Code as it is distributed: one category at a time, 768×1024, with its own labels and 18 joints.

It reads; it makes no mask, no pose map and no tensor.

Layout: in ``{category}/``, ``{split}_pairs_{order}.txt`` (``train_pairs.txt`` for training), ``images/``
(person ``…_0.jpg``, garment ``…_1.jpg``), ``keypoints/…_2.json``, ``label_maps/…_4.png`` and, where present,
the published garment masks ``masks/…_1.png``.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image

from ladi.data.sample import (
    DatasetError,
    Order,
    PairDataset,
    Sample,
    read_image,
    read_json,
    read_labels,
    read_mask,
    read_pairs,
    read_rgb,
    scale_keypoints,
    to_size,
)
from ladi.types import CATEGORIES, KEYPOINT_NAMES, Category, SettingError, Size

FULL_SIZE: Size = (1024, 768)
"""Of the pictures."""
KEYPOINT_SIZE: Size = (512, 384)
"""Of the pixels that joints are given in."""


class DressCodeDataset(PairDataset):
    """The pairs of one category and split, in the order of its list."""

    def __init__(
        self,
        root: str | Path,
        category: Category,
        split: str = "test",
        *,
        order: Order = "paired",
        size: Size = (512, 384),
    ) -> None:
        """Read the list of pairs.

        Args:
            root: The folder with ``upper_body/``, ``lower_body/`` and ``dresses/``.
            category: Which of them.
            split: ``test`` or ``train``.
            order: ``paired`` or ``unpaired``; training pairs exist paired only.
            size: (height, width) of everything handed out.

        Raises:
            DatasetError: The list of pairs is missing.
            SettingError: Unknown category or order, or unpaired training pairs.
        """
        if category not in CATEGORIES:
            raise SettingError(f'The category must be one of {", ".join(CATEGORIES)}, got "{category}".')
        if order not in get_args(Order):
            raise SettingError(f'The order must be "paired" or "unpaired", got "{order}".')
        if split == "train" and order == "unpaired":
            raise SettingError(
                'Dress Code lists unpaired garments for its test split only: use order "paired".'
            )
        self.folder = Path(root) / category
        self.category: Category = category
        self.size = size
        name = "train_pairs.txt" if split == "train" else f"{split}_pairs_{order}.txt"
        self.pairs = read_pairs(self.folder / name)

    @property
    def ids(self) -> list[str]:
        """The people's names, without the files' ``_0``."""
        return [Path(person).stem.removesuffix("_0") for person, _ in self.pairs]

    @property
    def garment_ids(self) -> list[str]:
        """Their garments' names, without the files' ``_1``."""
        return [Path(garment).stem.removesuffix("_1") for _, garment in self.pairs]

    def __getitem__(self, index: int) -> Sample:
        """Read pair ``index``.

        Raises:
            DatasetError: A file of the pair is missing or damaged; the sentence names it.
        """
        person, garment = self.pairs[index]
        name = Path(person).stem.removesuffix("_0")
        garment_pixels, garment_mask = self._garment(garment)
        joints = self.read_joints(self.folder / "keypoints" / f"{name}_2.json")
        return Sample(
            id=name,
            image=read_rgb(self.folder / "images" / person, self.size),
            garment=garment_pixels,
            garment_mask=garment_mask,
            labels=read_labels(self.folder / "label_maps" / f"{name}_4.png", self.size),
            keypoints=scale_keypoints(joints, KEYPOINT_SIZE, self.size),
            category=self.category,
            scheme="dresscode",
            garment_id=Path(garment).stem.removesuffix("_1"),
        )

    def _garment(self, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """The garment, on white where its mask is published, and that mask."""
        path = self.folder / "images" / name
        mask_path = self.folder / "masks" / f"{Path(name).stem}.png"
        if not mask_path.is_file():
            return read_rgb(path, self.size), None
        picture, mask = read_image(path).convert("RGB"), read_image(mask_path).convert("L")
        if mask.size != picture.size:
            mask = mask.resize(picture.size, Image.Resampling.BILINEAR)
        on_white = Image.composite(picture, Image.new("RGB", picture.size, "white"), mask)
        return to_size(on_white, self.size), read_mask(mask_path, self.size)

    @staticmethod
    def read_joints(path: Path) -> np.ndarray:
        """The joints as (18,3); the file's fourth number is the joint's index.

        Raises:
            DatasetError: The file is missing, damaged or in another layout.
        """
        content = read_json(path)
        try:
            return np.array(content["keypoints"], np.float64).reshape(len(KEYPOINT_NAMES), -1)[:, :3]
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"The joints {path} are not in Dress Code's layout of 18 joints.") from error
