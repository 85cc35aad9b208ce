"""Worn garments without holes: prints are not skin, and what is really in front stays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ladi.preprocess.boxes import box_of
from ladi.preprocess.labels import LIP, to_scheme
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.worn import mend_worn
from ladi.types import KEYPOINT_NAMES, LabelScheme

SIZE = (256, 192)
PRINT = (slice(95, 125), slice(82, 112))


def person() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, joints and silhouette of a person in a T-shirt and trousers, arms hanging."""
    labels = np.zeros(SIZE, np.uint8)
    labels[10:60, 78:114] = LIP["hair"]
    labels[20:52, 84:108] = LIP["face"]
    labels[52:66, 90:102] = LIP["neck"]
    labels[64:170, 66:126] = LIP["upper_clothes"]
    labels[66:100, 46:66], labels[66:100, 126:146] = LIP["upper_clothes"], LIP["upper_clothes"]
    labels[100:190, 46:60], labels[100:190, 132:146] = LIP["right_arm"], LIP["left_arm"]
    labels[170:256, 68:124] = LIP["pants"]
    joints = np.zeros((18, 3), np.float32)
    for name, x, y in (
        ("nose", 96, 38),
        ("neck", 96, 72),
        ("right_shoulder", 62, 72),
        ("right_elbow", 53, 122),
        ("right_wrist", 53, 172),
        ("left_shoulder", 130, 72),
        ("left_elbow", 139, 122),
        ("left_wrist", 139, 172),
        ("right_hip", 78, 178),
        ("left_hip", 114, 178),
    ):
        joints[KEYPOINT_NAMES.index(name)] = (x, y, 1)
    return labels, joints, (labels > 0).astype(np.float32)


@pytest.mark.parametrize("mistaken", ["face", "left_arm", "bag", "background", "hair", "right_leg", "pants"])
@pytest.mark.parametrize("scheme", ["lip", "dresscode"])
def test_a_print_leaves_no_hole(mistaken: str, scheme: LabelScheme) -> None:
    """Prevents: the old T-shirt's print shining through the new one."""
    whole, joints, silhouette = person()
    labels = whole.copy()
    labels[PRINT] = LIP[mistaken]
    seen = to_scheme(labels, "lip", scheme)
    mended = mend_worn(seen, joints, silhouette, scheme)
    assert np.array_equal(mended, to_scheme(whole, "lip", scheme))
    mask = inpaint_mask(mended, joints, category="upper_body", scheme=scheme, rule="worn")
    assert mask[PRINT].all()
    if mistaken in ("bag", "hair"):
        assert not inpaint_mask(seen, joints, category="upper_body", scheme=scheme, rule="worn")[PRINT].all()


def test_a_print_of_several_mistakes_is_filled_though_none_of_them_is_surrounded_by_itself() -> None:
    whole, joints, silhouette = person()
    labels = whole.copy()
    labels[95:110, 82:112], labels[110:125, 82:112] = LIP["face"], LIP["background"]
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), whole)


def test_forearms_crossed_in_front_stay_arms() -> None:
    """Prevents: sleeves painted over hands because an arm lies in the midst of the garment."""
    labels, joints, silhouette = person()
    labels[115:128, 66:126] = LIP["left_arm"]
    joints[KEYPOINT_NAMES.index("left_wrist"), :2] = (80, 121)
    joints[KEYPOINT_NAMES.index("right_wrist"), :2] = (112, 121)
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), labels)


@pytest.mark.parametrize("mistaken", ["background", "left_arm"])
def test_a_sleeve_has_no_windows(mistaken: str) -> None:
    """Prevents: pieces of a white sleeve that stay before a white wall."""
    whole, joints, silhouette = person()
    whole[100:172, 132:146] = LIP["upper_clothes"]
    labels = whole.copy()
    labels[118:140, 132:146] = LIP[mistaken]
    mended = mend_worn(labels, joints, silhouette, "lip")
    assert np.array_equal(mended, whole)


def test_before_a_wall_beyond_the_outline_nothing_is_an_arm() -> None:
    labels, joints, silhouette = person()
    labels[100:190, 132:146], silhouette[100:190, 132:146] = 0, 0
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), labels)


def test_skin_in_the_midst_is_kept_where_an_arms_joints_are_unknown() -> None:
    labels, joints, silhouette = person()
    labels[115:128, 80:110] = LIP["left_arm"]
    joints[KEYPOINT_NAMES.index("left_wrist")] = 0
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), labels)


def test_long_hair_a_strap_and_a_bag_in_the_hand_stay() -> None:
    """Prevents: half a strap in mid-chest, and locks of hair turned into cloth."""
    labels, joints, silhouette = person()
    labels[50:110, 100:108] = LIP["hair"]
    for row in range(66, 168):
        labels[row, 68 + (row - 66) // 4 : 72 + (row - 66) // 4] = LIP["bag"]
    labels[165:200, 120:140] = LIP["bag"]
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), labels)


