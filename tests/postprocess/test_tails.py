"""Sleeves that end at the hands, and hems without a step where a sleeve hung beside them."""

from __future__ import annotations

import numpy as np

from ladi.postprocess.tails import without_tails
from ladi.postprocess.tubes import SLEEVE
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS
from tests.postprocess.test_tubes import arm_of, joints

SIZE = (256, 192)
NOWHERE = np.zeros(SIZE, bool)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))


def in_a_jumper() -> tuple[np.ndarray, np.ndarray]:
    """Layers (K,H,W) of a jumper whose sleeves reach thirty rows below the hands, and the joints."""
    joints = np.zeros((18, 3), np.float32)
    for name, point in {
        "shoulder": (30, 70),
        "hip": (14, 140),
        "elbow": (38, 110),
        "wrist": (42, 140),
    }.items():
        for side, sign in (("right", -1), ("left", 1)):
            joints[JOINT[f"{side}_{name}"]] = (96 + sign * point[0], point[1], 1)
    shown = np.full(SIZE, WALL)
    shown[150:256, 72:120] = OTHER
    shown[60:150, 66:126] = GARMENT
    shown[66:180, 46:66] = shown[66:180, 126:146] = GARMENT
    shown[140:148, 50:58] = SKIN
    return np.stack([shown == number for number in range(len(LAYERS))]).astype(np.float32), joints


def test_sleeves_end_at_the_hands() -> None:
    """Prevents: empty sleeves that hang beside the hips, below hem and hands."""
    layers, joints = in_a_jumper()
    limbs = Limbs(joints, np.ones(SIZE, bool))
    result = without_tails(layers, np.ones(SIZE, bool), NOWHERE, joints, limbs).argmax(0)
    before = layers.argmax(0)
    assert not (result[152:] == GARMENT).any()
    assert (result[152:180, 46:60] == WALL).all() and (result[152:180, 132:146] == WALL).all()
    assert np.array_equal(result[:150], before[:150])
    kept = without_tails(layers, NOWHERE, NOWHERE, joints, limbs)
    assert np.array_equal(kept, layers), "what is not repainted stays"


def test_trousers_below_a_cut_sleeve_are_whole() -> None:
    """Prevents: a bite of wall in the trousers, where a sleeve hung before a pocket."""
    layers, joints = in_a_jumper()
    limbs, trousers = Limbs(joints, np.ones(SIZE, bool)), NOWHERE.copy()
    trousers[150:, 54:138] = True
    result = without_tails(layers, np.ones(SIZE, bool), trousers, joints, limbs).argmax(0)
    assert (result[152:180, 54:66] == OTHER).all() and (result[152:180, 46:54] == WALL).all()


def test_a_tail_that_reaches_to_the_middle_is_no_hem() -> None:
    """Prevents: a hem that is a hand lower on one side, where a sleeve was laid across a skirt."""
    layers, joints = in_a_jumper()
    limbs = Limbs(joints, np.ones(SIZE, bool))
    layers[:, 152:180, 60:86] = np.eye(len(LAYERS), dtype=np.float32)[GARMENT][:, None, None]
    result = without_tails(layers, np.ones(SIZE, bool), NOWHERE, joints, limbs).argmax(0)
    assert not (result[156:] == GARMENT).any()


def test_where_no_wrist_or_no_hem_is_seen_nothing_is_cut() -> None:
    layers, joints = in_a_jumper()
    limbs = Limbs(joints, np.ones(SIZE, bool))
    without_wrists = joints.copy()
    without_wrists[[JOINT["left_wrist"], JOINT["right_wrist"]]] = 0
    assert np.array_equal(without_tails(layers, np.ones(SIZE, bool), NOWHERE, without_wrists, limbs), layers)
    bare = layers[[0, 1, 0, 3]]
    assert np.array_equal(without_tails(bare, np.ones(SIZE, bool), NOWHERE, joints, limbs), bare)


def test_there_is_no_web_between_arm_and_body_below_a_hem() -> None:
    """Prevents: a hem that goes down to the hand on one side."""
    arm = (arm_of("left").depth <= SLEEVE) & (arm_of("left").along < 1)
    limbs = Limbs(joints(), np.ones(SIZE, bool))
    shown = np.full(SIZE, WALL)
    shown[150:256, 78:114] = OTHER
    shown[80:150, 66:126] = GARMENT
    shown[arm] = GARMENT
    web = NOWHERE.copy()
    web[150:166, 120:130] = True
    web &= ~arm
    layers = np.stack([np.where(web, GARMENT, shown) == number for number in range(len(LAYERS))])
    layers = layers.astype(np.float32)
    result = without_tails(layers, np.ones(SIZE, bool), NOWHERE, joints(), limbs).argmax(0)
    assert web.sum() > 90 and not (result[153:] == GARMENT)[web[153:]].any()
    assert (result[arm] == GARMENT).mean() > 0.95, "the arm stays in its sleeve"
    assert np.array_equal(result[:150], layers.argmax(0)[:150])
