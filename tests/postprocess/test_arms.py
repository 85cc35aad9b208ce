"""Arms where the joints say that they are: before the body too, in sleeves of the garment's length."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.arms import draw_arms
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, LAYERS

SIZE = (256, 192)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))


def standing(*, folded: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, joints and warped outline of a person in a coat, right hand hanging or on the belly."""
    labels, joints = np.zeros(SIZE, np.uint8), np.zeros((18, 3), np.float32)
    labels[20:60, 84:108] = LIP["face"]
    labels[64:210, 40:152] = LIP["coat"]
    right = {"right_elbow": (52, 124), "right_wrist": (96, 150) if folded else (50, 170)}
    for name, (x, y) in {
        "nose": (96, 38),
        "neck": (96, 70),
        "right_shoulder": (64, 76),
        "left_shoulder": (128, 76),
        "left_elbow": (140, 124),
        "left_wrist": (142, 170),
        "right_hip": (78, 178),
        "left_hip": (114, 178),
        **right,
    }.items():
        joints[JOINT[name]] = (x, y, 1)
    hand_x, hand_y = right["right_wrist"]
    labels[hand_y : hand_y + 10, hand_x : hand_x + 10] = LIP["right_arm"]
    outline = np.zeros(SIZE, np.float32)
    outline[70:190, 66:126] = 1
    return labels, joints, outline


def layers(numbers: np.ndarray) -> np.ndarray:
    return np.stack([numbers == number for number in range(len(LAYERS))]).astype(np.float32)


def drawn(
    labels: np.ndarray, joints: np.ndarray, outline: np.ndarray, sleeve: float, shown: np.ndarray
) -> np.ndarray:
    """What shows afterwards: (H,W) numbers into ``LAYERS``."""
    mask = labels == LIP["coat"]
    return draw_arms(layers(shown), mask, labels, joints, outline, sleeve).probabilities.argmax(0)


def test_a_bare_forearm_lies_before_a_new_t_shirt() -> None:
    """Prevents: a hand that floats on the chest, its arm painted over with cloth."""
    labels, joints, outline = standing(folded=True)
    cloth = np.where(labels > 0, GARMENT, WALL)
    short = drawn(labels, joints, outline, 0.3, cloth)
    assert short[137, 74] == SKIN and short[84, 96] == GARMENT
    assert short[110, 96] == GARMENT, "the belly above the arm"
    long = drawn(labels, joints, outline, 1.0, cloth)
    assert (long[100:170, 50:100] != SKIN).all()


def test_an_arm_whose_hand_is_not_seen_does_not_come_before_the_body() -> None:
    labels, joints, outline = standing(folded=True)
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    behind = drawn(labels, joints, outline, 0.3, np.where(labels > 0, GARMENT, WALL))
    assert behind[140, 90] == GARMENT


def test_the_width_of_an_old_coat_becomes_wall_and_its_sleeve_no_blob_of_skin() -> None:
    """Prevents: arms as thick as a coat's sleeves."""
    labels, joints, outline = standing()
    blob = np.where(labels > 0, np.where(outline > 0, GARMENT, SKIN), WALL)
    arms = drawn(labels, joints, outline, 0.3, blob)
    row = arms[140]
    bare = np.flatnonzero(row[:66] == SKIN)
    assert 8 <= bare.size <= 20 and abs(bare.mean() - 51) < 4
    assert row[41] == WALL


def test_sleeves_are_known_as_cloth_and_bare_arms_are_not() -> None:
    """Prevents: fog on forearms that a long sleeve's picture does not reach."""
    labels, joints, outline = standing()
    shown, mask = layers(np.where(labels > 0, GARMENT, WALL)), labels == LIP["coat"]
    long, none = (draw_arms(shown, mask, labels, joints, outline, sleeve).sleeves for sleeve in (1.0, 0.0))
    assert long[150, 51] and not none.any()


