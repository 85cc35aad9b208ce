"""How good the parts before the diffusion are: ``python benchmarks/parts.py --data SHARDS``.

On the pairs of a split of the shards, against its labels and exactly as the app runs them:

- pose: share of shoulders, elbows and wrists that mediapipe puts within a tenth of the shoulder width of the
  labelled joint, of all labelled ones;
- parsing: intersection over union of our parser, fed with mediapipe's joints and silhouette;
- matting: intersection over union with the garment's mask, for the method that the app chooses by itself and
  for the embedded network alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

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
    from ladi.data.shards import read_shards
    from ladi.preprocess.cleaner import GarmentCleaner
    from ladi.preprocess.frame import to_tensor
    from ladi.preprocess.parsing import parse_person
    from ladi.preprocess.pose import PoseDetector, pose_map
    from ladi.runtime.devices import choose_running
    from ladi.runtime.loading import load_networks
    from ladi.training.stages.parser import intersections_over_unions
    from ladi.types import KEYPOINT_NAMES, PersonError, Photo

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the shards")
    parser.add_argument("--split", default="val")
    parser.add_argument("--model", default="mini", help="whose parser and matting network")
    options = parser.parse_args()

    running = choose_running("cpu", large=False)
    pipeline, parsing_network, matting = load_networks(options.model, running)
    size = (pipeline.config.height, pipeline.config.width)
    detector, cleaner = PoseDetector(), GarmentCleaner(matting)
    near: dict[str, list[bool]] = {name: [] for name in JOINTS}
    labels, truths, overlaps = [], [], {"auto": [], "embedded": []}
    missed = 0
    for sample in read_shards(options.data, options.split, size):
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
        silhouette = torch.from_numpy(found.silhouette)[None, None]
        joints = pose_map(found.keypoints, size)
        labels.append(parse_person(parsing_network, to_tensor(sample.image), joints, silhouette).labels)
        truths.append(sample.labels)
    print(f"pairs: {len(truths) + missed}; nobody found in {missed}")
    for group, hits in near.items():
        print(f"pose, {group}: {np.mean(hits):.3f} of {len(hits)} within {NEAR} of the shoulder width")
    for name, value in intersections_over_unions(np.stack(labels), np.stack(truths)).items():
        print(f"parsing, {name}: {value:.3f}")
    for method, values in overlaps.items():
        print(f"matting, {method}: mean IoU {np.mean(values):.3f}, lowest {np.min(values):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
