"""Street photos' tags as labels: sides from the joints, ambiguous garments from where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ladi.data.sample import DatasetError
from ladi.data.street import read_street, read_tags, tags_to_labels
from ladi.preprocess.labels import LIP
from ladi.types import KEYPOINT_NAMES
from tests.drawn_street import TAGS, tag_numbers, write_street

SIZE = (500, 300)


def joints(**changed: tuple[float, float]) -> np.ndarray:
    """A person from the front, arms hanging; the person's right is the picture's left."""
    places: dict[str, tuple[float, float]] = {
        "nose": (150, 60),
        "neck": (150, 100),
        "right_shoulder": (120, 100),
        "right_elbow": (110, 160),
        "right_wrist": (105, 210),
        "left_shoulder": (180, 100),
        "left_elbow": (190, 160),
        "left_wrist": (195, 210),
        "right_hip": (132, 220),
        "right_knee": (130, 320),
        "right_ankle": (128, 420),
        "left_hip": (168, 220),
        "left_knee": (170, 320),
        "left_ankle": (172, 420),
    }
    points = np.zeros((18, 3), np.float32)
    for name, place in {**places, **changed}.items():
        points[KEYPOINT_NAMES.index(name)] = (*place, 1) if any(place) else (0, 0, 0)
    return points


def labels_of(*shapes: tuple[str, tuple[float, float, float, float]], points: np.ndarray) -> np.ndarray:
    """Labels of shapes given in pixels of the picture."""
    scale = (SIZE[1], SIZE[0]) * 2
    shares = [
        (name, tuple(value / length for value, length in zip(box, scale, strict=True)))
        for name, box in shapes
    ]
    return tags_to_labels(tag_numbers(*shares, size=SIZE), TAGS, points)  # type: ignore[arg-type]


def test_skin_is_split_into_face_neck_arms_and_legs_with_their_sides() -> None:
    labels = labels_of(
        ("skin", (135, 30, 165, 110)),
        ("skin", (95, 120, 118, 230)),
        ("skin", (182, 120, 205, 230)),
        ("skin", (118, 260, 145, 410)),
        ("skin", (155, 260, 182, 410)),
        points=joints(),
    )
    found = {
        name: labels[y, x]
        for name, (x, y) in {
            "face": (150, 60),
            "neck": (150, 95),
            "right_arm": (105, 200),
            "left_arm": (195, 200),
            "right_leg": (130, 350),
            "left_leg": (170, 350),
        }.items()
    }
    assert found == {name: LIP[name] for name in found}


def test_a_forearm_in_front_of_the_body_and_a_hand_at_the_hip_are_arms() -> None:
    """Prevents: hands labelled as bellies or thighs, which masks then repaint."""
    points = joints(left_elbow=(185, 165), left_wrist=(145, 165), right_wrist=(125, 225))
    labels = labels_of(
        ("t-shirt", (120, 110, 180, 220)),
        ("skin", (135, 158, 185, 172)),
        ("skin", (115, 218, 135, 245)),
        points=points,
    )
    assert set(np.unique(labels[158:173, 136:184])) == {LIP["left_arm"]}
    assert set(np.unique(labels[219:245, 116:134])) == {LIP["right_arm"]}


def test_shoes_and_stockings_take_their_sides_from_the_legs() -> None:
    labels = labels_of(
        ("tights", (120, 250, 145, 410)),
        ("tights", (155, 250, 180, 410)),
        ("shoes", (118, 415, 146, 440)),
        ("shoes", (156, 415, 184, 440)),
        points=joints(),
    )
    assert (labels[300, 130], labels[300, 170]) == (LIP["right_leg"], LIP["left_leg"])
    assert (labels[430, 130], labels[430, 170]) == (LIP["right_shoe"], LIP["left_shoe"])


@pytest.mark.parametrize(
    ("rows", "label"), [((105, 240), "upper_clothes"), ((190, 400), "pants"), ((105, 400), "dress")]
)
def test_a_one_piece_garment_is_what_it_covers(rows: tuple[int, int], label: str) -> None:
    """Prevents: half a jumpsuit labelled as a dress because the other half has another tag."""
    labels = labels_of(("romper", (120, rows[0], 180, rows[1])), points=joints())
    assert labels[sum(rows) // 2, 150] == LIP[label]


def test_a_suit_is_a_jacket_and_below_it_trousers() -> None:
    labels = labels_of(("suit", (115, 105, 185, 410)), points=joints())
    assert (labels[150, 150], labels[350, 150]) == (LIP["coat"], LIP["pants"])


def test_a_belt_is_what_it_lies_on_and_a_purse_is_a_bag() -> None:
    labels = labels_of(
        ("t-shirt", (120, 105, 180, 200)),
        ("jeans", (120, 200, 180, 410)),
        ("belt", (120, 198, 180, 208)),
        ("purse", (200, 200, 240, 250)),
        points=joints(),
    )
    assert LIP["pants"] == labels[206, 150] and labels[199, 150] == LIP["upper_clothes"]
    assert labels[220, 220] == LIP["bag"]


def test_without_any_joint_everything_still_gets_a_label() -> None:
    labels = labels_of(
        ("skin", (120, 30, 180, 90)),
        ("t-shirt", (120, 100, 180, 200)),
        ("shoes", (110, 420, 190, 440)),
        points=np.zeros((18, 3)),
    )
    assert (labels[30:90, 125:175] > 0).all()
    assert (labels[430, 115], labels[430, 185]) == (LIP["right_shoe"], LIP["left_shoe"])


def test_photos_are_read_and_broken_ones_are_named(tmp_path: Path) -> None:
    write_street(tmp_path)
    (photo,) = read_street(tmp_path, "labelled-val")
    assert photo.id == "anna" and photo.image.shape == (512, 384, 3) and photo.tags.shape == (512, 384)
    assert read_tags(tmp_path) == TAGS
    with pytest.raises(DatasetError, match="no shards labelled-00"):
        list(read_street(tmp_path, "labelled-00"))
    (tmp_path / "tags.json").write_text("{}")
    with pytest.raises(DatasetError, match="must hold a list"):
        read_tags(tmp_path)
