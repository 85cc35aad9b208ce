"""What shows where in a result, put right by what is known of people."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.layout import skirted, slimmed
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


def in_an_open_coat() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The same over a dress that shows in the middle, with legs below the coat."""
    shown, _, labels, joints = scene()
    labels[np.isin(labels, LIP["pants"])] = LIP["left_leg"]
    labels[90:180, 92:100] = LIP["dress"]
    return shown, labels == LIP["coat"], labels, joints


def test_a_dress_in_an_open_coat_goes_on_below_the_new_top() -> None:
    """Prevents: the skirts of an old coat on both sides of a new shirt."""
    shown, mask, labels, joints = in_an_open_coat()
    wide = skirted(shown, mask, labels, joints, "lip").argmax(0)
    assert (wide[150, [80, 110]] == OTHER).all() and (wide[150, [50, 145]] == WALL).all()
    assert (wide[:140] == shown.argmax(0)[:140]).all(), "above the hips nothing changes"


@pytest.mark.parametrize("case", ["no dress", "a large dress", "trousers", "no hips"])
def test_without_such_a_dress_nothing_changes(case: str) -> None:
    shown, mask, labels, joints = in_an_open_coat()
    if case == "no dress":
        labels[labels == LIP["dress"]] = LIP["coat"]
    elif case == "a large dress":
        labels[60:190, 60:140] = LIP["dress"]
    elif case == "trousers":
        labels[190:250, 76:92] = LIP["pants"]
    else:
        joints[JOINT["left_hip"]] = 0
    assert np.array_equal(skirted(shown, mask, labels, joints, "lip"), shown)
