"""Hands before a coat are seen whole, and stay."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ladi.engine import Engine
from ladi.preprocess.frame import to_window
from ladi.preprocess.hands import (
    bare_beside,
    hand_regions,
    hands_at_elbows,
    label_hands,
    wrists_at,
    wrists_at_labels,
)
from ladi.preprocess.labels import LIP
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.types import JOINT, Frame

FRAME = Frame(0.0, 0.0, 192.0, 256.0, (256, 192))
SKIN, CLOTH = (200, 150, 120), (30, 40, 90)


def spread(x: float, y: float, length: float) -> np.ndarray:
    """(21,2) landmarks of a hand that hangs from a wrist at (x,y)."""
    points = [(x, y)]
    for finger in (-2, -1, 0, 1, 2):
        aside = 0.11 * finger * length
        begins = 0.1 if finger == -2 else 0.45
        points += [(x + aside, y + length * (begins + 0.17 * joint)) for joint in range(4)]
    return np.array(points, np.float32)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Photo, landmarks, labels that see half the hand, and where it is: a hand before a coat."""
    photo = np.empty((256, 192, 3), np.uint8)
    photo[:] = CLOTH
    rows, columns = np.mgrid[:256, :192]
    where = ((columns - 60) / 12) ** 2 + ((rows - 130) / 19) ** 2 < 1
    photo[where] = SKIN
    photo = (photo + np.random.default_rng(0).normal(0, 4, photo.shape)).clip(0, 255).astype(np.uint8)
    hands = np.zeros((2, 21, 2), np.float32)
    hands[1] = spread(60, 110, 36)
    labels = np.full((256, 192), LIP["coat"], np.uint8)
    labels[where & (columns < 56)] = LIP["right_arm"]
    return photo, hands, labels, where


def test_a_hand_is_labelled_whole_and_nothing_else_is() -> None:
    """Prevents: a hand of which half is painted over as part of the coat behind it."""
    photo, hands, labels, where = scene()
    regions = hand_regions(photo, hands, FRAME)
    assert regions.shape == (2, 256, 192) and not regions[0].any()
    found = label_hands(labels, regions, "lip") == LIP["right_arm"]
    assert (found & where).sum() > 0.9 * where.sum() and (found & ~where).sum() < 0.05 * where.sum()


def test_faces_and_hair_stay_what_they_are() -> None:
    photo, hands, labels, _ = scene()
    labels[:] = LIP["face"]
    assert label_hands(labels, hand_regions(photo, hands, FRAME), "lip") is labels


@pytest.mark.parametrize("angle", [0.0, 12.0])
def test_hands_are_found_in_windows_that_lean(angle: float) -> None:
    photo, hands, _, where = scene()
    frame = Frame(0.0, 0.0, 192.0, 256.0, (256, 192), angle)
    region = hand_regions(photo, hands, frame)[1]
    assert region.sum() == pytest.approx(where.sum(), rel=0.15)
    middles = (np.argwhere(one).mean(axis=0)[::-1] for one in (region, where))
    assert np.allclose(next(middles), to_window(next(middles), frame), atol=2)


def test_the_wrist_is_where_the_hand_begins() -> None:
    _, hands, _, _ = scene()
    joints = np.zeros((18, 3), np.float32)
    joints[JOINT["right_wrist"]], joints[JOINT["left_wrist"]] = (66, 104, 1), (120, 90, 1)
    moved = wrists_at(joints, hands, FRAME)
    assert moved[JOINT["right_wrist"]].tolist() == [60, 110, 1]
    assert (moved[JOINT["left_wrist"]] == joints[JOINT["left_wrist"]]).all()
    assert not wrists_at(joints * 0, hands, FRAME).any()
    assert not hand_regions(np.zeros((256, 192, 3), np.uint8), None, FRAME).any()
    assert wrists_at(joints, None, FRAME) is joints


