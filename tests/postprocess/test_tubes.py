"""Arms as tubes: as wide as people's arms are, and as slim as a painting that knows them shows."""

from __future__ import annotations

import numpy as np

from ladi.postprocess.tubes import SLEEVE, Tube, arm_joints, relief_of, slimmer, tube_of
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT

SIZE = (256, 192)
WIDTH = 64  # between the shoulders


def joints() -> np.ndarray:
    """Of somebody who stands with hanging arms."""
    points = np.zeros((18, 3), np.float32)
    for side, sign in (("right", -1), ("left", 1)):
        for name, out, row in (
            ("shoulder", 32, 76),
            ("elbow", 40, 124),
            ("wrist", 42, 168),
            ("hip", 18, 178),
        ):
            points[JOINT[f"{side}_{name}"]] = (96 + sign * out, row, 1)
    points[JOINT["nose"]], points[JOINT["neck"]] = (96, 38, 1), (96, 76, 1)
    return points


def arm_of(side: str) -> Tube:
    arm = arm_joints(joints(), side, Limbs(joints(), np.ones(SIZE, bool)))
    assert arm is not None
    return tube_of(arm, SIZE)


def inside(side: str) -> np.ndarray:
    return arm_of(side).depth < 1


def test_an_arm_is_as_wide_as_arms_are() -> None:
    """Prevents: arms like bolsters; these widths are those of 2,874 labelled bare arms, to an eighth."""
    arm = inside("left")
    for row, half in ((95, 0.106), (124, 0.104), (140, 0.104), (160, 0.08)):
        assert abs(arm[row].sum() / 2 / WIDTH - half) < half / 8, row


def test_an_upper_arm_lies_outside_the_shoulders_joint() -> None:
    """Prevents: half a chest taken for an arm."""
    left, right = (np.flatnonzero(inside(side)[80]) for side in ("left", "right"))
    assert left.mean() > 96 + 32 + 2 and right.mean() < 96 - 32 - 2
    assert np.array_equal(left, 192 - right[::-1])


def test_a_painting_that_shows_an_arm_knows_how_slim_it_is() -> None:
    tube = arm_of("left")
    arm, thin = tube.depth < 1, tube.depth < 0.75
    told = slimmer(tube, thin, ~thin) & arm
    assert (told == (arm & ~thin)).all()
    assert not slimmer(tube, np.zeros(SIZE, bool), np.ones(SIZE, bool)).any(), "it shows no arm"


def test_an_arm_is_the_same_in_a_larger_picture() -> None:
    arm = arm_joints(joints(), "left", Limbs(joints(), np.ones(SIZE, bool)))
    assert arm is not None
    large = tube_of(arm.enlarged(2), (2 * SIZE[0], 2 * SIZE[1])).depth
    small = tube_of(arm, SIZE).depth
    assert np.abs(large.reshape(SIZE[0], 2, SIZE[1], 2).mean((1, 3)) - small).max() < 0.1


def test_an_arm_darkens_the_body_and_nothing_on_its_outer_side() -> None:
    """Prevents: a grey line with steps along the outer edge of sleeves."""
    tube = arm_of("left")
    relief = relief_of(tube, 1.0, 1.0, seen=True)
    beside = (
        (tube.along > 0.5) & (tube.along < 0.9) & (tube.depth > SLEEVE + 0.2) & (tube.depth < SLEEVE + 0.5)
    )
    assert relief[beside & tube.outer].min() > 0.9
    assert relief[beside & ~tube.outer].mean() < 0.9


def test_the_shade_beside_an_arm_has_no_steps() -> None:
    relief = relief_of(arm_of("left"), 1.0, 1.0, seen=True)
    assert np.abs(np.diff(relief[130:160], axis=1)).max() < 0.2
