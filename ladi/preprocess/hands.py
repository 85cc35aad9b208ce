"""Labels of hands, from the joints of their fingers.

A small parser sees a hand before a coat in part or not at all; what it does not see is painted over, and the
arm ends in a stump. mediapipe's hand network finds fingers in photos far smaller than it was made for. Around
them the hand is cut out by its colours (Rother et al., GrabCut, 2004).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.frame import to_photo, to_window
from ladi.preprocess.labels import label_table, named
from ladi.preprocess.limbs import HAND_SEEN, Limbs
from ladi.preprocess.morphology import largest_part
from ladi.types import JOINT, Frame, LabelScheme

_SIDE = 128
"""Of the picture around one hand that is cut out, in pixels."""
_AROUND = 0.35
"""How much of its side lies around the fingers."""
_FINGERS = (
    (1, 2, 3, 4),
    (1, 5, 6, 7, 8),
    (5, 9, 10, 11, 12),
    (9, 13, 14, 15, 16),
    (13, 17, 18, 19, 20),
    (1, 17),
)
_PALM = (1, 5, 9, 13, 17)
"""Places among the 21 landmarks. The wrist, which is 0, may be in the cuff."""
_WIDTH, _MAYBE = 0.12, 0.25
"""How wide a finger is, and how far beside its bones the hand may reach, of the palm's length."""
_ROUNDS = 3
_FOREARM = 2.2
"""How far from the wrist what goes on from a hand as bare arm is surely that, of the palm's length."""
_SHORT, _HAND = 0.35, 0.52
"""How long a forearm is at most that points to the camera, and how far its hand reaches from the wrist, of
the distance between the shoulders."""
_NONE_NEAR, _PLACE = 0.35, (0.5, 1.3)
"""Within which distance of a wrist, of that between the shoulders, no hand is seen; and how far from the
elbow it then is instead, of the longer half of the arm."""
_PIECE, _BEGINS = 0.03, 0.2
"""How large it is, of the square of the distance between the shoulders; and which share of it, the nearest to
the elbow, is its wrist."""
_RIM = 3
"""Pixels at a height of 256 along what is worn that are not surely skin."""
_WORN = ("upper_clothes", "dress", "coat")
_GIVE_WAY = (
    *_WORN,
    "background",
    "pants",
    "skirt",
    "scarf",
    "belt",
    "bag",
    "left_arm",
    "right_arm",
)
"""Labels that are mistakes where a hand is."""


def hand_regions(pixels: np.ndarray, hands: np.ndarray | None, frame: Frame) -> np.ndarray:
    """Where hands are in a window.

    Args:
        pixels: (h,w,3) uint8, the whole photo.
        hands: (2,21,2), of ``PoseDetection``.
        frame: the window.

    Returns:
        (2,H,W) bool, of the window's size.
    """
    if hands is None:
        return np.zeros((2, *frame.size), bool)
    seen = [hand.any() and _in_window(pixels, hand, frame) for hand in hands]
    return np.stack([np.zeros(frame.size, bool) | region for region in seen])