def test_a_hand_stays_where_the_joints_line_crosses_it() -> None:
    """Prevents: a hand on the chest that is repainted, because the wrist was put into its middle."""
    _, _, labels, where = scene()
    joints = np.zeros((18, 3), np.float32)
    for name, place in {
        "right_shoulder": (60, 40),
        "right_elbow": (50, 90),
        "right_wrist": (60, 128),
    }.items():
        joints[JOINT[name]] = (*place, 1)
    labels[where] = LIP["right_arm"]
    rule = {"category": "upper_body", "scheme": "lip"}
    plain = inpaint_mask(labels, joints, rule="worn", **rule)
    kept = inpaint_mask(labels, joints, rule="worn", hands=where, **rule)
    assert plain[128, 60] and not kept[128, 60]
    published = inpaint_mask(labels, joints, **rule)
    assert np.array_equal(published, inpaint_mask(labels, joints, hands=where, **rule))


def test_a_small_hand_in_a_real_photo(shared_dir: Path) -> None:
    """A man with folded hands before a dark coat, of which the parser sees half a hand."""
    archive = shared_dir / "data" / "people" / "people-00.tar"
    if not archive.is_file():
        pytest.skip("the photos of people are not in the shared folder")
    with tarfile.open(archive) as tar:
        member = tar.extractfile("001387.image.jpg")
        assert member is not None
        photo = read_photo(io.BytesIO(member.read()).getvalue())
    hands = PoseDetector().detect(photo.pixels).hands
    assert hands is not None and hands.shape == (2, 21, 2) and hands.dtype == np.float32
    assert hands.any(axis=(1, 2)).sum() == 1, "one hand lies on the other"
    middle = hands[hands.any(axis=(1, 2))][0].mean(axis=0)
    assert np.hypot(*(middle - MIDDLE)) < 8


MIDDLE = (153, 194)
"""Of that hand, looked up in the photo."""


def test_a_bare_forearm_stays_with_its_hand_but_not_the_rim_along_the_sleeve() -> None:
    """Prevents: half a forearm repainted, bracelets and all, because a joint's line runs along it."""
    photo, hands, labels, where = scene()
    labels[:] = 0
    labels[40:90, 50:70] = LIP["coat"]
    labels[90:112, 54:66] = labels[where] = LIP["right_arm"]
    regions = hand_regions(photo, hands, FRAME)
    stays = bare_beside(labels, hands, regions, FRAME, "lip")
    assert stays[94:112, 56:64].all() and stays[130, 60] and not stays[90:92, 54:66].any()
    assert not stays[:90].any() and not stays[:, 74:].any()
    labels[104:106], labels[where] = 0, LIP["right_arm"]
    assert not bare_beside(labels, hands, regions, FRAME, "lip")[:104].any(), "what does not go on from it"
    assert not bare_beside(labels, None, regions, FRAME, "lip").any()


def test_hands_at_the_edge_of_very_large_photos() -> None:
    """Prevents: an error beyond OpenCV's 32,767 pixels, and for a hand that leaves the photo."""
    hands = np.zeros((2, 21, 2), np.float32)
    hands[1] = spread(59_995, 15, 36)
    photo = np.broadcast_to(np.uint8(CLOTH), (40, 60_000, 3))
    frame = Frame(59_900.0, 0.0, 100.0, 40.0 * 256 / 256, (256, 192))
    assert hand_regions(photo, hands, frame).shape == (2, 256, 192)


def test_the_mask_covers_bare_forearms_and_no_hands(shared_dir: Path) -> None:
    """Prevents: long sleeves that end in the middle of a bare forearm, on everybody in a T-shirt."""
    path = shared_dir / "data" / "hd" / "persons_ai" / "ootd__model_1.png"
    if not path.is_file():
        pytest.skip("the photos of people are not in the shared folder")
    engine = Engine.load("mini")
    person = engine.prepare_person(read_photo(path.read_bytes()))
    assert person.bare is not None and person.bare.any()
    mask = person.mask[0, 0].numpy() > 0
    assert (mask | ~person.bare).all(), "a sleeve may come"
    joints = person.keypoints
    for side in ("left", "right"):
        elbow, wrist = (joints[JOINT[f"{side}_{name}"], :2] for name in ("elbow", "wrist"))
        x, y = (elbow + 0.7 * (wrist - elbow)).round().astype(int)
        assert mask[y, x] and person.bare[y, x], side
        x, y = (wrist + 0.2 * (wrist - elbow)).round().astype(int)
        assert not mask[y, x], side


