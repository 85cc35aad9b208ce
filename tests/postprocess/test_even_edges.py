"""A hem and sides without notches, teeth and bulges, but with the garment's own cut."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.even_edges import even_hem, even_sides
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))


def limbs(*, aside: int = 0) -> Limbs:
    """Of somebody who stands in the picture's middle, or so many pixels beside it."""
    joints = np.zeros((18, 3), np.float32)
    for name, (x, y) in {
        "neck": (96, 60),
        "right_shoulder": (64, 60),
        "left_shoulder": (128, 60),
        "right_hip": (76, 160),
        "left_hip": (116, 160),
    }.items():
        joints[JOINT[name]] = (x + aside, y, 1)
    return Limbs(joints, np.ones(SIZE, bool))


def dressed() -> np.ndarray:
    """Numbers into ``LAYERS`` (H,W): a top that ends in row 169, above trousers."""
    shown = np.full(SIZE, WALL)
    shown[60:170, 64:128], shown[170:256, 64:128] = GARMENT, OTHER
    return shown


def evened(shown: np.ndarray, free: np.ndarray | None = None) -> np.ndarray:
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    lower, higher = even_hem(layers, np.ones(SIZE, bool) if free is None else free, limbs())
    return np.where(lower, GARMENT, np.where(higher, OTHER, shown))


@pytest.mark.parametrize(("rows", "what"), [((160, 170), OTHER), ((145, 170), OTHER), ((170, 178), GARMENT)])
def test_notches_and_teeth_are_gone(rows: tuple[int, int], what: int) -> None:
    """Prevents: a hem in three steps, where a belt and a pocket were."""
    shown = dressed()
    shown[rows[0] : rows[1], 90:100] = what
    assert np.array_equal(evened(shown), dressed())
    assert np.array_equal(evened(shown, np.zeros(SIZE, bool)), shown), "what is not repainted stays"


def test_a_garments_own_cut_stays() -> None:
    """Prevents: the long tip of a top that is cut so, cut off; a hem at the hip, straightened."""
    shown = dressed()
    shown[170:200, 90:100] = GARMENT
    assert np.array_equal(evened(shown), shown), "a long tip"
    shown = dressed()
    shown[150:170, 100:128] = OTHER
    assert (evened(shown) != shown).sum() < 40, "one side shorter"


def test_a_hem_that_cannot_be_lower_in_one_place_is_not_lower_beside_it() -> None:
    """Prevents: crumbs of trousers that stay, in the hem that was lowered around them."""
    shown, free = dressed(), np.ones(SIZE, bool)
    shown[160:170, 90:106] = OTHER
    free[165:168, 98] = False
    result = evened(shown, free)
    assert (result[160:165, 91:105] == GARMENT).all() and (result[166:, 97:100] == OTHER).all()


def test_before_a_wall_there_is_no_hem_to_be_told() -> None:
    shown = dressed()
    shown[shown == OTHER] = WALL
    shown[160:170, 90:100] = WALL
    assert np.array_equal(evened(shown), shown)


def test_bites_and_bulges_of_the_sides_are_gone() -> None:
    """Prevents: a T-shirt with a bulge at the waist, where a coat stood off; a bite at the hip."""
    shown = dressed()
    shown[120:130, 128:134] = shown[140:150, 58:64] = GARMENT
    shown[150:158, 120:128] = shown[120:128, 64:70] = WALL
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    out, back = even_sides(layers, np.ones(SIZE, bool), limbs())
    assert np.array_equal(np.where(out, GARMENT, np.where(back, WALL, shown)), dressed())
    out, back = even_sides(layers, np.zeros(SIZE, bool), limbs())
    assert not out.any() and not back.any(), "what is not repainted stays"


def test_an_arm_beside_the_body_is_no_side() -> None:
    shown = dressed()
    shown[120:130, 128:134] = GARMENT
    shown[60:200, 134:144] = shown[60:120, 128:134] = shown[130:200, 128:134] = SKIN
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    out, back = even_sides(layers, np.ones(SIZE, bool), limbs())
    assert not out.any() and not back.any()


def test_hips_beyond_the_picture_are_beyond_it() -> None:
    """Prevents: columns counted from the other end, where hips lie left of the picture."""
    shown = dressed()
    shown[120:130, 58:64] = GARMENT
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    out, back = even_sides(layers, np.ones(SIZE, bool), limbs(aside=-200))
    assert not out.any() and not back.any()
