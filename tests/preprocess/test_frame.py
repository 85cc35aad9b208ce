"""Fitting to the model's frame and back: in place to the pixel, and nothing outside the mask touched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ladi.preprocess.frame import (
    crop_to_frame,
    frame_person,
    keypoints_to_frame,
    to_pixels,
    to_tensor,
)
from ladi.types import KEYPOINT_NAMES, Category, Frame, PoseDetection, Size

MODEL = (256, 192)


def _person(photo_size: Size, box: tuple[int, int, int, int], *, legs: bool = True) -> PoseDetection:
    """A standing figure whose head's top, feet and arms fill ``box`` (left, top, right, bottom)."""
    left, top, right, bottom = box
    tall, wide, middle = bottom - top, right - left, (left + right) / 2
    places = {"nose": (0, 0.08), "neck": (0, 0.18), "shoulder": (0.32, 0.18), "elbow": (0.42, 0.34)}
    places |= {"wrist": (0.46, 0.48), "hip": (0.2, 0.5), "eye": (0.05, 0.07), "ear": (0.1, 0.08)}
    places |= {"knee": (0.2, 0.72), "ankle": (0.2, 0.95)} if legs else {}
    keypoints = np.zeros((18, 3), np.float32)
    for index, name in enumerate(KEYPOINT_NAMES):
        side = {"right": -1, "left": 1}.get(name.split("_")[0], 0)
        place = places.get(name.split("_")[-1])
        if place is not None:
            keypoints[index] = (middle + side * place[0] * wide, top + place[1] * tall, 1)
    silhouette = np.zeros(photo_size, np.float32)
    silhouette[top : top + int(0.16 * tall), int(middle - 0.15 * wide) : int(middle + 0.15 * wide)] = 1
    silhouette[top + int(0.16 * tall) : bottom, left:right] = 1
    outside = (keypoints[:, 1] >= photo_size[0]) | (keypoints[:, 0] >= photo_size[1])
    keypoints[outside] = 0
    return PoseDetection(keypoints, silhouette)


def _joint(keypoints: np.ndarray, name: str) -> np.ndarray:
    return keypoints[KEYPOINT_NAMES.index(name), :2]


