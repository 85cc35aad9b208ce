"""Three measures of a try-on that need no photo of the truth, as plain functions of pictures.

```
left over        old garment that must go ─► how much of it still has the photo's colour
wall kept        wall before and after ───► how much of it is the photo's own, bit for bit
garment's colour where result and warp both say garment ─► how far apart they are
```

All arrays lie over the photo, at the photo's size. Who finds people, labels and warps, and on which pictures,
is the business of ``real_photos.py``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.color import rgb2lab

from ladi.types import JOINT, Frame, Size

ERODED = 2.0
"""Model pixels by which the old garment is eroded: edges belong to nobody."""
STILL = 10
"""Largest difference of a channel, of 255, at which a pixel still has the photo's colour."""
UNLIKE = 30
"""What the new colour must differ by from the photo's, so that the two can be told apart."""
FEWEST = 50
"""Pixels below which a share says nothing."""
CLEAR = 8
"""Photo pixels that wall must be away from both silhouettes."""
NEAR = 32
"""Model pixels from the silhouettes within which wall counts as near."""
WHITE, BLACK, GREY_CHROMA = 80.0, 30.0, 12.0
"""L* from which, and up to which, a garment of little chroma is white or black."""

Tone = Literal["white", "black", "coloured"]
ARMS = [[JOINT[f"{side}_{part}"] for part in ("shoulder", "elbow", "wrist")] for side in ("left", "right")]
TRUNK = [JOINT[name] for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]


class LeftOver(NamedTuple):
    """What of the old garment is still there."""

    share: float | None
    """None where too few pixels can be judged."""
    judged: int
    where: np.ndarray
    """(H,W) bool."""


class WallKept(NamedTuple):
    """Shares of the wall that is the photo's own; None where there is too little wall."""

    everywhere: float | None
    near: float | None


def over_photo(picture: np.ndarray, frame: Frame, photo_size: Size) -> np.ndarray:
    """A window's picture over the whole photo, 0 beyond the window.

    Args:
        picture: (h,w,3) or (h,w) uint8, or (h,w) bool, at the frame's size.
        frame: where the window lies.
        photo_size: of the photo.

    Returns:
        (H,W,3) or (H,W) uint8, or (H,W) bool.
    """
    pixels = picture.astype(np.uint8) * 255 if picture.dtype == bool else picture
    affine = (frame.scale, 0, -frame.left * frame.scale, 0, frame.scale, -frame.top * frame.scale)
    placed = np.asarray(
        Image.fromarray(pixels).transform(
            (photo_size[1], photo_size[0]), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
        )
    )
    return placed > 127 if picture.dtype == bool else placed


def joints_over_photo(keypoints: np.ndarray, frame: Frame) -> np.ndarray:
    """Joints (18,3) in model pixels → in the photo's; absent ones keep confidence 0."""
    moved = np.array(keypoints, np.float64)
    moved[:, :2] = moved[:, :2] / frame.scale + (frame.left, frame.top)
    return moved


def near_arms(joints: np.ndarray, size: Size) -> np.ndarray:
    """Thick lines along both arms, as far as the joints are there: (H,W) bool."""
    canvas = Image.new("1", (size[1], size[0]))
    draw = ImageDraw.Draw(canvas)
    width = max(1, round(0.45 * _shoulder_width(joints)))
    for arm in ARMS:
        for one, other in zip(arm, arm[1:], strict=False):
            if joints[one, 2] > 0 and joints[other, 2] > 0:
                draw.line([tuple(joints[one, :2]), tuple(joints[other, :2])], fill=1, width=width)
    return np.array(canvas)


def trunk(joints: np.ndarray, size: Size) -> np.ndarray:
    """The quadrangle of shoulders and hips, empty where one is absent: (H,W) bool."""
    canvas = Image.new("1", (size[1], size[0]))
    if (joints[TRUNK, 2] > 0).all():
        ImageDraw.Draw(canvas).polygon([tuple(joints[index, :2]) for index in TRUNK], fill=1)
    return np.array(canvas)


