"""The heads of the drawn people: face and ears, from a height field of humps and a little make-up."""

from __future__ import annotations

import numpy as np
from canvas import (
    WIDTH,
    Colour,
    Field,
    Point,
    Sheet,
    bulge,
    curve,
    fill,
    grid,
    light,
    mirror,
    stroke,
    swell,
    tone,
)
from scipy import ndimage

MIDDLE = WIDTH / 2


def hump(at: Point, size: Point, height: float) -> Field:
    """A smooth round elevation of the given half-widths, ``at`` counted from the sheet's middle."""
    x, y = grid()
    return height * np.exp(-(((x - MIDDLE - at[0]) / size[0]) ** 2 + ((y - at[1]) / size[1]) ** 2))


def pair(at: Point, size: Point, height: float) -> Field:
    """Two such elevations, left and right of the middle."""
    return hump(at, size, height) + hump((-at[0], at[1]), size, height)


def skin(sheet: Sheet, colour: Colour, mask: Field, height: Field, strength: float = 0.8) -> None:
    """Lay skin: lit like cloth, but redder where the light leaves it."""
    lit = light(height, strength)
    warm = np.clip(1 - lit, 0, 1)[..., None] * np.array([0.10, -0.02, -0.06], np.float32)
    painted = np.clip(
        tone(np.broadcast_to(np.asarray(colour, np.float32), (*mask.shape, 3)), lit) + warm, 0, 1
    )
    sheet.image += mask[..., None] * (painted - sheet.image)
    sheet.covered = np.maximum(sheet.covered, mask)


def blend(sheet: Sheet, mask: Field, colour: Colour, share: float = 1.0) -> None:
    """Tint what is there."""
    sheet.image += (share * mask)[..., None] * (np.asarray(colour, np.float32) - sheet.image)


def draw_face(sheet: Sheet, colour: Colour, lips: Colour, iris: Colour, brow: Colour) -> None:
    """Ears and face, with its shadow on the neck."""
    for side in (-1, 1):
        ear = fill(
            curve(
                [
                    (MIDDLE + side * 68, 148),
                    (MIDDLE + side * 84, 146),
                    (MIDDLE + side * 87, 164),
                    (MIDDLE + side * 79, 188),
                    (MIDDLE + side * 68, 194),
                ]
            )
        )
        skin(sheet, colour, ear, bulge(ear, 9, 6))
    half = curve(
        [
            (MIDDLE, 58),
            (MIDDLE - 46, 68),
            (MIDDLE - 70, 108),
            (MIDDLE - 74, 156),
            (MIDDLE - 67, 200),
            (MIDDLE - 46, 234),
            (MIDDLE - 20, 250),
            (MIDDLE, 253),
        ]
    )
    face = fill(half + mirror(half))
    sheet.shade(face, 0.42, 11, (3, 20))
    height = swell(face, 96, 96)
    for at, size, lift in (
        ((32, 150), (24, 13), -6.5),
        ((32, 153), (15, 9), 4),
        ((30, 134), (27, 8), 3.5),
        ((43, 184), (25, 22), 5),
        ((11, 198), (6.5, 6), 4),
        ((20, 219), (12, 8), 1.5),
    ):
        height += pair(at, size, lift)
    for at, size, lift in (
        ((0, 168), (8.5, 30), 8),
        ((0, 193), (12, 10), 8),
        ((0, 207), (4, 7), -1.5),
        ((0, 219), (19, 4.5), 3),
        ((0, 229), (16, 5), 4),
        ((0, 236), (20, 3.5), -2.5),
        ((0, 245), (17, 9), 4),
    ):
        height += hump(at, size, lift)
    skin(sheet, colour, face, height, 0.62)
    blush = (0.86, 0.42, 0.36)
    blend(sheet, pair((46, 190), (20, 15), 1) * face, blush, 0.13)
    blend(sheet, hump((0, 195), (14, 9), 1) * face, blush, 0.10)
    _eyes(sheet, iris, brow)
    _mouth(sheet, lips)
    dark = tuple(0.35 * part for part in colour)
    for side in (-1, 1):
        nostril = stroke(
            [(MIDDLE + side * 4, 203), (MIDDLE + side * 8, 201.5), (MIDDLE + side * 12, 203)], 4, taper=True
        )
        blend(sheet, ndimage.gaussian_filter(nostril, 0.8), dark, 0.62)
        wing = stroke(
            [(MIDDLE + side * 14, 190), (MIDDLE + side * 18, 198), (MIDDLE + side * 13, 205)], 2.4, taper=True
        )
        blend(sheet, ndimage.gaussian_filter(wing, 1.2), dark, 0.28)


