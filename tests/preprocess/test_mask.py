"""The mask rules beyond the published numbers: absent joints, users' photos, both label schemes, growing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ladi.preprocess.mask import DRESS_CODE, LIP, grow_mask, inpaint_mask, mask_regions, to_scheme
from ladi.types import CATEGORIES, KEYPOINT_NAMES, SettingError

SIZE = (512, 384)
JOINT = {name: index for index, name in enumerate(KEYPOINT_NAMES)}


def standing_person(**worn: tuple[int, int]) -> np.ndarray:
    """LIP labels of a person made of blocks, wearing the given garments as name=(top, bottom)."""
    labels = np.zeros(SIZE, np.uint8)
    labels[20:50, 160:224] = LIP["hair"]
    labels[50:110, 165:219] = LIP["face"]
    labels[110:130, 180:204] = LIP["neck"]
    labels[130:270, 150:234] = LIP["upper_clothes"]
    labels[270:470, 155:190], labels[270:470, 195:230] = LIP["right_leg"], LIP["left_leg"]
    labels[140:290, 105:140], labels[140:290, 245:280] = LIP["right_arm"], LIP["left_arm"]
    labels[470:500, 155:190], labels[470:500, 195:230] = LIP["right_shoe"], LIP["left_shoe"]
    for name, (top, bottom) in worn.items():
        labels[top:bottom, 150:234] = LIP[name]
    return labels


def standing_joints() -> np.ndarray:
    points = np.zeros((18, 3), np.float32)
    for name, x, y in (
        ("nose", 192, 80),
        ("neck", 192, 130),
        ("right_shoulder", 150, 140),
        ("right_elbow", 122, 200),
        ("right_wrist", 122, 255),
        ("left_shoulder", 234, 140),
        ("left_elbow", 262, 200),
        ("left_wrist", 262, 255),
        ("right_hip", 172, 270),
        ("left_hip", 212, 270),
    ):
        points[JOINT[name]] = (x, y, 1)
    return points


RIM = 4
"""Pixels by which what stays gives way to a worn garment that it touches, at this height."""


def worn_mask(labels: np.ndarray, category: str, rule: str = "worn", scheme: str = "lip") -> np.ndarray:
    labels = to_scheme(labels, "lip", scheme)  # type: ignore[arg-type]
    return inpaint_mask(labels, standing_joints(), category=category, scheme=scheme, rule=rule)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["lip", "dresscode"])
@pytest.mark.parametrize("category", CATEGORIES)
def test_face_hair_shoes_and_hands_are_never_repainted(category: str, scheme: str) -> None:
    # A mask over face or fingers would let the model paint a stranger.
    labels = standing_person(pants=(270, 460))
    mask = worn_mask(labels, category, scheme=scheme)
    kept = np.isin(labels, [LIP[name] for name in ("hair", "right_shoe", "left_shoe")])
    assert not mask[ndimage.binary_erosion(kept, iterations=RIM)].any()
    assert not mask[:110][labels[:110] == LIP["face"]].any()
    assert not mask[280:290, 105:140].any(), "the hand below the wrist"
    assert mask.any()


def test_published_rule_leaves_a_worn_dress_under_a_new_skirt_and_worn_rule_does_not() -> None:
    # Users see the old skirt of their dress hang out under the new one.
    labels = standing_person(dress=(130, 420))
    published, worn = worn_mask(labels, "lower_body", "published"), worn_mask(labels, "lower_body")
    assert not published[300:400, 192].any()
    assert worn[270:420, 150:234].all()
    assert not worn[130:200, 150:234].any(), "the dress's upper part is the new skirt's top"


@pytest.mark.parametrize("garment", ["upper_clothes", "skirt", "pants", "dress", "coat"])
def test_worn_rule_replaces_every_garment_under_a_new_dress(garment: str) -> None:
    # The published rule leaves a worn T-shirt under a new dress.
    labels = standing_person(**{garment: (200, 400)})
    assert worn_mask(labels, "dresses")[200:400, 150:234].all()


@pytest.mark.parametrize("garment", ["upper_clothes", "dress", "coat"])
@pytest.mark.parametrize("scheme", ["lip", "dresscode"])
def test_worn_rule_replaces_every_garment_under_a_new_top(garment: str, scheme: str) -> None:
    # A coat is a number of its own in LIP and none in Dress Code; a dress is not "upper clothes".
    labels = standing_person(**{garment: (130, 330)})
    assert worn_mask(labels, "upper_body", scheme=scheme)[131:330, 150:234].all()


@pytest.mark.parametrize("scheme", ["lip", "dresscode"])
def test_pants_stay_under_a_new_top(scheme: str) -> None:
    # Growing over the waist would repaint trousers that nobody wants changed; the old hem must go.
    mask = worn_mask(standing_person(pants=(270, 460)), "upper_body", scheme=scheme)
    assert mask[270 : 270 + RIM, 150:234].all()
    assert not mask[270 + RIM : 460, 150:234].any()


@pytest.mark.parametrize("category", CATEGORIES)
def test_both_neck_numbers_give_the_same_mask(category: str) -> None:
    # VITON-HD writes the neck as 10, the shards and our parser as 20.
    ours = standing_person()
    theirs = np.where(ours == LIP["neck"], LIP["vitonhd_neck"], ours)
    assert np.array_equal(worn_mask(ours, category), worn_mask(theirs, category))


def test_neck_below_the_shoulder_line_is_repainted_and_the_face_is_not() -> None:
    # A high collar needs the neck; the line must not cut into the chin.
    mask = worn_mask(standing_person(), "dresses")
    assert mask[125:130, 180:204].all() and not mask[50:110, 165:219].any()


@pytest.mark.parametrize("keypoints", [np.zeros((0,)), np.zeros((18, 3), np.float32)])
@pytest.mark.parametrize("category", CATEGORIES)
def test_without_joints_the_mask_follows_the_labels(category: str, keypoints: np.ndarray) -> None:
    # The data has people whom the pose detector missed; no line may run from the corner.
    mask = inpaint_mask(standing_person(), keypoints, category=category, scheme="lip", rule="worn")
    garment = (350, 172) if category == "lower_body" else (200, 192)
    assert mask[garment]
    assert not mask[:60, :60].any()


@pytest.mark.parametrize("missing", ["left_wrist", "right_elbow", "right_shoulder", "left_shoulder"])
def test_an_absent_joint_draws_no_line_to_the_corner(missing: str) -> None:
    # The published code draws to (0,0) when an elbow or shoulder is absent.
    joints = standing_joints()
    joints[JOINT[missing]] = 0
    mask = inpaint_mask(standing_person(), joints, category="upper_body", scheme="lip")
    assert not mask[:80, :150].any() and mask[200, 192]


def test_one_missing_shoulder_does_not_join_the_other_arm_across_the_body() -> None:
    # A line from one shoulder to the other arm's elbow would repaint what lies between.
    joints, labels = standing_joints(), np.zeros(SIZE, np.uint8)
    joints[JOINT["left_shoulder"]] = 0
    mask = mask_regions(labels, joints, category="upper_body", scheme="dresscode").arms
    assert not mask[:, 190:200].any() and mask.any()


@pytest.mark.parametrize("size", [(256, 192), (512, 384), (1024, 768)])
def test_any_size_gives_the_same_mask_but_for_the_fixed_dilation(size: tuple[int, int]) -> None:
    # Line width and shoulder rise scale with the height; a forgotten factor changes the area by far more.
    factor = size[0] / SIZE[0]
    rows, columns = (np.arange(length) * SIZE[0] // size[0] for length in size)
    labels = standing_person()[rows][:, columns]
    joints = standing_joints() * np.array([factor, factor, 1])
    regions = mask_regions(labels, joints, category="dresses", scheme="lip", rule="worn")
    reference = mask_regions(
        standing_person(), standing_joints(), category="dresses", scheme="lip", rule="worn"
    )
    for part, whole in zip(regions, reference, strict=True):
        assert part.mean() == pytest.approx(whole.mean(), rel=0.04)


def test_arguments_stay_as_they_were() -> None:
    # Labels and joints are shared between the mask and the pose map.
    labels, joints = standing_person(), standing_joints()
    before = labels.copy(), joints.copy()
    inpaint_mask(labels, joints, category="dresses", scheme="lip", rule="worn")
    assert np.array_equal(labels, before[0]) and np.array_equal(joints, before[1])


def test_schemes_translate_there_and_back_for_what_both_know() -> None:
    # A swapped row in the table would exchange skirt and trousers.
    for name in set(LIP) & set(DRESS_CODE):
        number = np.array([[LIP[name]]])
        translated = to_scheme(number, "lip", "dresscode")
        assert translated[0, 0] == DRESS_CODE[name]
        assert to_scheme(translated, "dresscode", "lip")[0, 0] == LIP[name]


def test_unknown_label_numbers_become_background() -> None:
    # Some label maps carry 255 for "ignore".
    assert to_scheme(np.array([[255, 200]]), "lip", "dresscode").tolist() == [[0, 0]]


@pytest.mark.parametrize("pixels", [-7, -1, 0, 1, 7])
def test_grow_mask_moves_the_edge_by_that_many_pixels(pixels: int) -> None:
    mask = np.zeros((60, 60), bool)
    mask[20:40, 20:40] = True
    grown = grow_mask(mask, pixels)
    assert np.flatnonzero(grown[30]).tolist() == list(range(20 - pixels, 40 + pixels))


def test_grow_mask_edges_and_empty_masks() -> None:
    # The distance transform is undefined without an edge, and a mask has none where it leaves the picture.
    empty, full = np.zeros((9, 9), bool), np.ones((9, 9), bool)
    for pixels in (-3, 3):
        assert not grow_mask(empty, pixels).any() and grow_mask(full, pixels).all()
    half = np.zeros((9, 9), bool)
    half[:6] = True
    assert grow_mask(half, -2)[:4].all() and not grow_mask(half, -2)[4:].any()


def test_growing_keeps_off_the_fixed_region() -> None:
    # "Grow the mask" must not mean "repaint my face".
    labels, joints = standing_person(), standing_joints()
    fixed = mask_regions(labels, joints, category="upper_body", scheme="lip").fixed
    mask = inpaint_mask(labels, joints, category="upper_body", scheme="lip")
    grown = grow_mask(mask, 40, keep=fixed)
    assert not grown[fixed].any() and grown.sum() > mask.sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category": "hat"}, r'category must be one of .* got "hat"'),
        ({"scheme": "atr"}, r'scheme must be one of .* got "atr"'),
        ({"rule": "old"}, r'rule must be one of .* got "old"'),
        ({"keypoints": np.zeros((25, 3))}, r"Keypoints must be \(18,3\)"),
        ({"labels": np.zeros((4, 4, 3))}, r"label map must be \(height, width\)"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    arguments = {
        "labels": standing_person(),
        "keypoints": standing_joints(),
        "category": "dresses",
        "scheme": "lip",
    }
    arguments |= change
    with pytest.raises(SettingError, match=message):
        inpaint_mask(arguments.pop("labels"), arguments.pop("keypoints"), **arguments)  # type: ignore[arg-type]


def test_an_open_jacket_is_closed_so_that_the_new_tops_hem_has_no_notch() -> None:
    """Prevents: a shirt cut out in the shape of the old jacket's fronts."""
    labels = standing_person(pants=(200, 460))
    labels[130:320, 140:245] = np.where(labels[130:320, 140:245] == LIP["pants"], LIP["pants"], LIP["coat"])
    labels[200:320, 140:175] = labels[200:320, 215:245] = LIP["coat"]
    worn, published = (worn_mask(labels, "upper_body", rule) for rule in ("worn", "published"))
    assert worn[205:290, 185:205].all() and not published[250, 195]
    assert not worn[350:440, 180:210].any(), "the trousers below the jacket stay"


