"""mediapipe's bundled networks on one picture: who is there, and is it a person at all.

The graphs, the body they find, and the doubts about it. It knows nothing of our 18 joints, of threads or of
large photographs; ``pose.py`` asks it, and ``landmarks.py`` its networks.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from ladi.preprocess.boxes import box_of
from ladi.types import ModelError, Size

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP, NOSE = 11, 12, 23, 24, 0
"""Places among BlazePose's 33 landmarks."""
_ARMS = [13, 14, 15, 16]
_EARS = [7, 8]

_ON = 0.5
_HEAD_SIDE = 256
"""The crop around a head is enlarged to at least this, or the face networks miss it in whole-body photos."""
_MIN_FACE = 0.5
_MESH_SCORE = 0.3
_MIN_AGREEMENT = 0.85
_MIN_AGREEMENT_WITH_FACE = 0.6
"""Share of BlazePose's outline that the selfie network must confirm. On 41 photos of people it is above
0.95."""
_MIN_ARMS = 0.9
_MIN_ARMS_HEADLESS = 0.5
"""Mean visibility of elbows and wrists from which a person without a visible face is believed."""
_MIN_SECOND_SIZE = 0.35
"""A second person counts from this share of the first one's torso; smaller ones are in the background."""

_CHATTER = (b"TensorFlow Lite XNNPACK delegate", b"absl::InitializeLog()", b"inference_feedback_manager")
_CHATTER_LOCK = threading.Lock()
_SYSTEM_CURE = "apt-get install libgl1 libglib2.0-0"


@dataclass(frozen=True)
class Body:
    """One person as BlazePose sees them."""

    landmarks: np.ndarray
    """(33,4): x and y in pixels, depth (smaller = nearer the camera), visibility."""
    silhouette: np.ndarray
    """(H,W) float32."""
    face: float
    """How sure the face networks are of the face, 0 = they see none."""

    @property
    def torso(self) -> float:
        """Length in pixels from the middle of the shoulders to the middle of the hips."""
        middle = self.landmarks[:, :2]
        shoulders, hips = middle[[LEFT_SHOULDER, RIGHT_SHOULDER]], middle[[LEFT_HIP, RIGHT_HIP]]
        return float(np.hypot(*(shoulders.mean(axis=0) - hips.mean(axis=0))))


class Graphs:
    """One set of mediapipe graphs. A graph serves one picture at a time."""

    def __init__(self) -> None:
        """Build all graphs and run each once, which takes a second or two.

        Raises:
            ModelError: If mediapipe or a system library that it needs is missing.
        """
        pose, face, mesh, hands, selfie = (
            _solution(name)
            for name in ("pose", "face_detection", "face_mesh", "hands", "selfie_segmentation")
        )
        with _without_chatter():
            self.pose = pose.Pose(static_image_mode=True, model_complexity=1, enable_segmentation=True)
            self.face = face.FaceDetection(model_selection=0, min_detection_confidence=_MIN_FACE)
            self.mesh = mesh.FaceMesh(
                static_image_mode=True, max_num_faces=1, min_detection_confidence=_MESH_SCORE
            )
            self.hands = hands.Hands(static_image_mode=True, max_num_hands=2, min_detection_confidence=0.5)
            self.selfie = selfie.SelfieSegmentation(model_selection=0)
            for graph in (self.pose, self.face, self.mesh, self.hands, self.selfie):
                graph.process(np.zeros((_HEAD_SIDE, _HEAD_SIDE, 3), dtype=np.uint8))

    def close(self) -> None:
        """Free the graphs; the object is of no more use."""
        for graph in (self.pose, self.face, self.mesh, self.hands, self.selfie):
            graph.close()


def _solution(name: str) -> Any:
    """One of mediapipe's solutions, with its start-up chatter turned down."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype", category=UserWarning)
    try:
        return importlib.import_module(f"mediapipe.python.solutions.{name}")
    except ImportError as error:
        if ".so" in str(error):
            missing = str(error).split(":")[0]
            raise ModelError(
                f"The pose detector needs the system library {missing}; run `{_SYSTEM_CURE}`."
            ) from error
        raise ModelError(
            "The pose detector needs the package mediapipe 0.10.14; run `pip install -r requirements.txt`."
        ) from error


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Hold back what mediapipe's C++ writes to the error stream at start-up; everything else is passed on."""
    with _CHATTER_LOCK, tempfile.TemporaryFile() as held:
        if sys.stderr is not None:
            sys.stderr.flush()
        stream = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stream, 2)
            os.close(stream)
            held.seek(0)
            for line in held:
                if not any(word in line for word in _CHATTER):
                    os.write(2, line)


def resize(array: np.ndarray, size: Size) -> np.ndarray:
    """(H,W) float32 or (H,W,3) uint8 to ``size``, antialiased."""
    if array.shape[:2] == size:
        return np.ascontiguousarray(array)
    import cv2  # comes with mediapipe, and like it only once a person is looked for

    smaller = size[0] * size[1] < array.shape[0] * array.shape[1]
    sampling = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(array), (size[1], size[0]), interpolation=sampling)


