"""Measures and causes, where the answer is known."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ladi.data.shards import read_shards
from ladi.evaluation.causes import attribution, diagnosis
from ladi.evaluation.pairs import Pair, make_pair
from ladi.types import KEYPOINT_NAMES
from tests.evaluation.conftest import Evaluate
from tests.toy import toy_pipeline


@pytest.fixture
def pair(data: Path) -> Pair:
    """The first drawn pair at the toy model's size."""
    return make_pair(next(read_shards(data, "val", (64, 48))))


def test_overlap_is_intersection_over_union() -> None:
    """Prevents: a garment that covers everything counted as well warped."""
    one, other = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    one[:2], other[1:3] = True, True
    assert diagnosis.overlap(one, other) == pytest.approx(4 / 12)
    assert diagnosis.overlap(np.zeros((4, 4), bool), np.zeros((4, 4), bool)) is None


def test_a_garment_that_fills_its_picture_is_warped_onto_everything_visible(pair: Pair) -> None:
    """However a full picture is warped, it stays full: the overlap is the worn share of what shows."""
    sample = dataclasses.replace(pair.sample, garment_mask=np.ones((64, 48), bool))
    visible = ~diagnosis.hidden(sample)
    expected = (diagnosis.worn_garment(sample) & visible).sum() / visible.sum()
    full = dataclasses.replace(pair, sample=sample)
    assert diagnosis.warp_overlap(toy_pipeline(), full) == pytest.approx(expected)
    none = dataclasses.replace(pair, sample=dataclasses.replace(sample, garment_mask=None))
    assert diagnosis.warp_overlap(toy_pipeline(), none) is None


def test_mask_measures_count_what_is_swallowed_and_left(pair: Pair) -> None:
    """Prevents: the two confused, or counted over the whole picture."""
    worn, arms = diagnosis.worn_garment(pair.sample), np.isin(pair.sample.labels, [14, 15])
    all_but_a_row = worn | arms
    all_but_a_row[np.flatnonzero(worn.any(1))[0]] = False
    found = diagnosis.mask_measures(pair.sample, all_but_a_row)
    assert found["mask_leaves"] == pytest.approx(worn.any(0).sum() / worn.sum())
    assert found["mask_swallows"] == pytest.approx((arms & all_but_a_row).sum() / all_but_a_row.sum())
    assert diagnosis.mask_measures(pair.sample, pair.mask)["mask_leaves"] == 0


def test_joints_are_compared_in_widths_of_the_shoulders() -> None:
    """Prevents: a distance that depends on the picture's size, or on joints that only one of both has."""
    labelled = np.zeros((18, 3), np.float32)
    for name, place in {
        "right_shoulder": (20, 20),
        "left_shoulder": (60, 20),
        "left_wrist": (60, 80),
    }.items():
        labelled[KEYPOINT_NAMES.index(name)] = (*place, 1)
    found = labelled.copy()
    found[KEYPOINT_NAMES.index("left_wrist")] = (72, 80, 1)
    found[KEYPOINT_NAMES.index("right_wrist")] = (5, 5, 1)
    assert diagnosis.joint_distance(found, labelled) == pytest.approx(12 / 40 / 3)
    assert diagnosis.joint_distance(found * 0, labelled) is None


def test_causes_of_the_worst_stand_beside_the_rate_of_all() -> None:
    """Prevents: what is common everywhere sold as the reason, or the app blamed for the data's masks."""
    errors = np.linspace(0, 1, 40)
    measured = [{"warp_overlap": 0.9, "mask_leaves": 0.1, "pose_distance": 0.5} for _ in errors]
    for index in (36, 37, 39):
        measured[index]["warp_overlap"] = 0.2
    found = attribution.attribute(errors.tolist(), measured, masks_of_app=False)
    assert found["bad"] == [39, 38, 37, 36, 35]
    assert found["suspects"][39] == ["warp_overlap", "mask_leaves"]
    assert found["suspects"][38] == ["mask_leaves"]
    table = {line["key"]: line for line in found["table"]}
    assert (table["warp_overlap"]["suspicious_bad"], table["warp_overlap"]["suspicious_all"]) == (3, 3)
    assert (table["mask_leaves"]["suspicious_bad"], table["mask_leaves"]["suspicious_all"]) == (5, 40)
    assert table["warp_overlap"]["correlation"] < 0
    assert not table["pose_distance"]["causal"] and "not measured" in table["parser_overlap"]["why"]
    own = attribution.attribute(errors.tolist(), measured, masks_of_app=True)
    assert "pose_distance" in own["suspects"][38]


def test_measures_are_kept_with_the_pictures_and_reach_the_report(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: causes in the report that were measured on other pictures, or measured twice."""
    result = run(causes=True, limit=2)
    assert all(0 <= pair["measures"]["warp_overlap"] <= 1 for pair in result["pairs"])
    # A figure of rectangles is nobody to mediapipe: what needs the person found has no value.
    assert result["pairs"][0]["measures"]["pose_distance"] is None
    kept = tmp_path / "out" / "paired" / "measures" / "000100.json"
    before = kept.stat().st_mtime_ns
    run(causes=True, limit=2)
    assert kept.stat().st_mtime_ns == before
    page = (tmp_path / "out" / "report.html").read_text()
    assert "overlap of warped and worn garment" in page and "A heuristic, not a proof" in page
