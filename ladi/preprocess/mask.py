"""Which pixels of the person are repainted: the published mask rule, and a wider one for users' photos.

Pure functions on arrays of labels and joints. It does not find either (``parsing.py``, ``pose.py``), it does
not scale anything, and it does not feather or paste (``ladi/postprocess/paste.py``).
"""

from __future__ import annotations

from typing import get_args

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ladi.preprocess.labels import DRESS_CODE, LIP, UPPER_CLOTHING, label_table, named, to_scheme
from ladi.preprocess.regions import REFERENCE_HEIGHT, MaskRegions, scaled, widened
from ladi.types import CATEGORIES, JOINT, KEYPOINT_NAMES, Category, LabelScheme, MaskRule, SettingError, Size

__all__ = ["DRESS_CODE", "LIP", "MaskRegions", "grow_mask", "inpaint_mask", "mask_regions", "to_scheme"]

_VITON_ARM_WIDTH = 90
_DRESS_CODE_ARM_WIDTH = 45
_SHOULDER_RISE = 20
# The dilation is five times 5×5 at any size in the published code: one square of side 1 + 5 · 4.
DILATION_SIDE = 21
# The waist lies above the hip joints by this share of the way to the shoulders.
_WAIST_RISE = 0.35
# Without joints: a dress's waist as a share of the dress's height.
_WAIST_IN_DRESS = 0.4

_LEFT_ARM = ("left_wrist", "left_elbow", "left_shoulder")
_RIGHT_ARM = ("right_shoulder", "right_elbow", "right_wrist")

_ARMS = ("left_arm", "right_arm")
_LEGS = ("left_leg", "right_leg")
_SHOES = ("left_shoe", "right_shoe")
_HEAD = ("hat", "hair", "sunglasses", "head")
_WORN_ABOVE_ALL = ("hat", "hair", "sunglasses", "scarf", "bag", *_SHOES)

_VITON_FIXED = ("hat", "hair", "sunglasses", "face", "pants", "skirt", *_SHOES)
_IN_FRONT = ("bag", "scarf")
_NECKS = ("neck", "vitonhd_neck")

_GARMENT: dict[Category, tuple[str, ...]] = {
    "upper_body": ("upper_clothes",),
    "lower_body": ("pants", *_LEGS),
    "dresses": ("dress", *_LEGS),
}
# The part of a dress below the waist, which lower_body replaces too, is found in ``_add_covered``.
_COVERED: dict[Category, tuple[str, ...]] = {
    "upper_body": ("upper_clothes", "dress"),
    "lower_body": ("skirt", "pants"),
    "dresses": ("upper_clothes", "skirt", "pants", "dress"),
}
_FIXED: dict[Category, tuple[str, ...]] = {
    "upper_body": (*_WORN_ABOVE_ALL, "skirt", "pants"),
    "lower_body": (*_WORN_ABOVE_ALL, "head", "upper_clothes", *_ARMS),
    "dresses": _WORN_ABOVE_ALL,
}


def inpaint_mask(
    labels: np.ndarray,
    keypoints: np.ndarray,
    *,
    category: Category,
    scheme: LabelScheme,
    rule: MaskRule = "published",
    dilation: int = DILATION_SIDE,
    hands: np.ndarray | None = None,
) -> np.ndarray:
    """The pixels to repaint: (garment ∪ arms) dilated five times by a 5×5 square, minus what is fixed.

    With ``rule="published"`` this is the mask of the published code to the pixel, except that a line to an
    absent joint is left out instead of drawn to the picture's corner. LIP labels with upper_body follow the
    VITON-HD rule; LIP labels with the other two categories follow Dress Code's rule after translation.

    Args:
        labels: (H,W) integers, already at the wanted size (nearest neighbour).
        keypoints: (18,3) or (18,2), in pixels of ``labels``; (0,0) is an absent joint. An empty array means
            that nobody was
            found: the mask then follows the labels alone.
        category: What the new garment is.
        scheme: The numbering of ``labels``.
        rule: ``published``, or ``worn`` to replace also every worn garment that the new one covers.
        dilation: Side of the square that is the sum of the five, odd; another one is for sizes at which a
            model was not trained.
        hands: (H,W) bool, what of the labelled arms is surely hands and stays, though a joint's line covers
            it; for ``worn`` alone.

    Returns:
        (H,W) bool, True = repaint.

    Raises:
        SettingError: Unknown category, scheme or rule, or arrays of the wrong shape.
    """
    garment, arms, fixed = mask_regions(
        labels, keypoints, category=category, scheme=scheme, rule=rule, hands=hands
    )
    repaint = (garment | arms).astype(np.uint8)
    # Outside the picture there is nothing to repaint: constant border, as in OpenCV's dilation.
    dilated = ndimage.maximum_filter(repaint, size=dilation, mode="constant") > 0
    return dilated & ~fixed


