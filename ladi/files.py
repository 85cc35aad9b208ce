"""Where the project's own files lie, how files are written, and the endings of those that hold pictures.

In a checkout, models lie beside the package; where it was installed, they lie in the user's cache, and the
embedded model came along inside the package.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ladi.types import SettingError

_PACKAGE = Path(__file__).resolve().parent
ROOT = _PACKAGE.parent
"""Of a checkout."""
IN_CHECKOUT = (ROOT / "assets" / "mini").is_dir()
EMBEDDED_MODEL = (ROOT if IN_CHECKOUT else _PACKAGE) / "assets" / "mini"
"""The model that comes with the project."""
MODELS_FOLDER = (
    ROOT / "models" if IN_CHECKOUT else Path(os.environ.get("LADI_MODELS", "~/.cache/ladi-vton")).expanduser()
)
"""Where everything that is downloaded or converted goes."""

PICTURES = frozenset(
    ".jpg .jpeg .jfif .png .webp .bmp .gif .tif .tiff .heic .heif .avif".split()  # what read_photo can decode
)
"""Endings that make a file of a folder a picture; the file's content decides how it is read."""


def make_folder(place: Path, flag: str) -> None:
    """Make a folder, unless it is there, and see that it can be written to: before hours are spent.

    Args:
        place: the folder.
        flag: by which another is chosen.

    Raises:
        SettingError: it cannot be made or written to.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise SettingError(
            f"The folder {str(place)!r} cannot be written to ({error.strerror}): choose another {flag}."
        ) from error


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to; what was written takes the name when all went well.

    Names are drawn, so that two writers of one file never share a draft; the last one wins.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def folder_written_whole(folder: Path) -> Iterator[Path]:
    """A draft of a folder to write to; its files take their places when all went well.

    What stood in the folder under other names stays. A draft that a killed run left goes with the next one.
    """
    draft = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        yield draft
        if not folder.exists():
            draft.rename(folder)
            return
        for source in sorted(path for path in draft.rglob("*") if path.is_file()):
            target = folder / source.relative_to(draft)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with written_whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, content: Any) -> None:
    """Write a json file, whole or not at all."""
    write_text(path, as_json(content))


def as_json(content: Any) -> str:
    """The text of a json file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
