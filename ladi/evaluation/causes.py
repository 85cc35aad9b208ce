"""Why a pair failed: a measurable reason for each part that can go wrong. A heuristic, not a proof.

Each measure looks at one part by itself and is called suspicious beyond a fixed limit. A bad pair may have several
suspects or none (then it is the painting itself). How often the same measures are suspicious among *all* pairs
stands beside it: a cause that is as common among the good ones explains nothing. The limits were set on VITON's
validation pairs, so that each is passed by a twentieth to a fifth of them, or by none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.stats import spearmanr

from ladi.conditioning import predict_warp
from ladi.data.sample import Sample
from ladi.evaluation.pairs import Pair
from ladi.pipeline import LadiVtonPipeline
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.labels import to_scheme
from ladi.preprocess.mask import inpaint_mask, mask_regions
from ladi.preprocess.parsing import parse_person, translate
from ladi.preprocess.pose import PoseDetector, pose_map
from ladi.types import KEYPOINT_NAMES, PersonError

if TYPE_CHECKING:
    from ladi.preprocess.parsing import ParsingNetwork

LOGGER = logging.getLogger(__name__)

Cause = Literal["warp", "parsing", "pose", "mask"]
BAD_SHARE = 0.1
"""The worst tenth of the pairs, by error inside the mask, are the bad ones."""
LEAST_BAD = 5
ARM_JOINTS = [
    KEYPOINT_NAMES.index(f"{side}_{joint}")
    for side in ("right", "left")
    for joint in ("shoulder", "elbow", "wrist")
]


@dataclass(frozen=True)
class Measure:
    """One way in which a part can fail."""

    key: str
    cause: Cause
    label: str
    suspicious: Literal["below", "above"]
    limit: float
    how: str
    of_app: bool = False
    """It looks at what the app would find: no cause where masks and joints come from the data."""

    def suspects(self, value: float | None) -> bool:
        """Whether a value lies beyond the limit."""
        if value is None:
            return False
        return value < self.limit if self.suspicious == "below" else value > self.limit


MOST_SHOWN = 4
"""Pairs that are pictured for each measure of the app."""
MEASURES = (
    Measure(
        "warp_overlap",
        "warp",
        "overlap of warped and worn garment",
        "below",
        0.65,
        "intersection over union of the garment's mask, warped, and the worn garment's label, hidden parts (arms, "
        "hair, head) left out of both",
    ),
    Measure(
        "mask_swallows",
        "mask",
        "body that the mask swallows",
        "above",
        0.15,
        "share of the mask that lies on arms, hands, legs or hair in the labels and must be invented anew",
    ),
    Measure(
        "mask_leaves",
        "mask",
        "old garment that the mask leaves",
        "above",
        0.02,
        "share of the worn garment's label outside the mask",
    ),
    Measure(
        "parser_overlap",
        "parsing",
        "overlap of our parser and the labels",
        "below",
        0.75,
        "intersection over union of the worn garment by the app's parser and by the labels",
        of_app=True,
    ),
    Measure(
        "pose_distance",
        "pose",
        "detected joints from the labelled ones",
        "above",
        0.12,
        "mean distance of shoulders, elbows and wrists found by mediapipe from the labelled ones, over the width of "
        "the shoulders",
        of_app=True,
    ),
    Measure(
        "app_mask_leaves",
        "mask",
        "old garment that the app's mask would leave",
        "above",
        0.1,
        "share of the worn garment's label outside the mask that the app draws by itself",
        of_app=True,
    ),
)


class Detectors:
    """What the app finds in a photo by itself: joints by mediapipe, labels by the model's parser.

    Args:
        parser: the network.
    """

    def __init__(self, parser: ParsingNetwork) -> None:
        self.parser, self.detector = parser, PoseDetector()

    def find(self, sample: Sample) -> Sample | None:
        """The sample with the app's own labels and joints; nothing where it finds nobody."""
        from dataclasses import replace

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


