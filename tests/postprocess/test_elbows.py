"""Elbows that were not found, told by the sleeve that the photo shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ladi.postprocess.elbows import with_elbows
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, PersonParts
from tests.postprocess.people import somebody

SIZE, WIDTH = (256, 192), 60
ELBOW = JOINT["right_elbow"]


def in_a_coat(*, mirrored: bool = False, bent: bool = True) -> PersonParts:
    """A hand on the hip in a coat's sleeve, whose elbow points away from the body, or hangs straight."""
    labels = np.zeros(SIZE, np.uint8)
    labels[70:200, 60:132] = LIP["coat"]
    if bent:
        for row in range(72, 150):
            labels[row, 22 + abs(row - 110) : 62] = LIP["coat"]
    joints = np.zeros((18, 3), np.float32)
    for name, place in (
        ("right_shoulder", (62, 74)),
        ("left_shoulder", (62 + WIDTH, 74)),
        ("neck", (92, 70)),
        ("right_wrist", (62, 148)),
        ("left_elbow", (128, 110)),
        ("left_wrist", (128, 150)),
    ):
        joints[JOINT[name]] = (*place, 1)
    if mirrored:
        labels = labels[:, ::-1].copy()
        joints[joints[:, 2] > 0, 0] = SIZE[1] - 1 - joints[joints[:, 2] > 0, 0]
    person = somebody(labels, np.full((*SIZE, 3), 128, np.uint8), labels > 0)
    return replace(person, keypoints=joints)


@pytest.mark.parametrize("mirrored", [False, True])
def test_an_elbow_lies_where_the_sleeve_is_bent(mirrored: bool) -> None:
    """Prevents: a hand without an arm, where the elbow is beyond the picture's edge."""
    person = in_a_coat(mirrored=mirrored)
    x, y, sure = with_elbows(person).keypoints[ELBOW]
    outmost = 22 if not mirrored else SIZE[1] - 1 - 22
    assert 3 < abs(x - outmost) < 10 and abs(y - 110) < 4 and sure == 1
    assert not person.keypoints[ELBOW].any(), "the person's own joints are as they were found"


def test_in_a_straight_sleeve_it_lies_half_way() -> None:
    x, y, _ = with_elbows(in_a_coat(bent=False)).keypoints[ELBOW]
    assert (x, y) == (62, 111)


@pytest.mark.parametrize("missing", ["right_wrist", "right_shoulder", "neck"])
def test_what_cannot_be_told_is_left(missing: str) -> None:
    person = in_a_coat()
    person.keypoints[JOINT[missing]] = 0
    assert with_elbows(person) is person


def test_an_elbow_that_was_found_stays() -> None:
    person = in_a_coat()
    person.keypoints[ELBOW] = (40, 100, 1)
    assert with_elbows(person) is person
    naked = replace(in_a_coat(), labels=np.zeros(SIZE, np.uint8))
    assert with_elbows(naked) is naked, "nothing is worn"
