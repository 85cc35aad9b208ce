"""What can be measured on a pair: pose, occlusion, proportions, sleeves, pattern, brightness, mask.

Every property is a number or a word computed from the data's joints, labels and pictures, by the rules below;
none is a judgement of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask

from ladi.data.sample import Sample
from ladi.preprocess.labels import DRESS_CODE, to_scheme
from ladi.preprocess.mask import mask_regions
from ladi.types import JOINT

UNKNOWN = "unknown"
ACROSS = 0.12
"""An elbow or wrist lies across the torso when it is inside by this share of the torso's width."""
LONG_SLEEVE, SHORT_SLEEVE = 0.7, 0.15
"""Shares of the arm, from shoulder to wrist, that the worn garment covers."""
PATTERN = 0.035
"""Mean contrast within the garment, of [0,1], from which it counts as patterned: see ``pattern_contrast``."""

Kind = Literal["word", "number"]


@dataclass(frozen=True)
class Property:
    """Something by which pairs are sorted."""

    key: str
    label: str
    kind: Kind
    how: str
    words: tuple[str, ...] = ()
    """In the order of the tables."""


PROPERTIES = (
    Property(
        "pose",
        "pose",
        "word",
        "arms raised: a wrist above its shoulder; arms crossed: the wrists stand in the other order than the "
        "shoulders; arm across the torso: an elbow or wrist within the outline of shoulders and hips; else "
        "arms at the sides; unknown: shoulders or all of elbows and wrists absent",
        ("arms at the sides", "arm across the torso", "arms crossed", "arms raised"),
    ),
    Property(
        "occlusion",
        "occlusion of the torso",
        "number",
        "share of the outline of shoulders and hips that arms or hair cover, by the labels",
    ),
    Property(
        "shoulders_to_hips",
        "shoulders to hips",
        "number",
        "distance of the shoulder joints over the hip joints'",
    ),
    Property(
        "girth",
        "width of the torso",
        "number",
        "width of the clothes halfway between shoulders and hips, without arms, over the torso's length",
    ),
    Property(
        "sleeves",
        "sleeves of the worn garment",
        "word",
        f"share of the way from shoulder to wrist that garment labels cover: long from {LONG_SLEEVE}, short "
        f"from {SHORT_SLEEVE}, else none",
        ("long", "short", "none"),
    ),
    Property(
        "pattern",
        "new garment",
        "word",
        "patterned: mean difference of brightness from its blurred self, inside the garment, at least "
        f"{PATTERN}",
        ("plain", "patterned"),
    ),
    Property(
        "garment_brightness", "brightness of the new garment", "number", "mean luminance inside its mask, 0–1"
    ),
    Property(
        "skin_brightness", "brightness of the skin", "number", "median luminance of the face's label, 0–1"
    ),
    Property("mask_size", "size of the mask", "number", "share of the picture that is repainted"),
)


def properties(sample: Sample, mask: np.ndarray) -> dict[str, str | float | None]:
    """All properties of one pair; ``None`` or ``unknown`` where they cannot be measured.

    Args:
        sample: with the data's own labels and joints.
        mask: (H,W) bool, what is repainted.
    """
    joints = sample.keypoints
    labels = to_scheme(sample.labels, sample.scheme, "dresscode")
    garment = mask_regions(sample.labels, joints, category=sample.category, scheme=sample.scheme).garment
    return {
        "pose": pose_word(joints),
        "occlusion": occlusion(joints, labels),
        "shoulders_to_hips": shoulders_to_hips(joints),
        "girth": girth(joints, labels),
        "sleeves": sleeves(joints, garment),
        "pattern": pattern_word(sample),
        "garment_brightness": brightness(sample.garment, sample.garment_mask),
        "skin_brightness": skin_brightness(sample),
        "mask_size": float(mask.mean()),
    }


def _at(joints: np.ndarray, *names: str) -> np.ndarray | None:
    """The joints (n,2), or nothing where one is absent."""
    points = joints[[JOINT[name] for name in names], :2]
    return points if points.any(1).all() else None


def torso(joints: np.ndarray) -> np.ndarray | None:
    """Shoulders and hips as a polygon (4,2) of x, y: right and left shoulder, left and right hip."""
    return _at(joints, "right_shoulder", "left_shoulder", "left_hip", "right_hip")


def pose_word(joints: np.ndarray) -> str:
    """How the arms are held; (18,3) joints in pixels, y downwards."""
    shoulders = _at(joints, "right_shoulder", "left_shoulder")
    wrists = {side: _at(joints, f"{side}_wrist") for side in ("right", "left")}
    elbows = {side: _at(joints, f"{side}_elbow") for side in ("right", "left")}
    found = [point[0] for point in (*wrists.values(), *elbows.values()) if point is not None]
    if shoulders is None or not found:
        return UNKNOWN
    heights = {"right": shoulders[0, 1], "left": shoulders[1, 1]}
    if any(point is not None and point[0, 1] < heights[side] for side, point in wrists.items()):
        return "arms raised"
    right, left = wrists["right"], wrists["left"]
    direction = np.sign(shoulders[1, 0] - shoulders[0, 0])
    if right is not None and left is not None and (left[0, 0] - right[0, 0]) * direction < 0:
        return "arms crossed"
    outline = torso(joints)
    if outline is not None and any(_inside(point, outline) for point in found):
        return "arm across the torso"
    return "arms at the sides"


