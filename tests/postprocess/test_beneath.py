"""What shows beneath a new top, put right by what is known of people."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.beneath import beneath
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
NOWHERE = np.zeros(SIZE, np.float32)


def scene(below: str = "pants") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What a painting shows of somebody in a wide coat, its mask, the photo's labels, and the joints."""
    labels, joints = np.zeros(SIZE, np.uint8), np.zeros((18, 3), np.float32)
    labels[60:190, 40:152] = LIP["coat"]
    labels[190:250, 76:92] = labels[190:250, 100:116] = LIP[below]
    for name, point in {
        "right_shoulder": (76, 70),
        "left_shoulder": (116, 70),
        "right_hip": (86, 140),
        "left_hip": (106, 140),
        "right_knee": (84, 200),
        "left_knee": (108, 200),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    shown = np.zeros((len(LAYERS), *SIZE), np.float32)
    shown[WALL] = 1
    shown[:, 130:190, 40:152] = 0
    shown[OTHER, 130:190, 40:152] = 1
    return shown, labels == LIP["coat"], labels, joints


def test_trousers_under_a_coat_are_as_wide_as_legs() -> None:
    """Prevents: trousers with the outline of the coat that hid them."""
    shown, mask, labels, joints = scene()
    slim = beneath(shown, mask, labels, joints, NOWHERE, "lip").argmax(0)
    row = slim[150]
    assert row[96] == OTHER and row[86] == OTHER and row[50] == WALL and row[145] == WALL
    assert slim[185, 85] == OTHER and slim[185, 96] == WALL, "two legs"
    assert (slim[:140] == shown.argmax(0)[:140]).all(), "above the hips nothing changes"


def test_no_sliver_of_wall_is_between_a_hem_and_the_trousers_below_it() -> None:
    """Prevents: a leg cut through at the row where an old coat ended, painted as wall too."""
    shown, mask, labels, joints = scene()
    labels[188:191, 76:92] = 0
    shown[:, 186:194, 70:96] = 0
    shown[WALL, 186:194, 70:96] = 1
    grown = mask.copy()
    grown[186:192, 70:122] = True
    result = beneath(shown, grown, labels, joints, NOWHERE, "lip").argmax(0)
    assert (result[186:191, 79:89] == OTHER).all()
    assert (result[192:240, 94:98] != OTHER).all(), "two legs stay two"


def test_no_skin_shows_along_a_hem_where_the_photo_has_trousers() -> None:
    """Prevents: red trousers with a stripe of skin across the knee, where an old coat ended."""
    shown, mask, labels, joints = scene()
    grown = mask.copy()
    grown[186:196, 70:122] = True
    shown[:, 190:196, 76:92] = 0
    shown[SKIN, 190:196, 76:92] = 1
    result = beneath(shown, grown, labels, joints, NOWHERE, "lip").argmax(0)
    assert (result[190:196, 79:89] == OTHER).all()


def test_trousers_do_not_begin_at_the_ribs() -> None:
    """Prevents: a belt on the belly, where a photographed top is shorter than a person wears it."""
    shown, mask, labels, joints = scene()
    shown[:, 90:190, 70:122] = 0
    shown[OTHER, 90:190, 70:122] = 1
    result = beneath(shown, mask, labels, joints, NOWHERE, "lip").argmax(0)
    assert (result[95:118, 75:117] == GARMENT).all(), "a torso is 70 pixels, so 140 - 0.28 * 70 = 120"
    assert (result[122:138, 75:117] == OTHER).all()
    assert result[70, 96] == shown.argmax(0)[70, 96], "collars are left alone"


@pytest.mark.parametrize("case", ["skirt", "dress", "no hips", "kept"])
def test_otherwise_nothing_changes(case: str) -> None:
    shown, mask, labels, joints = scene(case if case in ("skirt", "dress") else "pants")
    if case == "no hips":
        joints[JOINT["left_hip"]] = 0
    elif case == "kept":
        mask = mask & False
    assert np.array_equal(beneath(shown, mask, labels, joints, NOWHERE, "lip"), shown)


def test_trousers_that_were_painted_as_skin_are_trousers() -> None:
    """Prevents: a new shirt's cloth, or bare thighs, between its hem and red trousers."""
    shown, mask, labels, joints = scene()
    shown[:, 140:190, 76:92] = 0
    shown[SKIN, 140:190, 76:92] = 1
    dressed = beneath(shown, mask, labels, joints, NOWHERE, "lip").argmax(0)
    assert (dressed[145:190, 78:90] == OTHER).all()


def test_nothing_lies_before_the_new_top_where_an_old_one_was() -> None:
    """Prevents: a piece of black coat below folded hands, in the middle of a light shirt."""
    shown, mask, labels, joints = scene("skirt")
    outline = NOWHERE.copy()
    outline[60:150, 60:130] = 1
    shown[:, 60:150, 60:130] = 0
    shown[GARMENT, 60:150, 60:130] = 1
    shown[:, 120:130, 80:110] = 0
    shown[OTHER, 120:130, 80:110] = 1
    labels[120:125, 80:85] = LIP["bag"]
    top = beneath(shown, mask & (labels != LIP["bag"]), labels, joints, outline, "lip").argmax(0)
    assert (top[125:130, 80:110] == GARMENT).all() and (top[120:125, 80:85] == OTHER).all()


def test_legs_are_seen_up_to_where_they_part() -> None:
    """Prevents: trousers under a coat that are one block down to its hem, with an arch between the knees."""
    shown, mask, labels, joints = scene()
    legs = beneath(shown, mask, labels, joints, NOWHERE, "lip").argmax(0) == OTHER
    gap = [int((~legs[row, 80:112]).sum()) for row in (150, 160, 175, 188)]
    assert gap[0] == gap[1] == 0 and 0 < gap[2] < gap[3], "they part below the crotch, and more farther down"
    assert legs[188, 77:91].all() and legs[188, 101:115].all() and not legs[188, :73].any(), "as wide as seen"


def test_what_is_painted_of_a_person_beside_the_legs_is_wall() -> None:
    """Prevents: a strip of bare skin, or of the new top's cloth, where the coat stood off from the legs."""
    shown, mask, labels, joints = scene()
    shown[:, 140:190, 60:70] = 0
    shown[SKIN, 140:190, 60:70] = 1
    assert (beneath(shown, mask, labels, joints, NOWHERE, "lip").argmax(0)[150:190, 60:68] == WALL).all()


def test_a_coats_corner_below_its_hem_before_a_leg_is_leg() -> None:
    """Prevents: a notch of wall in trousers where the tip of an open jacket hung before them."""
    shown, mask, labels, joints = scene()
    labels[190:200, 110:114] = LIP["coat"]
    mask = labels == LIP["coat"]
    shown[:, 190:200, 110:114] = 0
    shown[OTHER, 190:200, 110:114] = 1
    assert (beneath(shown, mask, labels, joints, NOWHERE, "lip").argmax(0)[190:198, 110:114] == OTHER).all()


def under_a_hem(hem: int = 150) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As ``scene``, with a top painted to a row where its warp ends, and that warp's outline."""
    shown, mask, labels, joints = scene()
    shown[:, 60:hem, 70:122] = 0
    shown[GARMENT, 60:hem, 70:122] = 1
    outline = np.zeros(SIZE, np.float32)
    outline[60:hem, 70:122] = 1
    return shown, mask, labels, joints, outline


def test_nothing_hangs_from_a_hem_where_a_tie_was() -> None:
    """Prevents: ragged hems, with a tooth wherever the old top had a tip, a flap or a pocket."""
    shown, mask, labels, joints, outline = under_a_hem(135)
    shown[:, 135:143, 90:100] = 0
    shown[GARMENT, 135:143, 90:100] = 1
    result = beneath(shown, mask, labels, joints, outline, "lip").argmax(0)
    assert (result[136:143, 90:100] == OTHER).all()
    assert (result[60:135, 76:116] == GARMENT).all()
    kept = beneath(shown, mask & False, labels, joints, outline, "lip")
    assert np.array_equal(kept, shown), "what is not repainted stays"


def test_no_cloth_hangs_in_the_air_below_a_hem() -> None:
    """Prevents: a sack as wide as the coat, painted in the new top's cloth beside the legs."""
    shown, mask, labels, joints, outline = under_a_hem()
    shown[:, 145:180, 122:140] = 0
    shown[GARMENT, 145:180, 122:140] = 1
    outline[145:150, 122:140] = 1
    result = beneath(shown, mask, labels, joints, outline, "lip").argmax(0)
    assert (result[151:180, 126:140] == WALL).all()
    assert (result[145:150, 122:140] == GARMENT).all(), "what the warp covers is the top"
