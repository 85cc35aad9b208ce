"""Very large, and very long, pictures: refused in a sentence, or worked on in bounded memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ladi.postprocess.paste import paste_back
from ladi.preprocess import large
from ladi.preprocess.cleaner import CutOut
from ladi.preprocess.frame import crop_to_frame
from ladi.preprocess.garment import fine_factor, fit_cut_out
from ladi.preprocess.large import in_photo, in_smaller_photo, shrink, shrink_factor, shrink_photo
from ladi.preprocess.matting import whole_picture
from ladi.preprocess.photo import MAX_ASPECT, read_photo
from ladi.settings import RESULT_PIXELS, check_result_pixels
from ladi.types import Frame, PersonParts, Photo, PhotoError, SettingError, Size

MODEL: Size = (256, 192)
MEGABYTE = 1 << 20


def peak_megabytes(work: Callable[[], object]) -> float:
    """What numpy and Python allocate at most meanwhile (Pillow's own pictures are not counted)."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


def test_webp_may_be_a_little_smaller() -> None:
    """Prevents 1,046 MB for the largest picture of the one format that is decoded by way of more copies."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 24)).save(buffer, "WEBP")
    assert read_photo(buffer.getvalue(), max_pixels=1200).size == (24, 40)
    with pytest.raises(PhotoError, match="40×24 pixels; at most"):
        read_photo(buffer.getvalue(), max_pixels=1199)


def test_what_is_just_narrow_enough_is_read() -> None:
    """Prevents scarves and trousers from being refused."""
    assert read_photo(np.zeros((20 * MAX_ASPECT, 20, 3), np.uint8)).size == (20 * MAX_ASPECT, 20)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "I;16"])
def test_strips_change_no_pixel(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a seam, or a brightness of its own, in each strip of a large picture."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (50, 40, 4), np.uint8)
    image = {
        "RGB": Image.fromarray(pixels[..., :3].copy()),
        "RGBA": Image.fromarray(pixels),
        "L": Image.fromarray(pixels[..., 0].copy()),
        "I;16": Image.fromarray(rng.integers(0, 65536, (50, 40)).astype(np.uint16)),
    }[mode]
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    whole = read_photo(buffer.getvalue())
    monkeypatch.setattr(large, "STRIP_PIXELS", 7 * 40)
    striped = read_photo(buffer.getvalue())
    assert np.array_equal(whole.pixels, striped.pixels)
    assert (whole.alpha is None) == (striped.alpha is None)
    assert whole.alpha is None or np.array_equal(whole.alpha, striped.alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_a_smaller_copy_has_the_means_of_its_blocks(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents coordinates that drift between a photo and its copy."""
    monkeypatch.setattr(large, "STRIP_PIXELS", 30)
    array = (
        (np.random.default_rng(1).random((18, 12)) * (200 if dtype is np.uint8 else 1)).round().astype(dtype)
    )
    small = shrink(array, 3)
    means = array.reshape(6, 3, 4, 3).astype(np.float64).mean((1, 3))
    assert small.shape == (6, 4) and np.abs(small - means).max() <= (0.56 if dtype is np.uint8 else 1e-6)
    assert shrink(array[:17, :11], 3).shape == (6, 4)


def test_usual_photos_are_not_made_smaller() -> None:
    """Prevents a phone's photo from losing detail, and the largest from being worked on as it is."""
    phone = Photo(np.zeros((4032, 3024, 3), np.uint8))
    assert shrink_photo(phone) == (phone, 1)
    small, factor = shrink_photo(Photo(np.zeros((7000, 7000, 3), np.uint8), np.zeros((7000, 7000), np.uint8)))
    assert factor == 2 == shrink_factor(49e6)
    assert small.size == (3500, 3500) and small.alpha is not None and small.alpha.shape == (3500, 3500)


def test_a_crop_beyond_a_long_picture_needs_little_memory() -> None:
    """Prevents padding before shrinking, by the square of the long side."""
    pixels = np.full((16_000, 2000, 3), 90, np.uint8)
    frame = whole_picture((16_000, 2000), MODEL)
    used = peak_megabytes(lambda: crop_to_frame(pixels, frame))
    assert used < 150
    assert crop_to_frame(pixels, frame).shape == (*MODEL, 3)


def test_a_long_garments_window_needs_little_memory() -> None:
    """Prevents the same where a garment's picture is laid on a background: what is beyond is that colour."""
    pixels = np.full((11_200, 1400, 3), 90, np.uint8)
    cut_out = CutOut(np.ones((11_200, 1400), np.float32), "kept")
    made = []
    used = peak_megabytes(
        lambda: made.append(
            fit_cut_out(Photo(pixels), cut_out, size=MODEL, category="upper_body", reframe=False)
        )
    )
    assert used < 450
    matte = made[0].matte[0, 0].numpy()
    assert matte[:, :78].max() == 0 and matte[128, 96] == pytest.approx(1)


def test_a_fine_picture_has_a_largest_size() -> None:
    """Prevents 50 megapixels of floats for the garment of a large painted size."""
    assert [fine_factor((6000, 6000), (tall, tall * 3 // 4)) for tall in (256, 512, 1024)] == [4, 4, 2]


def test_pasting_in_strips_changes_no_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents seams in large results."""
    rng = np.random.default_rng(2)
    photo = Photo(rng.integers(0, 256, (300, 260, 3), np.uint8))
    generated = rng.integers(0, 256, (64, 48, 3), np.uint8)
    mask = np.zeros((64, 48), bool)
    mask[9:60, 5:40] = True
    frame = Frame(12.3, -7.7, 210.0, 280.0, (64, 48))
    whole = paste_back(photo, generated, mask, frame)
    monkeypatch.setattr(large, "STRIP_PIXELS", 17 * 100)
    striped = paste_back(photo, generated, mask, frame)
    assert np.abs(whole.astype(int) - striped).max() <= 1 and (whole != striped).mean() < 1e-3


def test_pasting_into_the_largest_photo_needs_little_more_than_the_result() -> None:
    """Prevents 200 MB of weights, three times, for a photo of 50 megapixels."""
    photo = Photo(np.zeros((8000, 6000, 3), np.uint8))
    generated, mask = np.full((256, 192, 3), 200, np.uint8), np.ones((256, 192), bool)
    frame = Frame(0, 0, 6000, 8000, (256, 192))
    assert peak_megabytes(lambda: paste_back(photo, generated, mask, frame)) < 137 + 100


def parts(photo: Photo) -> PersonParts:
    nothing = torch.zeros(1, 1, *MODEL)
    frame = Frame(3, 4, photo.size[1] / 2, photo.size[1] / 2 * 4 / 3, MODEL)
    joints = np.zeros((18, 3), np.float32)
    return PersonParts(photo, frame, nothing, nothing, nothing, joints, np.zeros(MODEL, np.uint8))


def test_a_person_found_in_a_copy_is_in_the_same_place_of_the_photo() -> None:
    """Prevents pasting into a corner, at half the size."""
    small = parts(Photo(np.zeros((40, 30, 3), np.uint8)))
    photo = Photo(np.zeros((80, 60, 3), np.uint8))
    found = in_photo(small, photo, 2)
    assert found.photo is photo and found.frame == Frame(6, 8, 30, 40, MODEL)
    assert in_photo(small, photo, 1) is small
    back = in_smaller_photo(replace(found, photo=photo), 40 * 30)
    assert back.frame == small.frame and back.photo.size == (40, 30)


def test_many_pictures_of_a_very_large_photo_are_refused_first() -> None:
    """Prevents gigabytes of finished pictures, and a refusal after minutes of painting."""
    check_result_pixels(8, (4000, 3000))
    with pytest.raises(
        SettingError, match="pictures must be at most 2 for a photo of 6000×8000 pixels, got 3"
    ):
        check_result_pixels(3, (8000, 6000))
    assert RESULT_PIXELS >= 50_000_000
