"""Skirts and dresses below a new top."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.skirts import whole_skirt
from ladi.preprocess.labels import LIP
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
WALL, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "garment", "other"))


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, Limbs]:
    """Somebody in a flaring dress; a new top ends at row 160, what is painted below it is too narrow."""
    labels, joints = np.zeros(SIZE, np.uint8), np.zeros((18, 3), np.float32)
    labels[70:160, 66:126], labels[160:240, 50:142] = LIP["dress"], LIP["dress"]
    for name, point in {
        "right_shoulder": (70, 72),
        "left_shoulder": (122, 72),
        "right_hip": (84, 150),
        "left_hip": (108, 150),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    first = np.full(SIZE, WALL)
    first[70:160, 60:132], first[160:240, 60:132] = GARMENT, OTHER
    mask = np.zeros(SIZE, bool)
    mask[60:200, 40:152] = True
    shown = np.eye(len(LAYERS), dtype=np.float32)[first].transpose(2, 0, 1)
    return shown, mask, labels, Limbs(joints, labels > 0)


def test_a_dress_below_a_hem_is_as_wide_as_the_photo_shows_it() -> None:
    """Prevents: a dress that ends in the air beside the hips, and pale patches in its print."""
    shown, mask, labels, limbs = scene()
    found = whole_skirt(shown, mask, labels, limbs, "lip")
    assert found[161:199, 51:141].all()
    assert not (found & ~(mask & (labels == LIP["dress"]))).any() and not found[:160].any()


@pytest.mark.parametrize("case", ["in a coat", "painted as wall", "a tail of the top", "no hem"])
def test_what_is_none_or_does_not_stay_is_none(case: str) -> None:
    """Prevents: a blue scrap of a coat on trousers, where a patch of it was taken for a dress."""
    shown, mask, labels, limbs = scene()
    if case == "in a coat":
        labels[labels > 0] = LIP["coat"]
        labels[170:182, 80:110] = LIP["dress"]
    elif case == "painted as wall":
        shown[[WALL, OTHER]] = shown[[OTHER, WALL]]
    elif case == "a tail of the top":
        shown[GARMENT, 160:240, 60:75], shown[OTHER, 160:240, 60:75] = 1, 0
        assert not whole_skirt(shown, mask, labels, limbs, "lip")[160:240, 60:75].any()
        return
    else:
        shown[GARMENT] = 0
    assert not whole_skirt(shown, mask, labels, limbs, "lip").any()