def test_the_sleeve_ends_where_the_garment_says() -> None:
    labels, joints, outline = standing()
    cloth = np.where(labels > 0, GARMENT, WALL)
    ends = [
        int(np.flatnonzero(drawn(labels, joints, outline, sleeve, cloth)[:, 51] == SKIN)[0])
        for sleeve in (0.2, 0.45, 0.7)
    ]
    assert ends == sorted(ends) and ends[-1] - ends[0] > 25


def test_outside_the_mask_and_without_joints_nothing_changes() -> None:
    labels, joints, outline = standing()
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    nowhere = draw_arms(shown, np.zeros(SIZE, bool), labels, joints, outline, 0.3)
    assert np.array_equal(nowhere.probabilities, shown)
    unknown = draw_arms(shown, labels > 0, labels, joints * 0, outline, 0.3)
    assert np.array_equal(unknown.probabilities, shown) and (unknown.relief == 1).all()


@pytest.mark.parametrize("sleeve", [0.0, 0.5, 1.0])
def test_cloth_is_never_much_lighter_or_black(sleeve: float) -> None:
    labels, joints, outline = standing(folded=True)
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    relief = draw_arms(shown, labels > 0, labels, joints, outline, sleeve).relief
    assert relief.max() <= 1 and relief.min() > 0.4


def test_light_is_told_on_bare_arms_alone() -> None:
    """Prevents: a chest lit as an arm is."""
    labels, joints, outline = standing()
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    across = draw_arms(shown, labels > 0, labels, joints, outline, 0.2).roundness[150]
    assert across[:66].any() and across[126:].any() and not across[90:110].any()


def test_a_sleeve_has_no_hole_at_the_shoulder_but_straps_leave_it_bare() -> None:
    """Prevents: skin between a T-shirt and its sleeve."""
    labels, joints, outline = standing()
    shown = np.where(labels > 0, GARMENT, WALL)
    shown[70:84, 56:68] = SKIN
    outline[60:90, 50:75] = 0
    assert (drawn(labels, joints, outline, 0.4, shown)[74:80, 60:66] == GARMENT).all()
    assert (drawn(labels, joints, outline, 0.0, shown)[74:80, 60:66] == SKIN).all()


def test_beside_a_bare_shoulder_there_is_no_cloth() -> None:
    """Prevents: a flap of a sleeveless top on the far side of the arm, beyond what was worn."""
    labels, joints, outline = standing()
    outline[64:130, 30:66] = 1
    mask = np.zeros(SIZE, bool)
    mask[60:214, 34:158] = True
    shown = np.where(mask, GARMENT, WALL)
    bare = draw_arms(layers(shown), mask, labels, joints, outline, 0.0).probabilities.argmax(0)
    sleeved = draw_arms(layers(shown), mask, labels, joints, outline, 0.3).probabilities.argmax(0)
    assert (bare[80:120, 34:38] == WALL).all() and (bare[80:120, 86:106] == GARMENT).all()
    assert (sleeved[80:84, 50:60] == GARMENT).all()


def test_an_old_cuff_beyond_the_wrist_becomes_skin_under_short_sleeves_only() -> None:
    """Prevents: a band of the new cloth round the wrist of who wears a T-shirt."""
    labels, joints, outline = standing()
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    labels[182:194, 44:58] = LIP["right_arm"]
    joints[JOINT["right_wrist"], :2] = (50, 168)
    shown = np.where(labels == LIP["coat"], GARMENT, np.where(labels > 0, SKIN, WALL))
    cuff = (slice(174, 180), slice(48, 52))
    assert (drawn(labels, joints, outline, 0.3, shown)[cuff] == SKIN).all()
    assert (drawn(labels, joints, outline, 1.0, shown)[cuff] == GARMENT).all()


