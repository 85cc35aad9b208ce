"""How good the parts before the diffusion are: ``python benchmarks/parts.py --data SHARDS --street STREET``.

On the pairs of a split of the shards, against its labels and exactly as the app runs them:

- pose: share of shoulders, elbows and wrists that mediapipe puts within a tenth of the shoulder width of the
  labelled joint, of all labelled ones;
- parsing: intersection over union of our parser, fed with mediapipe's joints and silhouette;
- matting: intersection over union with the garment's mask, for the method that the app chooses by itself and
  for the embedded network alone.

On street photos, framed as the app frames them (a window of the upper body and one of the whole body):

- parsing: the same, in both windows together and in each;
- masks: intersection over union of the mask that users' photos get, by category, with the one that the
  labels give by the same rule; ours from the network's labels as they are, and mended as the app mends them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
JOINTS = {
    "shoulders": ("right_shoulder", "left_shoulder"),
    "elbows": ("right_elbow", "left_elbow"),
    "wrists": ("right_wrist", "left_wrist"),
}
NEAR = 0.1
"""Of the labelled shoulder width."""


def main() -> int:
    """Measure and print."""
    sys.path.insert(0, str(ROOT))
    from ladi.models.parser import HumanParser
    from ladi.runtime.devices import choose_running
    from ladi.runtime.loading import load_networks

    options = _options()
    running = choose_running("cpu", large=False)
    pipeline, parser, matting = load_networks(options.model, running)
    size = (pipeline.config.height, pipeline.config.width)
    if options.parser is not None:
        parser = HumanParser.from_pretrained(options.parser, torch_dtype=torch.float32).eval()
    if options.data is not None:
        measure_shards(options.data, options.split, parser, matting, size)
    if options.street is not None:
        measure_street(options.street, options.street_shard, parser, size)
    return 0


def measure_shards(data: Path, split: str, parser: Any, matting: Any, size: tuple[int, int]) -> None:
    """Pose, parsing and matting on shop photos."""
    from ladi.data.shards import read_shards
    from ladi.preprocess.cleaner import GarmentCleaner
    from ladi.preprocess.pose import PoseDetector
    from ladi.training.stages.parser import intersections_over_unions
    from ladi.types import KEYPOINT_NAMES, PersonError, Photo

    detector, cleaner = PoseDetector(), GarmentCleaner(matting)
    near: dict[str, list[bool]] = {name: [] for name in JOINTS}
    labels, truths = [], []
    overlaps: dict[str, list[float]] = {"auto": [], "embedded": []}
    missed = 0
    for sample in read_shards(data, split, size):
        for method, values in overlaps.items():
            matte = cleaner.cut_out(Photo(sample.garment), method).matte > 0.5
            values.append((matte & sample.garment_mask).sum() / (matte | sample.garment_mask).sum())
        try:
            found = detector.detect(sample.image)
        except PersonError:
            missed += 1
            continue
        width = np.linalg.norm(np.subtract(*(sample.keypoints[[2, 5], :2])))
        for group, names in JOINTS.items():
            for index in map(KEYPOINT_NAMES.index, names):
                truth, ours = sample.keypoints[index], found.keypoints[index]
                if truth[:2].any() and sample.keypoints[[2, 5], :2].any(1).all():
                    close = np.linalg.norm(truth[:2] - ours[:2]) <= NEAR * width
                    near[group].append(bool(ours[:2].any() and close))
        labels.append(parse(parser, sample.image, found.keypoints, found.silhouette))
        truths.append(sample.labels)
    print(f"pairs: {len(truths) + missed}; nobody found in {missed}")
    for group, hits in near.items():
        print(f"pose, {group}: {np.mean(hits):.3f} of {len(hits)} within {NEAR} of the shoulder width")
    for name, value in intersections_over_unions(np.stack(labels), np.stack(truths)).items():
        print(f"parsing, {name}: {value:.3f}")
    for method, values in overlaps.items():
        print(f"matting, {method}: mean IoU {np.mean(values):.3f}, lowest {np.min(values):.3f}")


def measure_street(data: Path, shard: str, parser: Any, size: tuple[int, int]) -> None:
    """Parsing and masks on street photos."""
    from ladi.data.street import read_street, read_tags
    from ladi.preprocess.pose import PoseDetector
    from ladi.training.samples.street import UPPER, WHOLE, frame_street_photo
    from ladi.training.stages.parser import intersections_over_unions

    names, detector = read_tags(data), PoseDetector(workers=1)
    rows = [
        row for photo in read_street(data, shard) for row in frame_street_photo(photo, names, detector, size)
    ]
    categories = {UPPER: "upper_body", WHOLE: "dresses"}
    labels = [
        parse(parser, row["image"], row["keypoints"], row["silhouette"] / 255, categories[int(row["window"])])
        for row in rows
    ]
    for title, kinds in (("both windows", (UPPER, WHOLE)), ("upper", (UPPER,)), ("whole", (WHOLE,))):
        chosen = [index for index, row in enumerate(rows) if row["window"] in kinds]
        predicted = np.stack([labels[index] for index in chosen])
        truth = np.stack([rows[index]["labels"] for index in chosen])
        values = intersections_over_unions(predicted, truth)
        shown = ", ".join(f"{name.removeprefix('iou_')} {value:.3f}" for name, value in values.items())
        print(f"street parsing, {title} ({len(chosen)}): {shown}")
    for category in ("upper_body", "lower_body", "dresses"):
        kind = UPPER if category == "upper_body" else WHOLE
        pairs = [
            mask_overlaps(ours, row, category)
            for ours, row in zip(labels, rows, strict=True)
            if row["window"] == kind
        ]
        raw, mended = np.array(pairs).T
        print(
            f"street masks, {category} ({len(pairs)}): mean IoU {mended.mean():.3f}, lowest "
            f"{mended.min():.3f}; labels not mended {raw.mean():.3f}, lowest {raw.min():.3f}"
        )


def mask_overlaps(labels: np.ndarray, row: dict[str, np.ndarray], category: Any) -> tuple[float, float]:
    """Overlap of our mask with the true labels', from labels as they are and mended."""
    from ladi.preprocess.mask import inpaint_mask
    from ladi.preprocess.worn import mend_worn

    joints = row["keypoints"]
    rule: dict[str, Any] = {"category": category, "scheme": "lip", "rule": "worn"}
    truth = inpaint_mask(row["labels"], joints, **rule)
    mended = mend_worn(labels, joints, row["silhouette"] / 255, "lip")
    overlaps = []
    for ours in (labels, mended):
        mask = inpaint_mask(ours, joints, **rule)
        overlaps.append(float((mask & truth).sum() / max((mask | truth).sum(), 1)))
    return overlaps[0], overlaps[1]