def worn_garment(sample: Sample) -> np.ndarray:
    """(H,W) bool: what the labels call the garment to be replaced."""
    return mask_regions(
        sample.labels, sample.keypoints, category=sample.category, scheme=sample.scheme
    ).garment


def hidden(sample: Sample) -> np.ndarray:
    """(H,W) bool: where something of the person may lie over the garment."""
    labels = to_scheme(sample.labels, sample.scheme, "dresscode")
    return np.isin(labels, [1, 2, 3, 11, 14, 15, 16])


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
    """How far the app's own joints, labels and mask are from the data's; all nothing where it found nobody."""
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
    """The photo with worn garment and arm joints by the data (green) and by the app (orange): (H,W,3) uint8."""
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
        Image.fromarray(draw_both(pair.sample, seen)).save(path.with_suffix(".jpg"), quality=85)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(found))
    partial.replace(path)
    return True


def read_measures(path: Path) -> dict[str, Any]:
    """What :func:`measure` wrote; empty if it did not."""
    try:
        return json.loads(path.read_text()) if path.is_file() else {}
    except ValueError:
        LOGGER.warning("%s is damaged and is measured again", path)
        return {}


def attribute(
    errors: Sequence[float], measured: Sequence[Mapping[str, float | None]], *, masks_of_app: bool
) -> dict[str, Any]:
    """Which measures are suspicious, among the worst pairs and among all.

    Args:
        errors: one per pair, higher is worse.
        measured: the measures of each pair.
        masks_of_app: whether the pictures were made with what the app found. Otherwise the measures of the app
            cannot have caused an error, and are listed as what the app would get wrong on the same photos.

    Returns:
        ``bad`` (indices, worst first), ``suspects`` (per bad pair, keys), and ``table``: per measure its limit,
        how often it is suspicious among bad and all pairs, and its rank correlation with the error.
    """
    order = np.argsort(np.asarray(errors))[::-1]
    count = min(len(order), max(LEAST_BAD, round(BAD_SHARE * len(order))))
    bad = [int(index) for index in order[:count]]
    table = []
    for entry in MEASURES:
        values = [each.get(entry.key) for each in measured]
        known = [index for index, value in enumerate(values) if value is not None]
        line: dict[str, Any] = {
            "key": entry.key,
            "cause": entry.cause,
            "label": entry.label,
            "how": entry.how,
            "limit": f"{entry.suspicious} {entry.limit:g}",
            "of_app": entry.of_app,
            "causal": masks_of_app or not entry.of_app,
            "n": len(known),
            "why": None,
        }
        if not known:
            table.append(
                {**line, "why": "not measured: it needs the model, or garment masks that the data lack"}
            )
            continue
        numbers = np.array([float(values[index] or 0) for index in known])
        line["suspicious_bad"] = sum(entry.suspects(values[index]) for index in bad)
        line["suspicious_all"] = sum(entry.suspects(value) for value in values)
        line["median"] = float(np.median(numbers))
        varied = len(known) > 3 and np.ptp(numbers) > 0
        correlation = spearmanr(numbers, np.asarray(errors)[known]) if varied else None
        line["correlation"] = float(correlation.statistic) if correlation is not None else None
        table.append(line)
    suspects = {
        index: [
            entry.key
            for entry in MEASURES
            if (masks_of_app or not entry.of_app) and entry.suspects(measured[index].get(entry.key))
        ]
        for index in bad
    }
    return {
        "bad": bad,
        "suspects": suspects,
        "table": table,
        "app": {entry.key: most_suspicious(entry, measured) for entry in MEASURES if entry.of_app},
        "pairs": len(order),
        "masks_of_app": masks_of_app,
    }


def most_suspicious(entry: Measure, measured: Sequence[Mapping[str, float | None]]) -> list[int]:
    """The pairs that lie farthest beyond a measure's limit, the worst first."""
    sign = 1 if entry.suspicious == "below" else -1
    values = [each.get(entry.key) for each in measured]
    beyond = [
        (sign * value, index)
        for index, value in enumerate(values)
        if value is not None and entry.suspects(value)
    ]
    return [index for _, index in sorted(beyond)[:MOST_SHOWN]]
