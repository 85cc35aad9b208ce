"""What becomes of visitors' pictures and of the names of their files."""

from __future__ import annotations

import io
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from app.serving.hosting import own_files
from app.serving.privacy import (
    PREFIX,
    PictureFolder,
    PrivateFormatter,
    configure_logging,
    remove_abandoned,
)
from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811

ROOT = Path(__file__).resolve().parents[2]


def break_off_an_upload(address: str, name: str) -> None:
    """Begin to send a file, and hang up."""
    host, port = address.removeprefix("http://").strip("/").split(":")
    head = f'--B\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    lines = ("POST /gradio_api/upload HTTP/1.1", "Host: x", "Content-Type: multipart/form-data; boundary=B")
    with socket.create_connection((host, int(port))) as connection:
        start = "\r\n".join([*lines, "Content-Length: 99999", "", ""]).encode()
        connection.sendall(start + head + b"x" * 5000)
        time.sleep(0.3)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {".in-use"}


def test_pictures_are_deleted_while_the_server_runs(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Prevents photos that outlive the promised minutes: uploads, also broken off ones, and results."""
    server = serve(keep_seconds=1.5)
    server.go.set()
    folder = server.pictures.path
    photo = tmp_path / "anna.png"
    Image.new("RGB", (30, 20), "red").save(photo)
    own = files_in(folder)
    client = Client(server.address, verbose=False, download_files=str(tmp_path / "downloads"))
    client.predict(handle_file(photo), api_name="/paint")
    break_off_an_upload(server.address, "broken.png")
    there = files_in(folder)
    assert {"anna.png", "image.png"} <= there and len(there - own) >= 3
    deadline = time.monotonic() + 15
    while files_in(folder) - own and time.monotonic() < deadline:
        time.sleep(0.1)
    assert files_in(folder) == own
    [example] = [path for path in own_files(server.page) if path.endswith("example.png")]
    assert httpx.get(f"{server.address}gradio_api/file={example}").status_code == 200
    client.predict(handle_file(photo), api_name="/paint")
    server.close()
    assert not folder.exists()


def test_a_used_file_is_kept_and_a_fresh_copy_of_an_old_one_too(tmp_path: Path) -> None:
    """Prevents deleting what somebody has just sent because the file was written long ago."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    pictures = PictureFolder(60)
    new = pictures.path / "a" / "new.png"
    new.parent.mkdir()
    new.write_bytes(b"x")
    os.utime(new, (1, 1))
    assert pictures.sweep() == 0 and new.exists()
    pictures._keep_seconds = -1
    assert pictures.sweep([str(new)]) == 0 and new.exists()
    assert pictures.sweep() == 1 and not new.parent.exists()
    pictures.close()
    pictures.close()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)
    patch.undo()


def test_what_a_killed_server_left_is_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents photos that stay for ever after a crash, and deleting those of a server that runs beside."""
    script = (
        "import os, sys; from app.serving.privacy import PictureFolder; folder = PictureFolder(60);"
        "open(folder.path / 'photo.png', 'w').close(); print(folder.path, flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        monkeypatch.setattr("app.serving.privacy.STARTING_SECONDS", -1)
        remove_abandoned(tmp_path)
        assert (folder / "photo.png").exists()
        other.kill()
    remove_abandoned(tmp_path)
    assert not folder.exists() and folder.name.startswith(PREFIX)


def test_no_file_name_reaches_the_log(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Prevents names of people, which files often have, from staying in a log after the photos are gone."""
    server = serve()
    name = "anna-smith.png"
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(PrivateFormatter(server.pictures.path))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        break_off_an_upload(server.address, name)
        log = logging.getLogger("app.tryon.handlers")
        log.warning("refused: %s", f"“{name}” is not a picture that can be read; give a JPEG.")
        try:
            (server.pictures.path / "0f" / name).read_bytes()
        except OSError:
            log.exception("a try-on failed")
        deadline = time.monotonic() + 5
        while "ClientDisconnect" not in told.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        root.removeHandler(handler)
    text = told.getvalue()
    assert "refused: … is not a picture that can be read" in text and "FileNotFoundError" in text
    assert "ClientDisconnect" in text  # the web server's own complaint takes the same way
    assert "anna" not in text and str(server.pictures.path) not in text


def test_no_file_name_goes_past_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents the same by way of what Gradio prints, of warnings, and of a thread that fails."""
    told = io.StringIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, told)
    configure_logging(tmp_path)
    configure_logging(tmp_path)  # a second time changes nothing
    name = str(tmp_path / "0f" / "anna-smith.png")

    def serve_somebody() -> None:
        warnings.warn(f"Failed to transpose image {name} based on EXIF data.", stacklevel=1)
        print(f"Error cleaning up file {name}")
        try:
            Path(name).read_bytes()
        except OSError:
            traceback.print_exc()
        raise KeyError(name)

    def show(message: Warning, category: type[Warning], file: str, line: int, *_: object) -> None:
        sys.stderr.write(warnings.formatwarning(message, category, file, line))  # as Python itself does

    # pytest has put its own in place of both.
    monkeypatch.setattr(warnings, "showwarning", show)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    visitor = threading.Thread(target=serve_somebody)
    visitor.start()
    visitor.join()
    print("There is no file “logins.txt”.", file=sys.stderr)
    text = told.getvalue()
    assert "transpose image" in text and "cleaning up" in text
    assert "FileNotFoundError" in text and "KeyError" in text
    assert "anna" not in text and "There is no file “logins.txt”." in text
