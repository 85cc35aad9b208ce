"""A server on loopback that serves a folder like a release and like a hub, and misbehaves on request."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FileServer(ThreadingHTTPServer):
    """Serves ``/name`` from the folder, and ``/owner/repo/resolve/revision/name`` from ``owner/repo`` in it.

    ``faults`` holds, by file name, what goes wrong with its next requests: ``drop`` closes the connection
    after half of the promised bytes, ``truncate`` promises half and keeps that, ``stall`` sends half and then
    nothing more, a number is a status.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.faults: dict[str, list[str | int]] = defaultdict(list)
        self.over = threading.Event()
        self.seen: list[tuple[str, str, str | None]] = []
        """(method, file name, Range) of each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def requests(self, name: str) -> list[str | None]:
        """The ranges asked for in this file's downloads."""
        return [span for method, file, span in self.seen if method == "GET" and file == name]


class _Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        place = urlsplit(self.path).path.strip("/")
        head, marker, tail = place.partition("/resolve/")
        path = self.server.folder / (f"{head}/{tail.split('/', 1)[1]}" if marker else place)
        self.server.seen.append((self.command, path.name, self.headers.get("Range")))
        faults = self.server.faults[path.name]
        fault = faults.pop(0) if body and faults else None
        if isinstance(fault, int) or not path.is_file():
            self.send_response(fault if isinstance(fault, int) else 404)
            repository = (self.server.folder / head).is_dir()
            self.send_header("X-Error-Code", "EntryNotFound" if repository else "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            return
        size = path.stat().st_size
        etag = f'"{size}-{path.stat().st_mtime_ns}"'
        start = self._start(etag, size)
        length = (size - start) // 2 if fault == "truncate" else size - start
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Connection", "close")
        self.send_header("ETag", etag)
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self._send(path, start, length // 2 if fault in ("drop", "stall") else length)
            if fault == "stall":
                self.server.over.wait(60)

    def _send(self, path: Path, start: int, length: int) -> None:
        """In pieces, so that gigabytes do not count as the memory of the test."""
        with path.open("rb") as file:
            file.seek(start)
            while length and (piece := file.read(min(length, 1 << 20))):
                self.wfile.write(piece)
                length -= len(piece)

    def _start(self, etag: str, size: int) -> int:
        span = self.headers.get("Range", "")
        if not span or self.headers.get("If-Range", etag) != etag:
            return 0
        return min(int(span.removeprefix("bytes=").partition("-")[0]), size - 1)


@contextmanager
def serve(folder: Path) -> Iterator[FileServer]:
    """A server for the time of a ``with``."""
    server = FileServer(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
