"""Where in a photo the person stands as the people of the training pictures do.

It computes the window from the joints and the outline. It does not touch pixels: cutting out is
``frame.py``'s, pasting back ``ladi/postprocess/paste.py``'s.
"""

from __future__ import annotations

import math

import numpy as np

from ladi.preprocess.boxes import box_of
from ladi.types import KEYPOINT_NAMES, Category, PoseDetection, Size

# How people stand in the VITON pictures, as fractions of the frame: our detector's joints on the 100
# validation pictures, mean (standard deviation).
SHOULDER_Y = 0.326
"""Height of the middle of the shoulders (0.027)."""
TORSO = 0.457
"""Distance from the middle of the shoulders to the middle of the hips, of the frame's height (0.045)."""
SHOULDERS_PER_TORSO = 0.66
"""Distance between the shoulders, of the torso (0.056)."""
CROWN_Y = 0.008
"""Highest point of the head (0.015)."""
_CROWN_PER_TORSO = 0.55
"""Hair and hats reach no further above the nose than this share of the torso (0.31 on average, 0.05)."""

# A photo inside these bounds (about two and a half standard deviations) is already composed so.
_SHOULDER_Y_RANGE = (0.24, 0.42)
_TORSO_RANGE = (0.34, 0.56)
_CENTRE_X_RANGE = (0.36, 0.64)
_ASPECT_TOLERANCE = 0.012
_WHOLE_BODY_HEIGHT = 0.93
"""Share of the frame's height that a whole body fills; Dress Code's pictures leave as little room."""
_WHOLE_BODY_RANGE = (0.72, 1.0)
_WIDTH_FILL = 0.94
"""Share of the frame's width that the outline may fill, arms included."""
_MAX_WIDEN = 1.3
"""The frame grows at most by this for outstretched arms."""
_MIN_TIGHTEN = 0.8
"""A frame that would leave the photo shrinks to it, but not below this share."""
_MIN_TILT, _MAX_TILT = 12.0, 50.0
"""Degrees. Less is how people stand; more is a photo that was turned by a quarter."""
_HEAD = {"nose", "right_eye", "left_eye", "right_ear", "left_ear"}
_ON = 0.5


def compose(
    photo_size: Size, detection: PoseDetection, category: Category, aspect: float
) -> tuple[float, float, float]:
    """Left, top and height of the window that the model shall see, in the photo's pixels.

    For the upper body: from just above the head to the upper thighs, as in VITON. For the lower body and
    dresses: the whole body, as in Dress Code. A photo of the right shape that is already so composed is
    taken whole. The window leaves the photo as little as it must.

    Args:
        photo_size: Height and width of the photo.
        detection: The person, in the photo's pixels.
        category: What is to be replaced.
        aspect: Width by height of the window.
    """
    height, width = photo_size
    joints = _present(detection.keypoints)
    shoulders = _middle(joints, "right_shoulder", "left_shoulder")
    box = _outline(detection.silhouette, joints)
    portrait = category == "upper_body"
    if abs(width / height / aspect - 1) <= _ASPECT_TOLERANCE:
        composed = (
            _is_portrait(joints, shoulders, photo_size) if portrait else _is_whole_body(box, photo_size)
        )
        if composed:
            tall = max(height, width / aspect)
            return (width - tall * aspect) / 2, (height - tall) / 2, tall
    if portrait and shoulders is not None:
        left, top, tall = _portrait_window(detection, joints, shoulders, aspect)
    else:
        left, top, tall = _whole_body_window(box, aspect)
    # A head that was cut off leaves its room: the shoulders stay where the model expects them.
    above = min(0.0, top) if portrait and not _HEAD & joints.keys() else 0.0
    return _into_photo(left, top, tall, aspect, photo_size, above=above)


def tilt(keypoints: np.ndarray) -> float:
    """Degrees by which the whole person leans to the right, as in a photo held aslant; 0 where upright.

    Torso and shoulders must agree: who only bends sideways has level shoulders or an upright torso.

    Args:
        keypoints: (18,3).
    """
    joints = _present(keypoints)
    names = ("right_shoulder", "left_shoulder", "right_hip", "left_hip")
    if not all(name in joints for name in names):
        return 0.0
    right, left, *hips = (joints[name] for name in names)
    down, across = np.mean(hips, axis=0) - (right + left) / 2, left - right
    if across[0] < 0:  # from behind
        across = -across
    torso, shoulders = np.degrees(np.arctan2(-down[0], down[1])), np.degrees(np.arctan2(across[1], across[0]))
    if not all(
        _MIN_TILT <= sign * part <= _MAX_TILT for sign in [np.sign(torso)] for part in (torso, shoulders)
    ):
        return 0.0
    return float((torso + shoulders) / 2)


def _present(keypoints: np.ndarray) -> dict[str, np.ndarray]:
    return {
        name: point[:2].astype(float)
        for name, point in zip(KEYPOINT_NAMES, keypoints, strict=True)
        if point[2] > 0
    }


def _middle(joints: dict[str, np.ndarray], one: str, other: str) -> np.ndarray | None:
    found = [joints[name] for name in (one, other) if name in joints]
    return np.mean(found, axis=0) if found else None


