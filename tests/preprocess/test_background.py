"""Which backgrounds are plain, and which of them are a shop's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ladi.preprocess.background import (
    look_at_background,
    made_solid,
    matte_by_colour,
    without_background,
)
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


def test_flat_colour_from_the_border_on_is_no_garment() -> None:
    """Prevents: bars of a shop's page that hang together with the garment above them."""
    pixels = np.full((120, 90, 3), 250, np.uint8)
    rng = np.random.default_rng(0)
    pixels[20:60, 20:70] = rng.integers(40, 90, (40, 50, 3))
    pixels[:3] = pixels[-3:] = 180  # not plain
    matte = np.zeros((120, 90), np.float32)
    matte[15:110, 15:75] = 0.9
    cleared = without_background(matte, pixels, look_at_background(pixels))
    assert (cleared[22:58, 22:68] == np.float32(0.9)).all() and not cleared[70:105, 20:70].any()
    matte[15:110, 15:75] = 1.0  # sure: it may be white cloth
    assert np.array_equal(without_background(matte, pixels, look_at_background(pixels)), matte)


def test_a_smooth_shirt_that_leaves_the_picture_is_garment_all_the_same() -> None:
    """Prevents: a pink T-shirt without the sleeve that lies over the picture's edge."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 200, (120, 90, 3)).astype(np.uint8)
    pixels[20:100, 30:] = (230, 120, 140)
    matte = np.zeros((120, 90), np.float32)
    matte[20:100, 30:] = 0.8
    assert np.array_equal(without_background(matte, pixels, look_at_background(pixels)), matte)


def white_tee(noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A white T-shirt with a red print three levels darker than a shop's ground, and its outline."""
    pixels, shape = np.full((240, 180, 3), 246, np.float32), np.zeros((240, 180), bool)
    shape[40:200, 50:130] = shape[40:90, 20:160] = True
    pixels[shape] = 243
    pixels[90:130, 75:105] = (200, 30, 40)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8), shape


def test_white_cloth_on_white_is_seen_where_the_ground_has_no_noise() -> None:
    """Prevents: a white T-shirt of which only the print is worn, its red run into the sleeves."""
    pixels, shape = white_tee()
    matte = matte_by_colour(pixels, look_at_background(pixels)) > 0.5
    assert (matte & shape).sum() / (matte | shape).sum() > 0.95


def test_a_grounds_own_noise_is_no_garment() -> None:
    """Prevents: a whole photo of a wall taken for white cloth."""
    pixels, shape = white_tee(noise=2.5)
    matte = matte_by_colour(pixels, look_at_background(pixels)) > 0.5
    assert not matte[~shape].any() and matte[90:130, 75:105].all()
    plain = np.full_like(pixels, 246)
    assert not matte_by_colour(plain, look_at_background(plain)).any()


def test_a_dark_garment_keeps_its_outline_beside_a_faint_shadow() -> None:
    """Prevents: a shadow of three levels that comes along with a black dress."""
    pixels, shape = white_tee()
    pixels[shape] = 20
    pixels[200:206, 40:140] = 243
    matte = matte_by_colour(pixels, look_at_background(pixels)) > 0.5
    assert not matte[201:206].any() and matte[shape].all()


def pale() -> tuple[np.ndarray, np.ndarray]:
    """A picture of a pale top before white, and where that is."""
    pixels, cloth = np.full((256, 192, 3), 255, np.uint8), np.zeros((256, 192), bool)
    cloth[40:200, 60:130] = True
    pixels[cloth] = 251
    pixels[100:110, 80:110] = 90  # its print
    return pixels, cloth


def test_a_jpegs_noise_beside_pale_cloth_is_wall_and_cloth_that_no_network_sees_is_not() -> None:
    """Prevents: frayed outlines of white tops before white."""
    pixels, cloth = pale()
    seen = cloth.astype(np.float32)
    pixels[60:180, 130:135] = 252  # noise, thinner than a block
    pixels[60:140, 30:60] = 251  # a sleeve that the network missed
    wall = look_at_background(pixels)
    alone, together = matte_by_colour(pixels, wall), matte_by_colour(pixels, wall, seen)
    assert (alone[70:170, 131:134] > 0.5).all(), "told by colour alone"
    assert (together[70:170, 132:134] < 0.5).all()
    assert (together[64:136, 34:60] > 0.5).all() and (together[44:196, 64:126] > 0.5).all()


def test_a_pale_garment_is_there_or_not() -> None:
    """Prevents: white tops through which the old one shines."""
    pixels, cloth = pale()
    matte = cloth.astype(np.float32)
    matte[120:160, 80:110] = 0.6  # haze
    matte[80:90, 126:130] = 0.3  # a bite in the outline
    matte[140:180, 64:70] = 0  # a gap
    solid = made_solid(matte, pixels, look_at_background(pixels))
    assert solid.dtype == np.float32 and (solid[122:158, 82:108] == 1).all()
    assert (solid[82:88, 126:128] > 0.5).all() and not solid[142:178, 65:69].any()
    assert not solid[:38].any() and not solid[:, 132:].any()


def test_what_is_not_pale_keeps_its_matte() -> None:
    """Prevents: white slits at the armpits of striped and of dark tops."""
    pixels, cloth = pale()
    pixels[cloth] = 60
    matte = cloth * np.float32(0.8)
    assert made_solid(matte, pixels, look_at_background(pixels)) is matte
    nothing = np.zeros_like(matte)
    assert made_solid(nothing, pixels, look_at_background(pixels)) is nothing
