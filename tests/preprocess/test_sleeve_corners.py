"""Where sleeves end in a garment's picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ladi.preprocess.sleeve_corners import SleeveCorners, sleeve_corners

SIZE = (256, 192)
LEFT = {"shoulder": (46, 40), "outer": (12, 92), "inner": (40, 112)}


def shirt(
    *,
    armpit: tuple[int, int] = (52, 92),
    outer: tuple[int, int] = LEFT["outer"],
    inner: tuple[int, int] = LEFT["inner"],
) -> np.ndarray:
    """A shirt's matte, both sides alike: (H,W)."""
    half = [(78, 30), LEFT["shoulder"], outer, inner, armpit, (54, 230)]
    other = [(SIZE[1] - 1 - x, y) for x, y in reversed(half)]
    matte = np.zeros(SIZE, np.uint8)
    cv2.fillPoly(matte, [np.array([(96, 44), *half, *other], np.int32)], 1)
    return matte.astype(np.float32)


def pixels(corner: np.ndarray) -> np.ndarray:
    return (corner + 1) / 2 * np.array(SIZE[::-1]) - 0.5


def found(matte: np.ndarray) -> tuple[SleeveCorners, SleeveCorners]:
    left, right = sleeve_corners(matte)
    assert left is not None and right is not None
    return left, right


def test_the_end_of_a_sleeve_lies_between_its_corners() -> None:
    left, right = found(shirt())
    for name, place in LEFT.items():
        assert np.hypot(*(pixels(getattr(left, name)) - place)) < 3, name
        mirrored = (SIZE[1] - 1 - place[0], place[1])
        assert np.hypot(*(pixels(getattr(right, name)) - mirrored)) < 3, name


def test_a_sleeve_that_lies_on_the_body_ends_at_the_armpit() -> None:
    """Prevents: no corners for sleeves without an under side, as most shops lay them."""
    left, _ = found(shirt(armpit=(54, 108)))
    assert np.hypot(*(pixels(left.outer) - LEFT["outer"])) < 3
    assert np.hypot(*(pixels(left.inner) - (47, 110))) < 8


@pytest.mark.parametrize("what", ["nothing", "a blanket", "no sleeves", "caps"])
def test_what_has_no_sleeves_has_no_corners(what: str) -> None:
    matte = np.zeros(SIZE, np.float32)
    if what == "a blanket":
        matte[20:240, 20:170] = 1
    elif what == "no sleeves":
        matte[20:240, 50:142] = 1
    elif what == "caps":
        matte = shirt(outer=(42, 48), armpit=(46, 60))
        matte[60:130, :50] = matte[60:130, 142:] = 0
    assert sleeve_corners(matte) == (None, None)
