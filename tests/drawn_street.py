"""A small shard of street photos: an example person with drawn tags."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.drawn_shards import write_shard

ROOT = Path(__file__).resolve().parent.parent
TAGS = ("null", "skin", "hair", "t-shirt", "jeans", "purse", "belt", "romper", "shoes", "suit", "tights")


def tag_numbers(*shapes: tuple[str, tuple[float, float, float, float]], size: tuple[int, int]) -> np.ndarray:
    """Rectangles of tags, (left, top, right, bottom) as shares of the picture: (H,W) uint8."""
    canvas = Image.new("L", (size[1], size[0]))
    for name, box in shapes:
        corners = [share * size[1 - index % 2] for index, share in enumerate(box)]
        ImageDraw.Draw(canvas).rectangle(corners, fill=TAGS.index(name))
    return np.asarray(canvas)


def write_street(folder: Path) -> None:
    """One photo on a larger wall, so that upper and whole body are framed differently."""
    with Image.open(ROOT / "assets" / "examples" / "person-anna.jpg") as photo:
        person = photo.convert("RGB").resize((288, 384))
    canvas = Image.new("RGB", (384, 512), person.getpixel((2, 2)))
    canvas.paste(person, (48, 100))
    tags = tag_numbers(
        ("hair", (0.4, 0.22, 0.6, 0.3)),
        ("skin", (0.44, 0.27, 0.56, 0.42)),
        ("t-shirt", (0.33, 0.42, 0.67, 0.75)),
        ("jeans", (0.35, 0.75, 0.65, 0.97)),
        size=(512, 384),
    )
    files = {}
    for name, picture in (("image.jpg", canvas), ("tags.png", Image.fromarray(tags))):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG" if name.endswith("jpg") else "PNG")
        files[name] = buffer.getvalue()
    write_shard(folder / "labelled-val.tar", {"anna": files})
    (folder / "tags.json").write_text(json.dumps(TAGS))
