"""Decoding: what people upload becomes one upright sRGB array, or one sentence."""

from __future__ import annotations

import gc
import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from ladi.preprocess.photo import read_photo
from ladi.types import PhotoError

SIZE = (40, 24)
"""Width and height of the test pictures; not square, so that a turned one shows."""


@pytest.fixture(scope="module")
def colours() -> np.ndarray:
    """(24,40,3) smooth, with four different corners."""
    x = np.linspace(0, 255, SIZE[0])[None, :]
    y = np.linspace(0, 255, SIZE[1])[:, None]
    return np.stack([x + 0 * y, y + 0 * x, 255 - (x + y) / 2], axis=-1).astype(np.uint8)


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _swapping_profile() -> bytes:
    """A valid RGB profile with the red and green primaries of sRGB exchanged, so that conversion shows."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(number(value) for value in values)

    text = b"swapped"
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" * 79,
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"gXYZ": xyz(0.4360, 0.2225, 0.0139),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    body, table, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += number(0.9642) + number(1.0) + number(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_plain_files_come_out_exactly_as_pillow_decodes_them(colours: np.ndarray, kind: str) -> None:
    """Prevents a needless conversion, which would break the promise about untouched pixels."""
    data = _bytes(Image.fromarray(colours), kind)
    photo = read_photo(data)
    assert np.array_equal(photo.pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert photo.alpha is None and photo.notes == () and photo.pixels.dtype == np.uint8


def test_an_srgb_profile_changes_nothing(colours: np.ndarray) -> None:
    """Prevents rounding by a colour engine asked to turn sRGB into sRGB: most phone pictures carry it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = read_photo(_bytes(Image.fromarray(colours), "PNG", icc_profile=profile))
    assert np.array_equal(photo.pixels, colours) and photo.notes == ()


def test_another_profile_is_converted_and_said(colours: np.ndarray) -> None:
    """Prevents wide-gamut pictures from coming out pale: here red must become green."""
    red = Image.new("RGB", SIZE, (255, 0, 0))
    photo = read_photo(_bytes(red, "PNG", icc_profile=_swapping_profile()))
    assert photo.pixels[0, 0, 1] > 240 and photo.pixels[0, 0, 0] < 60
    assert "swapped" in photo.notes[0]


def test_a_broken_profile_is_ignored_and_said(colours: np.ndarray) -> None:
    """Prevents a picture from being refused for its profile."""
    photo = read_photo(_bytes(Image.fromarray(colours), "PNG", icc_profile=b"nonsense" * 30))
    assert np.array_equal(photo.pixels, colours)
    assert "ignored" in photo.notes[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_every_orientation_ends_upright(colours: np.ndarray, orientation: int, kind: str) -> None:
    """Prevents sideways people: the stored picture is turned so that its EXIF tag undoes it."""
    transpose = Image.Transpose
    undo = {
        1: None,
        2: transpose.FLIP_LEFT_RIGHT,
        3: transpose.ROTATE_180,
        4: transpose.FLIP_TOP_BOTTOM,
        5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90,
        7: transpose.TRANSVERSE,
        8: transpose.ROTATE_270,
    }[orientation]
    stored = Image.fromarray(colours)
    stored = stored if undo is None else stored.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(_bytes(stored, kind, exif=exif.tobytes()))
    assert photo.size == colours.shape[:2]
    assert np.abs(photo.pixels.astype(int) - colours).mean() < 6


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is Linux's to tell"
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_picture_is_not_copied_more_often_than_needed(tmp_path: Path, orientation: int) -> None:
    """Prevents a transparent photo of 50 megapixels from taking 800 MB before it is looked at."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.linear_gradient("L").resize((3000, 4000)).convert("RGBA")
    stored.putalpha(254)
    stored.save(tmp_path / "large.png", compress_level=1, exif=exif)
    del stored
    gc.collect()
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    gc.disable()  # which comes by when it likes
    try:
        photo = read_photo(tmp_path / "large.png")
        pixels = photo.pixels.shape[0] * photo.pixels.shape[1]
        # As stored and without its alpha channel four bytes a pixel each; three and one are given back.
        assert _memory("VmHWM") - before < 12 * pixels
    finally:
        gc.enable()


def _memory(field: str) -> int:
    """A line of this process's status, in bytes."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field)]
    return int(line.split()[1]) << 10


def test_transparency_is_kept_beside_and_put_on_white() -> None:
    """Prevents transparent garments from turning black, and half-transparent edges from being lost."""
    pixels = np.zeros((20, 20, 4), dtype=np.uint8)
    pixels[:, :10] = (200, 0, 0, 255)
    pixels[:, 10:15] = (0, 0, 0, 128)
    photo = read_photo(_bytes(Image.fromarray(pixels), "PNG"))
    assert photo.pixels[0, [0, 12, 19]].tolist() == [[200, 0, 0], [127, 127, 127], [255, 255, 255]]
    assert photo.alpha is not None and photo.alpha[0, [0, 12, 19]].tolist() == [255, 128, 0]


def test_an_opaque_alpha_channel_is_no_transparency(colours: np.ndarray) -> None:
    """Prevents screenshots, which are RGBA throughout, from being taken for cut-out garments."""
    opaque = np.dstack([colours, np.full(colours.shape[:2], 255, dtype=np.uint8)])
    photo = read_photo(opaque)
    assert photo.alpha is None and np.array_equal(photo.pixels, colours)


def test_palette_with_transparency() -> None:
    """Prevents a GIF's transparent colour from showing as some palette entry."""
    image = Image.new("P", (20, 20), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 10, 20))
    photo = read_photo(_bytes(image, "GIF", transparency=0))
    assert photo.pixels[0, 0].tolist() == [200, 100, 50] and photo.pixels[0, 19].tolist() == [255, 255, 255]
    assert photo.alpha is not None and photo.alpha[0, 19] == 0


