"""From a photo with a person in it to everything that the networks are told of them.

It puts the steps of this folder in order: judge, frame, find parts, draw the mask. It finds no joints itself
(``pose.py``) and paints nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from ladi.preprocess.bags import settle_bags, sleeves_no_bags, whole_bags
from ladi.preprocess.bare_arms import settle_arms
from ladi.preprocess.checks import check_mask, check_person, check_worn
from ladi.preprocess.chins import settle_chin
from ladi.preprocess.coherent import LIKELY_LOWER, where_sure
from ladi.preprocess.crumbs import without_crumbs, without_splinters
from ladi.preprocess.cuffs import settle_cuffs
from ladi.preprocess.findings import raise_errors
from ladi.preprocess.frame import (
    crop_to_frame,
    frame_person,
    keypoints_to_frame,
    to_pixels,
    to_tensor,
    to_window,
)
from ladi.preprocess.hair import settle_hair
from ladi.preprocess.hands import (
    bare_beside,
    hand_regions,
    hands_at_elbows,
    label_hands,
    wrists_at,
    wrists_at_labels,
)
from ladi.preprocess.jaws import label_jaw
from ladi.preprocess.long_coats import labels_below_coat, wider_window
from ladi.preprocess.mask import DILATION_SIDE, grow_mask, inpaint_mask, mask_regions
from ladi.preprocess.pose_map import pose_map
from ladi.preprocess.scarves import settle_scarf
from ladi.preprocess.strands import uncover_cloth
from ladi.preprocess.trousers import whole_trousers
from ladi.preprocess.turning import turn_pixels
from ladi.preprocess.worn import mend_worn
from ladi.preprocess.worn_edges import settle_worn
from ladi.types import (
    Category,
    Frame,
    LabelScheme,
    MaskError,
    MaskRule,
    PersonError,
    PersonParts,
    Photo,
    PoseDetection,
    Size,
)

if TYPE_CHECKING:
    from ladi.preprocess.parsing import ParsingNetwork


def prepare_person(
    photo: Photo,
    detection: PoseDetection,
    parser: ParsingNetwork,
    *,
    category: Category,
    size: Size,
    trained_size: Size | None = None,
    scheme: LabelScheme = "lip",
    mask_rule: MaskRule = "worn",
    mask_grow: int = 0,
    shrunk: int = 1,
    long_coats: bool = False,
) -> PersonParts:
    """Frame the person, label them, and decide what is repainted.

    Args:
        photo: At any size.
        detection: Who was found in it.
        parser: Labels the framed person.
        category: What the new garment is.
        size: Height and width of the frame.
        trained_size: The model's own size, if another: the mask is then dilated in proportion.
        scheme: Whose mask rule the model was trained with.
        mask_rule: See ``ladi.types.MaskRule``.
        mask_grow: Pixels of ``size`` by which the mask is grown; negative shrinks it.
        shrunk: By which factor this photo is a smaller copy, so that people are not called small for it.
        long_coats: See long coats to their hems, in a wider window; for models that were trained so.

    Raises:
        PersonError: The person cannot be dressed.
    """
    findings = check_person(photo, detection, shrunk=shrunk)
    raise_errors(findings)
    frame = frame_person(photo.size, detection, category, size)
    seen = _look(photo, detection, parser, frame, scheme, mask_rule, category)
    if long_coats and category == "upper_body" and mask_rule == "worn":
        # Once more in a wider window, if a coat leaves this one. The wider one is taken where the coat ends
        # in it and trousers or a skirt are seen below.
        wider = wider_window(frame, seen.labels, photo.size, scheme)
        if wider is not None:
            again = _look(photo, detection, parser, wider, scheme, mask_rule, category)
            if wider_window(wider, again.labels, photo.size, scheme) is None:
                below = labels_below_coat(
                    seen.labels, again.labels, to_pixels(again.image), again.keypoints, scheme
                )
                if below is not None:
                    frame, seen = wider, again._replace(labels=below)
    image, labels, keypoints = seen.image, seen.labels, seen.keypoints
    if mask_rule == "worn":
        labels = whole_trousers(labels, scheme)
    rule: dict[str, Any] = {"category": category, "scheme": scheme, "rule": mask_rule, "hands": seen.hands}
    fixed = mask_regions(labels, keypoints, **rule).fixed
    side = dilation_side(size, trained_size or size)
    mask = grow_mask(inpaint_mask(labels, keypoints, **rule, dilation=side), mask_grow, keep=fixed)
    if not mask.any():
        raise PersonError(
            "No clothes were found that this garment could replace; use a photo that shows them."
        )
    return PersonParts(
        photo=photo,
        frame=frame,
        image=image,
        mask=torch.from_numpy(mask)[None, None].float(),
        pose_map=seen.pose_map,
        keypoints=keypoints,
        labels=labels,
        category=category,
        scheme=scheme,
        parser=seen.parser,
        findings=(*findings, *check_worn(labels, mask, scheme, category)),
        bare=seen.bare & mask,
    )


class _Seen(NamedTuple):
    """A window of the photo, and what detectors and networks say of it, mended."""

    image: torch.Tensor
    """(1,3,H,W) in [-1,1]."""
    keypoints: np.ndarray
    """(18,3)."""
    pose_map: torch.Tensor
    """(1,18,H,W)."""
    labels: np.ndarray
    """(H,W)."""
    hands: np.ndarray
    """(H,W) bool, what of it is surely hands."""
    bare: np.ndarray
    """(H,W) bool, hands and the bare forearms that go on from them."""
    parser: str


def _look(
    photo: Photo,
    detection: PoseDetection,
    parser: ParsingNetwork,
    frame: Frame,
    scheme: LabelScheme,
    rule: MaskRule,
    category: Category,
) -> _Seen:
    """Cut a window out and label what it shows; a user's photo has its labels mended, step after step."""
    # diffusers, which the parser needs, takes seconds to import.
    from ladi.preprocess.parsing import parse_person, translate

    image = to_tensor(crop_to_frame(photo.pixels, frame))  # [1,3,H,W]
    keypoints = keypoints_to_frame(detection.keypoints, frame)
    pose = pose_map(keypoints, frame.size)  # [1,18,H,W]
    silhouette = crop_to_frame(detection.silhouette, frame)
    from_user = rule == "worn"  # the published rule is for the data sets' own pictures
    parsing = parse_person(
        parser,
        image,
        pose,
        torch.from_numpy(silhouette)[None, None],
        coherent=from_user,
        lower=LIKELY_LOWER[category],
    )
    labels = translate(parsing, scheme, keypoints)
    if not from_user:
        none = np.zeros(labels.shape, bool)
        return _Seen(image, keypoints, pose, labels, none, none, parsing.parser)
    # The networks know wrists as the pose detector puts them; where the hand begins is seen more closely. So
    # the pose map keeps the one, and the rules below get the other.
    keypoints = wrists_at(keypoints, detection.hands, frame)
    pixels, shares = to_pixels(image), parsing.shares
    sure = None if shares is None else where_sure(shares)
    labels = settle_worn(labels, pixels, scheme, sure)
    labels = settle_hair(labels, pixels, scheme)
    if shares is not None:
        labels = sleeves_no_bags(labels, pixels, keypoints, scheme)
        labels = settle_bags(labels, pixels, shares, scheme)
        labels = whole_bags(labels, pixels, scheme)
    labels = uncover_cloth(labels, pixels, scheme)
    mended = mend_worn(labels, keypoints, silhouette, scheme, sure)
    labels = settle_arms(mended, labels, pixels, scheme)
    found = hand_regions(photo.pixels, detection.hands, frame)
    labels = label_hands(labels, found, scheme)
    labels = label_jaw(labels, pixels, detection.jaw, frame, scheme)
    labels = settle_cuffs(labels, pixels, keypoints, scheme)
    labels = settle_scarf(labels, pixels, scheme)
    labels = settle_chin(labels, pixels, scheme)
    labels = without_splinters(without_crumbs(labels, scheme), scheme)
    bare = bare_beside(labels, detection.hands, found, frame, scheme)
    keypoints = wrists_at_labels(labels, keypoints, scheme)
    forward = hands_at_elbows(labels, keypoints, scheme)
    hands, bare = (bare & found.any(axis=0)) | forward, bare | forward
    return _Seen(image, keypoints, pose, labels, hands, bare, parsing.parser)


