"""Peak memory of a try-on by the shape of its pictures: ``python benchmarks/photo_memory.py``.

Thirty shapes up to the largest that are allowed, 50 megapixels and eight times as long as wide, each for the
person's photo and the garment's picture at once, from files to a written result with the embedded model. The
idle memory is that of the process after a usual try-on. Linux only: it resets the kernel's own peak.
The last line says whether every shape stayed within the limit; the exit status says it too.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from ladi.engine import Engine
from ladi.postprocess.png import save_png
from ladi.preprocess.photo import MAX_PIXELS, WEBP_SHARE, read_photo
from ladi.settings import Settings, TryOnRequest
from ladi.types import LadiError

ROOT = Path(__file__).resolve().parent.parent
PERSON = ROOT / "assets" / "examples" / "person-anna.jpg"
GARMENT = ROOT / "assets" / "examples" / "garment-printed-tee.jpg"
LIMIT = 1024
"""Megabytes above idle."""

ASPECTS = ((3, 4), (1, 1), (2, 1), (1, 2), (4, 1), (1, 4), (8, 1), (1, 8))
MEGAPIXELS = (2, 12, 50)
KINDS = (("RGB", "PNG"), ("RGBA", "PNG"), ("I;16", "PNG"), ("L", "PNG"), ("P", "PNG"), ("RGB", "WEBP"))
"""How the last six shapes, as large as is allowed and 3 to 4, are stored; all others are JPEG files."""


def shapes() -> list[tuple[int, int, str, str]]:
    """Width, height, Pillow's mode and the format of thirty files."""
    made = []
    for megapixels in MEGAPIXELS:
        for across, down in ASPECTS:
            unit = int((megapixels * 1e6 / (across * down)) ** 0.5)
            made.append((unit * across, unit * down, "RGB", "JPEG"))
    for mode, kind in KINDS:
        unit = int((MAX_PIXELS * (WEBP_SHARE if kind == "WEBP" else 1) / 12) ** 0.5)
        made.append((3 * unit, 4 * unit, mode, kind))
    return made


def draw(source: Path, width: int, height: int, mode: str, kind: str, target: Path) -> None:
    """A picture of this shape with another one in its middle, as large as fits."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    scale = min(width / picture.width, height / picture.height)
    picture = picture.resize((max(1, int(picture.width * scale)), max(1, int(picture.height * scale))))
    canvas = Image.new("RGB", (width, height), (236, 236, 234))
    canvas.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    if mode == "RGBA":
        canvas.putalpha(Image.new("L", canvas.size, 254))
    elif mode == "I;16":
        canvas = canvas.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    elif mode != "RGB":
        canvas = canvas.convert(mode)
    options = {"compress_level": 1} if kind == "PNG" else {"quality": 90}
    if kind == "WEBP":
        options = {"quality": 60, "method": 0}
    canvas.save(target, kind, **options)


def memory(field: str) -> float:
    """A line of the process's status, in megabytes: ``VmRSS`` now, ``VmHWM`` at most."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def measure(engine: Engine, person: Path, garment: Path, folder: Path) -> tuple[float, str]:
    """The highest memory of one try-on, from files to a file, and what became of it."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    said = "done"
    try:
        settings = Settings(seed=1, steps=2)
        request = TryOnRequest(read_photo(person), read_photo(garment), settings=settings)
        save_png(engine.try_on(request).images[0], folder / "result.png")
    except LadiError as error:
        said = str(error)
    return memory("VmHWM"), said


def main() -> int:
    """Measure all shapes; 1 where one of them needs too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="leave out so many shapes at the start")
    options = parser.parse_args()
    engine = Engine.load("mini", device="cpu", remember=0)
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure(engine, PERSON, GARMENT, folder)
        idle = memory("VmRSS")
        print(f"idle {idle:.0f} MB\n{'shape':>15} {'stored as':>12} {'above idle':>11} {'seconds':>8}")
        for width, height, mode, kind in shapes()[options.first :]:
            paths = [folder / f"{part}.{kind.lower()}" for part in ("person", "garment")]
            for source, path in zip((PERSON, GARMENT), paths, strict=True):
                draw(source, width, height, mode, kind, path)
            started = time.perf_counter()
            peak, said = measure(engine, *paths, folder)
            worst = max(worst, peak - idle)
            print(
                f"{width:>7}×{height:<7} {mode:>7} {kind:<5} {peak - idle:>8.0f} MB "
                f"{time.perf_counter() - started:>7.1f}  {said}",
                flush=True,
            )
    print(f"most above idle: {worst:.0f} MB of {LIMIT} MB")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