def find_body(graphs: Graphs, pixels: np.ndarray) -> Body | None:
    """One person, or nothing: BlazePose alone also sees people in jackets on hangers."""
    result = graphs.pose.process(pixels)
    if result.pose_landmarks is None:
        return None
    height, width = pixels.shape[:2]
    landmarks = np.array(
        [(p.x, p.y, p.z, p.visibility) for p in result.pose_landmarks.landmark], dtype=np.float32
    )
    landmarks[:, :2] *= (width, height)
    own = np.asarray(result.segmentation_mask, dtype=np.float32)
    general = _general_silhouette(graphs, pixels, own)
    body = own > _ON
    # The two networks were trained apart; where a person really is, they agree.
    agreement = float((general[body] > _ON).mean()) if body.any() else 0.0
    face = _face_score(graphs, pixels, landmarks)
    if agreement < (_MIN_AGREEMENT_WITH_FACE if face else _MIN_AGREEMENT):
        return None
    if not face and not _is_plausible_without_face(graphs, pixels, landmarks):
        return None
    # Outlines of the whole picture include other people; a pixel needs both to be sure of it.
    silhouette = np.where(own > 0.02, (own + general) / 2, 0).astype(np.float32)
    return Body(landmarks, silhouette, face)


def _general_silhouette(graphs: Graphs, pixels: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The selfie network's outline, looked for around the person only, so that small people stay sharp."""
    out = np.zeros_like(own)
    box = box_of(own > _ON)
    if box is None:
        return out
    margin = int(0.15 * (max(box.height, box.width) - 1)) + 4
    window = np.s_[
        max(0, box.top - margin) : box.bottom + margin, max(0, box.left - margin) : box.right + margin
    ]
    out[window] = graphs.selfie.process(np.ascontiguousarray(pixels[window])).segmentation_mask
    return out


def _face_score(graphs: Graphs, pixels: np.ndarray, landmarks: np.ndarray) -> float:
    """How sure the face networks are of a face where BlazePose puts the head; 0 = there is none."""
    nose = landmarks[NOSE, :2]
    shoulders = landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER], :2]
    hips = landmarks[[LEFT_HIP, RIGHT_HIP], :2].mean(axis=0)
    reach = max(
        0.6 * np.hypot(*(shoulders.mean(axis=0) - hips)),
        0.8 * np.hypot(*(shoulders[0] - shoulders[1])),
        _HEAD_SIDE / 16,
    )
    height, width = pixels.shape[:2]
    x0, y0 = np.clip(nose - reach, 0, (width, height)).astype(int)
    x1, y1 = np.clip(nose + reach, 0, (width, height)).astype(int)
    if min(x1 - x0, y1 - y0) < _HEAD_SIDE // 32:
        return 0.0
    head = pixels[y0:y1, x0:x1]
    if head.shape[1] < _HEAD_SIDE:
        head = resize(head, (max(1, round(_HEAD_SIDE * head.shape[0] / head.shape[1])), _HEAD_SIDE))
    head = np.ascontiguousarray(head)
    detections = graphs.face.process(head).detections
    if detections:
        return max(float(detection.score[0]) for detection in detections)
    # Half a face, as where the photo ends at the mouth, is seen by the mesh alone.
    return _MESH_SCORE if graphs.mesh.process(head).multi_face_landmarks else 0.0


def _is_plausible_without_face(graphs: Graphs, pixels: np.ndarray, landmarks: np.ndarray) -> bool:
    """Cropped heads, backs and covered faces are people too; garments on hangers lack arms and hands."""
    arms = float(landmarks[_ARMS, 3].mean())
    cropped_head = landmarks[NOSE, 1] < 0.02 * pixels.shape[0]
    if (cropped_head and arms >= _MIN_ARMS_HEADLESS) or arms >= _MIN_ARMS or is_back(landmarks):
        return True
    return bool(graphs.hands.process(pixels).multi_hand_landmarks)


def is_back(landmarks: np.ndarray) -> bool:
    """Left shoulder on the picture's left, and the nose behind the ears."""
    turned = landmarks[LEFT_SHOULDER, 0] < landmarks[RIGHT_SHOULDER, 0]
    return bool(turned and landmarks[NOSE, 2] > landmarks[_EARS, 2].mean())


def count_people(graphs: Graphs, pixels: np.ndarray, first: Body) -> int:
    """1, or 2 where somebody else of about the same size stands beside the first person."""
    grown = resize(first.silhouette, (64, 64))
    covered = resize(ndimage.maximum_filter(np.float32(grown > 0.2), size=3), pixels.shape[:2]) > 0.5
    if covered.all():
        return 1
    rest = pixels.copy()
    rest[covered] = pixels[~covered].mean(axis=0).astype(np.uint8)
    second = find_body(graphs, rest)
    if second is None or second.torso < _MIN_SECOND_SIZE * first.torso:
        return 1
    area = second.silhouette > _ON
    return 2 if area.any() and covered[area].mean() < 0.5 else 1