def mask_regions(
    labels: np.ndarray,
    keypoints: np.ndarray,
    *,
    category: Category,
    scheme: LabelScheme,
    rule: MaskRule = "published",
    hands: np.ndarray | None = None,
) -> MaskRegions:
    """The three parts of ``inpaint_mask`` before dilation, with the same arguments and errors.

    ``fixed`` also serves to keep a grown mask off face and hands, see ``grow_mask``.
    """
    regions = _regions(labels, keypoints, category=category, scheme=scheme, rule=rule)
    if rule == "published":
        return regions
    if hands is not None and category != "lower_body":
        hands = hands & named(labels, scheme, _ARMS)
        regions = regions._replace(arms=regions.arms & ~hands, fixed=regions.fixed | hands)
    return widened(regions, labels, keypoints, scheme, top=category == "upper_body")


def _regions(
    labels: np.ndarray, keypoints: np.ndarray, *, category: Category, scheme: LabelScheme, rule: MaskRule
) -> MaskRegions:
    """The parts as the rules have them, to the pixel."""
    joints = _checked(labels, keypoints, category=category, scheme=scheme, rule=rule)
    size = (labels.shape[0], labels.shape[1])
    if scheme == "lip" and category == "upper_body":
        # The VITON-HD rule already replaces everything that covers the upper body.
        garment, fixed = named(labels, scheme, UPPER_CLOTHING), named(labels, scheme, _VITON_FIXED)
        if rule == "worn":
            # As in Dress Code: bags and scarves are in front; collars go below the shoulder line.
            fixed = fixed | named(labels, scheme, _IN_FRONT)
            garment = garment | (named(labels, scheme, _NECKS) & below_shoulder_line(joints, size))
        arms = _arm_line(joints, size, width=scaled(_VITON_ARM_WIDTH, size))
        return MaskRegions(garment, arms, fixed | (named(labels, scheme, _ARMS) & ~arms))
    labels = to_scheme(labels, scheme, "dresscode")
    garment = named(labels, "dresscode", _GARMENT[category])
    fixed = named(labels, "dresscode", _FIXED[category])
    if rule == "worn":
        garment, fixed = _add_covered(garment, fixed, labels, joints, category)
    if category == "lower_body":
        return MaskRegions(garment, np.zeros(size, bool), fixed)
    arms = _arm_line(joints, size, width=scaled(_DRESS_CODE_ARM_WIDTH, size))
    head = named(labels, "dresscode", _HEAD)
    below = below_shoulder_line(joints, size)
    hands = named(labels, "dresscode", _ARMS) & ~arms
    return MaskRegions(garment | (head & below), arms, fixed | (head & ~below) | hands)


def grow_mask(mask: np.ndarray, pixels: int, *, keep: np.ndarray | None = None) -> np.ndarray:
    """Grow a mask by a number of pixels in every direction, or shrink it if the number is negative.

    Where the mask touches the picture's edge it is taken to go on outside: shrinking leaves no rim there.

    Args:
        mask: (H,W) bool.
        pixels: Distance to grow; negative to shrink; 0 changes nothing.
        keep: (H,W) bool, pixels that growing must not add, such as ``MaskRegions.fixed``.

    Returns:
        (H,W) bool, a new array.
    """
    mask = mask.astype(bool)
    if pixels == 0 or not mask.any() or mask.all():
        return mask
    if pixels < 0:
        return ndimage.distance_transform_edt(mask) > -pixels
    grown = ndimage.distance_transform_edt(~mask) <= pixels
    return grown if keep is None else mask | (grown & ~keep.astype(bool))


