"""Masks that are wider than the new garment needs, as those of people in coats are.

In a training pair the garment that is worn is the one to be put on, so its mask tells its outline: a network
learns to fill the mask, and makes a tunic of the T-shirt that replaces a coat. Here the mask of somebody else
is laid over the person by shoulders and hips, so that only the joints and the garment tell how wide and how
long it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from ladi.preprocess.labels import LIP
from ladi.preprocess.mask import inpaint_mask
from ladi.training.samples.cache import Cache
from ladi.types import JOINT

WIDER_SHARE = 0.6
ODDS_GROWN, MOST_GROWN = 0.3, 9
"""How often a mask grows on all sides as well, and by how many pixels at most."""
TRIES = 4
FARTHER_SHARE, FARTHER = 0.35, (0.5, 0.95)
"""How often shop pairs are seen in a wider window, as people in long coats are, and how much smaller."""
SCALES = (0.5, 2.0)
"""How much smaller or larger than the person the donor of a mask may be."""
KEPT = ("hat", "hair", "sunglasses", "face", "bag", "glove", "left_arm", "right_arm")
"""What a wider mask leaves where the person's own did: heads, bags and hands."""


def add_masks(cache: Cache) -> None:
    """The masks that the app makes for tops, unless the cache has them: ``mask`` (N,H,W) uint8."""
    if "mask" in cache:
        return

    def masks() -> Iterator[np.ndarray]:
        for labels, joints in zip(cache["labels"], cache["keypoints"], strict=True):
            made = inpaint_mask(
                np.asarray(labels), np.asarray(joints), category="upper_body", scheme="lip", rule="worn"
            )
            yield made.astype(np.uint8)[None]

    cache.add("mask", masks(), cache["labels"].shape[1:], "uint8")


def torso(keypoints: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The middle between the shoulders (x,y) and the way from there to the hips, in pixels.

    ``None`` where a shoulder is absent, or both hips.
    """
    joints = keypoints[:, :2]
    shoulders = joints[[JOINT["left_shoulder"], JOINT["right_shoulder"]]]
    hips = joints[[JOINT["left_hip"], JOINT["right_hip"]]]
    hips = hips[hips.any(1)]
    if not shoulders.any(1).all() or not len(hips):
        return None
    middle = shoulders.mean(0)
    length = float(hips.mean(0)[1] - middle[1])
    return (middle, length) if length > 1 else None


def laid_over(mask: np.ndarray, donor: np.ndarray, person: np.ndarray) -> np.ndarray | None:
    """A donor's mask (H,W), shifted and scaled so that its torso lies on the person's; ``None`` if it cannot.

    Args:
        mask: (H,W), 1 = repaint, in the donor's window.
        donor: (18,3) joints of the donor.
        person: (18,3) joints of the person, in a window of the same size.
    """
    theirs, own = torso(donor), torso(person)
    if theirs is None or own is None:
        return None
    scale = own[1] / theirs[1]
    if not SCALES[0] <= scale <= SCALES[1]:
        return None
    shift = own[0] - scale * theirs[0]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    size = (mask.shape[1], mask.shape[0])
    return cv2.warpAffine(np.ascontiguousarray(mask, np.uint8), matrix, size, flags=cv2.INTER_NEAREST)


def wider_mask(
    mask: np.ndarray,
    labels: np.ndarray,
    keypoints: np.ndarray,
    donors: Cache,
    rng: np.random.Generator,
) -> np.ndarray:
    """The mask, and what the larger of two donors' would repaint; now and then grown on all sides.

    Args:
        mask: (H,W), 1 = repaint.
        labels: (H,W) of the photo, in LIP's numbers.
        keypoints: (18,3).
        donors: with ``mask`` and ``keypoints``, in windows of the same size.
        rng: chooses.

    Returns:
        (H,W) uint8; nothing of head, bag and hands that the mask left is taken.
    """
    found: list[np.ndarray] = []
    for _ in range(TRIES):
        index = int(rng.integers(len(donors)))
        laid = laid_over(np.asarray(donors["mask"][index]), np.asarray(donors["keypoints"][index]), keypoints)
        if laid is not None:
            found.append(laid)
        if len(found) == 2:
            break
    own = mask > 0
    wide = own | (max(found, key=np.sum) > 0) if found else own
    if rng.random() < ODDS_GROWN:
        reach = int(rng.integers(1, MOST_GROWN + 1))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        wide = cv2.dilate(wide.astype(np.uint8), disc) > 0
    kept = np.isin(labels, [LIP[name] for name in KEPT if name in LIP]) & ~own
    return (wide & ~kept).astype(np.uint8)


def zoomed_out(scale: float, size: tuple[int, int]) -> np.ndarray:
    """(2,3), the map to a wider window of the same size: smaller, in the middle, its head as near the top."""
    height, width = size
    return np.array([[scale, 0, (1 - scale) * width / 2], [0, scale, 0.03 * (1 - scale) * height]])


def seen_from_farther(picture: np.ndarray, matrix: np.ndarray, *, smooth: bool) -> np.ndarray:
    """(H,W[,C]) in a wider window; what was not photographed is its edge repeated."""
    size = (picture.shape[1], picture.shape[0])
    how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    return cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE
    )


def joints_from_farther(keypoints: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(18,3) in the wider window; absent joints stay absent."""
    moved = keypoints.copy()
    present = keypoints[:, :2].any(axis=1, keepdims=True)
    moved[:, :2] = np.where(present, keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2], 0)
    return moved
