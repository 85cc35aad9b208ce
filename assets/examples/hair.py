"""Hair for the drawn people: long, short or in a bun, in strands that follow the head."""

from __future__ import annotations

import numpy as np
from canvas import WIDTH, Colour, Field, Sheet, bulge, curve, fill, grid, light, mirror, stroke, swell
from heads import hump

MIDDLE = WIDTH / 2


def _strands(seed: int) -> Field:
    """Streaks that fall from the parting and follow the head's outline, as a brightness about 0."""
    x, y = grid()
    half = 92 * np.sqrt(np.clip(1 - np.clip((135 - y) / 102, 0, 1) ** 2, 0.02, 1))
    across = (x - MIDDLE) / half
    random = np.random.default_rng(seed)
    streaks = np.zeros(x.shape, np.float32)
    for _ in range(28):
        pitch, phase, drift = random.uniform(12, 120), random.uniform(0, 6.3), random.uniform(-0.02, 0.02)
        streaks += np.sin(pitch * across + phase + drift * y) / (1 + pitch / 60)
    return streaks / streaks.std()


def _hair(sheet: Sheet, colour: Colour, mask: Field, height: Field, seed: int) -> None:
    x, y = grid()
    gloss = np.exp(-(((np.hypot((x - MIDDLE) * 0.9, y - 150) - 84) / 14) ** 2)) * np.clip(
        (150 - y) / 50, 0, 1
    )
    lit = light(height, 0.8) * (1 + 0.10 * _strands(seed)) + 0.30 * gloss * (
        1 + 0.4 * _strands(seed + 1)
    ) * np.clip((MIDDLE + 70 - x) / 80, 0, 1)
    sheet.lay(mask, colour, np.clip(lit, 0.25, 1.5))


def draw_back_hair(sheet: Sheet, colour: Colour, seed: int) -> None:
    """Long hair behind the neck and onto the shoulders."""
    half = curve(
        [
            (MIDDLE, 60),
            (MIDDLE - 70, 80),
            (MIDDLE - 94, 150),
            (MIDDLE - 98, 240),
            (MIDDLE - 110, 330),
            (MIDDLE - 96, 400),
            (MIDDLE - 62, 420),
            (MIDDLE - 40, 380),
            (MIDDLE, 370),
        ]
    )
    mask = fill(half + mirror(half))
    _hair(sheet, colour, mask, swell(mask, 50, 60), seed)
    sheet.image *= (1 - 0.25 * mask)[..., None]


def draw_hair(sheet: Sheet, colour: Colour, style: str, seed: int) -> None:
    """Hair on top and at the sides of the face."""
    x, y = grid()
    if style == "short":
        outer = curve(
            [
                (MIDDLE - 76, 168),
                (MIDDLE - 86, 120),
                (MIDDLE - 74, 62),
                (MIDDLE - 30, 36),
                (MIDDLE + 24, 34),
                (MIDDLE + 72, 58),
                (MIDDLE + 86, 118),
                (MIDDLE + 76, 168),
            ]
        )
        inner = curve(
            [
                (MIDDLE + 70, 162),
                (MIDDLE + 70, 128),
                (MIDDLE + 58, 104),
                (MIDDLE + 20, 90),
                (MIDDLE - 26, 96),
                (MIDDLE - 56, 108),
                (MIDDLE - 69, 130),
                (MIDDLE - 70, 162),
            ]
        )
    else:
        drop = 300 if style == "long" else 150
        inset = 0 if style == "long" else 6
        outer = curve(
            [
                (MIDDLE - 84 + inset, drop),
                (MIDDLE - 93 + inset, 190),
                (MIDDLE - 88 + inset, 108),
                (MIDDLE - 60, 50),
                (MIDDLE, 34),
                (MIDDLE + 60, 50),
                (MIDDLE + 88 - inset, 108),
                (MIDDLE + 93 - inset, 190),
                (MIDDLE + 84 - inset, drop),
            ]
        )
        side = 58 if style == "long" else 66
        inner = curve(
            [
                (MIDDLE + side + 6, drop - 6),
                (MIDDLE + side + 8, 190),
                (MIDDLE + side + 4, 140),
                (MIDDLE + 44, 100),
                (MIDDLE + 10, 76),
                (MIDDLE - 10, 76),
                (MIDDLE - 44, 100),
                (MIDDLE - side - 4, 140),
                (MIDDLE - side - 8, 190),
                (MIDDLE - side - 6, drop - 6),
            ]
        )
    mask = fill(outer + inner, soften=1.0)
    sheet.shade(mask, 0.35, 7, (2, 6))
    if style == "bun":
        knot = np.clip((36 - np.hypot((x - MIDDLE) / 1.08, y - 58)) * 1.2, 0, 1).astype(np.float32)
        _hair(sheet, colour, knot, bulge(knot, 24, 18), seed + 3)
    _hair(sheet, colour, mask, swell(mask, 44, 40) + hump((-26, 66), (60, 26), 8), seed + 1)
    if style != "short":
        sheet.shade(stroke([(MIDDLE, 36), (MIDDLE - 1, 56), (MIDDLE, 78)], 3.5), 0.45, 1.2)
