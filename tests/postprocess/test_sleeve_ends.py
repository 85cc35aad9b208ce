"""Where short sleeves end: straight lines, at the result's size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.postprocess.layers import Canvas, shapes
from ladi.postprocess.sleeve_ends import (
    SleeveEnd,
    SleeveRegions,
    sleeve_end,
    sleeve_regions,
    with_sleeve_ends,
)
from ladi.postprocess.tubes import ArmJoints, arm_joints, tube_of
from ladi.preprocess.boxes import Box
from ladi.preprocess.labels import LIP
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS
from tests.postprocess.people import somebody
from tests.postprocess.test_tubes import SIZE, WIDTH, joints

WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
TIMES = 3
CANVAS = Canvas((TIMES * SIZE[0], TIMES * SIZE[1]), Box(0, 0, *SIZE), SIZE)
EVERYWHERE, NOWHERE = np.ones(CANVAS.size, np.float32), np.zeros(CANVAS.size, np.float32)
END = 0.3


def left_arm() -> ArmJoints:
    arm = arm_joints(joints(), "left", Limbs(joints(), np.ones(SIZE, bool)))
    assert arm is not None
    return arm


def puffed() -> torch.Tensor:
    """A T-shirt's layers at the result's size, its sleeve as round as smoothing leaves it."""
    tube, first = tube_of(left_arm(), SIZE), np.full(SIZE, WALL)
    first[70:180, 60:130] = GARMENT
    first[(tube.depth < 1) & (tube.along > 0)] = SKIN
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    first[np.hypot(rows - 92, columns - 134) < 16] = GARMENT
    return shapes(
        torch.from_numpy(np.eye(len(LAYERS), dtype=np.float32)[first].transpose(2, 0, 1))[None], CANVAS.size
    )


def drawn(shares: torch.Tensor, worn: np.ndarray = EVERYWHERE, bare: np.ndarray = NOWHERE) -> np.ndarray:
    ends = (SleeveEnd(left_arm(), END, 1.3),)
    result = with_sleeve_ends(shares, ends, SleeveRegions(EVERYWHERE, worn, bare), CANVAS)
    assert torch.allclose(result.sum(1), torch.ones(1, *CANVAS.size), atol=1e-5)
    return result[0].numpy()


def outer_edge(layers: np.ndarray, row: int) -> int:
    return int(np.flatnonzero(layers[GARMENT, row] > 0.5).max())


def test_a_short_sleeve_is_widest_at_its_hem() -> None:
    """Prevents: T-shirts with puffed sleeves."""
    before, after = puffed()[0].numpy(), drawn(puffed())
    tube = tube_of(left_arm().enlarged(TIMES), CANVAS.size)
    rows = np.flatnonzero(((tube.along > 0.1) & (tube.along < END - 0.04) & (tube.depth < 0.1)).any(1))
    was, now = ([outer_edge(layers, row) for row in rows] for layers in (before, after))
    assert was[-1] < max(was) - 2, "round"
    assert (np.diff(now) >= 0).all(), "straight, and never back towards the arm"


def test_the_hem_lies_across_the_arm() -> None:
    tube, after = tube_of(left_arm().enlarged(TIMES), CANVAS.size), drawn(puffed())
    arm = tube.outer & (tube.depth < 0.9)
    assert (after[GARMENT][arm & (tube.along > 0.1) & (tube.along < END - 0.01)] > 0.9).all()
    assert (after[SKIN][arm & (tube.along > END + 0.04) & (tube.along < END + 0.08)] > 0.9).all()


def test_the_hem_goes_round_the_arm() -> None:
    """Prevents: sleeves cut off with a ruler."""
    tube, after = tube_of(left_arm().enlarged(TIMES), CANVAS.size), drawn(puffed())
    cloth = (after[GARMENT] > 0.5) & tube.outer
    middle, edge = (tube.along[cloth & part].max() for part in (tube.depth < 0.3, (tube.depth > 0.9)))
    assert END - 0.01 < edge < middle < END + 0.04


def test_nothing_is_added_beside_whoever_is_seen() -> None:
    """Prevents: a sleeve before the wall, up beside a scarf, where the photo shows nobody."""
    before = puffed()
    assert (drawn(before, worn=NOWHERE)[GARMENT] <= before[0, GARMENT].numpy() + 1e-6).all()


def test_an_arm_far_beside_the_sleeve_stays_an_arm() -> None:
    tube = tube_of(left_arm().enlarged(TIMES), CANVAS.size)
    beside = tube.outer & (tube.depth > 2.3) & (tube.depth < 2.8) & (tube.along > 0.05) & (tube.along < END)
    assert (drawn(puffed())[WALL][beside] > 0.9).all()
    assert (drawn(puffed(), bare=beside.astype(np.float32))[SKIN][beside] > 0.9).all()


def test_no_bare_skin_lies_above_a_sleeve() -> None:
    """Prevents: a brown speck on the shoulder, where a sleeve is cut away from a wider coat's."""
    shares, tube = puffed(), tube_of(left_arm().enlarged(TIMES), CANVAS.size)
    shoulder = tube.outer & (tube.along > 0) & (tube.along < 0.1) & (tube.depth < 1.1)
    shares[0, GARMENT, shoulder], shares[0, SKIN, shoulder], shares[0, WALL, shoulder] = 0, 0, 1
    after = drawn(shares)
    assert after[SKIN][shoulder & (tube.along < 0.08)].max() < 0.1
    assert after[SKIN][tube.outer & (tube.depth < 0.8) & (tube.along > END + 0.04)].max() > 0.9, "below it"