def test_a_chin_gives_way_to_a_collar_and_a_hand_to_a_cuff_but_eyes_stay() -> None:
    """Prevents: a dark line of collar below the chin, and a bracelet of white cuff at the wrist."""
    labels = np.zeros((256, 192), np.uint8)
    labels[20:60, 80:112] = LIP["face"]
    labels[60:150, 60:132] = LIP["upper_clothes"]
    labels[30:34, 112:116] = LIP["upper_clothes"]
    labels[150:170, 60:72] = LIP["right_arm"]
    mask = inpaint_mask(labels, np.empty((0, 3)), category="upper_body", scheme="lip", rule="worn")
    assert mask[59, 96] and not mask[57, 96]
    assert mask[151, 66] and not mask[153, 66]
    assert not mask[32, 111], "a strand beside the eye changes no face"


def test_a_splinter_of_trousers_within_the_top_is_repainted_and_a_waistband_is_not() -> None:
    """Prevents: ticks of old trousers standing up in the new hem."""
    labels = standing_person(pants=(270, 470))
    labels[216:275, 140:150] = LIP["pants"]
    mask = inpaint_mask(labels, standing_joints(), category="upper_body", scheme="lip", rule="worn")
    assert mask[220:250, 140:150].all()
    assert not mask[290:440, 160:224].any()


def test_a_very_small_picture_has_a_mask_too() -> None:
    labels, joints = standing_person(pants=(270, 470))[::16, ::16], standing_joints() / (16, 16, 1)
    mask = inpaint_mask(labels, joints, category="upper_body", scheme="lip", rule="worn")
    assert mask.shape == labels.shape and mask.any()
