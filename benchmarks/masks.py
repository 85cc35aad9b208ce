"""Masks on unlabelled photos: ``python benchmarks/masks.py --vitonhd DIR --dresscode DIR``.

The published mask rule, once on a data set's own labels and joints, once on what the app finds in the same
photos by itself. Printed by category: intersection over union of the two masks, and how far the app's joints
lie from the data set's, where both have them. People without a photo are left out. The app's parser was
trained on tops (VITON), so the other categories show what it makes of pictures of a kind it has not seen;
with SegFormer's weights at hand (see ``ladi/preprocess/segformer.py``) its masks are printed too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from ladi.types import Photo

ROOT = Path(__file__).resolve().parent.parent
SIZE = (512, 384)


def main() -> int:
    """Measure and print a Markdown table."""
    sys.path.insert(0, str(ROOT))
    from ladi.models.parser import HumanParser
    from ladi.preprocess.mask import inpaint_mask
    from ladi.preprocess.pose import PoseDetector
    from ladi.preprocess.segformer import find_segformer, load_segformer
    from ladi.runtime.loading import SEGFORMER
    from ladi.types import PersonError
    from ladi.weights.catalog import HELPERS

    options = _options()
    parsers: list[Any] = [HumanParser.from_pretrained(HELPERS, subfolder="parser", local_files_only=True)]
    folder = find_segformer(SEGFORMER)
    parsers += [load_segformer(folder)] if folder is not None else []
    detector, rows = PoseDetector(workers=1), {}
    for name, photo, labels, joints, category, scheme in people(options):
        rule = {"category": category, "scheme": scheme, "rule": "published"}
        published = inpaint_mask(labels, joints, **rule)
        key = ("VITON-HD" if scheme == "lip" else "Dress Code", category)
        try:
            found = detector.detect(photo.pixels)
        except PersonError:
            print(f"nobody was found in {name}", file=sys.stderr)
            continue
        for parser in parsers:
            own_labels, own_joints, which = look(photo, found, parser.eval(), scheme)
            own = inpaint_mask(own_labels, own_joints, **rule)
            overlap = (own & published).sum() / (own | published).sum()
            apart = distance(own_joints, joints)
            print(f"{name}: {which} parser, overlap {overlap:.3f}, joints {apart:.1f} px", file=sys.stderr)
            rows.setdefault((*key, which), []).append((overlap, apart))
    print("| data set | category | parser | people | mask overlap, mean (lowest) | joints apart, px at 512 |")
    print("|---|---|---|---|---|---|")
    for (dataset, category, which), values in rows.items():
        overlaps, distances = zip(*values, strict=True)
        shown = f"{statistics.mean(overlaps):.2f} ({min(overlaps):.2f})"
        far = f"{statistics.mean(distances):.1f}"
        print(f"| {dataset} | {category} | {which} | {len(values)} | {shown} | {far} |")
    return 0


def people(options: argparse.Namespace) -> Iterator[tuple[str, Photo, np.ndarray, np.ndarray, Any, Any]]:
    """Name, photo, labels, joints, category and scheme of everybody whose photo is there, at 512×384."""
    from ladi.data.dresscode import DressCodeDataset
    from ladi.data.sample import read_labels, scale_keypoints
    from ladi.data.vitonhd import VitonHdDataset
    from ladi.preprocess.photo import read_photo
    from ladi.types import CATEGORIES

    if options.vitonhd is not None:
        folder = options.vitonhd / "test"
        for image in sorted((folder / "image").glob("*.jpg")):
            joints = VitonHdDataset.read_joints(folder / "openpose_json" / f"{image.stem}_keypoints.json")
            labels = read_labels(folder / "image-parse-v3" / f"{image.stem}.png", SIZE)
            joints = scale_keypoints(joints, (1024, 768), SIZE)
            yield image.stem, read_photo(image), labels, joints, "upper_body", "lip"
    for category in CATEGORIES if options.dresscode is not None else ():
        folder = options.dresscode / category
        for image in sorted((folder / "images").glob("*_0.jpg")):
            name = image.stem.removesuffix("_0")
            joints = DressCodeDataset.read_joints(folder / "keypoints" / f"{name}_2.json")
            labels = read_labels(folder / "label_maps" / f"{name}_4.png", SIZE)
            yield name, read_photo(image), labels, joints, category, "dresscode"


def look(photo: Photo, found: Any, parser: Any, scheme: Any) -> tuple[np.ndarray, np.ndarray, str]:
    """The app's own labels and joints for the whole photo, as the data sets frame it."""
    from ladi.preprocess.frame import crop_to_frame, keypoints_to_frame, to_tensor
    from ladi.preprocess.parsing import parse_person, translate
    from ladi.preprocess.pose_map import pose_map
    from ladi.types import Frame

    frame = Frame(0, 0, photo.size[1], photo.size[0], SIZE)
    joints = keypoints_to_frame(found.keypoints, frame)
    image = to_tensor(crop_to_frame(photo.pixels, frame))
    silhouette = torch.from_numpy(crop_to_frame(found.silhouette, frame))[None, None]
    parsing = parse_person(parser, image, pose_map(joints, SIZE), silhouette)
    return translate(parsing, scheme, joints), joints, parsing.parser


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Median pixels between the joints that both have."""
    both = first[:, :2].any(axis=1) & second[:, :2].any(axis=1)
    return float(np.median(np.hypot(*(first[both, :2] - second[both, :2]).T)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vitonhd", type=Path, help="folder with test/")
    parser.add_argument("--dresscode", type=Path, help="folder with upper_body/, lower_body/ and dresses/")
    options = parser.parse_args()
    if options.vitonhd is None and options.dresscode is None:
        parser.error("give --vitonhd, --dresscode or both")
    return options


if __name__ == "__main__":
    sys.exit(main())
