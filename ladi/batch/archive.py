"""Zip files: strangers' ones unpacked within limits, and results packed for download.

Nothing is written outside the folder that is given for it, and size and number of the files are limited,
whatever an archive says of itself. What the files mean is ``pairs.py``'s.
"""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ladi.files import written_whole
from ladi.types import PairsError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much one batch may be."""

    rows: int = 20_000
    members: int = 50_000
    """Files in a zip."""
    unpacked: int = 16 << 30
    """Bytes of all its files together."""


PUBLIC = Limits(rows=100, members=250, unpacked=512 << 20)
"""For archives that visitors of a page send."""


def unpack(archive: Path, folder: Path, limits: Limits) -> None:
    """Unpack a zip file, except for hidden files and whatever else is not a plain file.

    Args:
        archive: perhaps a stranger's.
        folder: an empty folder; nothing is written elsewhere.
        limits: as the archive declares, before anything is written, and as they are counted while unpacking.

    Raises:
        PairsError: in one sentence, why not.
    """
    left = limits.unpacked
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = zipped.infolist()
            if sum(member.file_size for member in members) > limits.unpacked:
                raise _TooMuch
            if len(members) > limits.members:
                raise PairsError(
                    f"“{archive.name}” holds {len(members)} files: at most {limits.members}, so send them in "
                    "parts."
                )
            for member in members:
                inner = PurePosixPath(member.filename.replace("\\", "/"))
                if inner.is_absolute() or ".." in inner.parts or ":" in inner.as_posix():
                    raise PairsError(f"“{archive.name}” names files outside itself: make the zip file again.")
                if member.is_dir() or not all(wanted(part) for part in inner.parts):
                    continue
                target = folder.joinpath(*inner.parts)
                if target.is_file():
                    raise PairsError(
                        f"“{archive.name}” holds two files called “{inner}”: rename one, and make the zip "
                        "file again."
                    )
                target.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(member) as source, target.open("xb") as file:
                    left -= _copy(source, file, left)
    except _TooMuch:
        megabytes = limits.unpacked >> 20
        raise PairsError(
            f"“{archive.name}” is too large: at most {megabytes} MB unpacked, so send it in parts."
        ) from None
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise PairsError(
            f"“{archive.name}” is damaged or protected by a password: make the zip file again."
        ) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise PairsError(
            f"“{archive.name}” holds a file and a folder of one name: rename one, and make the zip file "
            "again."
        ) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise PairsError(
                f"“{archive.name}” holds a file whose name is too long: shorten it, and make the zip file "
                "again."
            ) from error
        raise PairsError(f"“{archive.name}” cannot be unpacked ({error.strerror}).") from error


def declared_bytes(archive: Path) -> int:
    """What a zip file says that its files take unpacked; 0 for what is no zip file."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            return sum(member.file_size for member in zipped.infolist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return 0


class _TooMuch(Exception):
    """More bytes than are allowed."""


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """Copy at most so many bytes; the number copied."""
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > most:
            raise _TooMuch
        target.write(chunk)
    return copied


def wanted(name: str) -> bool:
    """Whether a file or folder is more than what operating systems leave behind."""
    return not name.startswith((".", "__MACOSX")) and name not in ("Thumbs.db", "desktop.ini")


def pack(files: Iterable[Path], archive: Path) -> Path:
    """Put files, by their names alone, into a zip file; it appears whole or not at all.

    Pictures are stored as they are: they are compressed already.

    Raises:
        PairsError: it cannot be written.
    """
    try:
        with written_whole(archive) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as zipped:
            for path in files:
                zipped.write(path, path.name)
    except OSError as error:
        raise PairsError(
            f"“{archive.name}” cannot be written ({error.strerror}); check its folder."
        ) from error
    return archive
