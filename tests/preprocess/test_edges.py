"""Mattes and worn garments that the photo's colours settle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ladi.preprocess.labels import LIP
from ladi.preprocess.matte_edges import settle_matte, worth
from ladi.preprocess.symmetry import mirror_like
from ladi.preprocess.worn_edges import settle_worn

SIZE = (256, 192)


def shirt_on_a_floor() -> tuple[np.ndarray, np.ndarray]:
    """(H,W,3) uint8 and where the shirt is (H,W) bool."""
    rng = np.random.default_rng(0)
    shirt = np.zeros(SIZE, bool)
    shirt[60:200, 60:130] = True
    shirt[60:100, 30:160] = True
    pixels = np.where(shirt[..., None], (200, 160, 60), (110, 90, 80)) + rng.normal(0, 8, (*SIZE, 3))
    return pixels.clip(0, 255).astype(np.uint8), shirt


def test_haze_around_a_garment_goes_and_its_edge_is_where_the_colour_changes() -> None:
    """Prevents: a halo of floor around every amateur's garment."""
    pixels, shirt = shirt_on_a_floor()
    haze = ndimage.gaussian_filter(shirt.astype(np.float32), 9) * 0.9 + 0.1 * shirt
    settled = settle_matte(haze, haze, pixels)
    assert np.abs(settled - shirt).mean() < 0.02 < np.abs(haze - shirt).mean()


def test_a_sure_matte_is_left_alone_and_colours_that_say_nothing_too() -> None:
    pixels, shirt = shirt_on_a_floor()
    sure = shirt.astype(np.float32)
    assert settle_matte(sure, sure, pixels) is sure
    haze = ndimage.gaussian_filter(sure, 9)
    flat = np.full_like(pixels, 128)
    agreed = settle_matte(haze, haze, flat) > 0.5
    assert (agreed & shirt).sum() > 0.5 * (agreed | shirt).sum()


def test_half_a_shirt_and_a_piece_of_its_bed_become_the_whole_shirt_alone() -> None:
    """Prevents: T-shirts without a sleeve, with a pillow instead, wherever the network is half right."""
    pixels, shirt = shirt_on_a_floor()
    pixels[:40] = (90, 120, 160)
    seen = shirt.astype(np.float32)
    seen[60:100, 130:] = 0
    seen[20:60, 100:150] = 0.95
    found = settle_matte(ndimage.gaussian_filter(seen, 5), ndimage.gaussian_filter(seen, 5), pixels) > 0.5
    assert (found & shirt).sum() > 0.95 * (found | shirt).sum()


def test_prints_are_garment_and_gaps_beside_sleeves_are_floor() -> None:
    """Prevents: holes where a print has the bed's colour, and strips of bed between sleeve and body."""
    pixels, shirt = shirt_on_a_floor()
    floor = pixels[220:236, 20:60]
    pixels[120:136, 80:110], pixels[110:136, 40:56] = floor[:, :30], pixels[200:226, 10:26]
    truth = shirt.copy()
    truth[100:160, 30:60] = True
    truth[110:136, 40:56] = False
    pixels[truth & ~shirt] = (200, 160, 60)
    haze = ndimage.gaussian_filter(truth.astype(np.float32), 7)
    settled = settle_matte(haze, haze, pixels)
    assert settled[128, 95] > 0.9
    assert settled[123, 48] < 0.1


def test_the_worthier_outline_follows_the_edges_and_is_even() -> None:
    pixels, shirt = shirt_on_a_floor()
    broken = shirt.copy()
    broken[:, 110:] = False
    assert worth(shirt, pixels) > worth(broken, pixels)
    assert worth(shirt, pixels) > worth(ndimage.binary_dilation(shirt, iterations=9), pixels)
    assert worth(shirt & False, pixels) == -np.inf


@pytest.mark.parametrize("tilt", [0.0, 8.0])
def test_the_axis_of_a_garment_is_found_though_it_leans(tilt: float) -> None:
    _, shirt = shirt_on_a_floor()
    leaning = ndimage.rotate(shirt.astype(np.float32), tilt, reshape=False, order=1) > 0.5
    mirrored = mirror_like(leaning)
    assert mirrored is not None
    assert mirrored.alike > 0.93
    assert mirror_like(shirt & False) is None


def test_between_the_legs_of_trousers_there_is_no_cloth() -> None:
    pixels = np.full((*SIZE, 3), 220, np.uint8)
    worn = np.zeros(SIZE, bool)
    worn[20:240, 40:150] = True
    worn[100:240, 80:110] = False
    pixels[worn] = (40, 50, 90)
    haze = ndimage.gaussian_filter(worn.astype(np.float32), 7)
    assert settle_matte(haze, haze, pixels)[180, 95] < 0.1


def test_a_hem_taken_for_trousers_is_the_garments_again() -> None:
    """Prevents: a strip of the old jumper below the new top."""
    pixels = np.full((*SIZE, 3), 230, np.uint8)
    truth = np.zeros(SIZE, np.uint8)
    truth[60:150, 60:130], truth[150:256, 60:130] = LIP["upper_clothes"], LIP["pants"]
    pixels[truth == LIP["upper_clothes"]], pixels[truth == LIP["pants"]] = (150, 30, 30), (40, 40, 110)
    seen = truth.copy()
    seen[146:150, 60:130] = LIP["pants"]
    settled = settle_worn(seen, pixels, "lip")
    assert np.array_equal(settled[:, 61:129], truth[:, 61:129])
    deep = truth.copy()
    deep[120:150, 60:130] = LIP["pants"]
    assert np.array_equal(settle_worn(deep, pixels, "lip")[:, 61:129], truth[:, 61:129]), "however deep it is"
    sure = np.zeros(SIZE, bool)
    sure[:, 100:129] = True
    settled = settle_worn(seen, pixels, "lip", sure)
    assert np.array_equal(settled[:, 61:97], truth[:, 61:97])
    assert np.array_equal(settled[:, 100:129], seen[:, 100:129])


def test_skin_and_walls_are_never_taken_for_cloth() -> None:
    pixels = np.full((*SIZE, 3), 128, np.uint8)
    labels = np.zeros(SIZE, np.uint8)
    labels[60:150, 60:130], labels[60:150, 40:60] = LIP["upper_clothes"], LIP["right_arm"]
    assert np.array_equal(settle_worn(labels, pixels, "lip"), labels)
    assert np.array_equal(settle_worn(labels * 0, pixels, "lip"), labels * 0)


def test_black_sleeves_before_white_trousers_are_sleeves_under_black_hair_too() -> None:
    """Prevents: a black cuff kept beside the hand, because hair has its colour as well."""
    pixels = np.full((*SIZE, 3), 230, np.uint8)
    truth = np.zeros(SIZE, np.uint8)
    truth[10:60, 70:120] = LIP["hair"]
    truth[60:150, 50:140], truth[150:250, 60:130] = LIP["upper_clothes"], LIP["pants"]
    truth[60:180, 50:66] = LIP["upper_clothes"]
    for name, colour in (("hair", 20), ("upper_clothes", 22), ("pants", 245)):
        pixels[truth == LIP[name]] = colour
    pixels = np.clip(pixels + np.random.default_rng(0).normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)
    seen = truth.copy()
    seen[168:180, 58:66] = LIP["pants"]
    settled = settle_worn(seen, pixels, "lip")
    assert (settled[169:179, 59:65] == LIP["upper_clothes"]).all()
    assert (settled[truth == LIP["pants"]] == LIP["pants"]).mean() > 0.99
    assert (settled[truth == LIP["hair"]] == LIP["hair"]).all()
