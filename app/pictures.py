"""Pictures that explain: joints, body parts, mask, differences, and a comparison's sheet.

Everything takes and gives arrays of HWC uint8 RGB. Nothing here knows the page or the engine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ladi.preprocess.frame import to_pixels
from ladi.preprocess.labels import label_table
from ladi.types import KEYPOINT_NAMES, PersonParts

MASK_TINT = (207, 97, 59)
"""The colour of what is repainted."""
MASK_OPACITY = 0.6

LIMBS: tuple[tuple[str, str], ...] = (
    ("neck", "right_shoulder"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("neck", "left_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("neck", "right_hip"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("neck", "left_hip"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("neck", "nose"),
    ("nose", "right_eye"),
    ("right_eye", "right_ear"),
    ("nose", "left_eye"),
    ("left_eye", "left_ear"),
)
RIGHT, LEFT, MIDDLE = (0, 114, 178), (230, 159, 0), (255, 255, 255)
"""Of the person's own sides; told apart also by those who see few colours (Okabe and Ito's palette)."""

PART_COLOURS: dict[str, tuple[int, int, int]] = {
    "hat": (120, 94, 240),
    "hair": (92, 64, 51),
    "sunglasses": (40, 40, 40),
    "upper_clothes": (207, 97, 59),
    "coat": (160, 60, 40),
    "dress": (220, 38, 127),
    "belt": (90, 90, 90),
    "pants": (0, 114, 178),
    "skirt": (86, 180, 233),
    "socks": (150, 150, 150),
    "scarf": (240, 228, 66),
    "bag": (110, 110, 60),
    "glove": (120, 120, 120),
    "face": (255, 205, 170),
    "head": (255, 205, 170),
    "neck": (235, 170, 135),
    "vitonhd_neck": (235, 170, 135),
    "left_arm": (230, 159, 0),
    "right_arm": (0, 158, 115),
    "left_leg": (200, 140, 60),
    "right_leg": (0, 120, 90),
    "left_shoe": (60, 60, 90),
    "right_shoe": (60, 60, 90),
}
BACKGROUND = (238, 234, 228)


def draw_pose(person: PersonParts) -> np.ndarray:
    """The person as the model sees them, with the joints that were found: (h,w,3), twice the model's size."""
    pixels = to_pixels(person.image)
    picture = Image.fromarray(pixels).resize(
        (pixels.shape[1] * 2, pixels.shape[0] * 2), Image.Resampling.BICUBIC
    )
    draw = ImageDraw.Draw(picture)
    points = {
        name: (2 * float(x) + 1, 2 * float(y) + 1)
        for name, (x, y, found) in zip(KEYPOINT_NAMES, person.keypoints, strict=True)
        if found > 0
    }
    width = max(3, picture.height // 110)
    for first, second in LIMBS:
        if first in points and second in points:
            draw.line([points[first], points[second]], fill=(20, 20, 20), width=width + 3)
            draw.line([points[first], points[second]], fill=_side(second), width=width)
    for name, (x, y) in points.items():
        draw.ellipse(
            [x - width, y - width, x + width, y + width], fill=_side(name), outline=(20, 20, 20), width=2
        )
    return np.asarray(picture)


def _side(joint: str) -> tuple[int, int, int]:
    return RIGHT if joint.startswith("right") else LEFT if joint.startswith("left") else MIDDLE


def draw_parts(person: PersonParts) -> np.ndarray:
    """What each pixel was taken for, as colours: (h,w,3)."""
    colours = np.empty((256, 3), np.uint8)
    colours[:] = BACKGROUND
    for name, number in label_table(person.scheme).items():
        colours[number] = PART_COLOURS.get(name, BACKGROUND)
    return colours[person.labels]


def tint_mask(person: PersonParts) -> np.ndarray:
    """The person as the model sees them, (h,w,3), with everything that is repainted in colour."""
    pixels = to_pixels(person.image).astype(np.float32)
    weight = MASK_OPACITY * person.mask[0, 0].cpu().numpy()[..., None]
    return np.rint(pixels * (1 - weight) + np.array(MASK_TINT, np.float32) * weight).astype(np.uint8)


def mask_layer(mask: np.ndarray) -> np.ndarray:
    """A mask (h,w) bool as the layer over a photo that a brush draws on: (h,w,4) uint8 RGBA."""
    layer = np.zeros((*mask.shape, 4), np.uint8)
    layer[mask] = (*MASK_TINT, round(255 * MASK_OPACITY))
    return layer


def difference(picture: np.ndarray, reference: np.ndarray, times: float = 4) -> np.ndarray:
    """Where and how much two pictures of one size differ: black for equal, brighter for more, (H,W,3).

    ``times`` as bright as the mean absolute difference of the channels, because differences are small.
    """
    apart = np.abs(picture.astype(np.float32) - reference.astype(np.float32)).mean(axis=2)
    strength = np.clip(apart * times, 0, 255)[..., None] / 255
    return np.rint(strength * np.array((255, 176, 96), np.float32)).astype(np.uint8)


def sheet(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    columns: int,
    title: str = "",
    side: int = 384,
    inputs: Sequence[tuple[str, np.ndarray]] = (),
) -> np.ndarray:
    """A labelled grid of pictures, to print or to send.

    Args:
        pictures: (H,W,3) uint8 of any size.
        captions: one for each, in one or two lines.
        columns: how many stand side by side.
        title: above everything.
        side: height of a picture on the sheet, in pixels.
        inputs: further pictures with a caption each, in a row of their own at the top.

    Returns:
        (H',W',3) uint8.
    """
    font, small, heading = (ImageFont.load_default(size=size) for size in (17, 15, 24))
    cells = [(text, picture) for text, picture in zip(captions, pictures, strict=True)]
    rows = [list(inputs)] if inputs else []
    rows += [cells[start : start + columns] for start in range(0, len(cells), columns)]
    width = max((_at_height(picture, side).width for row in rows for _, picture in row), default=side)
    margin, label, top = 14, 46, 52 if title else 14
    across = max(columns, len(inputs))
    canvas = Image.new(
        "RGB",
        (margin + across * (width + margin), top + len(rows) * (side + label + margin)),
        (250, 248, 245),
    )
    draw = ImageDraw.Draw(canvas)
    if title:
        draw.text((margin, 12), title, fill=(29, 26, 24), font=heading)
    for number, row in enumerate(rows):
        y = top + number * (side + label + margin)
        for place, (text, picture) in enumerate(row):
            x = margin + place * (width + margin)
            canvas.paste(_at_height(picture, side), (x, y))
            for line, words in enumerate(text.split("\n")[:2]):
                draw.text(
                    (x, y + side + 4 + 20 * line), words, fill=(43, 39, 35), font=small if line else font
                )
    return np.asarray(canvas)


def _at_height(picture: np.ndarray, height: int) -> Image.Image:
    image = Image.fromarray(picture)
    return image.resize(
        (max(1, round(image.width * height / image.height)), height), Image.Resampling.LANCZOS
    )
