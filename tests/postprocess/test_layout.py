"""What is to show where: no holes in a person that the photo does not show."""

from __future__ import annotations

import numpy as np

from ladi.postprocess.layout import (
    with_collar,
    with_neck,
    with_straps,
    without_crumbs,
    without_gaps,
    without_islands,
)
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
NOWHERE = np.zeros(SIZE, bool)
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


def test_a_neck_is_as_wide_as_the_photos() -> None:
    """Prevents: two dark lines beside a slimmer neck, which are the edges of the photo's own."""
    first, neck = np.full(SIZE, WALL), np.zeros(SIZE, bool)
    first[60:80, 90:102], first[80:, 60:132] = SKIN, GARMENT
    neck[60:84, 86:106] = True
    layers = np.stack([first == number for number in range(len(LAYERS))]).astype(np.float32)
    result = with_neck(layers, neck).argmax(0)
    assert (result[60:80, 86:106] == SKIN).all() and (result[80:84, 86:106] == GARMENT).all()
    assert np.array_equal(result[~neck], first[~neck])


def test_a_strap_that_the_warp_lays_over_the_shoulder_is_cloth() -> None:
    """Prevents: tops that slip off one shoulder, because a small network painted skin there."""
    keypoints = np.zeros((18, 3))
    for name, x, y in (("neck", 96, 60), ("left_shoulder", 130, 60), ("right_shoulder", 62, 60)):
        keypoints[JOINT[name]] = x, y, 1
    for name, x in (("left_hip", 115), ("right_hip", 77)):
        keypoints[JOINT[name]] = x, 160, 1
    shown = np.full(SIZE, WALL)
    shown[55:100, 50:142], shown[100:180, 62:130], shown[100:180, 130:146] = SKIN, GARMENT, SKIN
    outline = np.zeros(SIZE, np.float32)
    outline[58:180, 66:76] = outline[100:180, 62:146] = outline[58:100, 134:142] = outline[66:90, 92:100] = 1
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    mask = np.ones(SIZE, bool)
    mask[58:64] = False
    laid = with_straps(layers, mask, outline, Limbs(keypoints, shown > 0)).argmax(0)
    assert (laid[64:90, 66:76] == GARMENT).all()
    assert (laid[58:64, 66:76] == SKIN).all(), "what stays of the photo stays"
    assert (laid[110:180, 130:146] == SKIN).all(), "arms lie before the warp"
    assert (laid[64:90, 134:142] == SKIN).all(), "beside the shoulder are arms"
    assert (laid[66:90, 92:100] == SKIN).all(), "below the chin is the throat"


def test_a_collar_that_the_warp_lays_around_a_neck_is_cloth() -> None:
    """Prevents: shirts without their collars, because a small network painted a bare neck."""
    keypoints = np.zeros((18, 3))
    for name, x, y in (("neck", 96, 60), ("left_shoulder", 130, 60), ("right_shoulder", 62, 60)):
        keypoints[JOINT[name]] = x, y, 1
    for name, x in (("left_hip", 115), ("right_hip", 77)):
        keypoints[JOINT[name]] = x, 160, 1
    shown = np.full(SIZE, WALL)
    shown[30:70, 84:108], shown[62:180, 62:130] = SKIN, GARMENT
    outline = np.zeros(SIZE, np.float32)
    outline[44:70, 82:90] = outline[44:70, 102:110] = outline[62:180, 62:130] = outline[44:60, 130:140] = 1
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    mask = np.ones(SIZE, bool)
    mask[:48] = False
    laid = with_collar(layers, mask, outline, Limbs(keypoints, shown > 0)).argmax(0)
    assert (laid[48:62, 82:90] == GARMENT).all() and (laid[48:62, 102:110] == GARMENT).all()
    assert np.array_equal(laid[:48], shown[:48]), "what stays of the photo stays"
    assert (laid[48:62, 92:100] == SKIN).all(), "between its leaves is the throat"
    assert (laid[48:60, 132:140] == WALL).all(), "it stands around the neck"
    outline[62:72, 92:100] = 0
    laid = with_collar(layers, mask, outline, Limbs(keypoints, shown > 0)).argmax(0)
    assert (laid[62:72, 92:100] == SKIN).all() and (laid[74:90, 70:120] == GARMENT).all(), "its opening"


def test_a_spot_of_skin_amid_a_garment_is_cloth() -> None:
    """Prevents: a hole at the shoulder of a jumper, where a small network was of two minds."""
    shown = np.full(SIZE, WALL)
    shown[60:200, 50:140] = GARMENT
    for spot in (np.s_[70:80, 60:66], np.s_[90:100, 90:96], np.s_[120:126, 50:56]):
        shown[spot] = SKIN
    shown[150:190, 80:110] = SKIN
    outline = (shown != WALL).astype(np.float32)
    outline[90:100, 90:96] = 0
    layers = np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32)
    filled = without_islands(layers, np.ones(SIZE, bool), outline).argmax(0)
    assert (filled[70:80, 60:66] == GARMENT).all()
    assert (filled[90:100, 90:96] == SKIN).all(), "the garment has a keyhole there"
    assert (filled[120:126, 50:56] == SKIN).all(), "beside it there is wall"
    assert (filled[150:190, 80:110] == SKIN).all(), "a hand before it"
    kept = np.ones(SIZE, bool)
    kept[72, 62] = False
    assert (without_islands(layers, kept, outline).argmax(0)[70:80, 60:66] == SKIN).all(), "the photo's"


def test_a_crumb_of_cloth_apart_from_the_garment_is_none() -> None:
    """Prevents: a rag of the new T-shirt beside the wrist."""
    shown = person()
    crumbs = shown.copy()
    crumbs[205:210, 132:140] = crumbs[215:230, 140:150] = GARMENT
    layers = np.stack([crumbs == number for number in range(len(LAYERS))]).astype(np.float32)
    mended = without_crumbs(layers, np.ones(SIZE, bool)).argmax(0)
    assert (mended[205:210, 132:140] != GARMENT).all() and (mended[215:230, 140:150] == GARMENT).all()
    assert np.array_equal(without_crumbs(layers, np.zeros(SIZE, bool)), layers), "outside the mask"