def must_change(old: np.ndarray, new: np.ndarray, joints: np.ndarray, scale: float) -> np.ndarray:
    """Where the old garment must give way to the new one or to bare skin.

    That is: under the new garment, along the arms, and everywhere above the hips. What hangs lower, a coat or
    a dress, may stay where the new garment does not reach.

    Args:
        old: (H,W) bool, the old garment.
        new: (H,W) bool, where the new one lies as it was warped.
        joints: (18,3) in the photo's pixels.
        scale: model pixels per photo pixel.

    Returns:
        (H,W) bool, eroded.
    """
    hips = [joints[JOINT[f"{side}_hip"]] for side in ("left", "right")]
    seen = [hip[1] for hip in hips if hip[2] > 0]
    above = np.arange(len(old))[:, None] < (np.mean(seen) if seen else len(old))
    inner = ndimage.distance_transform_edt(np.pad(old, 1))[1:-1, 1:-1] > ERODED / scale
    return inner & (new | above | near_arms(joints, old.shape))


def left_over(
    photo: np.ndarray,
    result: np.ndarray,
    must: np.ndarray,
    new: np.ndarray,
    warped: np.ndarray,
    skin: np.ndarray | None,
) -> LeftOver:
    """How much of the old garment still shows.

    Only pixels whose colour would have to change are judged: black under black tells nothing.

    Args:
        photo: (H,W,3) uint8.
        result: the same size.
        must: (H,W) bool, of ``must_change``.
        new: (H,W) bool, where the new garment lies as it was warped.
        warped: (H,W,3) uint8, the new garment there.
        skin: (3,) the person's skin colour, which the rest turns into; none where no skin is seen.
    """
    wanted = warped.astype(np.int16)
    if skin is not None:
        wanted = np.where(new[..., None], wanted, skin.astype(np.int16))
    judged = must & (np.abs(wanted - photo).max(-1) > UNLIKE) & (new | (skin is not None))
    where = judged & (np.abs(result.astype(np.int16) - photo).max(-1) <= STILL)
    count = int(judged.sum())
    return LeftOver(float(where.sum() / count) if count >= FEWEST else None, count, where)


def wall_kept(
    photo: np.ndarray, result: np.ndarray, before: np.ndarray, after: np.ndarray, scale: float
) -> WallKept:
    """How much of the wall is the photo's own.

    Args:
        photo: (H,W,3) uint8.
        result: the same size.
        before: (H,W) bool, everything that is no wall in the photo.
        after: likewise, in the result.
        scale: model pixels per photo pixel.
    """
    taken = before | after
    distance = ndimage.distance_transform_edt(~taken) if taken.any() else np.full(taken.shape, np.inf)
    same = (photo == result).all(-1)
    wall = distance > CLEAR
    near = wall & (distance <= NEAR / scale)
    shares = [float(same[part].mean()) if part.sum() >= FEWEST else None for part in (wall, near)]
    return WallKept(*shares)


def garment_colour(
    result: np.ndarray, warped: np.ndarray, new: np.ndarray, seen: np.ndarray
) -> tuple[float | None, float | None]:
    """How far the result's garment is from the warped one.

    Args:
        result: (H,W,3) uint8.
        warped: the same size.
        new: (H,W) bool, where the garment lies as it was warped.
        seen: (H,W) bool, where the parser sees a garment in the result.

    Returns:
        Mean absolute difference in [0,1] where both say garment, one pixel inside; and the share of ``new``
        where the parser sees one, because a garment that is painted as wall is not compared at all.
    """
    both = ndimage.binary_erosion(new & seen)
    share = float(seen[new].mean()) if new.sum() >= FEWEST else None
    if both.sum() < FEWEST:
        return None, share
    return float(np.abs(result[both].astype(np.float32) - warped[both]).mean() / 255), share


def tone(garment: np.ndarray, matte: np.ndarray) -> Tone:
    """What a garment is by the median of its pixels: (H,W,3) uint8, (H,W) bool."""
    lightness, a, b = np.median(rgb2lab(garment[matte] / 255), axis=0)
    if np.hypot(a, b) > GREY_CHROMA:
        return "coloured"
    return "white" if lightness >= WHITE else "black" if lightness <= BLACK else "coloured"


def _shoulder_width(joints: np.ndarray) -> float:
    """Distance of the shoulders, or a fifth of the joints' height where one is absent."""
    left, right = joints[JOINT["left_shoulder"]], joints[JOINT["right_shoulder"]]
    if left[2] > 0 and right[2] > 0:
        return float(np.hypot(*(left - right)[:2]))
    known = joints[joints[:, 2] > 0]
    return float(np.ptp(known[:, 1]) / 5) if len(known) else 0.0