@pytest.mark.parametrize(
    ("array", "mode"),
    [
        (np.full((20, 20), 32896, np.uint16), "I;16"),
        (np.full((20, 20), 32896, np.int32), "I"),
        (np.full((20, 20), 128, np.int32), "I"),
        (np.full((20, 20), 128 / 255, np.float32), "F"),
        (np.full((20, 20), 128, np.float32), "F"),
        (np.full((20, 20), 32896, np.float32), "F"),
    ],
)
def test_deep_grey_keeps_its_brightness(array: np.ndarray, mode: str) -> None:
    """Prevents 16-bit scans from being clipped to white, as Pillow's plain conversion does."""
    image = Image.fromarray(array)
    assert image.mode == mode
    photo = read_photo(_bytes(image, "TIFF"))
    assert np.unique(photo.pixels).tolist() == [128] and photo.pixels.shape == (20, 20, 3)
    assert "8 bits" in " ".join(photo.notes) or "reduced to 8" in " ".join(photo.notes)


def test_values_that_are_no_numbers_do_not_spread() -> None:
    """Prevents one NaN of a floating-point picture from blackening all of it."""
    array = np.full((20, 20), 0.5, np.float32)
    array[0, 0] = np.nan
    pixels = read_photo(_bytes(Image.fromarray(array), "TIFF")).pixels
    assert pixels[0, 0, 0] == 0 and pixels[10, 10, 0] == 128


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "LAB", "RGBX"])
def test_every_mode_becomes_rgb(colours: np.ndarray, mode: str) -> None:
    """Prevents a crash on pictures that are not RGB inside."""
    if mode == "LAB":
        image = Image.merge("LAB", [Image.new("L", SIZE, value) for value in (150, 128, 128)])
    else:
        image = Image.fromarray(colours).convert(mode)
    photo = read_photo(image)
    assert photo.pixels.shape == colours.shape
    if mode in ("CMYK", "YCbCr", "HSV", "RGBX"):
        assert np.abs(photo.pixels.astype(int) - colours).mean() < 4


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_only_the_first_frame_of_an_animation_and_it_is_said(kind: str) -> None:
    """Prevents the last frame, or silence about the others."""
    frames = [Image.new("RGB", SIZE, colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    photo = read_photo(_bytes(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert photo.pixels[5, 5].tolist() == [255, 0, 0]
    assert "3 pictures" in photo.notes[0] and "first frame" in photo.notes[0]


def test_heic(colours: np.ndarray) -> None:
    """Prevents iPhone pictures from being refused although the library is there."""
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    buffer = io.BytesIO()
    heif.from_pillow(Image.fromarray(colours).resize((128, 64))).save(buffer, quality=90)
    photo = read_photo(buffer.getvalue())
    assert photo.size == (64, 128)


def test_heic_without_its_library_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents "not a picture" where a pip command would do."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotoError, match="pip install pillow-heif"):
        read_photo(b"\0\0\0\x18ftypheic" + b"\0" * 100)


def test_max_pixels(colours: np.ndarray) -> None:
    """Prevents the limit from being ignored for pictures that Pillow itself finds harmless."""
    data = _bytes(Image.fromarray(colours), "PNG")
    assert read_photo(data, max_pixels=960).size == (24, 40)
    with pytest.raises(PhotoError, match="40×24 pixels"):
        read_photo(data, max_pixels=959)


def test_arrays_and_pillow_pictures(colours: np.ndarray) -> None:
    """Prevents the page's arrays from being shared with the photo: a later change would reach into it."""
    array = colours.copy()
    photo = read_photo(array)
    array[:] = 0
    assert np.array_equal(photo.pixels, colours)
    assert np.array_equal(read_photo(Image.fromarray(colours)).pixels, colours)
    assert read_photo(colours[:, :, 0]).pixels.shape == colours.shape
    assert read_photo(colours[:, :, :1]).pixels.shape == colours.shape
