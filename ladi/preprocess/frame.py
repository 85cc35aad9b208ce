"""Fit a photo to the model's 3:4 frame, and put the painted frame back into the photo.

The frame is chosen so that the person stands in it as the people of the training pictures do; cropping and
pasting back are exact inverses in place (never in detail: the model sees fewer pixels). It does not decode
files (``photo.py``) and does not find the person (``pose.py``).
"""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from scipy.ndimage import distance_transform_edt

from ladi.preprocess.composition import compose
from ladi.types import Category, Frame, Photo, PhotoError, PoseDetection, Size

_ON = 0.5
_ROUNDING = 1e-6
_PNG_LEVEL = 3
"""Half the time of the usual 6 for a few per cent more bytes; it matters from 20 megapixels on."""


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


def paste_back(
    photo: Photo, generated: np.ndarray, mask: np.ndarray, frame: Frame, *, feather: float = 4.0
) -> np.ndarray:
    """Put the painted pixels into the photo; everything outside the mask stays bit for bit the photo's.

    Args:
        photo: The original.
        generated: (h,w,3) uint8 at the model's size, or a multiple of it.
        mask: (h,w) hard mask at the model's size, nonzero = painted.
        frame: The window that ``generated`` covers.
        feather: Width in model pixels of the soft edge. It lies inside the mask, also where the window ends
            within the photo; along the photo's own border there is none.

    Returns:
        (H,W,3) uint8, the photo's size.
    """
    out = photo.pixels.copy()
    hard = np.asarray(mask) > _ON
    rows, columns = np.flatnonzero(hard.any(axis=1)), np.flatnonzero(hard.any(axis=0))
    if not rows.size:
        return out
    x0, x1 = _span(frame.left, columns, frame.scale, frame.width, photo.size[1])
    y0, y1 = _span(frame.top, rows, frame.scale, frame.height, photo.size[0])
    if x1 <= x0 or y1 <= y0:
        return out
    corners = np.array([x0 - frame.left, y0 - frame.top, x1 - frame.left, y1 - frame.top]) * frame.scale
    left, top, right, bottom = np.clip(corners, 0, [frame.size[1], frame.size[0]] * 2)
    box = (float(left), float(top), float(right), float(bottom))

    def enlarge(array: np.ndarray, filter_: Image.Resampling, times: float = 1.0) -> np.ndarray:
        scaled = (box[0] * times, box[1] * times, box[2] * times, box[3] * times)
        return np.asarray(Image.fromarray(array).resize((x1 - x0, y1 - y0), filter_, box=scaled))

    weight = enlarge(_feathered(hard, feather, frame, photo.size), Image.Resampling.BILINEAR)
    weight = weight * enlarge(hard.astype(np.uint8), Image.Resampling.NEAREST)
    painted = enlarge(generated, Image.Resampling.BICUBIC, generated.shape[0] / frame.size[0])
    window = out[y0:y1, x0:x1]
    full, part = weight >= 1, (weight > 0) & (weight < 1)
    window[full] = painted[full]
    share = weight[part][:, None]
    window[part] = np.rint(window[part] * (1 - share) + painted[part] * share).astype(np.uint8)
    return out


def _span(start: float, used: np.ndarray, scale: float, length: float, limit: int) -> tuple[int, int]:
    """First and last-plus-one photo pixel under the mask's rows or columns.

    Only pixels that lie entirely inside the window count: part of any other would have to be guessed.
    """
    first, last = used[0] / scale - 1, (used[-1] + 1) / scale + 1
    low = max(0, math.ceil(start - _ROUNDING), math.floor(start + first))
    high = min(limit, math.floor(start + length + _ROUNDING), math.ceil(start + last))
    return low, high