def _noise(size: Size, seed: int = 0) -> np.ndarray:
    """A smooth random picture, so that resampling loses little of it."""
    small = np.random.default_rng(seed).integers(0, 256, (size[0] // 24, size[1] // 24, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((size[1], size[0]), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("photo_size", [(1600, 900), (1600, 1200), (1600, 2400)])
def test_a_whole_body_is_cropped_to_the_training_pictures_composition(photo_size: Size) -> None:
    """Prevents an upper-body model from being shown a whole body, whatever the photo's shape."""
    middle = photo_size[1] // 2
    detection = _person(photo_size, (middle - 200, 200, middle + 200, 1500))
    frame = frame_person(photo_size, detection, "upper_body", MODEL)
    joints = keypoints_to_frame(detection.keypoints, frame)
    assert frame.width / frame.height == pytest.approx(0.75)
    assert _joint(joints, "neck")[1] / MODEL[0] == pytest.approx(0.326, abs=0.06)
    assert _joint(joints, "left_hip")[1] / MODEL[0] == pytest.approx(0.78, abs=0.06)
    assert _joint(joints, "nose")[0] / MODEL[1] == pytest.approx(0.5, abs=0.03)
    assert 200 >= frame.top >= 0
    outline = crop_to_frame(detection.silhouette, frame)
    assert outline[0].max() < 0.5 and outline[:, 0].max() < 0.5 and outline[-1].max() > 0.5


def test_a_composed_photo_is_taken_whole() -> None:
    """Prevents shop pictures from losing pixels to a needless crop."""
    size = (1024, 768)
    detection = _person(size, (150, 20, 620, 1500), legs=False)
    assert frame_person(size, detection, "upper_body", MODEL) == Frame(0, 0, 768, 1024, MODEL)
    whole = frame_person(size, _person(size, (250, 40, 520, 990)), "dresses", MODEL)
    assert whole == Frame(0, 0, 768, 1024, MODEL)


@pytest.mark.parametrize("category", ["lower_body", "dresses"])
def test_skirts_and_dresses_get_the_whole_body(category: Category) -> None:
    """Prevents feet and hems from being cut off."""
    size = (900, 1600)
    detection = _person(size, (1000, 100, 1250, 860))
    frame = frame_person(size, detection, category, MODEL)
    outline = crop_to_frame(detection.silhouette, frame)
    rows = np.flatnonzero((outline > 0.5).any(axis=1))
    assert 2 <= rows[0] <= 20 and MODEL[0] - 20 <= rows[-1] <= MODEL[0] - 3
    assert frame.left <= 1000 and frame.left + frame.width >= 1250


def test_the_window_stays_in_the_photo_where_it_can() -> None:
    """Prevents invented border pixels beside people who stand at the edge of a large photo."""
    size = (1200, 1600)
    for left in (0, 1400):
        frame = frame_person(size, _person(size, (left, 100, left + 190, 900)), "upper_body", MODEL)
        assert frame.left >= 0 and frame.left + frame.width <= 1600
        assert frame.top >= 0 and frame.top + frame.height <= 1200


def test_a_raised_hand_does_not_shrink_the_person() -> None:
    """Prevents the crown from being looked for at the fingertips."""
    size = (1600, 1200)
    plain = _person(size, (400, 300, 800, 1500))
    raised = plain.silhouette.copy()
    raised[50:700, 760:800] = 1
    usual = frame_person(size, plain, "upper_body", MODEL)
    waving = frame_person(size, PoseDetection(plain.keypoints, raised), "upper_body", MODEL)
    assert waving.height < 1.1 * usual.height


def test_no_joint_at_all_still_gives_a_window() -> None:
    """Prevents a crash before the checks can say what is wrong."""
    empty = PoseDetection(np.zeros((18, 3), np.float32), np.zeros((300, 200), np.float32))
    for category in ("upper_body", "dresses"):
        frame = frame_person((300, 200), empty, category, MODEL)
        assert frame.height > 0 and frame.width / frame.height == pytest.approx(0.75)


def test_crop_repeats_the_edge_beyond_the_photo() -> None:
    """Prevents black borders, which the model would paint around."""
    pixels = np.full((80, 60, 3), 200, np.uint8)
    for frame in (
        Frame(-30, -40, 120, 160, MODEL),
        Frame(30, 40, 120, 160, MODEL),
        Frame(-9.5, 3.3, 60, 80, MODEL),
    ):
        assert np.unique(crop_to_frame(pixels, frame)).tolist() == [200]


def test_crop_keeps_the_kind_of_two_dimensional_arrays() -> None:
    """Prevents an outline from overshooting [0,1] or from coming back as bytes."""
    outline = np.zeros((400, 300), np.float32)
    outline[100:300, 100:200] = 1
    cropped = crop_to_frame(outline, Frame(10, 20, 240, 320, MODEL))
    assert cropped.dtype == np.float32 and cropped.shape == MODEL
    assert cropped.min() >= 0 and cropped.max() <= 1
    assert crop_to_frame(outline > 0, Frame(10, 20, 240, 320, MODEL)).dtype == np.float32
    assert crop_to_frame(outline.astype(np.uint8), Frame(10, 20, 240, 320, MODEL)).dtype == np.uint8


def test_crop_is_antialiased() -> None:
    """Prevents stripes from turning into moiré in a large photo."""
    stripes = np.zeros((2048, 1536, 3), np.uint8)
    stripes[:, ::2] = 255
    cropped = crop_to_frame(stripes, Frame(0, 0, 1536, 2048, MODEL))
    assert np.abs(cropped[:, 4:-4].astype(int) - 127).max() <= 2


def test_joints_land_where_their_pixels_do() -> None:
    """Prevents joints and picture from being shifted against each other, and joints outside from staying."""
    pixels = np.zeros((900, 800, 3), np.uint8)
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[0] = (300, 400, 0.9)
    keypoints[1] = (790, 890, 0.9)
    pixels[397:403, 297:303] = 255
    frame = Frame(111.3, 203.7, 480, 640, MODEL)
    joints = keypoints_to_frame(keypoints, frame)
    rows, columns = np.nonzero(crop_to_frame(pixels, frame)[:, :, 0] > 100)
    assert joints[0, 0] == pytest.approx(columns.mean() + 0.5, abs=0.6)
    assert joints[0, 1] == pytest.approx(rows.mean() + 0.5, abs=0.6)
    assert joints[0, 2] == pytest.approx(0.9)
    assert joints[1].tolist() == [0, 0, 0] and joints[2].tolist() == [0, 0, 0]


def test_pixels_and_tensors_are_exact_inverses() -> None:
    """Prevents off-by-one colours in pictures that only pass through."""
    pixels = np.arange(256 * 3, dtype=np.int64).reshape(16, 16, 3).astype(np.uint8)
    tensor = to_tensor(pixels)
    assert tensor.shape == (1, 3, 16, 16) and tensor.min() == -1 and tensor.max() == 1
    assert np.array_equal(to_pixels(tensor), pixels) and np.array_equal(to_pixels(tensor[0]), pixels)
    assert to_pixels(torch.full((3, 2, 2), 1.7)).max() == 255
    with pytest.raises(ValueError, match="batch of 2"):
        to_pixels(torch.zeros(2, 3, 4, 4))
