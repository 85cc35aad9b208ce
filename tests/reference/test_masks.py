"""Masks, pose maps and masked pictures of the drawn people are the published code's, through our loaders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ladi.data.opening import open_dataset
from ladi.data.sample import Sample
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.pose_map import pose_map
from ladi.types import CATEGORIES, Category

SIZE = (512, 384)
VITON_HD_PEOPLE = 3
DRESS_CODE_PEOPLE = 2


@pytest.fixture(scope="module")
def expected(reference_dir: Path) -> dict[str, np.ndarray]:
    with np.load(reference_dir / "masks.npz") as arrays:
        return dict(arrays)


def read_sample(folder: Path, name: str) -> Sample:
    """The sample behind ``vitonhd_{i}`` or ``dresscode_{category}_{i}``."""
    family, _, rest = name.partition("_")
    category, _, index = (rest if family == "dresscode" else f"upper_body_{rest}").rpartition("_")
    root = folder / "inputs" / family
    return open_dataset(root, size=SIZE, categories=[category])[int(index)]  # type: ignore[list-item]


def mask_of(sample: Sample) -> np.ndarray:
    return inpaint_mask(sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme)


VITON_HD = [f"vitonhd_{index}" for index in range(VITON_HD_PEOPLE)]
DRESS_CODE = [
    f"dresscode_{category}_{index}" for category in CATEGORIES for index in range(DRESS_CODE_PEOPLE)
]


@pytest.mark.parametrize("name", VITON_HD + DRESS_CODE)
def test_mask_is_the_published_one_to_the_pixel(
    name: str, reference_dir: Path, expected: dict[str, np.ndarray]
) -> None:
    # A line drawn the other way round, or a width rounded otherwise, changes some hundred pixels.
    published = np.unpackbits(expected[f"{name}_inpaint_mask"]).reshape(SIZE).astype(bool)
    assert np.count_nonzero(mask_of(read_sample(reference_dir, name)) != published) == 0


@pytest.mark.parametrize("name", VITON_HD + DRESS_CODE)
def test_pose_map_is_the_published_one(name: str, reference_dir: Path, expected, assert_close) -> None:
    # Joints in pixels of the wrong size, or BODY-25's middle hip left in, would move the blobs.
    sample = read_sample(reference_dir, name)
    assert_close(pose_map(sample.keypoints, SIZE)[0, :, ::16, ::16], expected[f"{name}_pose_map"])


@pytest.mark.parametrize("name", VITON_HD)
def test_masked_person_is_the_published_one(name: str, reference_dir: Path, expected, assert_close) -> None:
    # Another resizing filter, or black instead of mid-grey under the mask, would show here.
    sample = read_sample(reference_dir, name)
    masked = to_tensor(sample.image)[0].numpy() * ~mask_of(sample)
    assert_close(masked[:, ::16, ::16], expected[f"{name}_im_mask"])


def test_every_category_is_covered(expected: dict[str, np.ndarray]) -> None:
    # Numbers for a category that no test reads would pass unseen.
    names = {key.removesuffix("_inpaint_mask") for key in expected if key.endswith("_inpaint_mask")}
    categories: tuple[Category, ...] = CATEGORIES
    assert names == set(VITON_HD + DRESS_CODE), f"unread: {names} of {categories}"
