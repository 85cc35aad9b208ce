"""How far sleeves reach: as the garment tells it and the warp lays it, and alike on both arms."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.sleeve_lengths import covered_to, sleeve_lengths
from ladi.postprocess.tubes import Tube, arm_joints, tube_of
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT

SIZE = (256, 192)


def hanging(*, left_wrist: tuple[int, int] = (142, 170)) -> tuple[list[Tube], np.ndarray]:
    """Both arms of somebody who stands before the camera, and the trunk between them."""
    joints = np.zeros((18, 3), np.float32)
    for name, (x, y) in {
        "neck": (96, 70),
        "right_shoulder": (64, 76),
        "left_shoulder": (128, 76),
        "right_elbow": (52, 124),
        "right_wrist": (50, 170),
        "left_elbow": (140, 124),
        "left_wrist": left_wrist,
        "right_hip": (78, 178),
        "left_hip": (114, 178),
    }.items():
        joints[JOINT[name]] = (x, y, 1)
    limbs = Limbs(joints, np.ones(SIZE, bool))
    arms = [found for side in ("left", "right") if (found := arm_joints(joints, side, limbs)) is not None]
    return [tube_of(arm, SIZE) for arm in arms], limbs.trunk(SIZE)


def warp_down_to(left: int, right: int) -> np.ndarray:
    """A warped T-shirt whose sleeves end in these rows."""
    outline = np.zeros(SIZE, np.float32)
    outline[70:180, 76:116] = 1
    outline[70:left, 116:160] = outline[70:right, 30:76] = 1
    return outline


def test_sleeves_that_nearly_agree_are_equally_long() -> None:
    """Prevents: a T-shirt with one cuff a hand's breadth above the other."""
    tubes, trunk = hanging()
    left, right = sleeve_lengths(tubes, 0.3, warp_down_to(108, 100), trunk)
    alone = [sleeve_lengths([tube], 0.3, warp_down_to(108, 100), trunk)[0] for tube in tubes]
    assert alone[0] > alone[1] + 0.04
    assert left == right == pytest.approx(np.mean(alone))


def test_of_sleeves_that_disagree_neither_is_believed() -> None:
    """Prevents: one sleeve to the elbow, as the warp went astray on that arm."""
    tubes, trunk = hanging()
    assert sleeve_lengths(tubes, 0.3, warp_down_to(120, 94), trunk) == [0.3, 0.3]


def test_arms_that_are_seen_differently_keep_their_own() -> None:
    """Prevents: a sleeve drawn too long on an arm that is stretched towards the camera."""
    tubes, trunk = hanging(left_wrist=(146, 136))
    left, right = sleeve_lengths(tubes, 0.3, warp_down_to(108, 100), trunk)
    assert left != right


def test_no_sleeve_and_long_ones_are_as_they_are_told() -> None:
    tubes, trunk = hanging()
    assert sleeve_lengths(tubes, 0.05, warp_down_to(108, 100), trunk) == [0, 0]
    assert sleeve_lengths(tubes, 0.95, warp_down_to(108, 100), trunk) == [1, 1]


@pytest.mark.parametrize(
    ("covered", "to"),
    [
        ("#####.....", 0.5),
        ("##.##.....", 0.5),
        ("###...####", 0.3),
        (".#######..", 0.8),
        (".....#####", None),
        ("..........", None),
    ],
)
def test_a_sleeve_ends_before_the_bodys_cloth_begins(covered: str, to: float | None) -> None:
    """Prevents: sleeves on a sleeveless top, because the forearm lies before its hem."""
    line = np.array([one == "#" for one in covered for _ in range(10)])
    assert covered_to(line) == to
