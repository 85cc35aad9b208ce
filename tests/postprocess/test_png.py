"""What a result's file says of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ladi.postprocess.png import COMMENT, SOURCE_TYPE, describe_png, read_settings, save_png
from ladi.types import PhotoError

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def test_a_result_gives_its_settings_back_and_says_what_it_is(tmp_path: Path) -> None:
    """Prevents: a picture that nobody can make again, or that passes for a photograph."""
    path, settings = tmp_path / "result.png", {"seed": 7, "guidance": 1.5, "emasc": True}
    save_png(PIXELS, path, describe_png(settings))
    assert read_settings(path) == settings
    with Image.open(path) as image:
        assert SOURCE_TYPE in image.text["XML:com.adobe.xmp"]
        xml = ElementTree.fromstring(image.text["XML:com.adobe.xmp"])
        assert any(value == SOURCE_TYPE for node in xml.iter() for value in node.attrib.values())
        assert not image.getexif()
        np.testing.assert_array_equal(np.asarray(image), PIXELS)


def png(text: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        chunks = describe_png({})
        chunks.chunks = [(b"tEXt", b"ladi-vton\0" + text, False)]
        save_png(PIXELS, path, chunks)

    return write


def jpeg(comment: bytes) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(PIXELS).save(path, "JPEG", comment=comment)


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda path: save_png(PIXELS, path), "carries no settings"),
        (lambda path: path.write_text("not a picture"), "cannot be read"),
        (png(b"{"), "damaged"),
        (png(b"3"), "damaged"),
        (jpeg(b"holiday 2019"), "carries no settings"),
        (jpeg(b""), "carries no settings"),
        (jpeg(COMMENT + b"{broken"), "are damaged"),
        (jpeg(COMMENT + b"[1]"), "are damaged"),
        (jpeg(COMMENT + b"\xff\xfe\x80"), "cannot be read|are damaged"),
    ],
    ids=["photo", "text", "half", "number", "comment", "nothing", "half JPEG", "list", "bytes"],
)
def test_other_files_are_refused_in_words(
    write: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    """Prevents a traceback for another file given as a result, and any comment taken for settings."""
    write(tmp_path / "result")
    with pytest.raises(PhotoError, match=sentence):
        read_settings(tmp_path / "result")


def test_png_is_complete_and_carries_no_metadata(tmp_path: Path) -> None:
    """Prevents half-written results, leftovers, and a photo's GPS position in the output."""
    pixels = PIXELS
    for _ in range(2):
        save_png(pixels, tmp_path / "out.png")
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    with Image.open(tmp_path / "out.png") as image:
        assert image.format == "PNG" and image.info == {} and not image.getexif()
        assert np.array_equal(np.asarray(image), pixels)


def test_png_into_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    """Prevents a traceback for a mistyped --out."""
    with pytest.raises(PhotoError, match="“out.png” cannot be written"):
        save_png(PIXELS, tmp_path / "nowhere" / "out.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(PhotoError, match="cannot be written"):
        save_png(PIXELS, tmp_path / "folder.png")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]
