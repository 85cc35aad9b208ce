"""Sleeves that lie spread out are laid down beside the body; all else stays as it lies."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.spread import with_sleeves_down

SIZE = (300, 400)
BODY, SLEEVE = (200, 30, 40), (30, 40, 200)


def jumper(length: int = 90, drop: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A jumper of 120 by 160 pixels with sleeves 40 wide to both sides, lower by ``drop`` for each pixel."""
    picture, matte = np.full((*SIZE, 3), 250, np.uint8), np.zeros(SIZE, np.float32)
    for away in range(length):
        top = 60 + round(drop * away)
        for column in (139 - away, 260 + away):
            matte[top : top + 40, column] = 1
            picture[top : top + 40, column] = SLEEVE
    matte[60:220, 140:260] = 1
    picture[60:220, 140:260] = BODY
    return picture, matte


def extents(matte: np.ndarray) -> tuple[int, int]:
    """Height and width of what is there."""
    rows, columns = np.nonzero(matte > 0.5)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_sleeves_to_both_sides_hang_afterwards() -> None:
    """Prevents: jumpers shrunk to the shoulders, their hems on the chest."""
    picture, matte = jumper()
    down = with_sleeves_down(picture, matte)
    assert down is not None and down.both
    height, width = extents(down.matte)
    assert extents(matte)[1] == 300 and width < 240 and height == 160
    assert np.array_equal(down.pixels[70:210, 150:250], picture[70:210, 150:250]), "the body is as it was"
    gone = (matte > 0.5) & (down.matte[: len(matte)] < 0.01)
    assert gone.any() and (down.pixels[: len(matte)][gone] > 200).all(), "nothing is left where they lay"
    hand = down.matte > 0.5
    hand[:, 130:270] = False
    assert hand[100:].any(0)[:130].any() and hand[100:].any(0)[270:].any(), "on both sides"
    colours = down.pixels[hand].astype(int)
    assert (np.abs(colours - SLEEVE).max(1) < 60).mean() > 0.9, "sleeves are their own cloth"


def test_a_turned_sleeve_is_as_long_as_before_even_beyond_the_picture() -> None:
    picture, matte = jumper(130)
    picture, matte = picture[:225], matte[:225]
    down = with_sleeves_down(picture, matte)
    assert down is not None
    assert down.pixels.shape[:2] == down.matte.shape and len(down.matte) > 225
    assert abs((down.matte > 0.5).sum() - (matte > 0.5).sum()) < 0.12 * (matte > 0.5).sum()


@pytest.mark.parametrize("case", ["short sleeves", "hanging", "no sleeves", "nothing"])
def test_otherwise_it_lies_as_it_lies(case: str) -> None:
    """Prevents: T-shirts taken apart."""
    picture, matte = jumper(
        {"short sleeves": 45, "hanging": 60, "no sleeves": 0, "nothing": 0}[case],
        2.0 if case == "hanging" else 0,
    )
    assert with_sleeves_down(picture, matte * 0 if case == "nothing" else matte) is None


def test_one_sleeve_is_laid_down_by_itself() -> None:
    picture, matte = jumper()
    matte[:, 260:] = 0
    down = with_sleeves_down(picture, matte)
    assert down is not None and not down.both
    assert extents(down.matte)[1] < 190