def parse(
    parser: Any,
    image: np.ndarray,
    joints: np.ndarray,
    silhouette: np.ndarray,
    category: Any = "upper_body",
) -> np.ndarray:
    """Our parser's labels of a framed person, as the app asks for them: (H,W) uint8."""
    from ladi.preprocess.coherent import LIKELY_LOWER
    from ladi.preprocess.frame import to_tensor
    from ladi.preprocess.parsing import parse_person
    from ladi.preprocess.pose_map import pose_map

    outline = torch.from_numpy(np.asarray(silhouette, np.float32))[None, None]
    joints_map, lower = pose_map(joints, image.shape[:2]), LIKELY_LOWER[category]
    return parse_person(parser, to_tensor(image), joints_map, outline, coherent=True, lower=lower).labels


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with the shards")
    parser.add_argument("--split", default="val")
    parser.add_argument("--street", type=Path, help="folder with the street photos")
    parser.add_argument("--street-shard", default="labelled-val", help="which of them (%(default)s)")
    parser.add_argument("--model", default="mini", help="whose parser and matting network")
    parser.add_argument("--parser", type=Path, help="folder of another parser, in place of the model's")
    options = parser.parse_args()
    if options.data is None and options.street is None:
        parser.error("give --data, --street or both")
    return options


if __name__ == "__main__":
    sys.exit(main())
