"""A result's JPEG: the picture, its settings and its mark, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.postprocess.jpeg import save_jpeg
from ladi.postprocess.png import COMMENT, SOURCE_TYPE, read_settings
from ladi.types import PhotoError

PIXELS = np.zeros((40, 30, 3), np.uint8)
PIXELS[:20] = (200, 90, 40)
TOLD = {
    "seed": 4294967295,
    "guidance": 2.5,
    "size": [256, 192],
    "emasc": False,
    "sampler": None,
    "model": "ü",
}


def test_settings_and_mark_are_in_the_file(tmp_path: Path) -> None:
    """Prevents a small file that has lost how it was made, or that a model made it."""
    path = tmp_path / "result.jpg"
    save_jpeg(PIXELS, path, TOLD)
    with Image.open(path) as image:
        assert image.format == "JPEG" and image.size == (30, 40) and not image.getexif()
        assert SOURCE_TYPE in image.info["xmp"].decode()
        assert np.abs(np.asarray(image).astype(int) - PIXELS).mean() < 2
    assert read_settings(path) == TOLD


@pytest.mark.parametrize("comment", [b"holiday 2019", b"", COMMENT + b"{broken", COMMENT + b"[1]"])
def test_other_jpegs_are_refused(tmp_path: Path, comment: bytes) -> None:
    """Prevents any photo's comment from being taken for settings."""
    path = tmp_path / "other.jpg"
    Image.fromarray(PIXELS).save(path, comment=comment)
    with pytest.raises(PhotoError, match="carries no settings|are damaged"):
        read_settings(path)


def test_a_comment_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Prevents a traceback for bytes that were never written by us."""
    path = tmp_path / "other.jpg"
    Image.fromarray(PIXELS).save(path, comment=COMMENT + b"\xff\xfe\x80")
    with pytest.raises(PhotoError, match="cannot be read|are damaged"):
        read_settings(path)
