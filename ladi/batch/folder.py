"""Where a batch's pictures and manifest go: a folder of this machine, or any place that fsspec knows.

A file appears whole or not at all. What the files mean is known elsewhere.
"""

from __future__ import annotations

import posixpath
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from ladi.files import written_whole
from ladi.types import PairsError

PROTOCOL = "://"
"""What a place has in it that is no folder of this machine."""


def unwritable(place: Path | str, error: Exception) -> PairsError:
    """The error to raise where a folder cannot be written to."""
    why = (isinstance(error, OSError) and error.strerror) or str(error).partition("\n")[0]
    return PairsError(f"The folder {str(place)!r} cannot be written to ({why}): choose another.")


class Folder:
    """A folder of this machine."""

    shared = False
    """Whether other machines can write to it by the same name."""

    def __init__(self, place: Path) -> None:
        """Name it; nothing is made yet."""
        self.place = place

    def make(self) -> None:
        """Make it, unless it is there.

        Raises:
            PairsError: it cannot be made or written to.
        """
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.place):
                pass
        except OSError as error:
            raise unwritable(self.place, error) from error

    def holds(self, path: Path) -> bool:
        """Whether a file is in it."""
        return path.parent.resolve() == self.place.resolve() and path.exists()

    def named(self, name: str) -> Path | str:
        """Where a file of this name is."""
        return self.place / name

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.place / name).is_file()

    def read(self, name: str) -> str:
        """A text file; raises OSError."""
        return (self.place / name).read_text("utf-8")

    def write(self, name: str, content: bytes) -> None:
        """Write a file.

        Raises:
            PairsError: it cannot be written.
        """
        try:
            with written_whole(self.place / name) as draft:
                draft.write_bytes(content)
        except OSError as error:
            raise unwritable(self.place, error) from error


class SharedFolder(Folder):
    """A place that fsspec knows, such as ``s3://bucket/results``; written to from any machine."""

    shared = True

    def __init__(self, place: str) -> None:
        """Name it; nothing is opened yet."""
        self.address = place.rstrip("/")

    @cached_property
    def _files(self) -> tuple[Any, str]:
        """The file system, and the folder's path in it."""
        import fsspec

        try:
            files, path = fsspec.core.url_to_fs(self.address)
        except (ImportError, ValueError, OSError) as error:
            raise unwritable(self.address, error) from error
        return files, path

    def _path(self, name: str) -> str:
        return posixpath.join(self._files[1], name)

    def make(self) -> None:
        """As ``Folder.make``; that it can be written to is tried by the first manifest."""
        files, path = self._files
        try:
            files.makedirs(path, exist_ok=True)
        except OSError as error:
            raise unwritable(self.address, error) from error

    def holds(self, path: Path) -> bool:
        """Never: photos are files of this machine."""
        return False

    def named(self, name: str) -> Path | str:
        """As ``Folder.named``."""
        return f"{self.address}/{name}"

    def has(self, name: str) -> bool:
        """As ``Folder.has``."""
        return bool(self._files[0].isfile(self._path(name)))

    def read(self, name: str) -> str:
        """As ``Folder.read``."""
        return self._files[0].cat_file(self._path(name)).decode("utf-8")

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole: object stores show a file when all of it is there."""
        try:
            self._files[0].pipe_file(self._path(name), content)
        except OSError as error:
            raise unwritable(self.address, error) from error

    def __getstate__(self) -> dict[str, str]:
        """A worker opens its own connection."""
        return {"address": self.address}


def folder_of(place: Path | str | Folder) -> Folder:
    """The folder that somebody means."""
    if isinstance(place, Folder):
        return place
    return SharedFolder(str(place)) if PROTOCOL in str(place) else Folder(Path(place))
