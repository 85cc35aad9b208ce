"""The model's 3:4 window on a photo: where it lies, what it shows, and its pixels in the photo's and back.

The window is chosen so that the person stands in it as the people of the training pictures do
(``composition.py``). It does not decode files (``photo.py``), does not find the person (``pose.py``) and
pastes nothing back (``ladi/postprocess/paste.py``).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from ladi.preprocess.composition import compose, tilt
from ladi.preprocess.large import scale_frame, shrink, shrink_factor
from ladi.types import Category, Frame, PoseDetection, Size


def frame_person(photo_size: Size, detection: PoseDetection, category: Category, size: Size) -> Frame:
    """Choose the window of a photo that the model shall see.

    For the upper body: from just above the head to the upper thighs, as in VITON. For the lower body and
    dresses: the whole body, as in Dress Code. A photo of the right shape that is already so composed is
    taken whole. The window stays inside the photo where it can, and always has the model's proportions. Where
    the whole person leans, as in a photo held aslant, it leans with them.

    Args:
        photo_size: Height and width of the photo in pixels.
        detection: The person, in the photo's pixels.
        category: What is to be replaced.
        size: The model's height and width.
    """
    aspect = size[1] / size[0]
    angle = tilt(detection.keypoints)
    if not angle:
        left, top, tall = compose(photo_size, detection, category, aspect)
        return Frame(left, top, tall * aspect, tall, size)
    upright, canvas = _straightened(detection, photo_size, angle)
    left, top, tall = compose(canvas, upright, category, aspect)
    # The same window about its middle, in the photo's own pixels.
    aside = np.array([left + tall * aspect / 2, top + tall / 2]) - (canvas[1] / 2, canvas[0] / 2)
    x, y = np.array([photo_size[1], photo_size[0]]) / 2 + aside @ _axes(angle)
    return Frame(float(x) - tall * aspect / 2, float(y) - tall / 2, tall * aspect, tall, size, angle)


def _axes(angle: float) -> np.ndarray:
    """(2,2): the directions to the right and down of a window that is turned, in the photo."""
    turned = math.radians(angle)
    return np.array([[math.cos(turned), math.sin(turned)], [-math.sin(turned), math.cos(turned)]])


def _straightened(detection: PoseDetection, photo_size: Size, angle: float) -> tuple[PoseDetection, Size]:
    """Joints and outline as they are in the photo turned upright, and that photo's size."""
    axes = _axes(angle)
    height, width = photo_size
    wide, tall = np.ceil(np.abs(axes).T @ (width, height)).astype(int)
    middle, centre = np.array([wide, tall]) / 2, np.array([width, height]) / 2
    keypoints = detection.keypoints.copy()
    keypoints[:, :2] = (keypoints[:, :2] - centre) @ axes.T + middle
    keypoints[detection.keypoints[:, 2] <= 0] = 0
    data = _affine(axes, middle, centre)
    outline = Image.fromarray(detection.silhouette).transform(
        (int(wide), int(tall)), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
    )
    return replace(detection, keypoints=keypoints, silhouette=np.asarray(outline)), (int(tall), int(wide))


def _affine(axes: np.ndarray, middle: np.ndarray, centre: np.ndarray) -> tuple[float, ...]:
    """Pillow's six numbers for: a point's offset from ``middle`` goes along ``axes`` from ``centre``."""
    (a, d), (b, e) = axes
    c, f = centre - middle @ axes
    return a, b, float(c), d, e, float(f)


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
    if frame.angle:
        pixels, frame = _turned_window(pixels, frame)
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


def _turned_window(pixels: np.ndarray, frame: Frame) -> tuple[np.ndarray, Frame]:
    """What lies in a window that is turned, upright, and the window that is all of it."""
    corners = to_photo(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * (frame.size[1], frame.size[0]), frame)
    (x0, y0), (x1, y1) = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    height, width = pixels.shape[:2]
    around = ((max(0, -y0), max(0, y1 - height)), (max(0, -x0), max(0, x1 - width)))
    padded = np.pad(pixels, around + ((0, 0),) * (pixels.ndim - 2), mode="edge")
    image = Image.fromarray(padded if padded.dtype == np.uint8 else padded.astype(np.float32))
    wide, tall = math.ceil(frame.width), math.ceil(frame.height)
    middle = np.array([frame.left + frame.width / 2, frame.top + frame.height / 2])
    data = _affine(_axes(frame.angle), np.array([wide, tall]) / 2, middle + (max(0, -x0), max(0, -y0)))
    sampling = Image.Resampling.BICUBIC if pixels.ndim == 3 else Image.Resampling.BILINEAR
    upright = np.asarray(image.transform((wide, tall), Image.Transform.AFFINE, data, sampling))
    left, top = (wide - frame.width) / 2, (tall - frame.height) / 2
    return upright, replace(frame, left=left, top=top, angle=0.0)


def keypoints_to_frame(keypoints: np.ndarray, frame: Frame) -> np.ndarray:
    """Joints (18,3) in the photo's pixels to the model's; those outside the window become absent, (0,0,0)."""
    moved = np.array(keypoints, dtype=np.float32)
    moved[:, :2] = to_window(moved[:, :2], frame)
    height, width = frame.size
    inside = (moved[:, 0] >= 0) & (moved[:, 0] < width) & (moved[:, 1] >= 0) & (moved[:, 1] < height)
    moved[~(inside & (keypoints[:, 2] > 0))] = 0
    return moved


def to_window(points: np.ndarray, frame: Frame) -> np.ndarray:
    """Points (…,2) as (x,y) in the photo's pixels, in those of the window at the model's size."""
    half = np.array([frame.width, frame.height]) / 2
    aside = points - ((frame.left, frame.top) + half)
    if frame.angle:
        aside = aside @ _axes(frame.angle).T
    return (aside + half) * frame.scale


def to_photo(points: np.ndarray, frame: Frame) -> np.ndarray:
    """The inverse of ``to_window``."""
    half = np.array([frame.width, frame.height]) / 2
    aside = points / frame.scale - half
    if frame.angle:
        aside = aside @ _axes(frame.angle)
    return aside + half + (frame.left, frame.top)


def window_to_photo(frame: Frame, corner: tuple[int, int]) -> tuple[float, ...]:
    """Pillow's six numbers by which a part of the photo that begins at a corner takes a window's pixels."""
    one, right, down = to_window(
        np.array([corner, (corner[0] + 1, corner[1]), (corner[0], corner[1] + 1)]), frame
    )
    (a, d), (b, e) = right - one, down - one
    return float(a), float(b), float(one[0]), float(d), float(e), float(one[1])


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H,W,3) uint8 to (1,3,H,W) float32 in [-1,1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None].contiguous()


def to_pixels(image: torch.Tensor) -> np.ndarray:
    """(3,H,W) or (1,3,H,W) in [-1,1] to (H,W,3) uint8; values outside are clipped."""
    if image.ndim == 4 and image.shape[0] != 1:
        raise ValueError(f"to_pixels takes one picture at a time, got a batch of {image.shape[0]}")
    plain = image.detach().float().cpu().reshape(image.shape[-3:]).permute(1, 2, 0).numpy()
    return np.rint(np.clip((plain + 1) * 127.5, 0, 255)).astype(np.uint8)