def _feathered(hard: np.ndarray, feather: float, frame: Frame, photo_size: Size) -> np.ndarray:
    """The mask's weight (h,w) float32: 0 at its edge, 1 from ``feather`` pixels inside."""
    if feather <= 0:
        return hard.astype(np.float32)
    scale = frame.scale
    # What the model saw beyond the photo's border is repeated edge: the mask there follows the last real
    # pixels.
    first_x, first_y = max(0.0, -frame.left * scale), max(0.0, -frame.top * scale)
    last_x = min(frame.size[1], (photo_size[1] - frame.left) * scale)
    last_y = min(frame.size[0], (photo_size[0] - frame.top) * scale)
    rows = slice(math.floor(first_y), max(math.floor(first_y) + 1, math.ceil(last_y)))
    columns = slice(math.floor(first_x), max(math.floor(first_x) + 1, math.ceil(last_x)))
    real = hard[rows, columns]
    reach = math.ceil(feather) + 1
    padded = np.pad(real, reach, mode="edge")
    # Where the photo goes on beyond the window, the painted pixels must fade out before it.
    if frame.top > 0:
        padded[:reach] = False
    if frame.top + frame.height < photo_size[0]:
        padded[-reach:] = False
    if frame.left > 0:
        padded[:, :reach] = False
    if frame.left + frame.width < photo_size[1]:
        padded[:, -reach:] = False
    depth = np.full(padded.shape, np.inf) if padded.all() else distance_transform_edt(padded)
    weight = np.clip((depth - 0.5) / feather, 0, 1)[reach:-reach, reach:-reach]
    outer = ((rows.start, hard.shape[0] - rows.stop), (columns.start, hard.shape[1] - columns.stop))
    return np.pad(weight, [(max(0, a), max(0, b)) for a, b in outer], mode="edge").astype(np.float32)


def fit_garment(
    picture: np.ndarray | Photo, size: Size, background: tuple[int, int, int] = (255, 255, 255)
) -> np.ndarray:
    """The whole picture inside the model's frame, undistorted, centred on ``background``.

    Args:
        picture: (H,W,3) uint8, or a photo, whose transparent parts are then put on ``background`` instead
            of white.
        size: The model's height and width.
        background: RGB 0–255 of the bars and of transparent parts.

    Returns:
        (h,w,3) uint8.
    """
    pixels = picture.pixels if isinstance(picture, Photo) else picture
    if isinstance(picture, Photo) and picture.alpha is not None and background != (255, 255, 255):
        clear = (255 - picture.alpha.astype(np.float32))[:, :, None] / 255
        lowered = pixels - clear * (255 - np.array(background, dtype=np.float32))
        pixels = np.clip(np.rint(lowered), 0, 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    h = min(size[0], max(1, round(height * scale)))
    w = min(size[1], max(1, round(width * scale)))
    canvas = np.empty((*size, 3), dtype=np.uint8)
    canvas[:] = background
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    shrunk = Image.fromarray(pixels).resize((w, h), Image.Resampling.LANCZOS)
    canvas[top : top + h, left : left + w] = np.asarray(shrunk)
    return canvas


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H,W,3) uint8 to (1,3,H,W) float32 in [-1,1]."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None].contiguous()


def to_pixels(image: torch.Tensor) -> np.ndarray:
    """(3,H,W) or (1,3,H,W) in [-1,1] to (H,W,3) uint8; values outside are clipped."""
    if image.ndim == 4 and image.shape[0] != 1:
        raise ValueError(f"to_pixels takes one picture at a time, got a batch of {image.shape[0]}")
    plain = image.detach().float().cpu().reshape(image.shape[-3:]).permute(1, 2, 0).numpy()
    return np.rint(np.clip((plain + 1) * 127.5, 0, 255)).astype(np.uint8)


def save_png(pixels: np.ndarray, path: str | Path, chunks: PngInfo | None = None) -> None:
    """Write (H,W,3) uint8 as a PNG without other metadata than ``chunks``; it appears whole or not at all.

    Raises:
        PhotoError: If the folder does not exist or cannot be written to.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise PhotoError(f"“{target.name}” cannot be written ({error.strerror}); check its folder.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            Image.fromarray(pixels).save(file, format="PNG", compress_level=_PNG_LEVEL, pnginfo=chunks)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except OSError as error:
        raise PhotoError(f"“{target.name}” cannot be written ({error.strerror}); check its folder.") from None
    finally:
        Path(name).unlink(missing_ok=True)