def label_hands(labels: np.ndarray, regions: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels (H,W) with the hands (2,H,W) bool in them; the same array where nothing changes."""
    table = label_table(scheme)
    gives_way = np.isin(labels, [table[name] for name in _GIVE_WAY if name in table])
    for side, region in zip(("left", "right"), regions, strict=True):
        if (gives_way & region).any():
            labels = np.where(gives_way & region, labels.dtype.type(table[f"{side}_arm"]), labels)
    return labels


def bare_beside(
    labels: np.ndarray, hands: np.ndarray | None, regions: np.ndarray, frame: Frame, scheme: LabelScheme
) -> np.ndarray:
    """Hands with the bare wrists and forearms that go on from them: (H,W) bool.

    Args:
        labels: (H,W) integers, with the hands in them.
        hands: (2,21,2), of ``PoseDetection``.
        regions: (2,H,W) bool, of ``hand_regions``.
        frame: the window.
        scheme: numbering of ``labels``.
    """
    table = label_table(scheme)
    found = np.zeros(labels.shape, bool)
    worn = np.isin(labels, [table[name] for name in _WORN if name in table])
    # Along what is worn, labels are a pixel or two off.
    clear = ndimage.distance_transform_edt(~worn) > _RIM * len(labels) / 256 if worn.any() else ~worn
    rows, columns = np.mgrid[: labels.shape[0], : labels.shape[1]]
    for side, hand, region in zip(("left", "right"), () if hands is None else hands, regions, strict=False):
        arm = labels == table[f"{side}_arm"]
        pieces, _ = ndimage.label(arm)
        goes_on = arm & np.isin(pieces, np.unique(pieces[region & arm]))
        wrist, palm = to_window(hand[[0, 9]], frame)
        reach = _FOREARM * float(np.hypot(*(palm - wrist)))
        found |= goes_on & clear & (np.hypot(columns - wrist[0], rows - wrist[1]) < reach)
        found |= region & arm
    return found


def hands_at_elbows(labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Hands of forearms that point to the camera, so that they lie where the elbow is: (H,W) bool.

    The line along such an arm, which masks are drawn by, covers its hand.

    Args:
        labels: (H,W) integers.
        keypoints: (18,3) in their pixels.
        scheme: numbering of ``labels``.
    """
    found, limbs = np.zeros(labels.shape, bool), Limbs(keypoints, labels > 0)
    for side in ("left", "right"):
        elbow, wrist = (keypoints[JOINT[f"{side}_{name}"], :2] for name in ("elbow", "wrist"))
        if not elbow.any() or not wrist.any() or np.hypot(*(elbow - wrist)) > _SHORT * limbs.width:
            continue
        pieces, count = ndimage.label(named(labels, scheme, (f"{side}_arm",)), np.ones((3, 3)))
        for number in range(1, count + 1):
            rows, columns = np.nonzero(pieces == number)
            away = np.hypot(columns - wrist[0], rows - wrist[1]).max()
            small, large = HAND_SEEN * limbs.width**2, (_HAND * limbs.width) ** 2
            if small <= len(rows) <= large and away <= _HAND * limbs.width:
                found[rows, columns] = True
    return found


def wrists_at(keypoints: np.ndarray, hands: np.ndarray | None, frame: Frame) -> np.ndarray:
    """Joints (18,3) in the window's pixels with the wrists where the photo's hands (2,21,2) begin."""
    if hands is None:
        return keypoints
    moved = keypoints.copy()
    for side, hand in zip(("left", "right"), hands, strict=True):
        wrist = moved[JOINT[f"{side}_wrist"]]
        if hand.any() and wrist.any():
            height, width = frame.size
            wrist[:2] = to_window(hand[0], frame).clip(0, (width - 1, height - 1))
    return moved


def wrists_at_labels(labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Joints with the wrists of arms whose hand lies elsewhere: (18,3).

    A coat over somebody's shoulders has empty sleeves, and wrists are found in them.

    Args:
        labels: (H,W) integers.
        keypoints: (18,3) in their pixels.
        scheme: numbering of ``labels``.
    """
    moved, width = keypoints, Limbs(keypoints, labels > 0).width
    for side in ("left", "right"):
        shoulder, elbow, wrist = (
            keypoints[JOINT[f"{side}_{name}"], :2] for name in ("shoulder", "elbow", "wrist")
        )
        arm = named(labels, scheme, (f"{side}_arm",))
        if not (shoulder.any() and elbow.any() and wrist.any() and arm.any()):
            continue
        rows, columns = np.nonzero(arm)
        near = np.hypot(columns - wrist[0], rows - wrist[1]) < _NONE_NEAR * width
        rows, columns = np.nonzero(largest_part(arm))
        if near.sum() >= HAND_SEEN * width**2 or len(rows) < _PIECE * width**2:
            continue
        half = max(np.hypot(*(elbow - shoulder)), np.hypot(*(wrist - elbow)))
        if _PLACE[0] < np.hypot(columns.mean() - elbow[0], rows.mean() - elbow[1]) / half < _PLACE[1]:
            away = np.hypot(columns - elbow[0], rows - elbow[1])
            first = away <= np.quantile(away, _BEGINS)
            moved = moved.copy()
            moved[JOINT[f"{side}_wrist"], :2] = columns[first].mean(), rows[first].mean()
    return moved


def _in_window(pixels: np.ndarray, hand: np.ndarray, frame: Frame) -> np.ndarray:
    """One hand (21,2) in a window: (H,W) bool."""
    size = (frame.size[0], frame.size[1])
    low, high = hand.min(axis=0), hand.max(axis=0)
    reach = (0.5 + _AROUND) * float((high - low).max())
    if reach < 1:
        return np.zeros(size, bool)
    corner, side = np.floor((low + high) / 2 - reach).astype(int), math.ceil(2 * reach)
    times = _SIDE / side
    around = cv2.resize(_square(pixels, corner, side), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    cut = _cut_out(around, (hand - corner) * times)
    rows, columns = np.mgrid[: size[0], : size[1]]
    points = to_photo(np.stack([columns + 0.5, rows + 0.5], axis=-1).reshape(-1, 2), frame)
    # As much of the small picture as one of the window's pixels covers.
    soft = cv2.GaussianBlur(cut.astype(np.float32), (0, 0), max(0.5, 0.3 * times / frame.scale))
    x, y = (((points - corner) * times - 0.5).T.reshape(2, *size)).astype(np.float32)
    share = cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(share > 0.5)


def _square(pixels: np.ndarray, corner: np.ndarray, side: int) -> np.ndarray:
    """A square part of a photo, (side,side,3), from its corner (x,y) on; beyond the photo its edge."""
    height, width = pixels.shape[:2]
    (left, top), (right, bottom) = corner, corner + side
    inside = pixels[
        np.clip(top, 0, height - 1) : np.clip(bottom, 1, height),
        np.clip(left, 0, width - 1) : np.clip(right, 1, width),
    ]
    around = ((max(0, -top), max(0, bottom - height)), (max(0, -left), max(0, right - width)), (0, 0))
    return np.pad(inside, around, mode="edge")[:side, :side]


def _cut_out(around: np.ndarray, hand: np.ndarray) -> np.ndarray:
    """A hand in the picture around it.

    Args:
        around: (S,S,3) uint8.
        hand: (21,2), its landmarks there.

    Returns:
        (S,S) bool.
    """
    length = float(np.hypot(*(hand[9] - hand[0])))
    wide, beside = max(1, round(_WIDTH * length)), max(1, round(_MAYBE * length))
    points = hand.round().astype(np.int32)
    bones = np.zeros(around.shape[:2], np.uint8)
    for finger in _FINGERS:
        cv2.polylines(bones, [points[list(finger)]], False, 1, wide)
    cv2.fillPoly(bones, [points[list(_PALM)]], 1)
    marks = np.full(bones.shape, cv2.GC_BGD, np.uint8)
    marks[cv2.dilate(bones, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * beside + 1,) * 2)) > 0] = (
        cv2.GC_PR_BGD
    )
    marks[bones > 0] = cv2.GC_PR_FGD
    marks[cv2.erode(bones, np.ones((max(1, wide // 2),) * 2, np.uint8)) > 0] = cv2.GC_FGD
    if not (marks == cv2.GC_FGD).any() or not (marks == cv2.GC_BGD).any():
        return bones > 0
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(around, marks, (0, 0, 1, 1), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))
