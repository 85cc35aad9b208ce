"""Both shoulders wear what one of them wears, unless the garment has something for one alone."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.even_shoulders import covers_both, even_shoulders
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
WALL, SKIN, GARMENT = (LAYERS.index(name) for name in ("wall", "skin", "garment"))
TORSO = 100.0


def bare_on_one_side() -> tuple[np.ndarray, np.ndarray]:
    """Layers of somebody with a strap on the left of the picture and none on the right; and the joints."""
    shown = np.full(SIZE, WALL)
    shown[60:200, 56:136] = SKIN
    shown[100:200, 64:128] = shown[66:100, 64:80] = GARMENT
    joints = np.zeros((18, 3), np.float32)
    for name, (x, y) in {"neck": (96, 72), "right_shoulder": (64, 72), "left_shoulder": (128, 72)}.items():
        joints[JOINT[name]] = (x, y, 1)
    return np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32), joints


def vest(*, straps: int = 2) -> np.ndarray:
    """A top's matte with one strap or two."""
    flat = np.zeros((200, 150), np.float32)
    flat[60:190, 20:130] = flat[10:60, 30:50] = 1
    if straps == 2:
        flat[10:60, 100:120] = 1
    return flat


def test_a_missing_strap_is_where_the_other_ones_mirror_image_is() -> None:
    """Prevents: one bare shoulder under a top that lay askew."""
    shown, joints = bare_on_one_side()
    covered = even_shoulders(shown, np.ones(SIZE, bool), joints, TORSO, vest())
    assert covered[70:95, 116:127].all()
    assert not covered[:, :100].any() and not covered[100:].any()


def test_a_garment_for_one_shoulder_stays_so() -> None:
    """Prevents: a second strap on a top that has one."""
    shown, joints = bare_on_one_side()
    assert covers_both(vest()) and not covers_both(vest(straps=1)) and not covers_both(vest() * 0)
    assert not even_shoulders(shown, np.ones(SIZE, bool), joints, TORSO, vest(straps=1)).any()


@pytest.mark.parametrize("case", ["not free", "from the side", "turned", "no joints"])
def test_nothing_is_covered_where_the_other_shoulder_says_nothing(case: str) -> None:
    shown, joints = bare_on_one_side()
    free = np.ones(SIZE, bool)
    if case == "not free":
        free[:, 96:] = False
    if case == "from the side":
        joints[JOINT["left_shoulder"], 0] = 90
    if case == "turned":
        joints[JOINT["neck"], 0] = 120
    if case == "no joints":
        joints[:] = 0
    assert not even_shoulders(shown, free, joints, TORSO, vest()).any()