def test_what_is_before_a_sleeve_stays_before_it() -> None:
    shares = puffed()
    shares[:, :, :300] = 0
    shares[:, OTHER, :300] = 1
    assert (drawn(shares)[OTHER, :300] == 1).all()


@pytest.mark.parametrize(("end", "there"), [(0.0, False), (0.3, True), (0.6, True), (1.0, False)])
def test_only_short_sleeves_end_so(end: float, there: bool) -> None:
    arm = left_arm()
    tube = tube_of(arm, SIZE)
    assert (sleeve_end(arm, tube, end, tube.depth < 1.4) is not None) == there


def test_a_sleeve_stands_off_as_the_warp_says_within_what_sleeves_do() -> None:
    arm = left_arm()
    tube = tube_of(arm, SIZE)
    for depth, least, most in ((1.0, 1.3, 1.3), (1.5, 1.32, 1.5), (2.5, 1.6, 1.6)):
        found = sleeve_end(arm, tube, END, tube.depth < depth)
        assert found is not None
        assert least <= found.reach <= most


def test_an_arm_towards_the_camera_keeps_what_was_painted() -> None:
    points = left_arm().points.copy()
    points[1] = points[0] + (2, 0.2 * WIDTH)
    arm = ArmJoints(points, WIDTH, 1)
    assert sleeve_end(arm, tube_of(arm, SIZE), END, np.ones(SIZE, bool)) is None


def test_labels_steps_are_none_at_the_results_size() -> None:
    """Prevents: saw teeth where a sleeve ends at the edge of what was worn."""
    labels = np.zeros(SIZE, np.uint8)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    labels[columns < 60 + rows // 3] = LIP["coat"]
    person = somebody(labels, np.zeros((*SIZE, 3), np.uint8), np.ones(SIZE, bool))
    regions = sleeve_regions(person, np.ones(CANVAS.size, bool), CANVAS)
    edge = regions.worn[90:600].sum(1)
    assert np.abs(np.diff(edge)).max() < 1, "a third of a pixel from row to row, not three every ninth"
    assert np.allclose(regions.free, 1, atol=1e-5) and not regions.bare.any()


def test_an_arm_thicker_than_the_sleeve_is_in_it_all_the_same() -> None:
    """Prevents: a strip of bare arm along the outside of a sleeve."""
    tube = tube_of(left_arm().enlarged(TIMES), CANVAS.size)
    thick = (tube.depth < 1.7) & tube.outer & (tube.along > 0)
    layers = drawn(puffed(), worn=NOWHERE, bare=thick.astype(np.float32))
    beside = thick & (tube.depth < 1.6) & (tube.along > 0.04)
    assert (layers[GARMENT][beside & (tube.along < END - 0.04)] > 0.9).all()
    assert (layers[SKIN][beside & (tube.along > END + 0.05) & (tube.along < END + 0.06)] > 0.5).all()
