"""Slices, from joints and labels drawn by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ladi.data.sample import Sample
from ladi.evaluation.causes import properties, slices
from ladi.types import KEYPOINT_NAMES

HEIGHT, WIDTH = 256, 192
STANDING = {
    "right_shoulder": (62, 80),
    "left_shoulder": (130, 80),
    "right_elbow": (50, 130),
    "left_elbow": (142, 130),
    "right_wrist": (50, 180),
    "left_wrist": (142, 180),
    "right_hip": (75, 190),
    "left_hip": (117, 190),
}


def joints(**moved: tuple[float, float] | None) -> np.ndarray:
    """The standing figure, with some joints elsewhere or absent: (18,3)."""
    points = np.zeros((18, 3), np.float32)
    for name, place in {**STANDING, **moved}.items():
        if place is not None:
            points[KEYPOINT_NAMES.index(name)] = (*place, 1)
    return points


@pytest.mark.parametrize(
    ("moved", "word"),
    [
        ({}, "arms at the sides"),
        ({"right_wrist": (60, 40)}, "arms raised"),
        ({"right_wrist": (120, 140), "left_wrist": (72, 140)}, "arms crossed"),
        ({"right_wrist": (96, 150)}, "arm across the torso"),
        ({"right_elbow": (90, 140), "right_wrist": None}, "arm across the torso"),
        ({"right_wrist": (96, 215)}, "arms at the sides"),
        ({"right_shoulder": None}, "unknown"),
    ],
)
def test_pose_is_read_from_the_joints(moved: dict[str, tuple[float, float] | None], word: str) -> None:
    """Prevents: a pair in the wrong slice, such as hands below the hips taken for hands before the body."""
    assert properties.pose_word(joints(**moved)) == word


def test_absent_wrists_are_not_raised_above_anything() -> None:
    """An absent joint is (0,0), higher than any shoulder."""
    assert properties.pose_word(joints(right_wrist=None, left_wrist=None)) == "arms at the sides"


def test_occlusion_is_the_covered_share_of_the_torso() -> None:
    """Prevents: arms beside the body counted as arms before it."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:, 30:60] = 14
    assert properties.occlusion(joints(), labels) == pytest.approx(0, abs=0.01)
    labels[:135] = 2
    # The torso narrows from 68 to 42 pixels over 110 rows; the upper 55 hold 61.5 of 55 on average.
    assert properties.occlusion(joints(), labels) == pytest.approx((68 + 55) / 2 / (2 * 55), abs=0.02)
    assert properties.occlusion(joints(left_hip=None), labels) is None


def test_body_proportions_are_lengths_over_lengths() -> None:
    """Prevents: proportions that change with the picture's size."""
    assert properties.shoulders_to_hips(joints()) == pytest.approx(68 / 42)
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[80:190, 60:115] = 4
    labels[80:190, 20:50] = 14
    assert properties.girth(joints(), labels) == pytest.approx(55 / 110)


@pytest.mark.parametrize(("reach", "word"), [(200, "long"), (112, "short"), (70, "none")])
def test_sleeves_are_what_covers_the_arms(reach: int, word: str) -> None:
    """Prevents: sleeves judged by the garment's picture, which the person may have rolled up."""
    worn = np.zeros((HEIGHT, WIDTH), bool)
    worn[:reach] = True
    assert properties.sleeves(joints(), worn) == word
    assert properties.sleeves(joints(right_wrist=None, left_elbow=None), worn) == "unknown"


def sample(garment: np.ndarray) -> Sample:
    """A person in grey with a garment."""
    return Sample(
        id="a",
        image=np.full((HEIGHT, WIDTH, 3), 128, np.uint8),
        garment=garment,
        garment_mask=np.ones((HEIGHT, WIDTH), bool),
        labels=np.full((HEIGHT, WIDTH), 13, np.uint8),
        keypoints=joints(),
        category="upper_body",
        scheme="lip",
        garment_id="a",
    )


def test_stripes_are_a_pattern_and_shading_is_none() -> None:
    """Prevents: folds and light counted as a pattern."""
    shaded = np.repeat(np.linspace(80, 200, WIDTH)[None, :, None], HEIGHT, 0).repeat(3, 2).astype(np.uint8)
    striped = np.where((np.arange(HEIGHT) // 4 % 2)[:, None, None], np.uint8(40), np.uint8(220))
    striped = np.broadcast_to(striped, (HEIGHT, WIDTH, 3))
    assert properties.pattern_word(sample(shaded)) == "plain"
    assert properties.pattern_word(sample(striped)) == "patterned"
    assert properties.pattern_word(dataclasses.replace(sample(striped), garment_mask=None)) == "unknown"


def test_every_pair_is_in_one_slice_of_each_property() -> None:
    """Prevents: pairs that are lost or counted twice where values are equal or absent."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    found = []
    for index in range(12):
        mask[: 20 * (index // 3)] = True
        values = properties.properties(sample(np.full((HEIGHT, WIDTH, 3), 20 * index, np.uint8)), mask)
        found.append({**values, "occlusion": None if index == 4 else values["occlusion"]})
    for entry in properties.PROPERTIES:
        members = [index for _, own in slices.cut(found)[entry.key] for index in own]
        assert sorted(members) == list(range(12)), entry.key
    assert [len(own) for _, own in slices.cut(found)["garment_brightness"]] == [4, 4, 4]


def test_slice_table_has_the_means_of_its_members() -> None:
    """Prevents: numbers beside the wrong slice."""
    dark, light = (sample(np.full((HEIGHT, WIDTH, 3), grey, np.uint8)) for grey in (10, 250))
    mask = np.ones((HEIGHT, WIDTH), bool)
    found = [properties.properties(each, mask) for each in (dark, dark, light)]
    lines = slices.slice_table(found, {"ssim": [0.2, 0.4, 0.9]})
    by_brightness = [line for line in lines if line["property"] == "garment_brightness"]
    means = [line["scores"]["ssim"]["value"] for line in by_brightness]  # type: ignore[index]
    assert sorted(means) == pytest.approx([0.3, 0.9])
    assert {line["n"] for line in by_brightness} == {1, 2} and all(line["few"] for line in by_brightness)