def test_an_arm_without_a_hand_goes_behind_a_garment_that_its_elbow_is_beside() -> None:
    """Prevents: a forearm that ends in a stump before the belly, its hand in a pocket of the removed coat."""
    labels, joints, outline = standing()
    joints[JOINT["right_wrist"], :2] = (88, 160)
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    shown = drawn(labels, joints, outline, 0.3, np.where(labels > 0, GARMENT, WALL))
    covered = outline > 0.5
    assert (shown[120:175][covered[120:175]] != SKIN).all()
    assert (shown == SKIN).any(), "and the upper arm is seen"
    narrow = np.where((labels > 0) & (np.abs(np.arange(SIZE[1]) - 96) < 20), GARMENT, WALL)
    shown = drawn(labels, joints, outline, 0.3, narrow)
    assert (shown[140:170, 68:80] == GARMENT).all(), "as wide as the warp, without a notch"


def test_a_wrist_above_a_pocket_is_no_hand() -> None:
    labels, joints, outline = standing()
    joints[JOINT["right_wrist"], :2] = (88, 160)
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    labels[156:160, 84:88] = LIP["right_arm"]
    shown = drawn(labels, joints, outline, 0.3, np.where(labels > 0, GARMENT, WALL))
    assert (shown[120:175][(outline > 0.5)[120:175]] != SKIN).all()


def test_a_bare_arm_does_not_darken_towards_its_hand() -> None:
    """Prevents: the end of a tube drawn across the wrist."""
    labels, joints, outline = standing()
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    round_ = draw_arms(shown, labels > 0, labels, joints, outline, 0.2).roundness
    along = round_[140:180, 50]
    assert (along > 0).all() and np.ptp(along) < 0.05


