"""Where a painted arm meets the photo's: the end of what a sleeve left bare is painted too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ladi.postprocess.arm_seams import arms_that_stay, with_seams
from ladi.postprocess.layout import Layout
from ladi.preprocess.labels import LIP, named
from ladi.types import JOINT, LAYERS, PersonParts
from tests.postprocess.people import somebody

SIZE = (256, 192)
SKIN, GARMENT = LAYERS.index("skin"), LAYERS.index("garment")
ARM = slice(52, 68)
CUFF, HAND = 130, 196
"""Rows where an old sleeve ended and where the hand begins."""


def dressed(*, strip: bool = False) -> tuple[PersonParts, Layout]:
    """Somebody whose forearm is bare from a cuff on, in a T-shirt: the arm above is painted."""
    labels = np.zeros(SIZE, np.uint8)
    labels[60:200, 70:120] = labels[60:CUFF, ARM] = LIP["upper_clothes"]
    labels[CUFF:220, ARM] = LIP["right_arm"]
    if strip:
        labels[100:CUFF, 53:55] = LIP["right_arm"]
    shown = np.zeros((len(LAYERS), *SIZE), np.float32)
    shown[SKIN, 90:220, ARM] = shown[GARMENT, 60:200, 70:120] = shown[GARMENT, 60:90, ARM] = 1
    mask = labels == LIP["upper_clothes"]
    person = somebody(labels, np.full((*SIZE, 3), 120, np.uint8), mask)
    keypoints = person.keypoints.copy()
    for name, x, y in (
        ("neck", 96, 60),
        ("right_shoulder", 64, 64),
        ("right_elbow", 60, 130),
        ("right_wrist", 60, HAND),
        ("left_shoulder", 128, 64),
        ("right_hip", 80, 190),
        ("left_hip", 112, 190),
    ):
        keypoints[JOINT[name]] = x, y, 1
    return replace(person, keypoints=keypoints), Layout(shown, np.zeros(SIZE, bool))


def test_the_end_of_a_bare_forearm_is_painted_and_the_rest_is_the_photos() -> None:
    """Prevents: a dark, jagged line across an arm, where a cuff's edge and shade were."""
    person, layout = dressed()
    now, drawn = with_seams(person, layout)
    changed = (now.mask[0, 0].numpy() > 0) & ~(person.mask[0, 0].numpy() > 0)
    assert changed[CUFF : CUFF + 3, 54:66].all()
    assert not changed[CUFF + 6 :].any() and not changed[:CUFF].any()
    assert np.array_equal(drawn.seams, changed) and (drawn.shown[SKIN][changed] == 1).all()
    assert not named(now.labels, now.scheme, ("right_arm",))[changed].any(), "no colour is taken from there"


def test_a_narrow_strip_of_the_photo_in_a_painted_arm_goes() -> None:
    """Prevents: a scar along the arm, where a slit of skin showed beside a sleeve."""
    person, layout = dressed(strip=True)
    now, drawn = with_seams(person, layout)
    assert (now.mask[0, 0].numpy()[100:CUFF, 53:55] > 0).all()
    assert drawn.seams is not None and drawn.seams[100:CUFF, 53:55].all()


def hand(columns: slice = ARM) -> tuple[PersonParts, Layout]:
    """The same person, of whose arm the photo shows the hand alone, as wide as that."""
    person, layout = dressed()
    labels = person.labels.copy()
    labels[:HAND, ARM] = labels[HAND:, ARM] = LIP["upper_clothes"]
    labels[HAND:220, columns] = LIP["right_arm"]
    mask = torch.from_numpy((labels == LIP["upper_clothes"]).astype(np.float32))[None, None]
    return replace(person, labels=labels, mask=mask), layout


def test_a_hand_becomes_the_photos_little_by_little() -> None:
    """Prevents: a white or dark thread around the wrist, of the old cuff's edge."""
    _, drawn = with_seams(*hand())
    assert drawn.seams is not None and drawn.faded is not None
    share = drawn.faded[HAND : HAND + 6, 60]
    assert drawn.seams[HAND : HAND + 5, 60].all() and not drawn.seams[HAND + 7 : 214, 60].any()
    assert share[0] < 0.1 and share[4] > 0.8 and (np.diff(share[:5]) > 0).all()
    assert not drawn.faded[~drawn.seams].any()


def test_a_narrow_hand_keeps_its_middle_and_a_bare_forearm_all_but_its_end() -> None:
    """Prevents: thin hands become slivers, and bare arms are bitten at their sides."""
    _, drawn = with_seams(*hand(slice(57, 64)))
    assert drawn.seams is not None and not drawn.seams[HAND + 6 : 212, 60].any()
    _, drawn = with_seams(*dressed())
    assert drawn.seams is not None and not drawn.seams[CUFF + 6 :].any()


def test_arms_without_painted_skin_stay() -> None:
    person, layout = dressed()
    sleeved = layout.shown.copy()
    sleeved[GARMENT, :CUFF, ARM], sleeved[SKIN, :CUFF, ARM] = sleeved[SKIN, :CUFF, ARM], 0
    assert with_seams(person, layout._replace(shown=sleeved))[1].seams is None


def test_only_a_forearm_of_some_size_tells_the_tone_of_arms() -> None:
    """Prevents: arms in the tone of a wrist that lay in its cuff's shade."""
    arms, worn, skin = (np.zeros((256, 192), bool) for _ in range(3))
    arms[100:160, 40:60] = arms[150:160, 120:140] = skin[80:200] = True
    worn[60:100, 40:140] = True
    stays = arms_that_stay(arms, worn, skin)
    assert stays[110:150, 42:58].all() and not stays[:, 100:].any()
    assert not arms_that_stay(arms, worn, ~skin).any()