def pointing(length: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and joints of somebody in a coat whose right forearm, so many pixels long, points forward."""
    labels, joints = np.zeros((256, 192), np.uint8), np.zeros((18, 3), np.float32)
    labels[60:220, 30:160] = LIP["coat"]
    labels[120:140, 28:48] = LIP["right_arm"]
    for name, point in {
        "right_shoulder": (66, 80),
        "left_shoulder": (134, 80),
        "right_elbow": (36, 132),
        "right_wrist": (36 + length, 132),
        "left_elbow": (146, 140),
        "left_wrist": (146, 190),
        "right_hip": (76, 190),
        "left_hip": (120, 190),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    return labels, joints


def test_a_hand_that_points_to_the_camera_stays_though_it_lies_on_the_elbow() -> None:
    """Prevents: a fist in front of the body that is painted over with the sleeve behind it."""
    labels, joints = pointing()
    hands = hands_at_elbows(labels, joints, "lip")
    assert (hands == (labels == LIP["right_arm"])).all()
    rule = {"category": "upper_body", "scheme": "lip", "rule": "worn"}
    assert inpaint_mask(labels, joints, **rule)[122:138, 30:46].mean() > 0.9
    assert not inpaint_mask(labels, joints, **rule, hands=hands)[124:136, 32:44].any()


@pytest.mark.parametrize("case", ["a forearm", "a whole arm", "a speck"])
def test_other_arms_are_left_to_the_rule(case: str) -> None:
    labels, joints = pointing(40 if case == "a forearm" else 4)
    if case == "a whole arm":
        labels[70:140, 28:68] = LIP["right_arm"]
    elif case == "a speck":
        labels[labels == LIP["right_arm"]] = LIP["coat"]
        labels[130:134, 34:38] = LIP["right_arm"]
    assert not hands_at_elbows(labels, joints, "lip").any()


def test_a_wrist_in_an_empty_sleeve_moves_to_the_hand_that_is_seen() -> None:
    """Prevents: an arm that hangs down inside a coat worn over the shoulders, beside its own hand."""
    labels, joints = pointing()
    joints[JOINT["right_wrist"], :2] = 34, 190
    labels[120:140, 28:48] = LIP["coat"]
    labels[150:168, 60:80] = LIP["right_arm"]
    moved = wrists_at_labels(labels, joints, "lip")
    x, y, sure = moved[JOINT["right_wrist"]]
    assert 60 <= x < 70 and 150 <= y < 160 and sure == 1, "where the hand is nearest to the elbow"
    others = np.arange(18) != JOINT["right_wrist"]
    assert (moved[others] == joints[others]).all() and joints[JOINT["right_wrist"], 1] == 190


@pytest.mark.parametrize("case", ["a hand at the wrist", "a speck", "too far away", "no elbow", "no hand"])
def test_other_wrists_stay(case: str) -> None:
    labels, joints = pointing()
    joints[JOINT["right_wrist"], :2] = 34, 190
    labels[120:140, 28:48] = LIP["coat"]
    if case != "no hand":
        labels[150:168, 60:80] = LIP["right_arm"]
    if case == "a hand at the wrist":
        labels[185:205, 28:44] = LIP["right_arm"]
    elif case == "a speck":
        labels[152:168, 60:80] = LIP["coat"]
    elif case == "too far away":
        labels[150:168, 60:80] = LIP["coat"]
        labels[200:218, 130:150] = LIP["right_arm"]
    elif case == "no elbow":
        joints[JOINT["right_elbow"]] = 0
    assert (wrists_at_labels(labels, joints, "lip") == joints).all()
