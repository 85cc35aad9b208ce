"""Which backgrounds are plain, and which of them are a shop's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ladi.preprocess.background import look_at_background, matte_by_colour
from tests.preprocess.test_garment import clutter, garment_on, plain


def test_background_colours_decide_what_is_kept() -> None:
    # Cream, sky blue and mid-grey studio backgrounds are plain but not what the model was trained on.
    for colour, near_white in (
        ((255, 255, 255), True),
        ((236, 236, 238), True),
        ((250, 240, 225), False),
        ((200, 225, 250), False),
        ((190, 190, 190), False),
    ):
        found = look_at_background(np.full((90, 70, 3), colour, np.uint8))
        assert found.plain and found.near_white is near_white and found.colour == colour
    assert not look_at_background(clutter(90, 70)).plain


def test_a_sleeve_that_leaves_the_picture_does_not_hide_a_shop_background() -> None:
    photo = garment_on(plain(200, 150), (60, 140, 0, 150))
    found = look_at_background(photo.pixels)
    assert found.near_white and matte_by_colour(photo.pixels, found)[100].min() == 1


def test_real_pictures_are_told_apart(shared_dir: Path) -> None:
    # A white bed sheet is not a shop's background, and a shop's is not a bed sheet.
    floors = sorted((shared_dir / "data" / "garments-cc0").glob("*.jpg"))[::6]
    shops = sorted((shared_dir / "data" / "hd" / "garments_upper").glob("xogur*.jpg"))
    assert floors and shops

    def near_white(path: Path) -> bool:
        with Image.open(path) as picture:
            picture.draft("RGB", (256, 256))
            return look_at_background(np.asarray(picture.convert("RGB"))).near_white

    assert not any(near_white(path) for path in floors) and all(near_white(path) for path in shops)
