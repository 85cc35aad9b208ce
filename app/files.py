"""The files that the page hands out: results with their settings, photos as they were read.

They lie in the folder of the uploads, where the same broom deletes them. Names are random, so that nobody
finds another's picture by guessing; nothing is written anywhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from ladi.postprocess.png import describe_png, save_png


def new_folder() -> Path:
    """A folder of its own for one answer."""
    folder = Path(get_upload_folder()) / f"made-{secrets.token_hex(16)}"
    folder.mkdir(parents=True)
    return folder


def write_result(pixels: np.ndarray, folder: Path, record: Mapping[str, Any]) -> Path:
    """A result as it is downloaded: the settings and the mark of a generated picture go with it.

    Args:
        pixels: (H,W,3) uint8.
        folder: from ``new_folder``.
        record: see ``ladi.settings.record``; its seed is in the name.
    """
    path = folder / f"ladi-vton-seed-{record['seed']}.png"
    save_png(pixels, path, describe_png(dict(record)))
    return path


def write_photo(pixels: np.ndarray, folder: Path, name: str = "photo") -> Path:
    """A photo as it was read, upright and without metadata, for the browser to show: a JPEG."""
    path = folder / f"{name}.jpg"
    Image.fromarray(pixels).save(path, quality=92)
    return path


def write_picture(pixels: np.ndarray, folder: Path, name: str) -> Path:
    """An explaining picture, as a PNG."""
    path = folder / f"{name}.png"
    Image.fromarray(pixels).save(path, compress_level=3)
    return path
