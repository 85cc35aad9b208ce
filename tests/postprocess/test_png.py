"""What a result's file says of itself."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from ladi.postprocess.png import SOURCE_TYPE, describe_png, read_settings, save_png
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


def test_other_files_are_refused_in_words(tmp_path: Path) -> None:
    """Prevents: a traceback for a photo, a text file or a damaged record given as a result."""
    plain = tmp_path / "plain.png"
    save_png(PIXELS, plain)
    with pytest.raises(PhotoError, match="carries no settings"):
        read_settings(plain)
    words = tmp_path / "words.png"
    words.write_text("not a picture")
    with pytest.raises(PhotoError, match="cannot be read"):
        read_settings(words)
    for text in ("{", "3"):
        chunks = describe_png({})
        chunks.chunks = [(b"tEXt", b"ladi-vton\0" + text.encode(), False)]
        save_png(PIXELS, plain, chunks)
        with pytest.raises(PhotoError, match="damaged"):
            read_settings(plain)


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
