"""Small shards of drawn people and garments, in the layout of the real ones."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 192, 256


def _encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def drawn_sample(number: int) -> dict[str, bytes]:
    """One pair as the files of a shard: a figure of rectangles wearing the garment's colour."""
    rng = np.random.default_rng(number)
    colour = tuple(int(value) for value in rng.integers(30, 220, 3))
    person, labels = Image.new("RGB", (WIDTH, HEIGHT), "white"), Image.new("L", (WIDTH, HEIGHT), 0)
    garment = Image.new("RGB", (WIDTH, HEIGHT), (246, 246, 246))
    mask = Image.new("1", (WIDTH, HEIGHT), 0)
    shapes = [
        ((76, 20, 116, 40), (60, 40, 20), 2),
        ((80, 30, 112, 68), (220, 180, 160), 13),
        ((60, 75, 132, 180), colour, 5),
        ((40, 80, 60, 190), (220, 180, 160), 15),
        ((132, 80, 152, 190), (220, 180, 160), 14),
        ((60, 180, 132, 256), (40, 40, 90), 9),
    ]
    for box, fill, label in shapes:
        ImageDraw.Draw(person).rectangle(box, fill=fill)
        ImageDraw.Draw(labels).rectangle(box, fill=label)
    ImageDraw.Draw(garment).rectangle((40, 40, 152, 220), fill=colour)
    ImageDraw.Draw(mask).rectangle((40, 40, 152, 220), fill=1)
    joints = np.zeros((18, 3))
    joints[[0, 1, 2, 3, 4, 5, 6, 7, 8, 11]] = [
        *[(96, 50, 0.9), (96, 80, 0.9), (62, 82, 0.9), (50, 130, 0.9), (50, 185, 0.9)],
        *[(130, 82, 0.9), (142, 130, 0.9), (142, 185, 0.9), (75, 185, 0.9), (117, 185, 0.9)],
    ]
    return {
        "image.jpg": _encoded(person, "JPEG"),
        "cloth.jpg": _encoded(garment, "JPEG"),
        "cloth-mask.png": _encoded(mask, "PNG"),
        "parse.png": _encoded(labels, "PNG"),
        "pose.json": json.dumps([] if number == 3 else joints.ravel().tolist()).encode(),
    }


def write_shard(path: Path, samples: dict[str, dict[str, bytes]]) -> None:
    """Writes samples, by their ids, into one tar file."""
    with tarfile.open(path, "w") as archive:
        for identity, files in samples.items():
            for field, data in files.items():
                info = tarfile.TarInfo(f"{identity}.{field}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def write_drawn_shards(folder: Path, train: int = 6, val: int = 2) -> Path:
    """``train-00.tar`` and ``val-00.tar`` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_shard(folder / "train-00.tar", {f"{n:06d}": drawn_sample(n) for n in range(train)})
    write_shard(folder / "val-00.tar", {f"{n:06d}": drawn_sample(n) for n in range(100, 100 + val)})
    return folder
