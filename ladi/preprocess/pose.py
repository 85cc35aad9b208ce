"""Find the person in a photo: 18 joints, the outline, how many people there are and which way they face.

It runs mediapipe's BlazePose with the models inside the pinned wheel, so nothing is downloaded. It does not
judge whether the photo is good enough (``checks.py``), does not name the parts of the clothing
(``parsing.py``) and draws no pose map (``pose_map.py``).
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Literal

import numpy as np

from ladi.preprocess.blazepose import (
    LEFT_SHOULDER,
    NOSE,
    RIGHT_SHOULDER,
    Body,
    Graphs,
    count_people,
    find_body,
    is_back,
    resize,
)
from ladi.preprocess.boxes import box_of
from ladi.preprocess.landmarks import find_hands, find_jaw
from ladi.types import JOINT, MIRRORED_JOINTS, PersonError, PoseDetection, Size

MIN_VISIBILITY = 0.5
"""Joints that BlazePose believes in no more than this are absent: hidden, or out of the picture."""

_MAX_SIDE = 1024
"""Detectors see at most this many pixels a side; their networks take 224 to 256."""
_SURE_FACE = 0.75
_SMALL_PERSON = 0.4
"""People lower than this share of the photo are looked at a second time, from nearer."""
_STRAIGHT = 0.5
"""Share of its own height or width along which an outline that ends inside the picture was cut off. Of 271
people's, feet and elbows lie along 0.38 at most."""
_MIN_PART, _PLAIN_PART = 256, 6.0
"""Pixels of a part's shorter side, and the standard deviation of what is more than a wall."""
_SIDE_RATIO = 0.3
"""Shoulders closer together than this share of the torso: seen from the side; in front views 0.55 to 0.75."""

