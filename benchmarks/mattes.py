"""How well garments are cut out: ``python benchmarks/mattes.py --data SHARDS --floors PHOTOS``.

A shop's garments, whose masks are known, are laid before corners of amateurs' photos, leaning, in other light
and with a shadow; what the matting network answers by itself is compared with what the app makes of it
(``ladi/preprocess/matte_edges.py``). Intersections over unions, and how many are below 0.8.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

ROOT = Path(__file__).resolve().parent.parent
SIZE = (640, 480)
LEAST = 0.05
"""Share of the picture below which a mask is known to be broken."""


def laid_out(
    garment: np.ndarray, mask: np.ndarray, floor: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A garment (h,w,3) uint8 with its mask (h,w) bool on a floor (H,W,3): the picture, and where it is."""
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 7), rng.uniform(1.5, 2.3))
    matrix[:, 2] += np.array([SIZE[1] - width, SIZE[0] - height]) / 2 + rng.normal(0, 18, 2)
    shown = cv2.warpAffine(garment, matrix, SIZE[::-1], flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255))
    solid = ndimage.binary_fill_holes(mask).astype(np.float32)
    outline = ndimage.binary_erosion(cv2.warpAffine(solid, matrix, SIZE[::-1]) > 0.5, iterations=2)
    share = cv2.GaussianBlur(outline.astype(np.float32), (0, 0), 1)[..., None]
    shadow = 0.3 * cv2.GaussianBlur(np.roll(share[..., 0], (6, 5), (0, 1)), (0, 0), 8)[..., None]
    return (shown * share + floor * (1 - shadow) * (1 - share)).clip(0, 255).astype(np.uint8), outline


def main() -> int:
    """Measure and print."""
    sys.path.insert(0, str(ROOT))
    from ladi.data.shards import read_shards
    from ladi.preprocess.cleaner import GarmentCleaner
    from ladi.runtime.devices import choose_running
    from ladi.runtime.loading import load_networks
    from ladi.training.samples.floors import build_floors, draw_floor
    from ladi.training.samples.scenes import relight
    from ladi.types import Photo

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with val-00.tar")
    parser.add_argument("--floors", type=Path, required=True, help="folder with photos of garments on floors")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--count", type=int, default=80)
    options = parser.parse_args()
    pipeline, _, matting = load_networks(options.model, choose_running("cpu", large=False))
    cleaner, rng = GarmentCleaner(matting), np.random.default_rng(5)
    overlaps: dict[str, list[float]] = {"network": [], "settled": []}
    with tempfile.TemporaryDirectory() as folder:
        floors = build_floors(options.floors, Path(folder))
        samples = read_shards(options.data, "val", (pipeline.config.height, pipeline.config.width))
        for sample in islice(samples, options.count):
            floor = draw_floor(floors, SIZE, rng)
            picture, truth = laid_out(sample.garment, sample.garment_mask, floor, rng)
            if truth.mean() < LEAST:
                continue
            picture = relight(picture, rng)
            found = cleaner.cut_out(Photo(picture), "embedded")
            for name, cut_out in (("network", found), ("settled", cleaner.settle(found, picture))):
                matte = cut_out.matte > 0.5
                overlaps[name].append(float((matte & truth).sum() / max(1, (matte | truth).sum())))
        del floors
    for name, values in overlaps.items():
        print(
            f"{name}: mean {np.mean(values):.3f}, median {np.median(values):.3f}, "
            f"{np.mean(np.array(values) < 0.8):.1%} below 0.8, of {len(values)}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
