"""Judge photos of people, pictures of garments, and masks: what may spoil a try-on?

The sentences are ``findings.py``'s. Finding the person is ``pose.py``'s work, cutting out the garment
``cleaner.py``'s, and nothing is mended here.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image
from scipy import ndimage

from ladi.preprocess.background import look_at_background
from ladi.preprocess.boxes import Box, box_of, whole
from ladi.preprocess.composition import TORSO
from ladi.preprocess.cut_outs import edges_touched, has_background_colour, is_one_colour
from ladi.preprocess.findings import finding
from ladi.preprocess.labels import label_table
from ladi.types import JOINT, Category, Finding, LabelScheme, Photo, PoseDetection

MIN_SIDE_ERROR = 64
"""Pixels of a picture's shorter side below which nothing can be made of it."""
MIN_SIDE_WARNING = 160
MIN_PERSON_ERROR = 64
"""Pixels of the photo that the model's frame around the person has in height."""
MIN_PERSON_WARNING = 200
MAX_BLUR = 0.66
"""Crete's blur measure, 0 sharp to 1 blurred, at no more than 512 pixels. Good photos have at most 0.45 (41
of people) and 0.53 (121 of garments); blurred by 2.5 pixels 0.61 and more, by 4 pixels 0.75 and more."""
_BLUR_SIDE = 512
MIN_GARMENT_ERROR = 0.01
"""Share of the picture that is garment."""
MIN_GARMENT_WARNING = 0.04
_MIN_WORN = 0.6
"""Share of the garment that lies on a person who wears it."""
_CUT_OFF_EDGES = 2
"""Of the picture, that a garment may not run out of without a word; one cuts a hem, or a long sleeve."""
MAX_MASK = 0.7
"""Share of the photo that a mask may cover without a word."""
_MOST_OF_FACE = 0.25
"""Share of the face; masks of collars reach the chin."""
_LITTLE_OF_CLOTHES, _MOST_OF_SURROUNDINGS, _SOME_WALL = 0.3, 0.7, 0.1
"""Shares of what the automatic mask covers, and of what is around it, by which an inverted mask is told, and
of the window from which the wall counts as what is around."""
_PRINTED_BELOW = 0.22
"""A face further down on a garment, by this share of its height, is no head above it."""
_ON = 0.5
_DRESS_SHARE, _BAG_SHARE = 0.04, 0.004
"""Of the model's picture, from which a dress or a bag is taken for one."""


def check_person(photo: Photo, detection: PoseDetection, *, shrunk: int = 1) -> tuple[Finding, ...]:
    """What may spoil a try-on on this photo of a person; empty where all is well.

    Args:
        photo: The photo.
        detection: Who was found in it. That nobody was found is ``PoseDetector.detect``'s own error.
        shrunk: By which factor this is a smaller copy of the photo.
    """
    box = _box(detection.silhouette)
    codes = [*_joint_codes(detection)]
    if detection.people > 1:
        codes.append("person_several")
    if _is_blurred(photo.pixels, box):
        codes.append("photo_blurred")
    if _middle(detection.keypoints, "right_hip", "left_hip") is None and box.bottom >= 0.98 * photo.size[0]:
        codes.append("person_cut_below")
    tall = shrunk * _person_height(detection, box)
    if tall < MIN_PERSON_WARNING:
        codes.append("person_too_small" if tall < MIN_PERSON_ERROR else "person_small")
    turn = turn_of(detection)
    lies = (finding("person_not_upright", turn=turn),) if turn else ()
    return (*check_pixels(photo, "photo"), *lies, *(finding(code, tall=round(tall)) for code in codes))


