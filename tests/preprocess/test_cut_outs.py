"""Doubts about a cut-out, each on a drawn picture that has its fault, and none on a good one."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.checks import check_cut_out
from ladi.preprocess.cut_outs import sort_parts
from ladi.types import Photo

SIZE = (400, 300)
SHIRT = np.s_[80:320, 80:220]


def matte(*boxes: tuple[slice, slice]) -> np.ndarray:
    """Boxes without their corners, which make rectangles of them."""
    soft = np.zeros(SIZE, np.float32)
    for box in boxes:
        soft[box] = 1
        tall, wide = (part.stop - part.start for part in box)
        soft[box[0].start : box[0].start + tall // 3, box[1].start : box[1].start + wide // 4] = 0
    return soft


def photo(soft: np.ndarray, garment: int = 60, background: int = 200) -> Photo:
    noise = np.random.default_rng(0).integers(-4, 5, (*SIZE, 3))
    levels = np.where(soft[..., None] > 0.5, garment, background)
    return Photo((levels + noise).astype(np.uint8))


def codes(shown: Photo, soft: np.ndarray, how: str = "embedded") -> list[str]:
    return [f"{one.level} {one.code}" for one in check_cut_out(shown, soft, how)]


def test_a_good_cut_out_is_not_doubted() -> None:
    """Prevents false alarms; a long sleeve may leave the picture on one side."""
    for soft in (matte(SHIRT), matte(np.s_[80:320, 0:220])):
        assert codes(photo(soft), soft) == [] and sort_parts(soft).code == ""


@pytest.mark.parametrize("colour", [0, 90, 255])
def test_nothing_at_all_is_no_garment(colour: int) -> None:
    """Prevents a T-shirt out of a picture of one colour; a file's own transparency has a shape."""
    nothing = Photo(np.full((*SIZE, 3), colour, np.uint8))
    assert codes(nothing, matte(SHIRT)) == ["error garment_empty"]
    assert codes(nothing, matte(SHIRT), "alpha") == []


def test_a_garment_that_leaves_its_picture() -> None:
    """Prevents half a garment, or the floor with it, from being worn without a word."""
    soft = matte(np.s_[0:400, 60:240])
    assert codes(photo(soft), soft) == ["warning garment_cut_off"]


def test_black_on_black() -> None:
    """Prevents a block of background from being worn; a shop's background is kept, so white on it is fine."""
    soft = matte(SHIRT)
    assert codes(photo(soft, 22, 15), soft) == ["warning garment_like_background"]
    assert codes(photo(soft, 252, 246), soft, "kept") == []


def test_the_larger_of_two_garments_is_used() -> None:
    """Prevents two garments side by side from both being worn, tiny."""
    large, small = np.s_[80:320, 20:140], np.s_[100:300, 170:280]
    found = sort_parts(matte(large, small))
    assert found.code == "garment_several"
    assert (found.matte == matte(large)).all()


def test_bars_and_buttons_of_a_page_are_left_out() -> None:
    """Prevents a shop's button from becoming a part of the garment."""
    soft = matte(np.s_[20:260, 60:240])
    button = soft.copy()
    button[320:380, 20:280] = 1
    found = sort_parts(button)
    assert found.code == "garment_on_page" and (found.matte == soft).all()


def test_a_plain_background_keeps_two_garments_apart() -> None:
    """Prevents a network's matte, which joins two garments, from hiding that there are two."""
    large, small = np.s_[80:320, 20:140], np.s_[100:300, 170:280]
    outline = matte(large, small)
    joined = outline.copy()
    joined[150:200, 130:180] = 1
    assert sort_parts(joined).code == ""
    found = sort_parts(joined, outline)
    assert found.code == "garment_several" and not (found.matte[:, 150:] > 0.5).any()
    assert sort_parts(joined, 0.1 * outline).code == ""


def test_a_garment_in_two_parts_is_told() -> None:
    """Prevents a shirt that its belt cuts in two from losing one half without a word."""
    soft = matte(np.s_[40:180, 80:220], np.s_[200:360, 80:220])
    found = sort_parts(soft)
    assert found.code == "garment_in_parts" and found.matte is soft
