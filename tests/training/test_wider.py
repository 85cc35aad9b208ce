"""Masks wider than a garment needs, and people seen from farther: so a T-shirt does not fill a coat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ladi.diffusion.warping import sample_matte
from ladi.files import write_json
from ladi.models.tps import ThinPlateSplineWarp
from ladi.preprocess.labels import LIP
from ladi.training.samples.bending import Bent, bent_batch
from ladi.training.samples.bending import from_farther as bent_from_farther
from ladi.training.samples.cache import Cache
from ladi.training.samples.dressed import Dressed, from_farther, in_wider_mask
from ladi.training.samples.wider import add_masks, joints_from_farther, laid_over, wider_mask, zoomed_out
from ladi.types import JOINT

SIZE = (256, 192)


def joints(left: float = 96, top: float = 70, scale: float = 1.0) -> np.ndarray:
    """(18,3) of somebody upright, the middle of the shoulders at a point."""
    points = np.zeros((18, 3), np.float32)
    for name, (x, y) in {
        "right_shoulder": (-30, 0),
        "left_shoulder": (30, 0),
        "right_elbow": (-36, 45),
        "left_elbow": (36, 45),
        "right_wrist": (-38, 85),
        "left_wrist": (38, 85),
        "right_hip": (-18, 100),
        "left_hip": (18, 100),
    }.items():
        points[JOINT[name]] = (left + scale * x, top + scale * y, 1)
    return points


def coats(folder: Path) -> Cache:
    """Street people in wide coats, one of them half as large."""
    (folder / "train").mkdir(parents=True)
    labels = np.zeros((2, *SIZE), np.uint8)
    labels[0, 60:230, 40:152] = LIP["coat"]
    labels[1, 70:155, 90:146] = LIP["coat"]
    keypoints = np.stack([joints(), joints(118, 75, 0.5)])
    for name, value in {"labels": labels, "keypoints": keypoints}.items():
        np.save(folder / "train" / f"{name}.npy", value)
    write_json(folder / "train" / "ids.json", ["a", "b"])
    cache = Cache(folder, "train")
    add_masks(cache)
    return cache


def shirt() -> Dressed:
    labels = np.zeros(SIZE, np.uint8)
    labels[20:55, 84:108] = LIP["hair"]
    labels[62:160, 70:122] = LIP["upper_clothes"]
    labels[150:166, 50:62] = LIP["right_arm"]
    mask = (labels == LIP["upper_clothes"]).astype(np.uint8)
    picture = np.full((*SIZE, 3), 200, np.uint8)
    matte = mask.astype(np.float32)
    return Dressed(picture, labels, mask, picture, matte, joints(), picture, matte, labels)


def test_a_donors_mask_lies_where_its_torso_does() -> None:
    small = np.zeros(SIZE, np.uint8)
    small[75:125, 100:136] = 1
    laid = laid_over(small, joints(118, 75, 0.5), joints())
    assert laid is not None
    rows, columns = np.flatnonzero(laid.any(1)), np.flatnonzero(laid.any(0))
    assert abs(rows[0] - 70) <= 1 and abs(rows[-1] - 169) <= 1
    assert abs(columns[0] - 60) <= 1 and abs(columns[-1] - 131) <= 1
    assert laid_over(small, joints(scale=0.3), joints()) is None, "enlarged too much to mean anything"
    assert laid_over(small, np.zeros((18, 3)), joints()) is None


def test_masks_become_wider_but_leave_head_and_hands(tmp_path: Path) -> None:
    """Prevents: networks that take a garment's outline from the mask, and masks over faces."""
    donors, sample = coats(tmp_path), shirt()
    rng = np.random.default_rng(0)
    for _ in range(5):
        mask = wider_mask(sample.mask, sample.source_labels, sample.keypoints, donors, rng)
        assert (mask[sample.mask > 0] == 1).all()
        assert mask.sum() > 1.4 * sample.mask.sum() and mask[200, 60]
        assert not mask[np.isin(sample.source_labels, [LIP["hair"], LIP["right_arm"]])].any()
    assert in_wider_mask(sample, None, rng) is sample, "without street photos nothing tells how wide"


def test_from_farther_all_moves_together() -> None:
    """Prevents: joints, labels and pictures of different windows."""
    sample, changed = shirt(), 0
    for seed in range(8):
        moved = from_farther(sample, np.random.default_rng(seed))
        if moved is sample:
            continue
        changed += 1
        share = np.sqrt(moved.mask[:-1].sum() / sample.mask.sum())
        torso = [
            one[JOINT["left_hip"], 1] - one[JOINT["left_shoulder"], 1]
            for one in (moved.keypoints, sample.keypoints)
        ]
        assert share == pytest.approx(torso[0] / torso[1], abs=0.04)
        assert ((moved.source_labels == LIP["upper_clothes"]) == (moved.mask > 0)).all()
        middle = moved.keypoints[[JOINT["right_shoulder"], JOINT["left_hip"]], :2].mean(0).astype(int)
        assert moved.mask[middle[1], middle[0]]
        assert moved.garment is sample.garment
    assert changed
    absent = joints_from_farther(np.zeros((18, 3), np.float32), zoomed_out(0.5, SIZE))
    assert not absent.any()


def test_the_splines_grid_moves_with_the_window() -> None:
    """Prevents: a garment laid where the person was before the window grew."""
    tps, plain = ThinPlateSplineWarp(height=64, width=48, grid_size=3), shirt()
    side = np.linspace(-0.8, 0.7, 3, dtype=np.float32)
    points = np.stack(np.meshgrid(side, side, indexing="xy"), -1).reshape(-1, 2)
    sample = Bent(
        plain.image,
        plain.source_labels,
        plain.mask,
        plain.mask > 0,
        np.ones(SIZE, np.float32),
        plain.garment,
        plain.matte,
        plain.keypoints,
        points,
    )

    def laid(one: Bent) -> np.ndarray:
        batch = bent_batch([one], tps, None)
        return sample_matte(batch["matte"], batch["grid"])[0, 0].numpy() > 0.5

    sample = replace(sample, worn=laid(sample))
    farther = bent_from_farther(sample, 0.6)
    found = laid(farther)
    assert found.sum() == pytest.approx(0.36 * sample.worn.sum(), rel=0.05)
    assert (found & farther.worn).sum() / (found | farther.worn).sum() > 0.9
