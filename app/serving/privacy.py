"""Visitors' pictures lie in one folder, for minutes; and the log says nothing of them but sizes and times.

Gradio's own deletion forgets what was there before a restart and what an interrupted upload leaves behind,
and ends at the first file that it cannot delete. This one goes by what lies in the folder.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock, Timeout

LOGGER = logging.getLogger(__name__)

PREFIX = "ladi-vton-page-"
LOCK = ".in-use"
STARTING_SECONDS = 10
NOISY = ("httpx", "httpx2", "absl")


class PictureFolder:
    """The folder that uploads and results lie in, swept all the time, gone at the end.

    It must be made before the page is built, because Gradio's components look up then where it is.
    """

    def __init__(self, keep_seconds: float) -> None:
        """Make the folder, tell Gradio of it, and remove those that were left by servers that were killed.

        Args:
            keep_seconds: how old a file may get; one that is used again starts anew.
        """
        self._parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
        self._parent.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent)).resolve()
        self._before = os.environ.get("GRADIO_TEMP_DIR")
        os.environ["GRADIO_TEMP_DIR"] = str(self.path)
        self._lock = FileLock(self.path / LOCK)
        self._lock.acquire()
        remove_abandoned(self._parent)
        self._keep_seconds = keep_seconds
        self._stop = threading.Event()

    def start(
        self,
        kept: Callable[[], Iterable[str]] = tuple,
        forget: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        """Sweep in the background until ``close``.

        Args:
            kept: names the files that are the page's own, such as its examples.
            forget: called at each sweep with the seconds that a file is kept, for what else is left behind.
        """
        threading.Thread(target=self._sweep_on, args=(kept, forget), name="sweep", daemon=True).start()

    def _sweep_on(self, kept: Callable[[], Iterable[str]], forget: Callable[[float], object]) -> None:
        while not self._stop.wait(min(60.0, self._keep_seconds / 4)):
            self.sweep(kept())
            forget(self._keep_seconds)
            remove_abandoned(self._parent)

    def sweep(self, kept: Iterable[str] = ()) -> int:
        """Delete what has been there for too long; how many files that were.

        Args:
            kept: the paths of files to spare.
        """
        spared = {self.path / LOCK, *(Path(name) for name in kept)}
        deadline = time.time() - self._keep_seconds
        deleted = 0
        for folder, _, names in os.walk(self.path, topdown=False):
            for name in names:
                path = Path(folder, name)
                if path not in spared and _older(path, deadline):
                    deleted += _delete(path)
            if Path(folder) != self.path and _older(Path(folder), deadline):
                with suppress(OSError):  # not empty: what is in it will go first
                    os.rmdir(folder)
        return deleted

    def close(self) -> None:
        """Delete all, and give Gradio its folder back; may be called again."""
        self._stop.set()
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)
        if os.environ.get("GRADIO_TEMP_DIR") == str(self.path):
            if self._before is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = self._before


def _older(path: Path, deadline: float) -> bool:
    """Whether a file has been where it is since before a moment; no for one that is gone."""
    with suppress(FileNotFoundError):
        status = path.lstat()
        # A copy has its original's time of writing; when it came here is its time of change.
        return max(status.st_mtime, status.st_ctime) < deadline
    return False


def _delete(path: Path) -> bool:
    """Delete a file; a failure goes to the log and is tried again at the next sweep."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        LOGGER.error("a visitor's file cannot be deleted (%s)", error.strerror)
        return False
    return True


def remove_abandoned(parent: Path) -> None:
    """Delete the folders of servers that are not running any more."""
    for folder in parent.glob(f"{PREFIX}*"):
        # One that is being made has no lock yet.
        if not _older(folder, time.time() - STARTING_SECONDS):
            continue
        try:
            with FileLock(folder / LOCK, timeout=0):
                pass
        except (Timeout, OSError):  # in use, or somebody else's
            continue
        shutil.rmtree(folder, ignore_errors=True)


ENDINGS = "jpe?g|jfif|png|webp|bmp|gif|tiff?|hei[cf]|avif|zip|csv|tsv"
PRIVATE = (
    r"“[^”]*”",  # what our sentences quote
    r"data:[\w/+.;=-]*,[^\s'\"]*",  # a picture in an address
    r"[A-Za-z0-9+/=_-]{100,}",  # a picture in letters
    r"(?<=input_value=).*(?=, input_type=)",  # what a check of types quotes
    rf"'[^'\n]*\.(?:{ENDINGS})[^'\n]*'",
    rf'"[^"\n]*\.(?:{ENDINGS})[^"\n]*"',
    rf"/[^'\"\n]*\.(?:{ENDINGS})\b",  # a path, also one with spaces
    rf"[^\s'\"]*\.(?:{ENDINGS})\b",
)
"""What visitors' pictures and their names look like in a line of the log."""


class PrivateFormatter(logging.Formatter):
    """Leaves visitors' pictures and their names out of the log, wherever they stand, also in tracebacks."""

    def __init__(self, folder: Path | None = None) -> None:
        """Remember which folder visitors' files lie in; else what is private is told by its looks."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        folders = [] if folder is None else [re.escape(str(folder)) + r"[^'\"\n]*"]
        self._private = re.compile("|".join([*folders, *PRIVATE]), re.IGNORECASE)

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines, with … for what is private."""
        return self.hide(super().format(record))

    def hide(self, text: str) -> str:
        """A text with … for what is private."""
        return self._private.sub("…", text)


class PrivateStream:
    """A stream to which threads that serve visitors can write nothing private either.

    Past the log go tracebacks that Gradio prints, warnings, and what ends a thread. The main thread serves
    nobody: what it prints, such as the name of a missing file with logins, is for the host.
    """

    def __init__(self, stream: TextIO, formatter: PrivateFormatter) -> None:
        """Stand before a stream."""
        self._stream, self._formatter = stream, formatter

    def write(self, text: str) -> int:
        """Write a text, in another thread than the main one with … for what is private."""
        own = threading.current_thread() is threading.main_thread()
        self._stream.write(text if own else self._formatter.hide(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Whatever else the stream has."""
        return getattr(self._stream, name)


def configure_logging(folder: Path | None = None) -> None:
    """Set up the log of the server, on stderr, unless there is one already, and guard what goes past it.

    Args:
        folder: where visitors' files lie.
    """
    formatter = PrivateFormatter(folder)
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), PrivateStream):
            setattr(sys, name, PrivateStream(getattr(sys, name), formatter))
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def take_over_uvicorn() -> None:
    """Let the web server, which sets up a log of its own when it starts, write to ours, errors only."""
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