def dilation_side(size: Size, trained_size: Size) -> int:
    """Side of the dilation's square, the nearest odd number in proportion to the model's own size."""
    return 2 * round((DILATION_SIDE * size[0] / trained_size[0] - 1) / 2) + 1


def with_mask(person: PersonParts, mask: np.ndarray) -> PersonParts:
    """The same person with a mask that was drawn by hand or read from a file.

    Args:
        person: As prepared.
        mask: (H,W) at the size of the photo as it was given, nonzero = repaint.

    Raises:
        MaskError: It has another size, or nothing of it lies in the model's window.
    """
    mask = turn_pixels(mask, person.turned)
    if mask.shape != person.photo.size:
        got, want = ("x".join(map(str, shape)) for shape in (mask.shape, person.photo.size))
        raise MaskError(f"The mask must have the photo's size, {want} (height by width), got {got}.")
    small = crop_to_frame(mask > 0, person.frame) >= 0.5
    if not small.any():
        raise MaskError("The mask is empty: paint over what the garment should cover, or reset it.")
    automatic = person.mask[0, 0].numpy() > 0
    doubts = check_mask(mask > 0, small, person.labels, person.scheme, automatic)
    return replace(
        person,
        mask=torch.from_numpy(small)[None, None].float(),
        by_hand=True,
        findings=(*person.findings, *doubts),
    )


