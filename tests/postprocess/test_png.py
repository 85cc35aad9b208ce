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
