"""How far sleeves reach: as the garment tells it and the warp lays it, and alike on both arms."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.sleeve_lengths import covered_to, sleeve_lengths
from ladi.postprocess.tubes import Tube, arm_joints, tube_of
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT

SIZE = (256, 192)


def hanging(
    *, left_elbow: tuple[int, int] = (140, 124), left_wrist: tuple[int, int] = (142, 170), raised: int = 0
) -> tuple[list[Tube], np.ndarray]:
    """Both arms of somebody who stands before the camera, one shoulder raised, and the trunk between them."""
    joints = np.zeros((18, 3), np.float32)
    for name, (x, y) in {
        "neck": (96, 70),
        "right_shoulder": (64, 76),
        "left_shoulder": (128, 76 - raised),
        "right_elbow": (52, 124),
        "right_wrist": (50, 170),
        "left_elbow": left_elbow,
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


def rows_of(tubes: list[Tube], ends: list[float]) -> list[float]:
    """The picture's rows in which sleeves end."""
    shares = np.linspace(0, 1, len(tubes[0].line))
    return [float(np.interp(end, shares, tube.line[:, 1])) for tube, end in zip(tubes, ends, strict=True)]


@pytest.mark.parametrize("raised", [0, 8])
def test_sleeves_end_level(raised: int) -> None:
    """Prevents: a T-shirt with one cuff a hand's breadth above the other, above all on uneven shoulders."""
    tubes, trunk = hanging(raised=raised)
    outline = warp_down_to(108, 100)
    alone = rows_of(tubes, [sleeve_lengths([tube], 0.3, outline, trunk)[0] for tube in tubes])
    left, right = rows_of(tubes, sleeve_lengths(tubes, 0.3, outline, trunk))
    assert alone[0] > alone[1] + 4
    assert left == pytest.approx(right) == pytest.approx(np.mean(alone))


def test_of_sleeves_that_disagree_neither_is_believed() -> None:
    """Prevents: one sleeve to the elbow, as the warp went astray on that arm."""
    tubes, trunk = hanging()
    assert sleeve_lengths(tubes, 0.3, warp_down_to(120, 94), trunk) == pytest.approx([0.3, 0.3])


@pytest.mark.parametrize("case", ["towards the camera", "stretched out"])
def test_arms_that_are_held_otherwise_keep_their_own(case: str) -> None:
    """Prevents: a sleeve drawn too long on an arm that is stretched towards the camera."""
    if case == "stretched out":
        tubes, trunk = hanging(left_elbow=(170, 84), left_wrist=(180, 120))
    else:
        tubes, trunk = hanging(left_wrist=(146, 136))
    outline = warp_down_to(108, 100)
    alone = [sleeve_lengths([tube], 0.3, outline, trunk)[0] for tube in tubes]
    assert sleeve_lengths(tubes, 0.3, outline, trunk) == alone


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
