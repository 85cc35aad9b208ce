"""What is left of a cuff on a hand goes with the sleeve."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.cuffs import settle_cuffs
from ladi.preprocess.labels import LIP
from ladi.types import JOINT

SIZE = (256, 192)
SKIN, WHITE, DARK = (190, 140, 110), (240, 240, 240), (30, 25, 25)


def scene(cuff: tuple[int, int, int], *, rows: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, picture and joints of a sleeve that ends at row 150, and so many rows of cuff below that."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 90.0)
    labels[60:150, 40:60], image[60:150, 40:60] = LIP["coat"], cuff
    labels[150:180, 42:58], image[150:180, 42:58] = LIP["right_arm"], SKIN
    image[150 : 150 + rows, 42:58] = cuff
    image += np.random.default_rng(0).normal(0, 2, image.shape)
    joints = np.zeros((18, 3), np.float32)
    joints[JOINT["right_elbow"]], joints[JOINT["right_wrist"]] = (50, 100, 1), (50, 148, 1)
    return labels, image.clip(0, 255).astype(np.uint8), joints


@pytest.mark.parametrize("cuff", [WHITE, DARK])
def test_the_cuffs_rim_is_no_hand(cuff: tuple[int, int, int]) -> None:
    """Prevents: a bracelet of the old cuff round the wrist of who wears a T-shirt."""
    labels, image, joints = scene(cuff)
    settled = settle_cuffs(labels, image, joints, "lip")
    assert (settled[150:152, 42:58] == LIP["coat"]).all()
    assert (settled[153:180, 42:58] == LIP["right_arm"]).all()


def test_a_hand_of_one_colour_stays_whole() -> None:
    labels, image, joints = scene(WHITE, rows=0)
    assert settle_cuffs(labels, image, joints, "lip") is labels


def test_what_lies_beside_the_hand_is_no_cuff() -> None:
    """Prevents: fingers before a coat that go with it."""
    labels, image, joints = scene(WHITE, rows=0)
    labels[150:190, 58:80] = LIP["coat"]
    image[170:180, 55:58] = DARK
    assert (settle_cuffs(labels, image, joints, "lip")[170:180, 42:58] == LIP["right_arm"]).all()


def test_without_joints_or_where_too_much_would_go_nothing_changes() -> None:
    labels, image, joints = scene(WHITE)
    assert settle_cuffs(labels, image, joints * 0, "lip") is labels
    labels[157:180] = 0
    assert settle_cuffs(labels, image, joints, "lip") is labels
