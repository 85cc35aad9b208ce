"""How many harmless pictures the content filter keeps back: ``python -m benchmarks.content_filter FOLDER …``.

Takes folders and tar files of pictures, and always the page's own examples; prints for each the highest
scores and the share that is refused from some thresholds on. It says nothing about what the filter misses.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ladi.runtime.content import THRESHOLD, load_open_nsfw

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
THRESHOLDS = (0.2, 0.5, THRESHOLD, 0.95)


def pictures_of(source: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pictures (H,W,3) of a folder and all below it, or of a tar file; no masks."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in ENDINGS:
                yield path.name, np.asarray(Image.open(path).convert("RGB"))
        return
    with tarfile.open(source) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.lower().endswith(ENDINGS) else None
            if file is not None:
                image = Image.open(io.BytesIO(file.read()))
                if image.mode == "RGB":
                    yield member.name, np.asarray(image)


def main() -> None:
    """Score everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--most", type=int, default=200, help="pictures of each source")
    options = parser.parse_args()
    score, started, count = load_open_nsfw(), time.perf_counter(), 0
    shares = "  ".join(f"≥ {threshold:4.2f}" for threshold in THRESHOLDS)
    print(f"{'source':<28} {'pictures':>8}  {shares}   highest")
    for source in (EXAMPLES, *options.sources):
        told = [
            (score([pixels])[0], name) for name, pixels in itertools.islice(pictures_of(source), options.most)
        ]
        count += len(told)
        values = np.array([one for one, _ in told])
        refused = "  ".join(f"{(values >= threshold).mean():>6.1%}" for threshold in THRESHOLDS)
        highest = ", ".join(f"{name} {one:.2f}" for one, name in sorted(told, reverse=True)[:3])
        print(f"{source.name:<28} {len(told):>8}  {refused}   {highest}", flush=True)
    print(f"{1000 * (time.perf_counter() - started) / max(count, 1):.0f} ms a picture, decoding included")


if __name__ == "__main__":
    main()