def mask_on_photo(person: PersonParts, size: Size | None = None) -> np.ndarray:
    """A person's mask (H,W) bool over the whole photo, or over the photo at another size."""
    return place_mask(person.mask[0, 0].numpy() > 0, person.frame, person.photo.size, size)


def place_mask(mask: np.ndarray, frame: Frame, photo_size: Size, size: Size | None = None) -> np.ndarray:
    """A window's mask over the whole photo; beyond the window nothing is masked.

    Args:
        mask: (h,w) bool, at the frame's size.
        frame: where the window is, in the photo's pixels.
        photo_size: of the photo.
        size: of the result, if the photo is wanted at another size.

    Returns:
        (H,W) bool.
    """
    height, width = size or photo_size
    if frame.angle:
        return _place_turned(mask, frame, photo_size, (height, width))
    down = (np.arange(height) + 0.5) * photo_size[0] / height
    along = (np.arange(width) + 0.5) * photo_size[1] / width
    rows = np.floor((down - frame.top) * frame.scale).astype(int)
    columns = np.floor((along - frame.left) * frame.scale).astype(int)
    inside_rows = (rows >= 0) & (rows < mask.shape[0])
    inside_columns = (columns >= 0) & (columns < mask.shape[1])
    picked = mask[rows.clip(0, mask.shape[0] - 1)][:, columns.clip(0, mask.shape[1] - 1)]
    return picked & inside_rows[:, None] & inside_columns[None]


def _place_turned(mask: np.ndarray, frame: Frame, photo_size: Size, size: Size) -> np.ndarray:
    """The same for a window that leans; (H,W) bool of ``size``."""
    corner = to_window(np.zeros((1, 2)), frame)[0]
    right, down = (
        to_window(np.array([[photo_size[1] / size[1], 0], [0, photo_size[0] / size[0]]]), frame) - corner
    )
    data = (right[0], down[0], corner[0], right[1], down[1], corner[1])
    placed = Image.fromarray(mask.astype(np.uint8)).transform(
        (size[1], size[0]), Image.Transform.AFFINE, data, Image.Resampling.NEAREST
    )
    return np.asarray(placed) > 0