def test_a_bag_before_the_body_that_the_network_is_sure_of_is_one() -> None:
    """Prevents: a handbag that hangs from an elbow, painted over as a hole in the coat."""
    whole, joints, silhouette = person()
    labels, sure = whole.copy(), np.zeros(SIZE, bool)
    labels[PRINT], sure[PRINT] = LIP["bag"], True
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip", sure), labels)
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip", ~sure), whole)


@pytest.mark.parametrize("seen_below", ["pants", "nothing", "legs"])
def test_trousers_between_a_coats_fronts_are_no_dress(seen_below: str) -> None:
    """Prevents: a coat that stays below the new hem, or trousers as wide as it; and a dress that is one."""
    labels, joints, silhouette = person()
    labels[labels == LIP["pants"]] = 0
    labels[64:240, 60:132] = LIP["coat"]
    labels[165:240, 88:104] = LIP["dress"]
    labels[240:, 80:112] = {"pants": LIP["pants"], "nothing": 0, "legs": LIP["left_leg"]}[seen_below]
    if seen_below == "nothing":
        labels[240:, 60:132], labels[240:, 88:104] = LIP["coat"], LIP["dress"]
    mended = mend_worn(labels, joints, (labels > 0).astype(np.float32), "lip")
    wanted = "dress" if seen_below == "legs" else "pants"
    assert (mended[170:238, 90:102] == LIP[wanted]).all()
    labels[120:165, 88:104] = LIP["dress"]
    kept = mend_worn(labels, joints, (labels > 0).astype(np.float32), "lip")
    assert (kept[125:238, 90:102] == LIP["dress"]).all(), "it begins at the chest"


def test_a_skirts_upper_edge_is_no_dress() -> None:
    """Prevents: a bite out of a skirt below the new hem; and a dress whose skirt is half seen that stays."""
    whole, joints, silhouette = person()
    whole[whole == LIP["pants"]] = LIP["skirt"]
    labels = whole.copy()
    labels[170:176, 68:124] = LIP["dress"]
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), whole)
    labels[170:220, 68:124] = LIP["dress"]
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), labels)


def test_the_wall_between_arm_and_body_stays_wall() -> None:
    """Prevents: brick painted over in the triangle of an arm on the hip."""
    labels, joints, silhouette = person()
    labels[100:190, 46:60] = LIP["upper_clothes"]
    labels[180:190, 46:70] = LIP["right_arm"]
    assert not labels[140, 63]
    silhouette[100:180, 60:66] = 0
    mended = mend_worn(labels, joints, silhouette, "lip")
    assert (mended[100:180, 60:62] == 0).all()


def test_a_shirt_in_an_open_coat_stays_a_shirt() -> None:
    """Prevents: a dress under a long coat merged into it, which hides it from its own rule."""
    labels, joints, silhouette = person()
    labels[64:220, 66:126] = LIP["coat"]
    labels[66:170, 88:104] = LIP["upper_clothes"]
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), labels)


def test_pieces_of_the_wall_are_no_part_of_the_person() -> None:
    labels, joints, silhouette = person()
    clean = labels.copy()
    labels[60:120, 170:176] = LIP["hair"]
    assert np.array_equal(mend_worn(labels, joints, silhouette, "lip"), clean)


def test_what_is_too_small_for_a_scarf_is_a_collar() -> None:
    """Prevents: dark scraps of an old collar below the chin, above a new neckline."""
    labels, joints, silhouette = person()
    chin = box_of(labels == LIP["face"])
    assert chin is not None
    labels[chin.bottom : chin.bottom + 5, chin.left : chin.left + 6] = LIP["scarf"]
    small = mend_worn(labels, joints, silhouette, "lip")
    assert not (small == LIP["scarf"]).any()
    labels[chin.bottom : chin.bottom + 30, chin.left - 4 : chin.right + 4] = LIP["scarf"]
    assert (mend_worn(labels, joints, silhouette, "lip") == LIP["scarf"]).sum() > 500


def test_nothing_worn_and_nobody_found_change_nothing() -> None:
    nothing = np.zeros(SIZE, np.uint8)
    assert not mend_worn(nothing, np.zeros((18, 3)), np.zeros(SIZE), "lip").any()
    labels, _, silhouette = person()
    assert np.array_equal(mend_worn(labels, np.zeros((18, 3)), silhouette, "lip"), labels)


def test_of_users_photos_the_neck_below_the_shoulder_line_goes_and_bags_stay() -> None:
    """Prevents: the old low neckline in the new collar; bags turned into skin."""
    labels, joints, _ = person()
    labels[66:110, 88:104], labels[120:150, 100:120] = LIP["neck"], LIP["bag"]
    where = {"category": "upper_body", "scheme": "lip", "dilation": 1}
    worn, published = (inpaint_mask(labels, joints, rule=rule, **where) for rule in ("worn", "published"))
    assert worn[66:110, 88:104].all() and not published[100, 96]
    assert not worn[ndimage.binary_erosion(labels == LIP["bag"], iterations=2)].any()