def _eyes(sheet: Sheet, iris: Colour, brow: Colour) -> None:
    x, y = grid()
    for side in (-1, 1):
        middle = MIDDLE + side * 32
        upper = curve(
            [
                (middle - 17, 155),
                (middle - 8, 149),
                (middle + 1, 147.2),
                (middle + 10, 149.2),
                (middle + 17, 155),
            ]
        )
        lower = curve(
            [
                (middle + 17, 155),
                (middle + 8, 160.5),
                (middle - 1, 161.5),
                (middle - 9, 160),
                (middle - 17, 155),
            ]
        )
        eye = fill(upper + lower, soften=0.4)
        blend(sheet, eye, (0.93, 0.91, 0.89))
        far = np.hypot(x - middle, y - 153.5)
        disc = np.clip((8.6 - far) * 1.2 + 0.5, 0, 1) * eye
        rim = np.clip((far - 5.5) / 4, 0, 1)[..., None]
        ring = np.asarray(iris, np.float32) * (1.15 - 0.75 * rim)
        sheet.image += disc[..., None] * (ring - sheet.image)
        blend(sheet, np.clip((4.0 - far) * 1.4 + 0.5, 0, 1) * eye, (0.03, 0.025, 0.025))
        blend(sheet, np.clip((1.9 - np.hypot(x - middle + 3, y - 150)) * 1.3 + 0.5, 0, 1), (1, 1, 1), 0.9)
        shadow = fill(upper + [(px, py + 5) for px, py in reversed(upper)], soften=1.2) * eye
        blend(sheet, shadow, (0.25, 0.18, 0.16), 0.55)
        blend(sheet, stroke(upper[::4] + upper[-1:], 3.4, taper=True), (0.10, 0.06, 0.05), 0.92)
        blend(sheet, stroke(lower[::4] + lower[-1:], 1.5, taper=True), (0.28, 0.17, 0.14), 0.5)
        crease = [(px, py - 6) for px, py in upper]
        blend(
            sheet,
            ndimage.gaussian_filter(stroke(crease[::4] + crease[-1:], 2.2, taper=True), 1),
            (0.3, 0.18, 0.14),
            0.38,
        )
        out = middle + side * 23
        line = [(middle - side * 19, 132), (middle - side * 5, 127.5), (middle + side * 9, 127), (out, 134)]
        blend(
            sheet,
            ndimage.gaussian_filter(stroke(line, 7.5, taper=True), 1.1),
            tuple(0.75 * part for part in brow),
            0.85,
        )


def _mouth(sheet: Sheet, lips: Colour) -> None:
    upper = curve(
        [
            (MIDDLE - 28, 219.5),
            (MIDDLE - 12, 215.5),
            (MIDDLE - 5, 214),
            (MIDDLE, 215.5),
            (MIDDLE + 5, 214),
            (MIDDLE + 12, 215.5),
            (MIDDLE + 28, 219.5),
        ]
    )
    between = curve(
        [(MIDDLE + 28, 219.5), (MIDDLE + 10, 223), (MIDDLE, 224), (MIDDLE - 10, 223), (MIDDLE - 28, 219.5)]
    )
    lower = curve(
        [(MIDDLE + 28, 219.5), (MIDDLE + 14, 231), (MIDDLE, 234), (MIDDLE - 14, 231), (MIDDLE - 28, 219.5)]
    )
    shape = fill(upper + lower, soften=0.7)
    blend(sheet, shape, lips, 0.60)
    blend(sheet, fill(upper + between, soften=0.8), tuple(0.72 * part for part in lips), 0.35)
    blend(
        sheet, stroke(between[::5] + between[-1:], 2.2, taper=True), tuple(0.32 * part for part in lips), 0.85
    )
    blend(sheet, hump((-3, 228), (9, 2.4), 1), (1, 0.95, 0.93), 0.22)
