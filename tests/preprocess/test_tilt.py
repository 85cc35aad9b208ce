"""Photos held aslant, and heads cut off: the window goes by shoulders and hips, and back into its place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ladi.postprocess.paste import paste_back
from ladi.preprocess.composition import SHOULDER_Y, tilt
from ladi.preprocess.frame import crop_to_frame, frame_person, keypoints_to_frame, to_photo, to_window
from ladi.preprocess.person import place_mask
from ladi.types import KEYPOINT_NAMES, Frame, Photo, PoseDetection, Size
from tests.preprocess.test_frame import MODEL, _joint, _noise, _person

PHOTO: Size = (1200, 1000)
UPRIGHT = _person(PHOTO, (350, 150, 650, 1100))


def leaning(detection: PoseDetection, angle: float) -> PoseDetection:
    """The same person in a photo that was turned to the right about its middle."""
    turned = np.deg2rad(angle)
    axes = np.array([[np.cos(turned), np.sin(turned)], [-np.sin(turned), np.cos(turned)]])
    middle = np.array([PHOTO[1], PHOTO[0]]) / 2
    keypoints = detection.keypoints.copy()
    keypoints[:, :2] = (keypoints[:, :2] - middle) @ axes + middle
    keypoints[detection.keypoints[:, 2] <= 0] = 0
    outline = Image.fromarray(detection.silhouette).rotate(-angle)
    return PoseDetection(keypoints.astype(np.float32), np.asarray(outline))


@pytest.mark.parametrize("angle", [30, -30, 20])
def test_the_window_leans_with_the_person(angle: float) -> None:
    """Prevents a body that lies aslant in the model's window, where no training picture has one."""
    detection = leaning(UPRIGHT, angle)
    assert tilt(detection.keypoints) == pytest.approx(angle, abs=0.1)
    frame = frame_person(PHOTO, detection, "upper_body", MODEL)
    assert frame.angle == pytest.approx(angle, abs=0.1)
    joints = keypoints_to_frame(detection.keypoints, frame)
    plain = keypoints_to_frame(UPRIGHT.keypoints, frame_person(PHOTO, UPRIGHT, "upper_body", MODEL))
    for name in ("neck", "left_shoulder", "right_hip"):
        assert _joint(joints, name) == pytest.approx(_joint(plain, name), abs=4)


@pytest.mark.parametrize("angle", [0, 8])
def test_who_stands_upright_or_bends_is_left_as_they_are(angle: float) -> None:
    """Prevents resampling photos that need no turning, and turning those who only lean on something."""
    assert frame_person(PHOTO, leaning(UPRIGHT, angle), "upper_body", MODEL).angle == 0
    bent = UPRIGHT.keypoints.copy()
    for name in ("left_hip", "right_hip"):
        bent[KEYPOINT_NAMES.index(name), 0] += 200
    assert tilt(bent) == 0


def test_a_point_goes_into_the_window_and_back() -> None:
    """Prevents joints that a program is told from lying beside the body."""
    frame = Frame(100, 80, 300, 400, MODEL, 25.0)
    points = np.array([[120.0, 90.0], [300.0, 444.0]])
    assert to_photo(to_window(points, frame), frame) == pytest.approx(points)
    assert to_window(np.array([250.0, 280.0]), frame) == pytest.approx(np.array([96, 128]))


def test_a_leaning_window_is_the_upright_one_of_the_turned_photo() -> None:
    """Prevents a window turned the wrong way, or about another point."""
    pixels = _noise((720, 720))
    straight = Frame(180, 120, 360, 480, MODEL)
    turned = np.asarray(Image.fromarray(pixels).rotate(-20, Image.Resampling.BICUBIC))
    seen = crop_to_frame(turned, Frame(180, 120, 360, 480, MODEL, 20.0))
    assert np.abs(seen.astype(int) - crop_to_frame(pixels, straight)).mean() < 2


def test_only_the_mask_is_painted_and_in_its_place() -> None:
    """Prevents pasting beside the body, and touching pixels outside the mask."""
    pixels = _noise((720, 720))
    frame = Frame(180, 120, 360, 480, MODEL, 20.0)
    mask = np.zeros(MODEL, bool)
    mask[60:200, 40:150] = True
    seen = crop_to_frame(pixels, frame)
    same = paste_back(Photo(pixels), seen, mask, frame)
    assert np.abs(same.astype(int) - pixels).mean() < 2
    painted = paste_back(Photo(pixels), np.full_like(seen, 255), mask, frame, feather=0.0)
    placed = place_mask(mask, frame, (720, 720))
    differs = (painted != pixels).any(axis=2)
    assert not differs[~placed].any() and differs[placed].mean() > 0.95
    back = crop_to_frame(placed, frame) >= 0.5
    assert (back != mask).mean() < 0.02


def test_a_mask_at_another_size_than_the_photo_lies_where_it_should() -> None:
    """Prevents a mask in the editor that is not where the photo's is."""
    frame = Frame(180, 120, 360, 480, MODEL, 20.0)
    mask = np.zeros(MODEL, bool)
    mask[60:200, 40:150] = True
    large, small = place_mask(mask, frame, (720, 720)), place_mask(mask, frame, (720, 720), (360, 360))
    assert (large[::2, ::2] != small).mean() < 0.01


def test_a_head_that_was_cut_off_leaves_its_room() -> None:
    """Prevents headless shop photos from having the garment small on the belly."""
    cut = 260  # below the chin
    size = (PHOTO[0] - cut, PHOTO[1])
    keypoints = UPRIGHT.keypoints - np.float32([0, cut, 0])
    keypoints[(keypoints[:, 1] < 0) | (UPRIGHT.keypoints[:, 2] <= 0)] = 0
    detection = PoseDetection(keypoints, UPRIGHT.silhouette[cut:])
    frame = frame_person(size, detection, "upper_body", MODEL)
    joints = keypoints_to_frame(detection.keypoints, frame)
    assert frame.top < 0
    assert _joint(joints, "neck")[1] / MODEL[0] == pytest.approx(SHOULDER_Y, abs=0.05)
    assert torch.from_numpy(crop_to_frame(np.zeros((*size, 3), np.uint8), frame)).shape == (*MODEL, 3)
