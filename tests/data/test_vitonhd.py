"""The VITON-HD reader, on a tiny copy of its layout written by the test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.data.sample import DatasetError
from ladi.data.vitonhd import VitonHdDataset
from ladi.types import SettingError

FULL = (768, 1024)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two people at 768×1024, of whom only the second has a cloth mask; pair 0 names the other's garment."""
    for folder in ("image", "cloth", "cloth-mask", "image-parse-v3", "openpose_json"):
        (tmp_path / "test" / folder).mkdir(parents=True)
    (tmp_path / "test_pairs.txt").write_text("00_00.jpg 01_00.jpg\n01_00.jpg 00_00.jpg\n\n")
    for index, name in enumerate(("00_00", "01_00")):
        folder = tmp_path / "test"
        Image.new("RGB", FULL, (40 * index, 10, 200)).save(folder / "image" / f"{name}.jpg")
        Image.new("RGB", FULL, (246, 246, 246 - 40 * index)).save(folder / "cloth" / f"{name}.jpg")
        labels = np.zeros((1024, 768), np.uint8)
        labels[512:, :384] = 5
        labels[:100] = 10
        picture = Image.fromarray(labels, "P")
        picture.putpalette([value for number in range(256) for value in (number, 255 - number, 7)])
        picture.save(folder / "image-parse-v3" / f"{name}.png")
        joints = np.arange(75, dtype=float).reshape(25, 3)
        joints[:, 2] = 0.9
        people = [] if index else [{"pose_keypoints_2d": joints.ravel().tolist()}]
        (folder / "openpose_json" / f"{name}_keypoints.json").write_text(json.dumps({"people": people}))
    mask = np.zeros((1024, 768), np.uint8)
    mask[:, 384:] = 255
    Image.fromarray(mask).save(tmp_path / "test" / "cloth-mask" / "01_00.jpg")
    return tmp_path


def test_paired_takes_the_own_garment_and_unpaired_the_listed_one(root: Path) -> None:
    # The list names the unpaired garments: reading it for the paired order would compare different garments.
    paired, unpaired = VitonHdDataset(root)[0], VitonHdDataset(root, order="unpaired")[0]
    assert (paired.id, paired.garment_id, unpaired.garment_id) == ("00_00", "00_00", "01_00")
    assert not np.array_equal(paired.garment, unpaired.garment)
    assert np.array_equal(paired.image, unpaired.image)


def test_everything_is_at_the_wanted_size(root: Path) -> None:
    sample = VitonHdDataset(root, order="unpaired", size=(256, 192))[0]
    assert sample.image.shape == sample.garment.shape == (256, 192, 3)
    assert sample.garment_mask is not None and sample.garment_mask.shape == (256, 192)
    assert sample.garment_mask[:, 100:].all() and not sample.garment_mask[:, :92].any()
    # Palette pictures hold label numbers; converting them would give the palette's colours.
    assert np.unique(sample.labels).tolist() == [0, 5, 10]
    assert sample.labels[200, 50] == 5 and sample.labels.dtype == np.uint8


def test_joints_are_scaled_from_full_size_and_lose_the_middle_hip(root: Path) -> None:
    # BODY-25 has a middle hip that our 18 joints lack; forgetting it shifts all legs by one.
    joints = VitonHdDataset(root, size=(512, 384))[0].keypoints
    assert joints.shape == (18, 3) and joints.dtype == np.float32
    assert joints[7].tolist() == pytest.approx([21 / 2, 22 / 2, 0.9])
    assert joints[8].tolist() == pytest.approx([27 / 2, 28 / 2, 0.9])


def test_eighteen_joints_are_taken_as_they_are(root: Path) -> None:
    # One widespread sample of VITON-HD carries 18 joints instead of 25.
    file = root / "test" / "openpose_json" / "00_00_keypoints.json"
    file.write_text(json.dumps({"people": [{"pose_keypoints_2d": [10.0, 20.0, 1.0] * 18}]}))
    assert VitonHdDataset(root)[0].keypoints[17].tolist() == [5, 10, 1]


def test_nobody_found_means_absent_joints_and_a_missing_cloth_mask_none(root: Path) -> None:
    assert not VitonHdDataset(root)[1].keypoints.any()
    assert VitonHdDataset(root)[0].garment_mask is None
    assert len(VitonHdDataset(root)) == 2


@pytest.mark.parametrize("folder", ["image", "cloth", "image-parse-v3", "openpose_json"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_bad_file_is_named(root: Path, folder: str, damage: str) -> None:
    # "OSError: image file is truncated" after ten hours does not say which of 12,000 files it was.
    file = next((root / "test" / folder).glob("00_00*"))
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DatasetError, match=file.name):
        VitonHdDataset(root)[0]


def test_wrong_number_of_joints_and_colour_labels_are_named(root: Path) -> None:
    joints = root / "test" / "openpose_json" / "00_00_keypoints.json"
    content = joints.read_text()
    joints.write_text(json.dumps({"people": [{"pose_keypoints_2d": [0, 0, 0]}]}))
    with pytest.raises(DatasetError, match=r"must be 25 \(BODY-25\) or 18, got 1"):
        VitonHdDataset(root)[0]
    joints.write_text(content)
    Image.new("RGB", FULL).save(root / "test" / "image-parse-v3" / "00_00.png")
    with pytest.raises(DatasetError, match="label numbers in one channel"):
        VitonHdDataset(root)[0]


def test_missing_list_half_line_and_unknown_order(root: Path) -> None:
    with pytest.raises(DatasetError, match="train_pairs.txt is missing"):
        VitonHdDataset(root, "train")
    (root / "test_pairs.txt").write_text("00_00.jpg\n")
    with pytest.raises(DatasetError, match="Line 1 of .*test_pairs.txt"):
        VitonHdDataset(root)
    with pytest.raises(SettingError, match='"paired" or "unpaired"'):
        VitonHdDataset(root, order="random")  # type: ignore[arg-type]


def test_real_sample_reads(shared_dir: Path) -> None:
    # The real files have palettes, json versions and sizes that no test invents.
    dataset = VitonHdDataset(shared_dir / "data" / "vitonhd-sample", order="unpaired", size=(256, 192))
    assert len(dataset) == 7
    for index in range(len(dataset)):
        sample = dataset[index]
        assert {0, 5, 13} <= set(np.unique(sample.labels).tolist())
        shoulders = sample.keypoints[[2, 5], :2]
        assert (shoulders > 0).all() and (shoulders < (192, 256)).all()