def _torso(joints: dict[str, np.ndarray], shoulders: np.ndarray) -> float:
    """Length of the torso in pixels; one that is foreshortened or hidden is judged by shoulders or head."""
    lengths = []
    hips = _middle(joints, "right_hip", "left_hip")
    if hips is not None:
        lengths.append(float(np.hypot(*(hips - shoulders))))
    if "right_shoulder" in joints and "left_shoulder" in joints:
        # Hips shorten when one sits or leans; 0.75 is broader than almost anybody, so upright people are
        # not touched.
        per_torso = SHOULDERS_PER_TORSO if hips is None else 0.75
        lengths.append(float(np.hypot(*(joints["right_shoulder"] - joints["left_shoulder"]))) / per_torso)
    if "nose" in joints and not lengths:
        lengths.append(float(np.hypot(*(joints["nose"] - shoulders))) / 0.4)
    return max([*lengths, 1.0])


def _outline(silhouette: np.ndarray, joints: dict[str, np.ndarray]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the person; of the joints where the outline is empty."""
    box = box_of(silhouette > _ON)
    if box is not None:
        return float(box.left), float(box.top), float(box.right), float(box.bottom)
    if joints:
        points = np.array(list(joints.values()))
        return (*points.min(axis=0), *points.max(axis=0))
    return 0.0, 0.0, float(silhouette.shape[1]), float(silhouette.shape[0])


def _is_portrait(joints: dict[str, np.ndarray], shoulders: np.ndarray | None, photo_size: Size) -> bool:
    if shoulders is None:
        return False
    height, width = photo_size
    return (
        _SHOULDER_Y_RANGE[0] <= shoulders[1] / height <= _SHOULDER_Y_RANGE[1]
        and _CENTRE_X_RANGE[0] <= shoulders[0] / width <= _CENTRE_X_RANGE[1]
        and _TORSO_RANGE[0] <= _torso(joints, shoulders) / height <= _TORSO_RANGE[1]
    )


def _is_whole_body(box: tuple[float, float, float, float], photo_size: Size) -> bool:
    height, width = photo_size
    left, top, right, bottom = box
    tall_enough = _WHOLE_BODY_RANGE[0] <= (bottom - top) / height <= _WHOLE_BODY_RANGE[1]
    return tall_enough and _CENTRE_X_RANGE[0] <= (left + right) / 2 / width <= _CENTRE_X_RANGE[1]


def _portrait_window(
    detection: PoseDetection, joints: dict[str, np.ndarray], shoulders: np.ndarray, aspect: float
) -> tuple[float, float, float]:
    """Left, top and height of the window from above the head to the upper thighs."""
    torso = _torso(joints, shoulders)
    tall = torso / TORSO
    top = shoulders[1] - SHOULDER_Y * tall
    crown = _crown(detection.silhouette, joints, shoulders, torso)
    if crown < top + CROWN_Y * tall:
        # Keep the lower edge and move the upper one, so that a high head costs no hip.
        bottom = top + tall
        tall = (bottom - crown) / (1 - CROWN_Y)
        top = bottom - tall
    rows = detection.silhouette[max(0, int(top)) : max(1, math.ceil(top + tall))] > _ON
    columns = np.flatnonzero(rows.any(axis=0))
    left, right = (columns[0], columns[-1] + 1) if columns.size else (shoulders[0], shoulders[0])
    # The shoulders hold the centre; the arms may pull it to the side by a tenth of the frame.
    slack = 0.1 * tall * aspect
    centre = float(np.clip((left + right) / 2, shoulders[0] - slack, shoulders[0] + slack))
    reach = 2 * max(centre - left, right - centre)
    widened = float(np.clip(reach / _WIDTH_FILL / aspect, tall, _MAX_WIDEN * tall))
    top -= (widened - tall) * SHOULDER_Y
    return centre - widened * aspect / 2, top, widened


def _crown(
    silhouette: np.ndarray, joints: dict[str, np.ndarray], shoulders: np.ndarray, torso: float
) -> float:
    """The row of the top of the head, hair and hat; raised hands do not count."""
    height, width = silhouette.shape
    head = joints.get("nose", shoulders - (0.0, 0.4 * torso))
    left, right = int(max(0, head[0] - 0.25 * torso)), int(min(width, head[0] + 0.25 * torso + 1))
    rows = np.flatnonzero((silhouette[:, left:right] > _ON).any(axis=1))
    highest = max(0.0, float(head[1] - _CROWN_PER_TORSO * torso))
    return max(highest, float(rows[0])) if rows.size else highest


def _whole_body_window(box: tuple[float, float, float, float], aspect: float) -> tuple[float, float, float]:
    left, top, right, bottom = box
    tall = max((bottom - top) / _WHOLE_BODY_HEIGHT, (right - left) / _WIDTH_FILL / aspect)
    return (left + right - tall * aspect) / 2, (top + bottom - tall) / 2, tall


def _into_photo(
    left: float, top: float, tall: float, aspect: float, photo_size: Size, *, above: float
) -> tuple[float, float, float]:
    """Shrink a little and shift, so that the window leaves the photo as little as it must.

    It may begin at ``above``, 0 or less.
    """
    height, width = photo_size
    fitting = min(height - above, width / aspect)
    if tall > fitting:
        smaller = max(fitting, _MIN_TIGHTEN * tall)
        left += (tall - smaller) * aspect / 2
        top += (tall - smaller) * SHOULDER_Y
        tall = smaller
    wide = tall * aspect
    left = float(np.clip(left, min(0.0, width - wide), max(0.0, width - wide)))
    top = float(np.clip(top, min(above, height - tall), max(above, height - tall)))
    return left, top, tall
