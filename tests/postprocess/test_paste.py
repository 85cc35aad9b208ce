"""Painted pixels back into the photo, and nothing outside the mask touched."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage.registration import phase_cross_correlation

from ladi.postprocess.paste import paste_back
from ladi.preprocess.frame import crop_to_frame
from ladi.types import Frame, Photo, Size

MODEL = (256, 192)


def _noise(size: Size, seed: int = 0) -> np.ndarray:
    """A smooth random picture, so that resampling loses little of it."""
    small = np.random.default_rng(seed).integers(0, 256, (size[0] // 24, size[1] // 24, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((size[1], size[0]), Image.Resampling.BICUBIC))


FRAMES = [
    Frame(0, 0, 768, 1024, MODEL),
    Frame(101.3, 57.8, 480.6, 640.8, MODEL),
    Frame(-60.4, -80.2, 900, 1200, MODEL),
    Frame(300, 400, 96, 128, MODEL),
]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("feather", [0.0, 4.0])
def test_pixels_outside_the_mask_survive_bit_for_bit(frame: Frame, feather: float) -> None:
    """Prevents a face or hand from being touched by resampling, feathering or rounding."""
    photo = Photo(np.random.default_rng(0).integers(0, 256, (1024, 768, 3)).astype(np.uint8))
    mask = np.zeros(MODEL, bool)
    mask[60:200, 40:150] = True
    result = paste_back(photo, np.zeros((*MODEL, 3), np.uint8), mask, frame, feather=feather)
    # The mask's own place in the photo, found independently of the paste: pixel centres mapped to the model.
    y, x = (np.arange(n) + 0.5 for n in (1024, 768))
    rows = np.floor((y - frame.top) * frame.scale).astype(int)
    columns = np.floor((x - frame.left) * frame.scale).astype(int)
    inside = ((rows >= 60) & (rows < 200))[:, None] & ((columns >= 40) & (columns < 150))[None, :]
    assert np.array_equal(result[~inside], photo.pixels[~inside])
    changed = (result != photo.pixels).any(axis=2)
    assert changed.sum() > 0.85 * inside.sum()


@pytest.mark.parametrize("frame", FRAMES)
def test_pasting_the_unchanged_crop_back_shifts_nothing(frame: Frame) -> None:
    """Prevents half-pixel shifts between the two directions."""
    photo = Photo(_noise((1024, 768)))
    crop = crop_to_frame(photo.pixels, frame)
    result = paste_back(photo, crop, np.ones(MODEL, bool), frame, feather=0)
    difference = np.abs(result.astype(int) - photo.pixels)
    assert difference.mean() < 1.0
    part = np.s_[int(max(0, frame.top)) :, int(max(0, frame.left)) :]
    shift, _, _ = phase_cross_correlation(
        photo.pixels[part].mean(axis=2), result[part].mean(axis=2), upsample_factor=20
    )
    assert np.abs(shift).max() <= 0.05


def test_an_empty_mask_returns_the_photo() -> None:
    """Prevents a copy through resampling where there is nothing to paint."""
    photo = Photo(_noise((300, 200)))
    frame = Frame(0, 0, 200, 266, MODEL)
    result = paste_back(photo, np.zeros((*MODEL, 3), np.uint8), np.zeros(MODEL), frame)
    assert np.array_equal(result, photo.pixels) and result is not photo.pixels


def test_the_feather_lies_inside_the_mask_and_reaches_full_strength() -> None:
    """Prevents a ghost of the old garment from showing through all over, or a halo outside."""
    photo = Photo(np.zeros((256, 192, 3), np.uint8))
    mask = np.zeros(MODEL, bool)
    mask[50:200, 50:150] = True
    white = np.full((*MODEL, 3), 255, np.uint8)
    line = paste_back(photo, white, mask, Frame(0, 0, 192, 256, MODEL), feather=4)[125, :, 0].astype(int)
    assert line[49] == 0 and 0 < line[50] < 80 and line[54] == 255 and line[100] == 255 and line[150] == 0
    assert (np.diff(line[49:56]) >= 0).all()


def test_the_paint_fades_out_before_the_window_ends_inside_the_photo() -> None:
    """Prevents a straight seam where the frame ends and not the garment; the photo's border stays solid."""
    photo = Photo(np.zeros((512, 192, 3), np.uint8))
    white = np.full((*MODEL, 3), 255, np.uint8)
    result = paste_back(photo, white, np.ones(MODEL, bool), Frame(0, 0, 192, 256, MODEL), feather=8)
    column = result[:, 96, 0].astype(int)
    assert column[0] == 255 and column[240] == 255 and column[255] < 40 and column[256] == 0
    assert result[100, 0, 0] == 255 and result[100, 191, 0] == 255
