"""The wall between a sleeve and the body is no garment; prints and overexposed cloth are."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.background import Background
from ladi.preprocess.sleeve_gaps import without_sleeve_gaps

WHITE = Background((255, 255, 255), plain=True)
GAPS = ((slice(60, 200), slice(50, 56)), (slice(60, 200), slice(136, 142)))


def white_top() -> tuple[np.ndarray, np.ndarray]:
    """A long-sleeved top, white before white, and a matte that has closed the gaps beside its sleeves."""
    pixels, matte = np.full((256, 192, 3), 255, np.uint8), np.zeros((256, 192), np.float32)
    pixels[30:200, 30:162] = 245
    matte[30:200, 30:162] = 1
    for gap in GAPS:
        pixels[gap] = 255
    return pixels, matte


def test_gaps_beside_sleeves_are_wall() -> None:
    """Prevents: white blanks at the armpits, which two of forty results were marked down for."""
    pixels, matte = white_top()
    pixels[GAPS[0]] -= np.random.default_rng(1).integers(0, 3, pixels[GAPS[0]].shape, dtype=np.uint8)
    left = without_sleeve_gaps(matte, pixels, WHITE)
    for gap in GAPS:
        assert (left[gap] == 0).all()
    assert (left[30:58] == matte[30:58]).all()
    assert (left[60:190, 70:120] == 1).all()


def test_gaps_that_sleeves_close_in_are_told_by_their_like() -> None:
    """Prevents: white blanks where a bell sleeve touches the body; a stripe on one side is none."""
    pixels, matte = white_top()
    for gap in GAPS:
        pixels[160:200, gap[1]] = 245
    left = without_sleeve_gaps(matte, pixels, WHITE)
    for gap in GAPS:
        assert (left[60:160, gap[1]] == 0).all() and (left[162:198, gap[1]] == 1).all()
    pixels[GAPS[1]] = 245
    assert without_sleeve_gaps(matte, pixels, WHITE) is matte


@pytest.mark.parametrize(
    "where",
    [
        (slice(60, 200), slice(94, 98)),  # buttons
        (slice(80, 100), slice(40, 60)),  # a print that reaches no edge
        (slice(60, 200), slice(50, 90)),  # overexposed
        (slice(60, 200), slice(30, 36)),  # along the edge
    ],
)
def test_cloth_in_the_walls_colour_stays(where: tuple[slice, slice]) -> None:
    pixels, matte = white_top()
    for gap in GAPS:
        pixels[gap] = 245
    pixels[where] = 255
    assert without_sleeve_gaps(matte, pixels, WHITE) is matte


def test_only_plain_walls_count() -> None:
    pixels, matte = white_top()
    assert without_sleeve_gaps(matte, pixels, Background((255, 255, 255), plain=False)) is matte
    assert not without_sleeve_gaps(np.zeros_like(matte), pixels, WHITE).any()


def test_beside_a_garment_of_another_colour_a_walls_noise_counts_too() -> None:
    """Prevents: white slits beside a blue top's sleeves, off the wall's white by the noise of a JPEG."""
    pixels, matte = white_top()
    cloth = (matte > 0) & (pixels[..., 0] == 245)
    pixels[cloth] = (20, 90, 160)
    slits = [(slice(140, 200), gap[1]) for gap in GAPS]
    for gap, slit in zip(GAPS, slits, strict=True):
        pixels[gap] = (20, 90, 160)
        pixels[slit] = np.random.default_rng(1).integers(215, 250, pixels[slit].shape, dtype=np.uint8)
    left = without_sleeve_gaps(matte, pixels, WHITE)
    assert all((left[slit] == 0).mean() > 0.95 for slit in slits)
    assert (left[60:190, 70:120] == 1).all()


def black_top() -> tuple[np.ndarray, np.ndarray]:
    """A black top with bell sleeves that touch its sides below, and a matte that has closed the gaps."""
    pixels, matte = white_top()
    pixels[30:200, 30:162] = 25
    for gap in GAPS:
        pixels[60:160, gap[1]] = 255
    return pixels, matte


def test_a_gap_that_is_open_on_one_side_is_one_on_the_other() -> None:
    """Prevents: a white slit beside one arm, where a network saw the other one's by itself."""
    pixels, matte = black_top()
    matte[60:160, GAPS[0][1]] = 0
    left = without_sleeve_gaps(matte, pixels, WHITE)
    assert (left[62:158, 137:141] == 0).all() and (left[162:198, GAPS[1][1]] == 1).all()
    pixels[60:160, GAPS[0][1]], matte[60:160, GAPS[0][1]] = 25, 1
    assert (without_sleeve_gaps(matte, pixels, WHITE)[60:160, 136:142] == 1).all(), "a stripe"


def test_between_straps_there_is_no_cloth() -> None:
    """Prevents: a strip of a shop's wall above a dark top, worn as cloth."""
    pixels, matte = black_top()
    pixels[60:160, 30:162] = 25
    matte[20:30, 60:130] = 1
    left = without_sleeve_gaps(matte, pixels, WHITE)
    assert not left[20:30].any() and (left[31:58] == matte[31:58]).all()
    pixels[20:30, 60:130] = 240
    assert (without_sleeve_gaps(matte, pixels, WHITE)[20:30, 60:130] == 1).all(), "a white collar"


def test_a_gaps_rim_is_wall_as_well() -> None:
    """Prevents: white lines along the sleeves of pale tops."""
    pixels, matte = white_top()
    pixels[30:200, 30:162] = 215
    for gap in GAPS:
        pixels[60:200, gap[1].start - 2 : gap[1].stop + 2] = 240
        pixels[gap] = 255
    left = without_sleeve_gaps(matte, pixels, WHITE)
    for gap in GAPS:
        assert not left[62:198, gap[1].start - 1 : gap[1].stop + 1].any()
    assert (left[60:190, 70:120] == 1).all()
