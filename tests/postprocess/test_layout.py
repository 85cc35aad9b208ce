"""What shows where in a result, put right by what is known of people."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.layout import slimmed
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
WALL, OTHER = LAYERS.index("wall"), LAYERS.index("other")


def scene(below: str = "pants") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What a painting shows of somebody in a wide coat, its mask, the photo's labels, and the joints."""
    labels, joints = np.zeros(SIZE, np.uint8), np.zeros((18, 3), np.float32)
    labels[60:190, 40:152] = LIP["coat"]
    labels[190:250, 76:92] = labels[190:250, 100:116] = LIP[below]
    for name, point in {
        "right_shoulder": (76, 70),
        "left_shoulder": (116, 70),
        "right_hip": (86, 140),
        "left_hip": (106, 140),
        "right_knee": (84, 200),
        "left_knee": (108, 200),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    shown = np.zeros((len(LAYERS), *SIZE), np.float32)
    shown[WALL] = 1
    shown[:, 130:190, 40:152] = 0
    shown[OTHER, 130:190, 40:152] = 1
    return shown, labels == LIP["coat"], labels, joints


def test_trousers_under_a_coat_are_as_wide_as_legs() -> None:
    """Prevents: trousers with the outline of the coat that hid them."""
    shown, mask, labels, joints = scene()
    slim = slimmed(shown, mask, labels, joints, "lip").argmax(0)
    row = slim[150]
    assert row[96] == OTHER and row[86] == OTHER and row[50] == WALL and row[145] == WALL
    assert slim[185, 85] == OTHER and slim[185, 96] == WALL, "two legs"
    assert (slim[:140] == shown.argmax(0)[:140]).all(), "above the hips nothing changes"


@pytest.mark.parametrize("case", ["skirt", "dress", "no hips", "kept"])
def test_otherwise_nothing_changes(case: str) -> None:
    shown, mask, labels, joints = scene(case if case in ("skirt", "dress") else "pants")
    if case == "no hips":
        joints[JOINT["left_hip"]] = 0
    elif case == "kept":
        mask = mask & False
    assert np.array_equal(slimmed(shown, mask, labels, joints, "lip"), shown)
