"""The files that the page hands out: results with their settings, photos as they were read.

They lie in the folder of the uploads, where the same broom deletes them. Names are random, so that nobody
finds another's picture by guessing; nothing is written anywhere else. The folder has a limit as a whole: what
would go beyond it is refused before it is made.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from app import words
from ladi.batch.folder import Folder
from ladi.batch.manifest import MANIFEST, TABLE
from ladi.postprocess.jpeg import save_jpeg
from ladi.postprocess.png import describe_png, save_png
from ladi.preprocess.large import strips
from ladi.types import LadiError, PairsError, Photo

LOGGER = logging.getLogger(__name__)

DISK_LIMIT = "LADI_DISK_LIMIT"
"""The environment variable with the megabytes that all uploads and results together may take."""
DISK_MEGABYTES = 4096
SPARE_BYTES = 64 << 20
"""What is left free on the disk in any case."""


def check_room(more: int = 0) -> None:
    """Raises LadiError where so many bytes more would be too many for the folder, or for the disk."""
    folder = Path(get_upload_folder())
    if not folder.is_dir():
        return
    limit = int(os.environ.get(DISK_LIMIT) or DISK_MEGABYTES) << 20
    if used_bytes(folder) + more > limit or shutil.disk_usage(folder).free < more + SPARE_BYTES:
        raise LadiError(words.NO_ROOM)


def used_bytes(folder: Path) -> int:
    """The size of all files in a folder; of those that are deleted meanwhile, nothing."""
    used = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                used += os.lstat(os.path.join(place, name)).st_size
    return used


def new_folder() -> Path:
    """A folder of its own for one answer.

    Raises:
        LadiError: there is no room for it.
    """
    check_room()
    folder = Path(get_upload_folder()) / f"made-{secrets.token_hex(16)}"
    folder.mkdir(parents=True)
    return folder


class ResultFolder(Folder):
    """The folder of a batch's results, of which visitors are told nothing but that there is no room."""

    def make(self) -> None:
        """As ``Folder.make``."""
        with _without_path():
            super().make()

    def write(self, name: str, content: bytes) -> None:
        """As ``Folder.write``.

        Raises:
            LadiError: there is no room for it.
        """
        # What was made can be had even where nothing more has room: its list, which is small, is written.
        if name not in (MANIFEST, TABLE):
            check_room(len(content))
        with _without_path():
            super().write(name, content)


@contextmanager
def _without_path() -> Iterator[None]:
    """The sentence for the host, who may choose another folder, goes to the log; visitors get their own."""
    try:
        yield
    except PairsError as error:
        LOGGER.error("%s", error)
        raise PairsError(words.UNWRITABLE) from error


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


def write_jpeg(pixels: np.ndarray, folder: Path, record: Mapping[str, Any]) -> Path:
    """The same as a smaller file."""
    path = folder / f"ladi-vton-seed-{record['seed']}.jpg"
    save_jpeg(pixels, path, record)
    return path


def write_small(pixels: np.ndarray, folder: Path, name: str, side: int = 240) -> Path:
    """A small view of a picture, a JPEG."""
    small = Image.fromarray(pixels)
    small.thumbnail((side, side))
    path = folder / f"{name}.jpg"
    small.save(path, quality=85)
    return path


def write_photo(pixels: np.ndarray, folder: Path, name: str = "photo") -> Path:
    """A photo as it was read, upright and without metadata, for the browser to show: a JPEG."""
    path = folder / f"{name}.jpg"
    Image.fromarray(pixels).save(path, quality=92)
    return path


def write_turned(photo: Photo, folder: Path) -> Path:
    """A photo that takes the place of an upload, without loss: what is read from the file is the photo."""
    path = folder / "turned.png"
    pixels = photo.pixels if photo.alpha is None else before_white(photo.pixels, photo.alpha)
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def before_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(H,W,4) uint8 RGBA that gives ``pixels`` (H,W,3) again where it is put on white."""
    written = np.dstack([pixels, alpha])
    for rows in strips(*alpha.shape):
        share = np.maximum(alpha[rows], 1)[..., None].astype(np.float32) / 255
        straight = 255 - (255 - pixels[rows].astype(np.float32)) / share
        written[rows, :, :3] = np.rint(straight.clip(0, 255))
    return written


def write_picture(pixels: np.ndarray, folder: Path, name: str) -> Path:
    """An explaining picture, as a PNG."""
    path = folder / f"{name}.png"
    Image.fromarray(pixels).save(path, compress_level=3)
    return path
