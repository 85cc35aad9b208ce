"""The floor's colour on a garment's edges goes; its folds, prints and trims stay."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.shades import in_lab
from ladi.preprocess.spill import without_spill

SIZE = (288, 216)
FLOOR, CLOTH = np.array((190, 20, 40)), np.array((200, 185, 160))


def shirt(width: int = 0, share: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """A beige shirt on a red bed, in whose light so many pixels of its left edge are: picture and matte."""
    matte = np.zeros(SIZE, np.float32)
    matte[60:230, 50:170] = 1
    pixels = np.where(matte[..., None] > 0, CLOTH, FLOOR).astype(np.uint8)
    pixels[70:220, 50 : 50 + width] = (0.8 * (CLOTH + share * (FLOOR - CLOTH))).round()
    return pixels, matte


def colourfulness(pixels: np.ndarray) -> np.ndarray:
    return in_lab(pixels)[..., 1:]


def test_an_edge_in_the_floors_light_has_the_cloths_own_colour() -> None:
    """Prevents: brown streaks down the sides of a beige T-shirt that lay on a red bed."""
    pixels, matte = shirt(6)
    edge = slice(100, 200), slice(51, 55)
    own = colourfulness(CLOTH[None, None].astype(np.uint8))[0, 0]
    before, after = (
        np.linalg.norm(colourfulness(one)[edge] - own, axis=-1).mean()
        for one in (pixels, without_spill(pixels, matte))
    )
    assert before > 20 and after < 0.45 * before
    brightness = in_lab(without_spill(pixels, matte))[edge][..., 0]
    assert abs(brightness.mean() - in_lab(pixels)[edge][..., 0].mean()) < 6, "a fold's shade stays"


def test_the_floor_between_a_sleeve_and_the_body_goes() -> None:
    """Prevents: a red slit beside the waist of a white shirt."""
    pixels, matte = shirt()
    pixels[120:180, 80:83] = FLOOR
    slit = in_lab(without_spill(pixels, matte))[125:175, 81, 1:].mean(0)
    own = colourfulness(CLOTH[None, None].astype(np.uint8))[0, 0]
    assert np.linalg.norm(slit - own) < 0.3 * np.linalg.norm(colourfulness(pixels)[150, 81] - own)


def test_prints_trims_and_shades_stay() -> None:
    pixels, matte = shirt()
    assert without_spill(pixels, matte) is pixels
    printed = pixels.copy()
    printed[100:160, 80:140] = FLOOR
    kept = without_spill(printed, matte)
    assert np.array_equal(kept[103:157, 83:137], printed[103:157, 83:137]), "a print in the floor's colour"
    trimmed = pixels.copy()
    trimmed[60:230, 50:56] = (30, 40, 150)
    assert np.array_equal(without_spill(trimmed, matte), trimmed), "a trim of another colour"
    shaded = pixels.copy()
    shaded[60:230, 50:58] = (0.6 * CLOTH).astype(np.uint8)
    assert np.abs(without_spill(shaded, matte).astype(int) - shaded).max() <= 3, "a fold"


def test_a_white_floor_and_an_empty_cut_out_change_nothing() -> None:
    pixels, matte = shirt(6, 0.0)
    pixels[matte == 0] = 250
    assert np.abs(without_spill(pixels, matte).astype(int) - pixels).max() <= 3
    assert without_spill(pixels, matte * 0) is pixels
    assert without_spill(pixels, matte * 0 + 1) is pixels
