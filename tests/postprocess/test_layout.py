"""What is to show where: no holes in a person that the photo does not show."""

from __future__ import annotations

import numpy as np

from ladi.postprocess.layout import without_gaps
from ladi.types import LAYERS

SIZE = (256, 192)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))


def person() -> np.ndarray:
    """(H,W) of ``LAYERS``: garment above trousers, a bare arm beside them, a hole where all three meet."""
    shown = np.full(SIZE, WALL)
    shown[60:160, 60:130], shown[160:256, 60:130] = GARMENT, OTHER
    shown[60:200, 130:146] = SKIN
    shown[154:164, 122:130] = WALL
    return shown


def without(shown: np.ndarray, photo: np.ndarray) -> np.ndarray:
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    return without_gaps(layers, photo).argmax(0)


def test_a_small_hole_that_the_photo_does_not_show_is_filled_with_cloth() -> None:
    """Prevents: white discs of wall at hips and elbows, where a coat was."""
    filled = without(person(), np.ones(SIZE, bool))
    assert set(np.unique(filled[154:164, 122:130])) == {GARMENT, OTHER}
    assert (filled == person())[np.s_[:, :122]].all(), "nothing else changes"


def test_what_the_photo_shows_or_is_large_or_open_stays() -> None:
    shown, photo = person(), np.ones(SIZE, bool)
    photo[158, 126] = False
    assert np.array_equal(without(shown, photo), shown), "the photo shows wall there"
    shown[140:164, 110:130] = WALL
    assert np.array_equal(without(shown, np.ones(SIZE, bool)), shown), "below an elbow"
    shown = person()
    shown[158:160, 128:192] = WALL
    photo = np.zeros(SIZE, bool)
    photo[60:, 60:146] = True
    assert np.array_equal(without(shown, photo), shown), "it is no hole"