def _checked(
    labels: np.ndarray, keypoints: np.ndarray, *, category: Category, scheme: LabelScheme, rule: MaskRule
) -> np.ndarray:
    """The joints as (18,2) floats, after refusing arguments that no mask can be made of."""
    label_table(scheme)
    if category not in CATEGORIES:
        raise SettingError(f'The category must be one of {", ".join(CATEGORIES)}, got "{category}".')
    if rule not in get_args(MaskRule):
        raise SettingError(f'The mask rule must be one of {", ".join(get_args(MaskRule))}, got "{rule}".')
    if labels.ndim != 2:
        raise SettingError(f"A label map must be (height, width), got shape {labels.shape}.")
    points = np.asarray(keypoints, np.float64)
    if points.size == 0:
        return np.zeros((len(KEYPOINT_NAMES), 2))
    if points.ndim != 2 or points.shape[0] != len(KEYPOINT_NAMES) or points.shape[1] < 2:
        raise SettingError(f"Keypoints must be ({len(KEYPOINT_NAMES)},3), got shape {points.shape}.")
    return points[:, :2]


def _present(joints: np.ndarray, *names: str) -> bool:
    return all(bool(joints[JOINT[name]].any()) for name in names)


def _arm_line(joints: np.ndarray, size: Size, *, width: int) -> np.ndarray:
    """The thick line wrist–elbow–shoulder–shoulder–elbow–wrist with round joints, absent ones left out."""
    # The line runs from left to right as in the published code: with Pillow the other way differs by some
    # pixels.
    chains: list[tuple[str, ...]] = [_LEFT_ARM + _RIGHT_ARM]
    if not _present(joints, "left_shoulder", "right_shoulder"):
        # A line across from one arm to the other would cover the body without a reason.
        chains = [_LEFT_ARM, _RIGHT_ARM]
    canvas = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(canvas)
    for chain in chains:
        found = [joints[JOINT[name]] for name in chain if _present(joints, name)]
        points = [(int(x), int(y)) for x, y in found]
        if len(points) > 1:
            draw.line(points, fill=255, width=width, joint="curve")
    return np.asarray(canvas) > 0


def below_shoulder_line(joints: np.ndarray, size: Size) -> np.ndarray:
    """(H,W) bool: below the line through both shoulders raised by 20 px at 512; nowhere without shoulders.

    Args:
        joints: (18,2) or (18,3), in pixels of ``size``.
        size: Height and width.
    """
    if not _present(joints, "left_shoulder", "right_shoulder"):
        return np.zeros(size, bool)
    right_x, right_y = joints[JOINT["right_shoulder"], :2]
    left_x, left_y = joints[JOINT["left_shoulder"], :2]
    slope = (left_y - right_y) / (left_x - right_x) if left_x != right_x else 0.0
    line = right_y + slope * (np.arange(size[1]) - right_x) - _SHOULDER_RISE * size[0] / REFERENCE_HEIGHT
    return np.arange(size[0])[:, None] >= np.trunc(line)[None, :]


def _add_covered(
    garment: np.ndarray, fixed: np.ndarray, labels: np.ndarray, joints: np.ndarray, category: Category
) -> tuple[np.ndarray, np.ndarray]:
    """Garment and fixed region of the ``worn`` rule, from those of the published one (Dress Code labels)."""
    garment = garment | named(labels, "dresscode", _COVERED[category])
    if category != "lower_body":
        return garment, fixed
    # A new skirt under a worn dress: the dress's upper part stays as the top, else the dilation would fray
    # its edge.
    dress = named(labels, "dresscode", ("dress",))
    below = np.arange(labels.shape[0])[:, None] >= _waist_row(dress, joints)
    return garment | (dress & below), fixed | (dress & ~below)


def _waist_row(dress: np.ndarray, joints: np.ndarray) -> float:
    """The row of the waist: from the hips and shoulders, else a share of the dress's height."""
    hips = joints[[JOINT["right_hip"], JOINT["left_hip"]]]
    shoulders = joints[[JOINT["right_shoulder"], JOINT["left_shoulder"]]]
    if hips.any() and shoulders.any():
        hip, shoulder = (pair[pair.any(axis=1), 1].mean() for pair in (hips, shoulders))
        return float(hip - _WAIST_RISE * (hip - shoulder))
    rows = np.flatnonzero(dress.any(axis=1))
    if rows.size == 0:
        return float(dress.shape[0])
    return float(rows[0] + _WAIST_IN_DRESS * (rows[-1] - rows[0]))
