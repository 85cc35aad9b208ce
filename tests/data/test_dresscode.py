"""The Dress Code reader, on a tiny copy of its layout written by the test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.data.dresscode import DressCodeDataset
from ladi.data.sample import DatasetError
from ladi.types import SettingError

FULL = (768, 1024)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two dresses at 768×1024; only the first garment has a published mask (its right half)."""
    folder = tmp_path / "dresses"
    for name in ("images", "keypoints", "label_maps", "masks"):
        (folder / name).mkdir(parents=True)
    (folder / "test_pairs_paired.txt").write_text("000_0.jpg 000_1.jpg\n001_0.jpg 001_1.jpg\n")
    (folder / "test_pairs_unpaired.txt").write_text("000_0.jpg 001_1.jpg\n001_0.jpg 000_1.jpg\n")
    for name in ("000", "001"):
        Image.new("RGB", FULL, (30, 60, 90)).save(folder / "images" / f"{name}_0.jpg")
        Image.new("RGB", FULL, (120, 0, 60)).save(folder / "images" / f"{name}_1.jpg")
        labels = np.zeros((1024, 768), np.uint8)
        labels[400:] = 7
        Image.fromarray(labels).save(folder / "label_maps" / f"{name}_4.png")
        joints = [[10.0 + joint, 20.0, 0.9, joint] for joint in range(18)]
        (folder / "keypoints" / f"{name}_2.json").write_text(json.dumps({"keypoints": joints}))
    mask = np.zeros((1024, 768), np.uint8)
    mask[:, 384:] = 255
    Image.fromarray(mask).save(folder / "masks" / "000_1.png")
    return tmp_path


def test_orders_follow_their_own_lists(root: Path) -> None:
    # Unlike VITON-HD, Dress Code has one list for each order.
    paired, unpaired = (DressCodeDataset(root, "dresses", order=order)[0] for order in ("paired", "unpaired"))
    assert (paired.id, paired.garment_id, unpaired.garment_id) == ("000", "000", "001")
    assert (paired.category, paired.scheme) == ("dresses", "dresscode")


def test_garment_is_put_on_white_by_its_published_mask(root: Path) -> None:
    # The published model saw Dress Code garments on white only.
    with_mask, without = DressCodeDataset(root, "dresses")[0], DressCodeDataset(root, "dresses")[1]
    assert (with_mask.garment[:, :190] == 255).all()
    assert np.abs(with_mask.garment[:, 195:].astype(int) - (120, 0, 60)).max() < 8
    assert with_mask.garment_mask is not None and with_mask.garment_mask[:, 193:].all()
    assert without.garment_mask is None and without.garment.max() < 130


def test_joints_are_scaled_from_384_by_512(root: Path) -> None:
    # Dress Code's joints are at half the pictures' size; VITON-HD's are not.
    joints = DressCodeDataset(root, "dresses", size=(1024, 768))[0].keypoints
    assert joints.shape == (18, 3)
    assert joints[3].tolist() == pytest.approx([26, 40, 0.9])


@pytest.mark.parametrize(
    "file", ["images/000_0.jpg", "images/000_1.jpg", "label_maps/000_4.png", "keypoints/000_2.json"]
)
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_bad_file_is_named(root: Path, file: str, damage: str) -> None:
    path = root / "dresses" / file
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DatasetError, match=path.name):
        DressCodeDataset(root, "dresses")[0]


def test_wrong_joint_layout_is_named(root: Path) -> None:
    (root / "dresses" / "keypoints" / "000_2.json").write_text(json.dumps({"keypoints": [[1, 2, 3, 4]]}))
    with pytest.raises(DatasetError, match="000_2.json are not in Dress Code's layout"):
        DressCodeDataset(root, "dresses")[0]


def test_unknown_choices_are_refused(root: Path) -> None:
    with pytest.raises(SettingError, match='got "shoes"'):
        DressCodeDataset(root, "shoes")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match='"paired" or "unpaired"'):
        DressCodeDataset(root, "dresses", order="any")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="test split only"):
        DressCodeDataset(root, "dresses", "train", order="unpaired")
    with pytest.raises(DatasetError, match="train_pairs.txt is missing"):
        DressCodeDataset(root, "dresses", "train")
