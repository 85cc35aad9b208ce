"""VITON-HD as it is distributed: upper bodies at 768×1024 with LIP labels and BODY-25 joints.

It reads; it makes no mask, no pose map and no tensor.

Layout: ``{split}_pairs.txt`` and, in ``{split}/``, ``image/``, ``cloth/``, ``image-parse-v3/``,
``openpose_json/`` and, where present, ``cloth-mask/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from ladi.data.sample import (
    DatasetError,
    Order,
    PairDataset,
    Sample,
    read_json,
    read_labels,
    read_mask,
    read_pairs,
    read_rgb,
    scale_keypoints,
)
from ladi.preprocess.pose_map import body25_to_keypoints
from ladi.types import KEYPOINT_NAMES, SettingError, Size

FULL_SIZE: Size = (1024, 768)
"""Of the pictures, and so of the joints' pixels."""
_BODY25_JOINTS = 25


class VitonHdDataset(PairDataset):
    """The pairs of one split, in the order of its list."""

    def __init__(
        self, root: str | Path, split: str = "test", *, order: Order = "paired", size: Size = (512, 384)
    ) -> None:
        """Read the list of pairs.

        Args:
            root: The folder with ``test_pairs.txt`` and ``test/``.
            split: ``test`` or ``train``.
            order: ``paired`` gives each person their own garment, ``unpaired`` the one that the list names.
            size: (height, width) of everything handed out.

        Raises:
            DatasetError: The list of pairs is missing.
            SettingError: Unknown order.
        """
        if order not in get_args(Order):
            raise SettingError(f'The order must be "paired" or "unpaired", got "{order}".')
        self.folder = Path(root) / split
        self.size = size
        listed = read_pairs(Path(root) / f"{split}_pairs.txt")
        self.pairs = [(person, person if order == "paired" else garment) for person, garment in listed]

    @property
    def ids(self) -> list[str]:
        """The people's names."""
        return [Path(person).stem for person, _ in self.pairs]

    @property
    def garment_ids(self) -> list[str]:
        """Their garments' names."""
        return [Path(garment).stem for _, garment in self.pairs]

    def __getitem__(self, index: int) -> Sample:
        """Read pair ``index``.

        Raises:
            DatasetError: A file of the pair is missing or damaged; the sentence names it.
        """
        person, garment = self.pairs[index]
        name, garment_name = Path(person).stem, Path(garment).stem
        cloth_mask = self.folder / "cloth-mask" / garment
        joints = self.read_joints(self.folder / "openpose_json" / f"{name}_keypoints.json")
        return Sample(
            id=name,
            image=read_rgb(self.folder / "image" / person, self.size),
            garment=read_rgb(self.folder / "cloth" / garment, self.size),
            garment_mask=read_mask(cloth_mask, self.size) if cloth_mask.is_file() else None,
            labels=read_labels(self.folder / "image-parse-v3" / f"{name}.png", self.size),
            keypoints=scale_keypoints(joints, FULL_SIZE, self.size),
            category="upper_body",
            scheme="lip",
            garment_id=garment_name,
        )

    @staticmethod
    def read_joints(path: Path) -> np.ndarray:
        """The first person's joints, (18,3); all absent where the detector found nobody.

        Raises:
            DatasetError: The file is missing, damaged or in another layout.
        """
        content = read_json(path)
        try:
            people = content["people"]
            if not people:
                return np.zeros((len(KEYPOINT_NAMES), 3))
            joints = np.array(people[0]["pose_keypoints_2d"], np.float64).reshape(-1, 3)
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"The joints {path} are not in OpenPose's layout.") from error
        # Some copies of the data set carry our 18 joints already.
        if len(joints) == len(KEYPOINT_NAMES):
            return joints
        if len(joints) != _BODY25_JOINTS:
            raise DatasetError(f"The joints {path} must be 25 (BODY-25) or 18, got {len(joints)}.")
        return body25_to_keypoints(joints)
