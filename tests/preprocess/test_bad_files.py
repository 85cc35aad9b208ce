"""What is no usable picture: one sentence each, whatever it is.

The layers above hand the sentence on; each has one bad file of its own to show that it does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import features

from ladi.preprocess.photo import read_photo
from ladi.types import PhotoError
from tests.bad_files import BAD_FILES, overwritten


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_sentence_without_its_folder(name: str, tmp_path: Path) -> None:
    """Prevents tracebacks, server paths in messages, and gigabytes that a header promises."""
    (tmp_path / name).write_bytes(BAD_FILES[name].content())
    with pytest.raises(PhotoError, match=BAD_FILES[name].sentence) as caught:
        read_photo(tmp_path / name)
    message = str(caught.value)
    assert f"“{name}”" in message and str(tmp_path) not in message
    assert message.endswith(".") and "\n" not in message


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "person.png")
    return folder / "person.png"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: str(folder / "gone.jpg"), "no file “gone.jpg”"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: "bad\0name.png", "cannot be opened"),
        (fifo, "“person.png” is no file but a pipe or a device"),
        (lambda folder: Path("/dev/zero"), "“zero” is no file but a pipe or a device"),
        (lambda folder: None, "got NoneType"),
        (lambda folder: np.zeros((20, 20, 3), np.float32), "uint8"),
        (lambda folder: np.zeros((20, 20, 2), np.uint8), "shape"),
    ],
    ids=["missing", "folder", "null byte", "pipe", "device", "nothing", "floats", "two channels"],
)
def test_what_is_no_file_or_array_is_refused_without_waiting(
    make: Callable[[Path], Any], sentence: str, tmp_path: Path
) -> None:
    """Prevents a traceback, and a command that hangs for ever on a named pipe."""
    with pytest.raises(PhotoError, match=sentence):
        read_photo(make(tmp_path))


def test_a_name_with_a_line_break_stays_in_one_line(tmp_path: Path) -> None:
    """Prevents a message, or a line of the log, that somebody's file has written."""
    path = tmp_path / "a\nERROR all is lost\x1b[2J.png"
    path.write_bytes(b"text")
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    assert str(caught.value).isprintable() and "ERROR all is lost" in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "DDS"])
def test_damaged_bytes_never_escape_as_another_error(kind: str) -> None:
    """Prevents one of Pillow's many exceptions from reaching the user: 40 files of each kind."""
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow cannot write AVIF")
    rng = np.random.default_rng(0)
    x, y = np.linspace(0, 255, 40)[None, :], np.linspace(0, 255, 24)[:, None]
    pixels = np.stack([x + 0 * y, y + 0 * x, 255 - (x + y) / 2], axis=-1).astype(np.uint8)
    for _ in range(40):
        try:
            assert read_photo(overwritten(kind, pixels, rng), max_pixels=10**6).pixels.ndim == 3
        except PhotoError as error:
            assert str(error).endswith(".")
