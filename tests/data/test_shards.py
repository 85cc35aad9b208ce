"""Reading WebDataset shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ladi.data.shards import read_shards
from ladi.types import LadiError
from tests.drawn_shards import drawn_sample, write_drawn_shards, write_shard


def test_samples_come_in_order_with_everything_at_one_size(tmp_path: Path) -> None:
    samples = list(read_shards(write_drawn_shards(tmp_path), "train", (128, 96)))
    assert [sample.id for sample in samples] == [f"{n:06d}" for n in range(6)]
    first = samples[0]
    assert first.image.shape == first.garment.shape == (128, 96, 3)
    assert first.labels.shape == (128, 96) and set(np.unique(first.labels)) == {0, 2, 5, 9, 13, 14, 15}
    assert first.keypoints[0, :2] == pytest.approx((48, 25)), "joints must follow the picture's size"


def test_nobody_found_is_18_absent_joints(tmp_path: Path) -> None:
    samples = list(read_shards(write_drawn_shards(tmp_path), "train"))
    assert samples[3].keypoints.shape == (18, 3) and not samples[3].keypoints.any()


def test_holes_in_garment_masks_are_filled(tmp_path: Path) -> None:
    """Pale garments' masks have holes; training would learn to cut them out."""
    import io

    from PIL import Image, ImageDraw

    parts = drawn_sample(0)
    mask = Image.open(io.BytesIO(parts["cloth-mask.png"]))
    ImageDraw.Draw(mask).rectangle((80, 100, 90, 110), fill=0)
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    write_shard(tmp_path / "val-00.tar", {"a": {**parts, "cloth-mask.png": buffer.getvalue()}})
    assert next(read_shards(tmp_path, "val")).garment_mask[105, 85]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda parts: parts.pop("pose.json"), "lacks pose.json"),
        (lambda parts: parts.update({"image.jpg": parts["image.jpg"][:300]}), "cannot be read"),
        (lambda parts: parts.update({"pose.json": b"[1, 2]"}), "cannot be read"),
    ],
)
def test_a_damaged_sample_is_named(tmp_path: Path, damage, message: str) -> None:
    parts = drawn_sample(0)
    damage(parts)
    write_shard(tmp_path / "val-00.tar", {"broken": parts})
    with pytest.raises(LadiError, match=f"sample broken of val-00.tar {message}"):
        list(read_shards(tmp_path, "val"))


def test_no_shards_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(LadiError, match="no shards val-.*--data"):
        list(read_shards(tmp_path, "val"))