# BlazePose's 33 landmarks for our 18 joints; the neck, which it lacks, is the middle of the shoulders.
_NECK = -1
_BLAZE = (NOSE, _NECK, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


def _free(idle: queue.SimpleQueue[Graphs]) -> None:
    """Close all graphs of a queue."""
    with suppress(queue.Empty):
        while True:
            idle.get_nowait().close()


class PoseDetector:
    """Finds people. One object serves many threads: each call borrows a set of graphs of its own."""

    def __init__(self, *, workers: int = 2) -> None:
        """Build nothing yet: graphs are built when first needed (a second or two) and kept.

        Args:
            workers: How many pictures are looked at at once; further calls wait.
        """
        self._slots = threading.BoundedSemaphore(workers)
        self._idle: queue.SimpleQueue[Graphs] = queue.SimpleQueue()
        weakref.finalize(self, _free, self._idle).atexit = False  # dropped graphs keep threads and memory

    @contextmanager
    def _borrow(self) -> Iterator[Graphs]:
        with self._slots:
            try:
                graphs = self._idle.get_nowait()
            except queue.Empty:
                graphs = Graphs()
            try:
                yield graphs
            finally:
                self._idle.put(graphs)

    def close(self) -> None:
        """Free the idle graphs; the detector stays usable. One that is dropped frees them by itself."""
        _free(self._idle)

    def detect(self, pixels: np.ndarray) -> PoseDetection:
        """The most prominent person of a picture.

        Args:
            pixels: (H,W,3) uint8 RGB.

        Returns:
            Joints and outline in the pixels of ``pixels``.

        Raises:
            PersonError: If nobody is found.
            ModelError: If mediapipe cannot start.
        """
        with self._borrow() as graphs:
            for window in _windows(pixels):
                found = _look(graphs, pixels, window)
                if found is not None:
                    found = _look_closer(graphs, pixels, found)
                    return _whole_in_mirror(graphs, pixels) or found if is_cut(found.silhouette) else found
        raise PersonError("No person found in this photo. Try one from the front, head to hips.")

    def find(self, pixels: np.ndarray) -> PoseDetection | None:
        """As ``detect``, but a quick look and no error, for pictures that should show nobody."""
        with self._borrow() as graphs:
            return _look(graphs, pixels, (0, 0, *pixels.shape[:2]))


def is_cut(silhouette: np.ndarray) -> bool:
    """Whether an outline (H,W) ends along a straight line inside the picture: there is more than was seen.

    The detector looks at a square, which now and then is far too small.
    """
    on = silhouette > 0.5
    box = box_of(on)
    if box is None:
        return False
    height, width = on.shape
    edges = (
        (box.top > 1, on[box.top, box.left : box.right]),
        (box.bottom < height - 1, on[box.bottom - 1, box.left : box.right]),
        (box.left > 1, on[box.top : box.bottom, box.left]),
        (box.right < width - 1, on[box.top : box.bottom, box.right - 1]),
    )
    return any(inside and edge.mean() > _STRAIGHT for inside, edge in edges)


def mirrored(found: PoseDetection) -> PoseDetection:
    """What was found in a picture's mirror image, in the picture itself."""
    last = found.silhouette.shape[1] - 1
    joints = found.keypoints[MIRRORED_JOINTS]
    joints[:, 0] = np.where(joints[:, :2].any(1), last - joints[:, 0], 0)
    hands = found.hands
    if hands is not None:
        hands = hands[::-1].copy()
        hands[..., 0] = np.where(hands.any(-1), last - hands[..., 0], 0)
    jaw = None if found.jaw is None else (found.jaw[::-1] * (-1, 1) + (last, 0)).astype(np.float32)
    silhouette = np.ascontiguousarray(found.silhouette[:, ::-1])
    return replace(found, keypoints=joints, silhouette=silhouette, hands=hands, jaw=jaw)


def _look_closer(graphs: Graphs, pixels: np.ndarray, found: PoseDetection) -> PoseDetection:
    closer = _window_around(found)
    return (closer and _look(graphs, pixels, closer)) or found


def _whole_in_mirror(graphs: Graphs, pixels: np.ndarray) -> PoseDetection | None:
    """The person as the detector finds them in the mirror, if it sees all of them there."""
    image = np.ascontiguousarray(pixels[:, ::-1])
    found = _look(graphs, image, (0, 0, *pixels.shape[:2]))
    found = found and _look_closer(graphs, image, found)
    return None if found is None or is_cut(found.silhouette) else mirrored(found)


def _windows(pixels: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Top, left, bottom, right of where to look: the whole, then ever smaller parts, for small people.

    Parts of less than ``_MIN_PART`` pixels show nobody who could be dressed, and plain ones nobody at all.
    """
    height, width = pixels.shape[:2]
    yield 0, 0, height, width
    for parts in (2, 4):
        tall, wide = height // parts, width // parts
        if parts > 2 and min(tall, wide) < _MIN_PART:
            return
        steps = sorted(range(2 * parts - 1), key=lambda step: abs(step - parts + 1))
        for down in steps:
            for across in steps:
                top, left = down * tall // 2, across * wide // 2
                if pixels[top : top + tall : 8, left : left + wide : 8].std() > _PLAIN_PART:
                    yield top, left, top + tall, left + wide


def _window_around(found: PoseDetection) -> tuple[int, int, int, int] | None:
    """Where to look again for somebody who is small in the photo, or nothing where one look was enough."""
    height, width = found.silhouette.shape
    box = box_of(found.silhouette > 0.5)
    if box is None or box.height - 1 > _SMALL_PERSON * height:
        return None
    reach = 0.75 * max(box.height - 1, box.width - 1) + 1
    y, x = (box.top + box.bottom - 1) / 2, (box.left + box.right - 1) / 2
    return (
        int(max(0, y - reach)),
        int(max(0, x - reach)),
        int(min(height, y + reach + 1)),
        int(min(width, x + reach + 1)),
    )


def _look(graphs: Graphs, pixels: np.ndarray, window: tuple[int, int, int, int]) -> PoseDetection | None:
    """The most prominent person of one window, in the pixels of the whole picture.

    Parts must show a certain face: sleeves and folds by themselves look like people.
    """
    height, width = pixels.shape[:2]
    top, left, bottom, right = window
    part = pixels[top:bottom, left:right]
    shrink = min(1.0, _MAX_SIDE / max(part.shape[:2]))
    # Of very large photos every n-th pixel is enough, at twice the side needed: averaging all takes seconds.
    step = max(1, int(0.5 / shrink))
    small = resize(
        part[::step, ::step], (max(1, round(part.shape[0] * shrink)), max(1, round(part.shape[1] * shrink)))
    )
    body = find_body(graphs, small)
    if body is None or (part.shape != pixels.shape and body.face < _SURE_FACE):
        return None
    times = (part.shape[1] / small.shape[1], part.shape[0] / small.shape[0])
    landmarks = body.landmarks.copy()
    landmarks[:, :2] = landmarks[:, :2] * times + (left, top)
    hands = find_hands(graphs, small, _arms(body.landmarks, small.shape[:2]))
    hands = np.where(hands.any(axis=(1, 2), keepdims=True), hands * times + (left, top), 0)
    jaw = find_jaw(graphs, small, body.landmarks)
    silhouette = resize(body.silhouette, part.shape[:2])
    if part.shape != pixels.shape:
        silhouette = np.pad(silhouette, ((top, height - bottom), (left, width - right)))
    return PoseDetection(
        keypoints=_to_keypoints(landmarks, (height, width)),
        silhouette=silhouette,
        people=count_people(graphs, small, body),
        facing=_facing(body),
        hands=hands.astype(np.float32),
        jaw=None if jaw is None else (jaw * times + (left, top)).astype(np.float32),
    )


def _arms(landmarks: np.ndarray, size: Size) -> np.ndarray:
    """(33,4) landmarks to shoulder, elbow and wrist of the left and the right arm, (2,3,2)."""
    joints = _to_keypoints(landmarks, size)[:, :2]
    names = ("shoulder", "elbow", "wrist")
    return np.stack([[joints[JOINT[f"{side}_{name}"]] for name in names] for side in ("left", "right")])


def _facing(body: Body) -> Literal["front", "back", "side"]:
    apart = body.landmarks[LEFT_SHOULDER, :2] - body.landmarks[RIGHT_SHOULDER, :2]
    if np.hypot(*apart) < _SIDE_RATIO * body.torso:
        return "side"
    return "back" if is_back(body.landmarks) else "front"


def _to_keypoints(landmarks: np.ndarray, size: Size) -> np.ndarray:
    """(33,4) landmarks to (18,3) joints; the neck needs both shoulders."""
    height, width = size
    x, y, visibility = landmarks[:, 0], landmarks[:, 1], landmarks[:, 3]
    seen = (visibility > MIN_VISIBILITY) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    points = np.stack([x, y, visibility], axis=1) * seen[:, None]
    shoulders = points[[LEFT_SHOULDER, RIGHT_SHOULDER]]
    neck = shoulders.mean(axis=0) if (shoulders[:, 2] > 0).all() else np.zeros(3)
    return np.stack([neck if index == _NECK else points[index] for index in _BLAZE]).astype(np.float32)