def check_garment(
    photo: Photo, matte: np.ndarray, *, person: PoseDetection | None = None
) -> tuple[Finding, ...]:
    """What may spoil a try-on with this picture of a garment; empty where all is well.

    Args:
        photo: The picture.
        matte: (H,W) in [0,1] at the picture's size or another of the same proportions, 1 = garment.
        person: Who ``PoseDetector.find`` sees in the picture; with a garment alone, nobody.
    """
    codes = []
    if person is not None and _wears(person, matte):
        nose = person.keypoints[JOINT["nose"]]
        if nose[2] <= 0:
            codes.append("garment_looks_worn")
        elif not _is_printed(nose, person, matte):
            codes.append("garment_on_person")
    share = float((matte > _ON).mean())
    if share < MIN_GARMENT_WARNING:
        codes.append("garment_empty" if share < MIN_GARMENT_ERROR else "garment_little")
    down, across = photo.size[0] / matte.shape[0], photo.size[1] / matte.shape[1]
    top, left, bottom, right = _box(matte)
    box = Box(int(top * down), int(left * across), round(bottom * down), round(right * across))
    if _is_blurred(photo.pixels, box):
        codes.append("garment_blurred")
    return (*check_pixels(photo, "garment"), *(finding(code) for code in codes))


def check_mask(
    mask: np.ndarray, window: np.ndarray, labels: np.ndarray, scheme: LabelScheme, automatic: np.ndarray
) -> tuple[Finding, ...]:
    """What is odd about a mask that was given or drawn: it may be inverted, or spoil the face.

    Args:
        mask: (H,W) bool, at the photo's size.
        window: (h,w) bool, the same at the model's size.
        labels: (h,w) of the person.
        scheme: the numbering of ``labels``.
        automatic: (h,w) bool, the mask that it takes the place of.
    """
    if window[automatic].mean() < _LITTLE_OF_CLOTHES and _covers_surroundings(window, labels, automatic):
        return (finding("mask_inverted"),)
    codes = []
    table = label_table(scheme)
    face = labels == table["face" if "face" in table else "head"]
    if face.any() and window[face].mean() > _MOST_OF_FACE:
        codes.append("mask_on_face")
    share = float(mask.mean())
    if share > MAX_MASK:
        codes.append("mask_large")
    return tuple(finding(code, share=round(100 * share)) for code in codes)


def _covers_surroundings(window: np.ndarray, labels: np.ndarray, automatic: np.ndarray) -> bool:
    """Whether a mask covers what no garment does: the wall, or where there is little, all but the clothes."""
    wall = labels == 0
    around = wall if wall.mean() > _SOME_WALL else ~automatic
    return bool(around.any() and window[around].mean() > _MOST_OF_SURROUNDINGS)


def check_cut_out(photo: Photo, matte: np.ndarray, cleaned_by: str) -> tuple[Finding, ...]:
    """What is doubtful about how a garment was cut out of its picture.

    Args:
        photo: the picture.
        matte: (H,W) in [0,1] at its size.
        cleaned_by: see ``CutOut``.
    """
    if cleaned_by != "alpha" and is_one_colour(photo.pixels):
        return (finding("garment_empty"),)
    cut = cleaned_by not in ("alpha", "kept")
    edges = edges_touched(matte)
    # What runs out of a plain background on all sides is that background.
    failed = cut and edges > _CUT_OFF_EDGES and look_at_background(photo.pixels).plain
    codes = []
    if failed or (cut and has_background_colour(photo.pixels, matte)):
        codes.append("garment_like_background")
    elif edges >= _CUT_OFF_EDGES:
        codes.append("garment_cut_off")
    return tuple(finding(code) for code in codes)


def check_pixels(photo: Photo, kind: Literal["photo", "garment"]) -> list[Finding]:
    """Whether a picture has enough pixels; this can be told before anything is looked for in it."""
    height, width = photo.size
    if min(height, width) >= MIN_SIDE_WARNING:
        return []
    level = "too_small" if min(height, width) < MIN_SIDE_ERROR else "small"
    return [finding(f"{kind}_{level}", pixels=f"{width}×{height}")]


def _box(soft: np.ndarray) -> Box:
    """Around what is on; the whole where nothing is."""
    return box_of(soft > _ON) or whole(soft)


