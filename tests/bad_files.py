"""Files that are no usable picture, and what is said of each: one table for all tests."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image


class BadFile(NamedTuple):
    """What somebody gives for a picture."""

    content: Callable[[], bytes]
    sentence: str
    """A pattern of what is said."""


def _encoded(kind: str, size: tuple[int, int] = (400, 300)) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, kind)
    return file.getvalue()


def _cut(kind: str, share: float) -> Callable[[], bytes]:
    return lambda: _encoded(kind)[: int(share * len(_encoded(kind)))]


def _header_bomb() -> bytes:
    """A PNG of a few bytes whose header promises 30,000×30,000 pixels, 2.7 GB."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _header(height: int, width: int) -> Callable[[], bytes]:
    """Nothing but the promise of so many pixels."""
    return lambda: b"P6 %d %d 255\n" % (width, height)


BAD_FILES = {
    "text.jpg": BadFile(lambda: b"This is a letter, not a photo.\n" * 20, "not a picture"),
    "empty.png": BadFile(lambda: b"", r"is empty \(0 bytes\)"),
    "truncated.jpg": BadFile(_cut("JPEG", 0.4), "damaged or incomplete"),
    "truncated.png": BadFile(_cut("PNG", 0.5), "damaged or incomplete"),
    "head.jpg": BadFile(lambda: _encoded("JPEG")[:10], "not a picture|damaged"),
    "one-pixel.png": BadFile(lambda: _encoded("PNG", (1, 1)), "only 1×1 pixels"),
    "bomb.png": BadFile(_header_bomb, "at most 50 megapixels"),
    "strip.ppm": BadFile(_header(3_000_000, 16), "16×3000000 pixels, which is too long .* at most 8 times"),
    "ribbon.ppm": BadFile(_header(16, 3_000_000), "3000000×16 pixels, which is too long .* at most 8 times"),
    "scarf.ppm": BadFile(_header(20_000, 512), "512×20000 pixels, which is too long .* at most 8 times"),
    "belt.ppm": BadFile(_header(100, 801), "801×100 pixels, which is too long .* at most 8 times"),
    "drawing.eps": BadFile(lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n", "not a picture"),
    "page.svg": BadFile(lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
}


def overwritten(kind: str, pixels: np.ndarray, rng: np.random.Generator) -> bytes:
    """A file of this kind with six of its bytes changed."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    damaged = np.frombuffer(file.getvalue(), np.uint8).copy()
    damaged[rng.integers(0, damaged.size, 6)] = rng.integers(0, 256, 6)
    return damaged.tobytes()
