"""Measures of one pair by which ``attribution.py`` suspects a part: warp, mask, parser, joints.

Those that need networks are written to disk when the pictures are made, one small file per pair.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy import ndimage

from ladi.data.sample import Sample
from ladi.diffusion.conditioning import predict_warp
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.evaluation.pairs import Pair
from ladi.files import write_json, written_whole
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.labels import DRESS_CODE, to_scheme
from ladi.preprocess.mask import inpaint_mask, mask_regions
from ladi.preprocess.parsing import parse_person, translate
from ladi.preprocess.pose import PoseDetector
from ladi.preprocess.pose_map import pose_map
from ladi.types import KEYPOINT_NAMES, PersonError

if TYPE_CHECKING:
    from ladi.preprocess.parsing import ParsingNetwork

LOGGER = logging.getLogger(__name__)

ARM_JOINTS = [
    KEYPOINT_NAMES.index(f"{side}_{joint}")
    for side in ("right", "left")
    for joint in ("shoulder", "elbow", "wrist")
]


class Detectors:
    """What the app finds in a photo by itself: joints by mediapipe, labels by the model's parser.

    Args:
        parser: the network.
    """

    def __init__(self, parser: ParsingNetwork) -> None:
        self.parser, self.detector = parser, PoseDetector()

    def find(self, sample: Sample) -> Sample | None:
        """The sample with the app's own labels and joints; nothing where it finds nobody."""
        try:
            found = self.detector.detect(sample.image)
        except PersonError:
            return None
        size = (sample.image.shape[0], sample.image.shape[1])
        silhouette = torch.from_numpy(found.silhouette)[None, None]
        joints = pose_map(found.keypoints, size)
        parsing = parse_person(self.parser, to_tensor(sample.image), joints, silhouette)
        labels = translate(parsing, sample.scheme, found.keypoints)
        return replace(sample, labels=labels, keypoints=found.keypoints)


def overlap(one: np.ndarray, other: np.ndarray) -> float | None:
    """Intersection over union of two (H,W) bool; nothing where both are empty."""
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else None


BEFORE = ("hat", "hair", "sunglasses", "head", "left_arm", "right_arm", "bag")
"""What of a person may lie over the garment, by Dress Code's labels."""


def worn_garment(sample: Sample) -> np.ndarray:
    """(H,W) bool: what the labels call the garment to be replaced."""
    return mask_regions(
        sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme
    ).garment


def hidden(sample: Sample) -> np.ndarray:
    """(H,W) bool: where something of the person may lie over the garment."""
    labels = to_scheme(sample.labels, sample.scheme, "dresscode")
    return np.isin(labels, [DRESS_CODE[name] for name in BEFORE])


@torch.no_grad()
def warp_overlap(pipeline: LadiVtonPipeline, pair: Pair) -> float | None:
    """Overlap of the warped outline of a worn garment with its label; nothing without a garment mask."""
    sample = pair.sample
    if sample.garment_mask is None:
        return None
    device = next(pipeline.tps.parameters()).device
    image, mask, joints, garment = (
        pair.inputs[name].to(device) for name in ("image", "mask", "pose_map", "garment")
    )
    grid = predict_warp(pipeline.tps, garment, image * (1 - mask), joints)
    outline = torch.from_numpy(sample.garment_mask.astype(np.float32))[None, None].to(device)
    warped = torch.nn.functional.grid_sample(
        outline, grid.float(), padding_mode="border", align_corners=False
    )
    visible = ~hidden(sample)
    return overlap((warped[0, 0].cpu().numpy() > 0.5) & visible, worn_garment(sample) & visible)


def mask_measures(sample: Sample, mask: np.ndarray) -> dict[str, float | None]:
    """What the mask in use swallows and leaves, by the labels."""
    worn = worn_garment(sample)
    labels = to_scheme(sample.labels, sample.scheme, "dresscode")
    body = np.isin(labels, [2, 12, 13, 14, 15])
    return {
        "mask_swallows": float(body[mask].mean()) if mask.any() else None,
        "mask_leaves": float((worn & ~mask).sum() / worn.sum()) if worn.any() else None,
    }


def app_measures(sample: Sample, found: Sample | None) -> dict[str, float | None]:
    """How far the app's joints, labels and mask are from the data's; all nothing where it found nobody."""
    if found is None:
        return {"parser_overlap": None, "pose_distance": None, "app_mask_leaves": None}
    worn = worn_garment(sample)
    mask = inpaint_mask(found.labels, found.keypoints, category=sample.category, scheme=sample.scheme)
    return {
        "parser_overlap": overlap(worn_garment(found), worn),
        "pose_distance": joint_distance(found.keypoints, sample.keypoints),
        "app_mask_leaves": float((worn & ~mask).sum() / worn.sum()) if worn.any() else None,
    }


def joint_distance(found: np.ndarray, labelled: np.ndarray) -> float | None:
    """Mean distance of arm joints present in both, over the labelled shoulders' width: (18,3) twice."""
    both = found[ARM_JOINTS, :2].any(1) & labelled[ARM_JOINTS, :2].any(1)
    shoulders = labelled[[ARM_JOINTS[0], ARM_JOINTS[3]], :2]
    width = float(np.linalg.norm(shoulders[0] - shoulders[1]))
    if not both.any() or not shoulders.any(1).all() or width == 0:
        return None
    apart = np.linalg.norm(found[ARM_JOINTS, :2] - labelled[ARM_JOINTS, :2], axis=1)
    return float(apart[both].mean() / width)


def draw_both(sample: Sample, found: Sample) -> np.ndarray:
    """The photo with garment and arm joints by the data (green) and by the app (orange): (H,W,3) uint8."""
    pixels = sample.image.copy()
    for each, colour in ((sample, (40, 170, 90)), (found, (240, 120, 30))):
        worn = worn_garment(each)
        pixels[worn & ~ndimage.binary_erosion(worn, iterations=2)] = colour
        canvas = Image.fromarray(pixels)
        draw = ImageDraw.Draw(canvas)
        reach = max(2, pixels.shape[0] // 85)
        for x, y in each.keypoints[ARM_JOINTS, :2]:
            if x or y:
                draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour, outline="white")
        pixels = np.array(canvas)
    return pixels


def measure(pair: Pair, pipeline: LadiVtonPipeline, detectors: Detectors, path: Path, digest: str) -> bool:
    """Writes a paired pair's measures that need networks, unless they are there with the same digest.

    Returns:
        Whether they were computed now.
    """
    if read_measures(path).get("digest") == digest:
        return False
    found: dict[str, Any] = {"digest": digest, "warp_overlap": warp_overlap(pipeline, pair)}
    seen = detectors.find(pair.sample)
    found |= app_measures(pair.sample, seen)
    path.parent.mkdir(parents=True, exist_ok=True)
    if seen is not None:
        with written_whole(path.with_suffix(".jpg")) as draft:
            Image.fromarray(draw_both(pair.sample, seen)).save(draft, "JPEG", quality=85)
    write_json(path, found)
    return True


def read_measures(path: Path) -> dict[str, Any]:
    """What :func:`measure` wrote; empty if it did not."""
    try:
        return json.loads(path.read_text()) if path.is_file() else {}
    except ValueError:
        LOGGER.warning("%s is damaged and is measured again", path)
        return {}