def _is_blurred(pixels: np.ndarray, box: Box) -> bool:
    from skimage.measure import blur_effect  # scikit-image loads slowly, and only this needs it

    part = Image.fromarray(np.ascontiguousarray(pixels[box.window])).convert("L")
    part.thumbnail((_BLUR_SIDE, _BLUR_SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(part, dtype=np.float32) / 255
    if min(grey.shape) < MIN_SIDE_ERROR or np.ptp(grey) == 0:
        return False
    return bool(blur_effect(grey) > MAX_BLUR)


def _middle(keypoints: np.ndarray, *names: str) -> np.ndarray | None:
    """(2,) mean of those of the named joints that are present."""
    points = keypoints[[JOINT[name] for name in names]]
    points = points[points[:, 2] > 0]
    return points[:, :2].mean(axis=0) if len(points) else None


def _joint_codes(detection: PoseDetection) -> list[str]:
    codes = []
    shoulders = _middle(detection.keypoints, "right_shoulder", "left_shoulder")
    neck = _middle(detection.keypoints, "neck")
    if shoulders is None:
        codes.append("person_without_shoulders")
    elif neck is None and detection.facing == "front":
        codes.append("person_shoulder_hidden")
    if detection.facing != "front":
        codes.append(f"person_{detection.facing}_view")
    head = _middle(detection.keypoints, "nose", "right_ear", "left_ear", "right_eye", "left_eye")
    if head is None and shoulders is not None and detection.facing != "back":
        codes.append("person_headless")
    return codes


def turn_of(detection: PoseDetection) -> int:
    """Degrees by which the photo must be turned to the right for the head to be on top; 0 where it is."""
    joints = detection.keypoints
    hips, neck = _middle(joints, "right_hip", "left_hip"), _middle(joints, "neck")
    shoulders = _middle(joints, "right_shoulder", "left_shoulder")
    # From the shoulders to the hips, or, where these are hidden, from the head to the neck.
    upper = shoulders if hips is not None else _middle(joints, "nose", "right_ear", "left_ear")
    lower = hips if hips is not None else neck
    if upper is None or lower is None:
        return 0
    right, down = lower - upper
    if down >= abs(right):
        return 0
    if -down >= abs(right):
        return 180
    return 90 if right > 0 else 270


def _wears(person: PoseDetection, matte: np.ndarray) -> bool:
    """Whether most of the garment lies on the person; people printed on a shirt do not wear it."""
    outline = Image.fromarray(person.silhouette).resize((matte.shape[1], matte.shape[0]))
    garment = matte > _ON
    return bool(garment.any() and (np.asarray(outline)[garment] > _ON).mean() > _MIN_WORN)


def check_worn(
    labels: np.ndarray, mask: np.ndarray, scheme: LabelScheme, category: Category
) -> tuple[Finding, ...]:
    """What is worn that will show beside the new garment.

    Args:
        labels: (h,w) of the person.
        mask: (h,w) bool, what is repainted.
        scheme: the numbering of ``labels``.
        category: of the new garment.
    """
    table, codes = label_table(scheme), []
    dress = labels == table["dress"]
    if category == "upper_body" and dress.mean() > _DRESS_SHARE:
        codes.append("person_in_dress" if mask[dress].mean() > _ON else "person_in_long_dress")
    bag = labels == table["bag"]
    if bag.mean() > _BAG_SHARE and (ndimage.binary_dilation(bag, iterations=3) & mask).any():
        codes.append("person_with_bag")
    return tuple(finding(code) for code in codes)


def _is_printed(nose: np.ndarray, person: PoseDetection, matte: np.ndarray) -> bool:
    """Whether a face is on the garment instead of above it: a portrait, printed."""
    height, width = person.silhouette.shape
    row = min(int(nose[1] * matte.shape[0] / height), matte.shape[0] - 1)
    column = min(int(nose[0] * matte.shape[1] / width), matte.shape[1] - 1)
    box = _box(matte)
    return bool(matte[row, column] > _ON and row - box.top > _PRINTED_BELOW * box.height)


def _person_height(detection: PoseDetection, box: Box) -> float:
    """Pixels of the photo from just above the head to the upper thighs: what the model's frame would show."""
    shoulders = _middle(detection.keypoints, "right_shoulder", "left_shoulder")
    hips = _middle(detection.keypoints, "right_hip", "left_hip")
    if shoulders is None or hips is None:
        return float(box.height)
    return float(np.hypot(*(hips - shoulders))) / TORSO
