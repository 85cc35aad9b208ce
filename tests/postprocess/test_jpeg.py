"""A result's JPEG: the picture, its settings and its mark, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ladi.postprocess.jpeg import save_jpeg
from ladi.postprocess.png import SOURCE_TYPE, read_settings

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
