"""Fingers and jaws, looked for near the joints with mediapipe's networks, where small ones are found too."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.blazepose import LEFT_SHOULDER, NOSE, RIGHT_SHOULDER, Graphs

_SIDE = 256
"""Of the square in which a hand or a face is looked for, in pixels."""
_HAND_REACH, _HAND_AHEAD, _HAND_AWAY = (0.85, 0.6), 0.25, 0.5
"""Half that square's side, of the arm's longer part, and a second one's where the first shows none; how far
its middle lies beyond the wrist, of the forearm; how far from the wrist a hand may begin, of that part."""
_SAME_HAND = 0.4
"""Both wrists have the same hand if those begin so near to each other, of a hand's size."""
_JAW = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
_TIP = 1
"""Places among the mesh's landmarks, of which ``FACEMESH_FACE_OVAL`` has the first; the tip of the nose."""
_HEAD_REACH, _NOSE_AWAY = (1.3, 2.0), 0.5
"""Half the square's side, of the way from nose to shoulders, and a second one's where the first shows no
face; how far apart both networks may see the nose, of that way."""


def find_hands(graphs: Graphs, pixels: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """The fingers of one person, looked for around the wrists, where small ones are found too.

    Args:
        graphs: of one thread.
        pixels: (H,W,3) uint8.
        joints: (2,3,2), shoulder, elbow and wrist of the left and the right arm; zeros = not seen.

    Returns:
        (2,21,2) float32 in pixels; zeros = not seen. A hand before the other one is seen alone.
    """
    found = np.zeros((2, 21, 2), np.float32)
    away = np.full(2, np.inf)
    for side, (shoulder, elbow, wrist) in enumerate(joints):
        if not (shoulder.any() and elbow.any() and wrist.any()):
            continue
        arm = max(np.hypot(*(shoulder - elbow)), np.hypot(*(elbow - wrist)))
        for reach in (share * arm for share in _HAND_REACH):
            around, corner = _square(pixels, wrist + _HAND_AHEAD * (wrist - elbow), reach)
            if around is None:
                continue
            for hand in graphs.hands.process(around).multi_hand_landmarks or ():
                places = np.array([(p.x, p.y) for p in hand.landmark], np.float32) * 2 * reach + corner
                distance = float(np.hypot(*(places[0] - wrist)))
                if distance < min(away[side], _HAND_AWAY * arm):
                    found[side], away[side] = places, distance
            if np.isfinite(away[side]):
                break
    if np.isfinite(away).all() and np.hypot(*(found[0, 0] - found[1, 0])) < _SAME_HAND * np.ptp(found[0]):
        found[int(away[0] < away[1])] = 0
    return found


def find_jaw(graphs: Graphs, pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray | None:
    """The lower outline of one person's face.

    Args:
        graphs: of one thread.
        pixels: (H,W,3) uint8.
        landmarks: (33,4), BlazePose's.

    Returns:
        (21,2) float32 in pixels, from the ear on the right of the person over the chin to the other one;
        ``None`` where no face is seen.
    """
    nose = landmarks[NOSE, :2]
    way = float(np.hypot(*(landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER], :2].mean(axis=0) - nose)))
    for reach in (share * way for share in _HEAD_REACH):
        around, corner = _square(pixels, nose, reach)
        faces = None if around is None else graphs.mesh.process(around).multi_face_landmarks
        if faces:
            marks = faces[0].landmark
            places = np.array([(marks[n].x, marks[n].y) for n in (_TIP, *_JAW)], np.float32)
            places = places * 2 * reach + corner
            return places[1:].astype(np.float32) if np.hypot(*(places[0] - nose)) < _NOSE_AWAY * way else None
    return None


def _square(pixels: np.ndarray, middle: np.ndarray, reach: float) -> tuple[np.ndarray | None, np.ndarray]:
    """(256,256,3) uint8 around a point, and its corner; nothing where the picture shows too little of it."""
    corner = middle - reach
    if 2 * reach < _SIDE / 16 or (middle < 0).any() or (middle >= pixels.shape[1::-1]).any():
        return None, corner
    import cv2  # comes with mediapipe, and like it only once a person is looked for

    times = _SIDE / (2 * reach)
    matrix = np.array([[times, 0, -corner[0] * times], [0, times, -corner[1] * times]], np.float32)
    size = (_SIDE, _SIDE)
    return cv2.warpAffine(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE), corner
