"""Names of files as people write them, and the files that they mean.

macOS writes an accent as a letter of its own, tables from Windows have backslashes and whichever capitals, a
quoted ``~`` is left as it is by the shell, and browsers copy addresses. What can be found is found; what
cannot is refused with the reason. Nothing is opened or downloaded.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from pathlib import Path

from ladi.types import PhotoError

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:/+")
"""Also with the one slash that ``Path`` leaves of two."""
_DRIVE = re.compile(r"[a-zA-Z]:[\\/]")


def find_file(name: str | Path, folder: Path | None = None, *, home: bool = True) -> Path:
    """The path of a file that somebody wrote the name of; as written where there is no such file.

    Args:
        name: as it was written.
        folder: what it is relative to; the working folder unless given.
        home: a leading ``~`` means its user's folder; not so in what strangers send.

    Raises:
        PhotoError: it is an address of the web, names a drive that this machine has not, or is a pipe or a
            device.
    """
    text, base = str(name), folder or Path()
    if _ADDRESS.match(text):
        raise PhotoError(f"“{text}” is an address, not a file: download the picture, and give its file.")
    plain = base / text
    if _is_there(plain):
        return _readable(plain)
    if _DRIVE.match(text):
        raise PhotoError(
            f"“{text}” names a Windows drive: give a path of this machine, such as photos/a.jpg."
        )
    slashed = text.replace("\\", "/")
    meant = base / (os.path.expanduser(slashed) if home else slashed)
    found = next((path for path in (meant, _respelled(meant)) if _is_there(path)), None)
    return plain if found is None else _readable(found)


def _readable(path: Path) -> Path:
    """The same path, unless whoever reads it would wait without end; raises PhotoError."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise PhotoError(
            f"“{path.name}” is no file but a pipe or a device: save what it gives to a file first."
        )
    return path


def spelled(name: str) -> str:
    """A name in the one spelling by which names are compared, with accents on their letters."""
    return unicodedata.normalize("NFC", name)


def loosely(name: str) -> str:
    """A name in the one spelling in which capitals do not count either, as on most people's disks."""
    return spelled(spelled(name).casefold())


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a character that no name has
        return False


def _respelled(path: Path) -> Path:
    """The path with each part spelled as the folder that it is in spells it."""
    parts = path.parts
    found = Path(parts[0]) if path.is_absolute() else Path()
    for part in parts[1:] if path.is_absolute() else parts:
        if not _is_there(found / part):
            try:
                names = [one.name for one in found.iterdir()]
            except OSError:
                return path
            alike = [name for name in names if spelled(name) == spelled(part)]
            but_capitals = [name for name in names if loosely(name) == loosely(part)]
            # Of two that differ in their capitals only, neither is known to be meant.
            part = next(iter(alike or (but_capitals if len(but_capitals) == 1 else [])), part)
        found = found / part
    return found
