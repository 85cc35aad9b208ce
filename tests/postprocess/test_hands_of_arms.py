"""Which arms a hand is drawn at: those whose own was in a coat, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.arms import draw_arms
from ladi.postprocess.drawn_hands import before_wrist
from ladi.postprocess.tubes import arm_joints, tube_of
from ladi.postprocess.unseen_hands import behind
from ladi.preprocess.labels import LIP
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT
from tests.postprocess.test_arms import GARMENT, SKIN, WALL, layers, standing


@pytest.mark.parametrize("wrist", [(50, 170), (80, 182)], ids=["beside the body", "before its edge"])
def test_a_bare_arm_whose_hand_was_in_a_coat_goes_to_the_wrist_and_has_a_hand(wrist: tuple[int, int]) -> None:
    """Prevents: arms that end in stumps, or in points, where the photo's hands were in pockets."""
    labels, joints, outline = standing()
    joints[JOINT["right_wrist"], :2] = wrist
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    arms = draw_arms(shown, labels == LIP["coat"], labels, joints, outline, 0.3)
    left, right = sorted(arms.hands, key=lambda hand: -hand.wrist[0])
    assert np.allclose(right.wrist, wrist) and (right.outward, left.outward) == (-1, 1)
    assert right.towards[1] > 0.8 and 3 < right.radius < 9
    column, row = (np.array(wrist) + (np.array((52, 124)) - wrist) * 0.1).round().astype(int)
    assert (arms.probabilities.argmax(0)[row - 2 : row + 2, column - 2 : column + 2] == SKIN).all()


def test_a_hand_comes_out_of_a_long_sleeve_where_a_coat_or_glove_hid_it() -> None:
    """Prevents: sleeves that end in nothing, because black gloves went with the black coat."""
    labels, joints, outline = standing()
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    arms = draw_arms(shown, labels == LIP["coat"], labels, joints, outline, 1.0)
    assert len(arms.hands) == 2 and all(hand.sleeved for hand in arms.hands)
    assert not (arms.probabilities.argmax(0) == SKIN)[100:].any(), "no arm is bare"


def test_a_hand_that_comes_out_of_a_sleeve_is_not_in_the_sleeves_shade() -> None:
    """Prevents: hands as brown as clay at the ends of pale people's sleeves."""
    labels, joints, outline = standing()
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    arms = draw_arms(shown, labels == LIP["coat"], labels, joints, outline, 1.0)
    rows, columns = np.mgrid[: labels.shape[0], : labels.shape[1]]
    for hand in arms.hands:
        there = before_wrist(hand, rows, columns)
        assert there.sum() > 20 and (arms.roundness[there] == 1).all()


@pytest.mark.parametrize(
    "case", ["seen", "in trousers", "a sleeve into trousers", "behind the garment", "behind a bag"]
)
def test_no_hand_is_drawn_where_none_would_be_seen_or_one_is(case: str) -> None:
    """Prevents: a second hand, one before a pocket that it is in, one before a bag that hides it."""
    labels, joints, outline = standing()
    joints[JOINT["left_elbow"]] = 0
    if case != "seen":
        labels[labels == LIP["right_arm"]] = LIP["coat"]
    if case == "behind the garment":
        joints[JOINT["right_wrist"], :2] = (88, 150)
    elif case == "behind a bag":
        labels[150:200, 40:66] = LIP["bag"]
    elif case.endswith("trousers"):
        labels[168:210, 40:80] = LIP["pants"]
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    sleeve = 1.0 if case == "a sleeve into trousers" else 0.3
    assert not draw_arms(shown, labels == LIP["coat"], labels, joints, outline, sleeve).hands


def bent(sleeve: float, wrist: tuple[int, int]) -> np.ndarray:
    """What is shown of somebody with one elbow in a short wide sleeve; their hand was in a coat's pocket."""
    labels, joints, outline = standing()
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    joints[JOINT["right_wrist"], :2] = wrist
    joints[JOINT["left_elbow"]] = 0
    outline[60:180, 40:150] = 1.0
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    arms = draw_arms(shown, labels == LIP["coat"], labels, joints, outline, sleeve)
    assert bool(arms.hands) == (wrist[0] < 70)
    return np.asarray(arms.probabilities.argmax(0))


def test_a_forearm_that_is_bent_to_the_body_goes_behind_the_garment() -> None:
    """Prevents: hands that lie on the belly like a doll's, where the photo's were in a coat's pockets."""
    shown = bent(0.4, (90, 165))
    assert not (shown[150:178, 80:110] == SKIN).any()
    assert (bent(0.4, (54, 172))[140:165, 45:62] == SKIN).any(), "what hangs beside the body is seen"


@pytest.mark.parametrize("end,hidden", [(0.5, True), (0.3, False)])
def test_below_a_short_sleeve_no_forearm_goes_behind_the_garment(end: float, hidden: bool) -> None:
    """Prevents: arms that end in stumps at their elbows, in the midst of a wide shirt."""
    labels, joints, _ = standing(folded=True)
    found = arm_joints(joints, "right", Limbs(joints, labels > 0))
    assert found is not None
    everywhere, hand = np.ones(labels.shape, np.float32), np.zeros(labels.shape, bool)
    hand[150:165, 92:104] = True
    behind_it = behind(tube_of(found, labels.shape), everywhere, hand, hand, end)
    assert behind_it[148:152, 88:92].any() == hidden and behind_it.any() == hidden


def test_a_hand_above_trousers_goes_into_their_pocket() -> None:
    """Prevents: a whole hand laid over trousers that the photo shows there."""
    labels, joints, outline = standing()
    joints[JOINT["left_elbow"]] = 0
    labels[labels == LIP["right_arm"]] = LIP["coat"]
    shown = layers(np.where(labels > 0, GARMENT, WALL))
    mask = labels == LIP["coat"]
    (hand,) = draw_arms(shown, mask, labels, joints, outline, 0.3).hands
    assert not hand.pocketed
    row = round(hand.wrist[1] + 1.6 * 2 * hand.radius)
    labels[row:, 20:100] = LIP["pants"]
    (hand,) = draw_arms(shown, mask, labels, joints, outline, 0.3).hands
    assert hand.pocketed
