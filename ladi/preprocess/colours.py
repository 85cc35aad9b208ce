"""Whatever colours a decoded picture has, as 8-bit sRGB: other modes, deeper channels, colour profiles.

What was done is told in notes; files and sizes are ``photo.py``'s.
"""

from __future__ import annotations

import io
import logging

import numpy as np
from PIL import Image, ImageCms

from ladi.preprocess.large import strips

LOGGER = logging.getLogger(__name__)

_PROFILE_STEP = 51
_PROFILE_TOLERANCE = 2
"""A profile that moves no colour of a coarse grid by more than this (of 255) is sRGB under another name."""


def split_alpha(image: Image.Image) -> tuple[Image.Image | None, Image.Image]:
    """The alpha channel, unless every pixel is opaque, and the picture without it."""
    if image.mode in ("PA", "La", "RGBa") or (
        "transparency" in image.info and image.mode in ("1", "L", "P", "RGB")
    ):
        image = image.convert("RGBA")
    if image.mode not in ("RGBA", "LA"):
        return None, image
    alpha = image.getchannel("A")
    low, _ = alpha.getextrema()
    return (None if low == 255 else alpha), image.convert(image.mode[:-1])


def to_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """The picture without transparency, in 8-bit sRGB.

    Args:
        image: decoded, in any mode without an alpha channel.
        profile: its ICC profile, if it has one.
        notes: what was done beyond plain decoding is added to it.
    """
    if image.mode.startswith(("I", "F")):
        return _reduce_depth(image, notes).convert("RGB")
    if image.mode in ("P", "1", "HSV", "YCbCr"):
        image = image.convert("RGB")
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or image
    if profile:
        converted = _through_profile(image, profile, notes)
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _reduce_depth(image: Image.Image, notes: list[str]) -> Image.Image:
    """16-bit, 32-bit and floating-point grey to 8 bits; no header tells the scale, so the range decides."""
    stored = np.asarray(image)
    rows = strips(*stored.shape)

    def values(part: slice) -> np.ndarray:
        return np.nan_to_num(stored[part].astype(np.float64), posinf=0.0, neginf=0.0)

    low = min(float(values(part).min()) for part in rows)
    high = max(float(values(part).max()) for part in rows)
    start, scale = 0.0, 1.0
    if image.mode.startswith("I;16"):
        scale = 1 / 257
    elif low >= 0 and high <= 1 and image.mode == "F":
        scale = 255.0
    elif low >= 0 and high <= 255:
        scale = 1.0
    elif low >= 0 and high <= 65535:
        scale = 1 / 257
    else:
        start, scale = low, 255 / (high - low)
    notes.append("More than 8 bits per channel were reduced to 8.")
    grey = np.empty(stored.shape, np.uint8)
    for part in rows:
        grey[part] = np.clip(np.rint((values(part) - start) * scale), 0, 255)
    return Image.fromarray(grey)


def _through_profile(image: Image.Image, profile: bytes, notes: list[str]) -> Image.Image | None:
    """The picture in sRGB, or nothing where its profile is sRGB already or cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(source).strip() or "unnamed"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        if image.mode == "RGB" and _is_identity(transform):
            return None
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        LOGGER.info("colour profile ignored: %s", error)
        notes.append("The embedded colour profile is unusable and was ignored.")
        return None
    notes.append(f"Colours were converted from the profile “{name}” to sRGB.")
    return converted


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.arange(0, 256, _PROFILE_STEP, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform))
    return int(np.abs(moved.astype(int) - grid).max()) <= _PROFILE_TOLERANCE