def _inside(point: np.ndarray, outline: np.ndarray) -> bool:
    """Whether a point (x, y) lies well within the torso at its height."""
    right_shoulder, left_shoulder, left_hip, right_hip = outline
    top, bottom = outline[:2, 1].mean(), outline[2:, 1].mean()
    if bottom <= top or not top < point[1] < bottom:
        return False
    down = (point[1] - top) / (bottom - top)
    edges = np.sort(
        [
            right_shoulder[0] + down * (right_hip[0] - right_shoulder[0]),
            left_shoulder[0] + down * (left_hip[0] - left_shoulder[0]),
        ]
    )
    margin = ACROSS * (edges[1] - edges[0])
    return bool(edges[0] + margin < point[0] < edges[1] - margin)


def occlusion(joints: np.ndarray, labels: np.ndarray) -> float | None:
    """Share of the torso's outline under arms or hair; labels in Dress Code's numbers."""
    outline = torso(joints)
    if outline is None:
        return None
    inside = polygon2mask(labels.shape, outline[:, ::-1])
    covering = np.isin(labels, [DRESS_CODE[name] for name in ("hair", "left_arm", "right_arm", "bag")])
    return float(covering[inside].mean()) if inside.any() else None


def shoulders_to_hips(joints: np.ndarray) -> float | None:
    """Distance of the shoulders over that of the hips; nothing where one hip hides the other."""
    outline = torso(joints)
    if outline is None:
        return None
    shoulders, hips = (float(np.linalg.norm(np.subtract(*pair))) for pair in (outline[:2], outline[2:]))
    return shoulders / hips if hips > 0 else None


def girth(joints: np.ndarray, labels: np.ndarray) -> float | None:
    """Width of the clothes halfway down the torso over the torso's length; labels in Dress Code's numbers."""
    outline = torso(joints)
    if outline is None:
        return None
    top, bottom = outline[:2, 1].mean(), outline[2:, 1].mean()
    row = int((top + bottom) / 2)
    if bottom - top < 1 or not 0 <= row < labels.shape[0]:
        return None
    worn = [DRESS_CODE[name] for name in ("upper_clothes", "dress", "skirt", "pants", "scarf")]
    width = int(np.isin(labels[row], worn).sum())
    return width / float(bottom - top) if width else None


def sleeves(joints: np.ndarray, garment: np.ndarray) -> str:
    """How much of the arms the worn garment covers; (H,W) bool."""
    covered = []
    for side in ("right", "left"):
        line = _at(joints, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        if line is None:
            continue
        steps = np.linspace(0, 1, 20)[:, None]
        points = np.concatenate(
            [line[0] + steps * (line[1] - line[0]), line[1] + steps * (line[2] - line[1])]
        )
        x, y = points.round().astype(int).T
        inside = (0 <= x) & (x < garment.shape[1]) & (0 <= y) & (y < garment.shape[0])
        covered.append(garment[y[inside], x[inside]].mean() if inside.any() else 0.0)
    if not covered:
        return UNKNOWN
    share = float(np.mean(covered))
    return "long" if share >= LONG_SLEEVE else "short" if share >= SHORT_SLEEVE else "none"


def luminance(picture: np.ndarray) -> np.ndarray:
    """(H,W,3) uint8 → (H,W) in [0,1], Rec. 601."""
    return picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255


def pattern_contrast(picture: np.ndarray, mask: np.ndarray) -> float | None:
    """Mean difference of the garment's brightness from its blurred self, away from its edge, of [0,1].

    The blur is a sixteenth of the picture's height wide: prints and stripes are finer, shading is not.
    """
    inner = ndimage.binary_erosion(mask, iterations=max(1, picture.shape[0] // 40))
    if not inner.any():
        return None
    sigma = picture.shape[0] / 64
    light, weight = luminance(picture), inner.astype(np.float32)
    smooth = ndimage.gaussian_filter(light * weight, sigma) / ndimage.gaussian_filter(weight, sigma).clip(
        1e-3
    )
    return float(np.abs(light - smooth)[inner].mean())


def pattern_word(sample: Sample) -> str:
    """``plain`` or ``patterned``; unknown without a mask of the garment."""
    contrast = None if sample.garment_mask is None else pattern_contrast(sample.garment, sample.garment_mask)
    return UNKNOWN if contrast is None else "patterned" if contrast >= PATTERN else "plain"


def brightness(picture: np.ndarray, mask: np.ndarray | None) -> float | None:
    """Mean luminance inside a mask."""
    return float(luminance(picture)[mask].mean()) if mask is not None and mask.any() else None


def skin_brightness(sample: Sample) -> float | None:
    """Median luminance of the face, or of Dress Code's head, which has the neck too."""
    face = to_scheme(sample.labels, sample.scheme, "dresscode") == DRESS_CODE["head"]
    return float(np.median(luminance(sample.image)[face])) if face.any() else None
