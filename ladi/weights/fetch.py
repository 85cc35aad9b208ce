"""One file over HTTP: resumed, retried, and whole before it gets its name.

While it comes it is called ``name.partial``, with what the server said of it in ``name.partial.json``. Only
a file that is complete, looks like a checkpoint and agrees with the recorded digest is renamed. Proxies are
taken from ``HTTP_PROXY`` and ``HTTPS_PROXY``. What the file holds is ``reading.py``'s business.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import time
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
from filelock import FileLock
from tqdm import tqdm

from ladi.files import make_folder
from ladi.types import ModelError
from ladi.weights.digests import verify

LOGGER = logging.getLogger(__name__)

PAUSES: tuple[float, ...] = (1, 2, 4, 8, 16)
"""Seconds to wait after each failure in a row; one more ends it."""
TIMEOUT = httpx2.Timeout(30.0)
ZIP, PICKLE = b"PK", b"\x80"
"""How files of ``torch.save`` begin: today's, and those before PyTorch 1.6."""


@dataclass(frozen=True)
class _Promise:
    """What a server said about the file that is coming."""

    url: str
    etag: str | None
    total: int | None


class _AbsentError(Exception):
    """This mirror does not have the file."""


class _BrokenOffError(Exception):
    """The connection ended early, or what came is not whole; worth another try."""


def fetch(name: str, mirrors: Sequence[str], folder: Path) -> Path:
    """Bring one file, unless it is there; a second process waits for the first.

    Args:
        name: of the file, in every mirror and in the folder.
        mirrors: URLs of folders, tried in order.
        folder: where it goes.

    Returns:
        The file, which agrees with the record of digests.

    Raises:
        ModelError: in one sentence; a file that was there is never replaced.
        SettingError: the folder cannot be written to.
    """
    make_folder(folder, "--dir")
    target = folder / name
    with FileLock(folder / f".{name}.lock"):
        if target.is_file():
            verify(target)
            return target
        complaints = []
        for mirror in mirrors:
            url = f"{mirror.rstrip('/')}/{name}"
            try:
                _bring(url, target)
                return target
            except _AbsentError as error:
                LOGGER.warning("%s: %s", url, error)
                complaints.append(f"{url} ({error})")
    raise ModelError(
        f"{name} could not be downloaded from {', '.join(complaints)}: give another place for it."
    )


def partial_of(target: Path) -> Path:
    """What a file is called while it comes."""
    return target.with_name(f"{target.name}.partial")


def _bring(url: str, target: Path) -> None:
    """Download, verify, rename."""
    partial, start = partial_of(target), time.monotonic()
    try:
        _download(url, partial)
        try:
            verify(partial, name=target.name, origin=url)
        except ModelError:
            _discard(partial)
            raise
        partial.replace(target)
        _promise_file(partial).unlink(missing_ok=True)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise ModelError(
                f"{target.name} cannot be written to {str(target.parent)!r} ({error}): choose another --dir."
            ) from error
        raise ModelError(
            f"The disk of {str(target.parent)!r} is full: free some space and run the command again; it goes "
            f"on where it stopped."
        ) from error
    LOGGER.info("%s: %.1f MB in %.0f s", target.name, target.stat().st_size / 1e6, time.monotonic() - start)


def _download(url: str, partial: Path) -> None:
    """Until the partial file is whole; failures in a row are counted anew whenever some of it came."""
    failures = 0
    with httpx2.Client(follow_redirects=True, timeout=TIMEOUT) as client:
        while True:
            before = _size(partial)
            try:
                _attempt(client, url, partial)
                _check_whole(partial)
                return
            except (_BrokenOffError, httpx2.TransportError) as error:
                failures = 1 if _size(partial) > before else failures + 1
                if failures > len(PAUSES):
                    raise ModelError(_given_up(url, error)) from error
                LOGGER.info("%s: %s; trying again", partial.stem, error)
                time.sleep(PAUSES[failures - 1])


def _given_up(url: str, error: Exception) -> str:
    """Why there is no further try."""
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
        return (
            f"{url} cannot be reached ({error}): check the network, or the proxy in HTTPS_PROXY, and run the "
            f"command again."
        )
    return f"{url} keeps breaking off ({error}): run the command again later; it goes on where it stopped."


def _attempt(client: httpx2.Client, url: str, partial: Path) -> None:
    """One request for what is still missing."""
    promise = _read_promise(partial, url)
    have = _size(partial) if promise else 0
    if promise and have and have == promise.total:
        return
    headers = {"Accept-Encoding": "identity"}
    if promise and have:
        headers["Range"] = f"bytes={have}-"
        if promise.etag:
            # Another file by now would be glued to half of the old one.
            headers["If-Range"] = promise.etag
    with client.stream("GET", url, headers=headers) as response:
        _check_status(response, partial)
        length = response.headers.get("Content-Length")
        if response.status_code == httpx2.codes.PARTIAL_CONTENT:
            total = _range_total(response, have)
            if promise is None or total != promise.total:
                _discard(partial)
                raise _BrokenOffError("the file on the server has changed")
        else:
            have, total = 0, int(length) if length else None
        etag = response.headers.get("ETag", "")
        strong = etag if etag.startswith('"') else None
        _promise_file(partial).write_text(json.dumps(asdict(_Promise(url, strong, total))))
        _write(response, partial, have, total)
    if total is not None and _size(partial) != total:
        raise _BrokenOffError(f"{_size(partial)} of {total} bytes came")


def _check_status(response: httpx2.Response, partial: Path) -> None:
    """Sort answers into fit for reading, worth another try, and not available here."""
    code = response.status_code
    if code == httpx2.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        _discard(partial)
        raise _BrokenOffError("the file on the server has changed")
    if code == httpx2.codes.TOO_MANY_REQUESTS or code >= httpx2.codes.INTERNAL_SERVER_ERROR:
        raise _BrokenOffError(f"the server answered {code}")
    if not response.is_success:
        raise _AbsentError(f"the server answered {code}")


def _range_total(response: httpx2.Response, have: int) -> int | None:
    """The whole file's size, from ``Content-Range: bytes 100-199/200``; none if another range came."""
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    return int(total) if span.startswith(f"{have}-") and total.isdecimal() else None


def _write(response: httpx2.Response, partial: Path, have: int, total: int | None) -> None:
    """Append to what is there, or start over; the bar is for people at a terminal only."""
    bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=partial.stem, disable=None)
    with partial.open("ab" if have else "wb") as file, bar:
        # As it comes: whatever waits for a chunk to fill up is lost when the connection breaks.
        for chunk in response.iter_raw():
            file.write(chunk)
            bar.update(len(chunk))
        file.flush()
        if file.seekable():
            os.fsync(file.fileno())


def _check_whole(partial: Path) -> None:
    """A server may promise too little: today's checkpoints are zip files, whose directory comes last."""
    with partial.open("rb") as file:
        start = file.read(2)
    if start == ZIP and zipfile.is_zipfile(partial) or start.startswith(PICKLE):
        return
    _discard(partial)
    if start != ZIP:
        raise _AbsentError("what it sends is no checkpoint")
    raise _BrokenOffError("the file came truncated")


def _promise_file(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_promise(partial: Path, url: str) -> _Promise | None:
    """What this URL's server said when the partial file was begun, if that is on record."""
    try:
        promise = _Promise(**json.loads(_promise_file(partial).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return promise if promise.url == url else None


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _promise_file(partial).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
