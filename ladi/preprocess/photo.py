"""Turn anything that holds a picture into one upright 8-bit sRGB array, or into one plain sentence.

It decodes files, bytes, Pillow pictures and arrays: orientation applied, metadata dropped, colour profiles
converted, transparency put on white. It does not look at what the picture shows, does not resize and does
not write files. A plain 8-bit sRGB file comes out bit for bit as Pillow decodes it.
"""

from __future__ import annotations

import io
import logging
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from ladi.naming import find_file
from ladi.preprocess.colours import split_alpha, to_srgb
from ladi.preprocess.large import strips
from ladi.types import Photo, PhotoError, in_one_line

LOGGER = logging.getLogger(__name__)

MAX_PIXELS = 50_000_000
WEBP_SHARE = 0.8
"""Of the pixels that are allowed: Pillow decodes WebP by way of three more copies with four channels."""
MAX_ASPECT = 8
"""Of the longer side to the shorter. No person and no garment is longer, and where a picture is padded to the
model's proportions, memory would grow with the square of the longer side."""
MIN_SIDE = 16
"""Pixels. Below this there is nothing to see, whatever the picture shows."""

# EPS would start Ghostscript on a stranger's file.
_REFUSED_FORMATS = frozenset({"EPS"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif"})
_BAD_DATA = (
    ArithmeticError,
    AssertionError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow's decoders raise on damaged data."""
Source = str | Path | bytes | Image.Image | np.ndarray


def read_photo(source: Source, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Decode a picture: upright, sRGB, 8 bits, without metadata; transparency is put on white.

    Args:
        source: A path, the bytes of a file, a Pillow picture, or a uint8 array (H,W), (H,W,1), (H,W,3) or
            (H,W,4) in RGB(A) order. It is never changed.
        max_pixels: Larger pictures are refused from their header, before anything is decoded.

    Returns:
        The photo; its ``notes`` say what was done beyond plain decoding.

    Raises:
        PhotoError: In one sentence, why this cannot be used as a picture.
    """
    if isinstance(source, np.ndarray):
        return _decode(_from_array(source), "The picture", max_pixels)
    if isinstance(source, Image.Image):
        return _decode(source, "The picture", max_pixels)
    file, name = _open(source)
    try:
        with file:
            _check_kind(file, name)
            with Image.open(file, formats=_formats()) as image:
                try:
                    return _decode(image, name, max_pixels, own=True)
                finally:
                    image.close()  # else its pixels stay until Python's collector comes by
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError(
            f"{name} is not a picture that can be read; give a JPEG, PNG, WebP or HEIC file."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(
            f"{name} is far too large; at most {max_pixels / 1e6:.0f} megapixels are allowed, so make it "
            "smaller first."
        ) from None
    except _BAD_DATA as error:
        raise _damaged(name, error) from None


def _open(source: str | Path | bytes) -> tuple[BinaryIO, str]:
    """The file, opened, and the name under which messages speak of it (never its folder)."""
    file: BinaryIO
    if isinstance(source, bytes):
        file, name, empty = io.BytesIO(source), "The picture", not source
    elif isinstance(source, str | Path):
        path = find_file(source)
        name = f"“{in_one_line(path.name or str(path))}”"
        try:
            file, empty = path.open("rb"), path.stat().st_size == 0
        except FileNotFoundError:
            raise PhotoError(f"There is no file {name}; check the path.") from None
        except IsADirectoryError:
            raise PhotoError(f"{name} is a folder; give the path of one picture in it.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "invalid path"
            raise PhotoError(
                f"{name} cannot be opened ({reason}); check the path and its permissions."
            ) from None
    else:
        raise PhotoError(
            f"A picture must be a path, bytes, a Pillow picture or an array, got {type(source).__name__}."
        )
    if empty:
        file.close()
        raise PhotoError(f"{name} is empty (0 bytes); save or upload it again.")
    return file, name


def _check_kind(file: BinaryIO, name: str) -> None:
    """Make HEIC readable where the file is one, or say what is missing."""
    data = file.read(12)
    file.seek(0)
    if data[4:8] != b"ftyp" or data[8:12] not in _HEIF_BRANDS:
        return
    try:
        import pillow_heif
    except ImportError:
        raise PhotoError(
            f"{name} is a HEIC picture and the library to read it is missing; run `pip install pillow-heif`, "
            "or save the picture as JPEG."
        ) from None
    pillow_heif.register_heif_opener()


def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.OPEN if name not in _REFUSED_FORMATS]


def _from_array(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8:
        raise PhotoError(f"An array must hold uint8 values 0–255, got {array.dtype}; convert it first.")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or array.size == 0:
        raise PhotoError(f"An array must have the shape (H,W), (H,W,3) or (H,W,4), got {array.shape}.")
    return Image.fromarray(np.ascontiguousarray(array))


def _decode(image: Image.Image, name: str, max_pixels: int, *, own: bool = False) -> Photo:
    """The photo of an opened picture; ``own`` says that nobody else has it."""
    width, height = image.size
    if image.format == "WEBP":
        max_pixels = int(WEBP_SHARE * max_pixels)
    if width * height > max_pixels:
        raise PhotoError(
            f"{name} has {width}×{height} pixels; at most {max_pixels / 1e6:.0f} megapixels are allowed, so "
            "make it smaller first."
        )
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"{name} has only {width}×{height} pixels; give one of at least {MIN_SIDE} pixels on each side, "
            "better 512."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(
            f"{name} has {width}×{height} pixels, which is too long and narrow; crop it to at most "
            f"{MAX_ASPECT} times as long as wide."
        )
    notes: list[str] = []
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append(
            f"The file holds {getattr(image, 'n_frames', 'several')} pictures; only the first frame is used."
        )
    try:
        image.load()
        image = _upright(image, notes, own=own)
        alpha, colour = split_alpha(image)
        colour = to_srgb(colour, image.info.get("icc_profile"), notes)
        if own and colour is not image:
            image.close()
        if alpha is not None:
            # In place, in what is a copy already: another canvas would be 200 MB for the largest pictures.
            colour.paste((255, 255, 255), mask=ImageChops.invert(alpha))
            notes.append("Transparent parts were put on white.")
    except _BAD_DATA as error:
        raise _damaged(name, error) from None
    return Photo(_to_array(colour), None if alpha is None else _to_array(alpha), tuple(notes))


def _to_array(image: Image.Image) -> np.ndarray:
    """(H,W,3) or (H,W) uint8; in strips, since numpy takes a Pillow picture by way of two more copies."""
    array = np.empty((image.height, image.width, 3)[: 3 if image.mode == "RGB" else 2], np.uint8)
    for rows in strips(image.height, image.width):
        array[rows] = np.asarray(image.crop((0, rows.start, image.width, rows.stop)))
    return array


def _upright(image: Image.Image, notes: list[str], *, own: bool) -> Image.Image:
    """The picture turned as its EXIF orientation says."""
    try:
        if not own:
            return ImageOps.exif_transpose(image)
        # In place: else there is a copy even of what needs no turning, 200 MB for the largest pictures.
        ImageOps.exif_transpose(image, in_place=True)
        return image
    except _BAD_DATA as error:
        LOGGER.info("EXIF ignored: %s", error)
        notes.append("The file's own note on which way up it is cannot be read; turn the picture if it lies.")
        return image


def _damaged(name: str, error: Exception) -> PhotoError:
    LOGGER.info("decoding failed: %s", error)
    return PhotoError(f"{name} is damaged or incomplete and cannot be read; save or upload it again.")