@pytest.mark.parametrize("wide", [8, 16])
def test_an_arm_becomes_as_wide_as_the_hand_that_follows(wide: int) -> None:
    """Prevents: a step, or a bell, where the cuff was."""
    labels, joints, outline = standing()
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    labels[184:200, 50 - wide // 2 : 50 + wide // 2] = LIP["right_arm"]
    labels[180:184, 34:66] = LIP["coat"]
    shown = drawn(labels, joints, outline, 0.3, np.where(labels > 0, GARMENT, WALL))
    widths = (shown[166:184, 34:66] == SKIN).sum(1)
    assert abs(widths[-1] - wide) <= 3 and np.abs(np.diff(widths)).max() <= 2


@pytest.mark.parametrize(("sleeve", "shows"), [(1.0, GARMENT), (0.3, SKIN)])
def test_a_long_sleeve_into_a_pocket_shows_no_hand(sleeve: float, shows: int) -> None:
    """Prevents: a stump of skin at the hem of who has a hand in a pocket."""
    labels, joints, outline = standing()
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    painted = np.where(labels > 0, GARMENT, WALL)
    painted[166:184, 40:60] = SKIN
    after = drawn(labels, joints, outline, sleeve, painted)
    assert (after[166:173, 46:53] == shows).all()


def test_a_waist_is_seen_on_both_sides_of_a_forearm_before_it() -> None:
    """Prevents: a waist cut off where crossed forearms pass, its hem left standing out."""
    labels, joints, outline = standing(folded=True)
    joints[JOINT["right_elbow"], :2] = (74, 120)
    outline[70:190, 62:130] = 1
    shown = drawn(labels, joints, outline, 0.0, np.where(labels > 0, GARMENT, WALL))
    assert (shown[146:160, 71:75] == GARMENT).all()
    outline[70:190, 50:130] = 1
    shown = drawn(labels, joints, outline, 0.0, np.where(labels > 0, GARMENT, WALL))
    assert (shown[142:148, 53:58] == GARMENT).all(), "as wide as the warp, farther out than the trunk"
    outline[70:190, 20:130] = 1
    labels[60:190, 20:60] = np.where(labels[60:190, 20:60] > 0, labels[60:190, 20:60], LIP["coat"])
    shown = drawn(labels, joints, outline, 0.0, np.where(labels > 0, GARMENT, WALL))
    assert (shown[129:132, 22:46] == WALL).all() and (shown[144:149, 55:58] == GARMENT).all(), "no corner"


def test_a_forearm_that_is_seen_is_as_wide_as_the_photo_shows_it() -> None:
    """Prevents: a second, smooth forearm beside the real one, where a scarf hung."""
    labels, joints, outline = standing()
    labels[104:182, 42:56] = LIP["right_arm"]
    shown = np.where(labels > 0, GARMENT, WALL)
    shown[104:182, 42:66] = SKIN
    beside = drawn(labels, joints, outline, 0.3, shown)[130:150, 56:64]
    assert (beside == GARMENT).all()
    photo = np.full((*SIZE, 3), (40, 120, 60), np.uint8)
    photo[:, 42:60] = (200, 150, 130)
    mask = labels == LIP["coat"]
    told = draw_arms(layers(shown), mask, labels, joints, outline, 0.3, photo=photo)
    assert (told.probabilities.argmax(0)[136:150, 61:64] == GARMENT).all(), "a scarf"
    assert (told.probabilities.argmax(0)[130:150, 56:59] == SKIN).all(), "an arm, whatever its label"
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    assert (drawn(labels, joints, outline, 0.3, shown)[130:150, 56] == SKIN).all(), "where none is seen"


def test_a_bare_arm_wider_than_its_joints_say_stays_as_wide() -> None:
    """Prevents: a slim arm drawn beside the elbow of the photo's own, which stays as a stump."""
    labels, joints, outline = standing()
    mask = labels == LIP["coat"]
    labels[100:170, 36:66] = LIP["right_arm"]
    mask |= labels == LIP["right_arm"]
    shown = np.full(SIZE, WALL)
    shown[70:190, 66:126] = GARMENT
    bare = draw_arms(layers(shown), mask, labels, joints, outline, 0.2).probabilities.argmax(0)
    assert (bare[130:160, 40:62] == SKIN).all()
    sleeved = draw_arms(layers(shown), mask, labels, joints, outline, 1.0).probabilities.argmax(0)
    assert not (sleeved[130:160, 40:62] == SKIN).any(), "not in a long sleeve"


def test_where_arms_are_bare_is_told() -> None:
    """Prevents: a flap of cloth on the upper arm, below a cap that was mirrored from the other shoulder."""
    labels, joints, outline = standing()
    shown, mask = layers(np.where(labels > 0, GARMENT, WALL)), labels == LIP["coat"]
    short, none = (draw_arms(shown, mask, labels, joints, outline, sleeve).bare for sleeve in (0.5, 0.0))
    assert short is not None and short[150, 51] and not short[100, 56]
    assert none is not None and none[100, 56] and not none[78, 62] and not none[:, 96].any()


def test_without_a_sleeve_the_armhole_runs_from_the_shoulder_to_the_armpit() -> None:
    """Prevents: arms whose tops are cut off square, as if a sleeve of cardboard lay on the shoulder."""
    labels, joints, outline = standing()
    cloth = np.where(labels > 0, GARMENT, WALL)
    bare = drawn(labels, joints, outline, 0.0, cloth) == SKIN
    first = {column: int(bare[70:140, column].argmax()) for column in (56, 59, 62)}
    assert first[56] < first[59] < first[62], "it goes down towards the body"
    assert first[62] - first[56] > 8
    sleeved = drawn(labels, joints, outline, 0.5, cloth) == SKIN
    rows = [int(sleeved[70:160, column].argmax()) for column in (52, 55, 58)]
    assert max(rows) - min(rows) < 4, "a hem is level"


def test_a_sleeve_leaves_the_shoulder_without_a_corner() -> None:
    """Prevents: a step where the painted shoulder ends and the sleeve along the arm begins."""
    labels, joints, outline = standing()
    narrow = np.full(SIZE, WALL)
    narrow[70:190, 58:134] = GARMENT
    sleeved = drawn(labels, joints, outline, 1.0, narrow) == GARMENT
    edge = sleeved[84:150].argmax(1)
    assert (edge[:-1] - edge[1:]).max() <= 2, "it goes outwards little by little"
    assert edge[0] - edge[40] > 8
