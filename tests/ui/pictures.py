"""Pictures that visitors send: plain ones, and files that are no usable picture."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image


def coloured(red: int, green: int, blue: int, size: tuple[int, int] = (96, 72)) -> np.ndarray:
    """A plain picture with a gradient, (H,W,3) uint8."""
    pixels = np.empty((*size, 3), np.uint8)
    pixels[:] = (red, green, blue)
    pixels[:, :, 0] += np.arange(size[1], dtype=np.uint8)[None] // 2
    return pixels


def header_bomb() -> bytes:
    """A PNG of a few bytes whose header promises 30,000×30,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def truncated_jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(coloured(10, 60, 110, (400, 300))).save(file, "JPEG")
    return file.getvalue()[: len(file.getvalue()) // 3]


def tiny_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


BAD_FILES: dict[str, Callable[[], bytes]] = {
    "text.jpg": lambda: b"This is a letter, not a photo.\n" * 20,
    "empty.png": lambda: b"",
    "truncated.jpg": truncated_jpeg,
    "one-pixel.png": tiny_png,
    "bomb.png": header_bomb,
}
"""Name and content of files that are no usable picture."""
