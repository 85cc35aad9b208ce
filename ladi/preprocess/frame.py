"""Fit a photo to the model's 3:4 frame, and put the painted frame back into the photo.

The frame is chosen so that the person stands in it as the people of the training pictures do; cropping and
pasting back are exact inverses in place (never in detail: the model sees fewer pixels). It does not decode
files (``photo.py``) and does not find the person (``pose.py``).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image

from ladi.preprocess.composition import compose
from ladi.preprocess.large import scale_frame, shrink, shrink_factor
from ladi.types import Category, Frame, PoseDetection, Size

_ON = 0.5
_ROUNDING = 1e-6


def frame_person(photo_size: Size, detection: PoseDetection, category: Category, size: Size) -> Frame:
    """Choose the window of a photo that the model shall see.

    For the upper body: from just above the head to the upper thighs, as in VITON. For the lower body and
    dresses: the whole body, as in Dress Code. A photo of the right shape that is already so composed is
    taken whole. The window stays inside the photo where it can, and always has the model's proportions.

    Args:
        photo_size: Height and width of the photo in pixels.
        detection: The person, in the photo's pixels.
        category: What is to be replaced.
        size: The model's height and width.
    """
    aspect = size[1] / size[0]
    left, top, tall = compose(photo_size, detection, category, aspect)
    return Frame(left, top, tall * aspect, tall, size)


def crop_to_frame(pixels: np.ndarray, frame: Frame) -> np.ndarray:
    """The window at the model's size, antialiased; beyond the photo its edge is repeated.

    Args:
        pixels: (H,W,3) uint8, or (H,W) uint8, bool or float (bool and float come back as float32).
        frame: The window, in these pixels.

    Returns:
        (h,w,3) or (h,w), h and w being the model's size.
    """
    # Before the edge is repeated: around a long and narrow picture, that needs many times its pixels.
    factor = shrink_factor(frame.width * frame.height)
    if factor > 1:
        pixels, frame = shrink(pixels, factor), scale_frame(frame, 1 / factor)
    height, width = pixels.shape[:2]
    x0, x1 = math.floor(frame.left), math.ceil(frame.left + frame.width)
    y0, y1 = math.floor(frame.top), math.ceil(frame.top + frame.height)
    inside = pixels[
        np.clip(y0, 0, height - 1) : np.clip(y1, 1, height), np.clip(x0, 0, width - 1) : np.clip(x1, 1, width)
    ]
    around = ((max(0, -y0), max(0, y1 - height)), (max(0, -x0), max(0, x1 - width)))
    if any(sum(pair) for pair in around):
        inside = np.pad(inside, around + ((0, 0),) * (pixels.ndim - 2), mode="edge")
    inside = inside if inside.dtype == np.uint8 else inside.astype(np.float32)
    box = (frame.left - x0, frame.top - y0, frame.left - x0 + frame.width, frame.top - y0 + frame.height)
    # Lanczos overshoots, which a picture's clipping hides but a probability does not.
    sampling = Image.Resampling.LANCZOS if pixels.ndim == 3 else Image.Resampling.BILINEAR
    image = Image.fromarray(np.ascontiguousarray(inside))
    return np.array(image.resize((frame.size[1], frame.size[0]), sampling, box=box))


def keypoints_to_frame(keypoints: np.ndarray, frame: Frame) -> np.ndarray:
    """Joints (18,3) in the photo's pixels to the model's; those outside the window become absent, (0,0,0)."""
    moved = np.array(keypoints, dtype=np.float32)
    moved[:, :2] = (moved[:, :2] - (frame.left, frame.top)) * frame.scale
    height, width = frame.size
    inside = (moved[:, 0] >= 0) & (moved[:, 0] < width) & (moved[:, 1] >= 0) & (moved[:, 1] < height)
    moved[~(inside & (keypoints[:, 2] > 0))] = 0
    return moved


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H,W,3) uint8 to (1,3,H,W) float32 in [-1,1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None].contiguous()


def to_pixels(image: torch.Tensor) -> np.ndarray:
    """(3,H,W) or (1,3,H,W) in [-1,1] to (H,W,3) uint8; values outside are clipped."""
    if image.ndim == 4 and image.shape[0] != 1:
        raise ValueError(f"to_pixels takes one picture at a time, got a batch of {image.shape[0]}")
    plain = image.detach().float().cpu().reshape(image.shape[-3:]).permute(1, 2, 0).numpy()
    return np.rint(np.clip((plain + 1) * 127.5, 0, 255)).astype(np.uint8)
