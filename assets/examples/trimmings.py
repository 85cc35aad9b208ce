"""What is sewn onto a garment after its cloth is cut: collar, buttons, pocket, roll neck."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from canvas import (
    WIDTH,
    Colour,
    Field,
    Paint,
    Point,
    Sheet,
    bulge,
    curve,
    fill,
    grid,
    light,
    mirror,
    stroke,
    weave,
)
from garments import MIDDLE, Cut, back_neck


def shirt_front(cloth: Paint, button: Colour) -> Callable[[Sheet, Cut, Field], None]:
    """The trimming of a shirt: button band, buttons, a chest pocket and a turned-down collar."""

    def trim(sheet: Sheet, cut: Cut, height: Field) -> None:
        top = cut.neck_top + cut.neck_depth
        band = fill(
            [
                (MIDDLE - 17, top - 4),
                (MIDDLE + 17, top - 4),
                (MIDDLE + 17, cut.hem + 5),
                (MIDDLE - 17, cut.hem + 5),
            ]
        )
        sheet.shade(band, 0.26, 3, (2, 2))
        sheet.lay(band, cloth, light(height + bulge(band, 4, 3), 0.95), warp=height)
        for x in (MIDDLE - 13, MIDDLE + 13):
            sheet.shade(stroke([(x, top), (x, cut.hem)], 1.3), 0.18, 0.5)
        for index in range(6):
            _button(sheet, (MIDDLE, top + 34 + index * (cut.hem - top - 90) / 5), button)
        left, right, upper, lower = MIDDLE + 74, MIDDLE + 168, 372, 486
        shape = [
            (left, upper),
            (right, upper),
            (right, lower - 16),
            ((left + right) / 2, lower),
            (left, lower - 16),
        ]
        pocket = fill(shape)
        sheet.shade(pocket, 0.22, 2.5, (1, 2))
        sheet.lay(
            pocket,
            lambda x, y: cloth(x + 9, y + 14),
            light(height + bulge(pocket, 2.5, 3), 0.95),
            warp=height,
        )
        sheet.shade(stroke([(left, upper + 15), (right, upper + 15)], 1.4), 0.25, 0.5)
        _collar(sheet, cut, cloth)

    return trim


def _button(sheet: Sheet, at: Point, colour: Colour, radius: float = 7.5) -> None:
    x, y = grid()
    distance = np.hypot(x - at[0], y - at[1])
    disc = np.clip((radius - distance) * 1.5 + 0.5, 0, 1).astype(np.float32)
    sheet.shade(disc, 0.45, 2, (1, 2))
    sheet.lay(disc, colour, light(bulge(disc, 2.5, 2), 0.9))
    for dx, dy in ((-2, -2), (2, -2), (-2, 2), (2, 2)):
        hole = np.clip((1.3 - np.hypot(x - at[0] - dx, y - at[1] - dy)) * 1.5 + 0.5, 0, 1).astype(np.float32)
        sheet.shade(hole, 0.6, 0.3)


def _collar(sheet: Sheet, cut: Cut, cloth: Paint) -> None:
    top = cut.neck_top
    stand = fill(_back_band(cut, 26))
    sheet.lay(stand, cloth, light(bulge(stand, 5, 6), 0.9) * 0.9)
    leaf = curve(
        [
            (MIDDLE - cut.neck + 4, top - 24),
            (MIDDLE - cut.neck - 20, top + 14),
            (MIDDLE - cut.neck - 16, top + 66),
        ]
    )
    leaf += curve(
        [(MIDDLE - 74, top + 138), (MIDDLE - 40, top + 122), (MIDDLE - 4, top + cut.neck_depth + 2)]
    )
    leaf += curve([(MIDDLE - 34, top + 70), (MIDDLE - 72, top + 24), (MIDDLE - cut.neck + 4, top - 24)])
    for outline in (leaf, mirror(leaf)):
        mask = fill(outline)
        sheet.shade(mask, 0.42, 5, (1, 5))
        height = bulge(mask, 7, 8)
        sheet.lay(
            mask, lambda x, y: cloth(x * 0.8 - y * 0.6, x * 0.6 + y * 0.8), light(height, 0.9), warp=height
        )


def _back_band(cut: Cut, rise: float) -> list[Point]:
    line = back_neck(cut)
    return [(x, y - rise) for x, y in line] + [(x, y + 4) for x, y in reversed(line)]


def roll_neck(colour: Colour) -> Callable[[Sheet, Cut, Field], None]:
    """A high folded collar of ribbed knit."""

    def trim(sheet: Sheet, cut: Cut, height: Field) -> None:
        top = cut.neck_top
        left = curve([(MIDDLE - 96, top - 56), (MIDDLE - 101, top), (MIDDLE - 106, top + 52)])
        lower = curve(
            [
                left[-1],
                (MIDDLE - 50, top + 68),
                (MIDDLE, top + 73),
                (MIDDLE + 50, top + 68),
                (WIDTH - left[-1][0], left[-1][1]),
            ]
        )
        upper = curve(
            [
                (MIDDLE + 96, top - 56),
                (MIDDLE + 40, top - 50),
                (MIDDLE - 40, top - 50),
                (MIDDLE - 96, top - 56),
            ]
        )
        tube = fill(left + lower[1:-1] + mirror(left) + upper[1:-1])
        sheet.shade(tube, 0.45, 7, (0, 6))
        x, _ = grid()
        ribs = 1.2 * np.sin((x - MIDDLE) * 0.62)
        sheet.lay(tube, colour, light(ribs + bulge(tube, 20, 22), 0.9) * weave(5, 0.02))
        sheet.shade(stroke([(px, py + 4) for px, py in upper], 5), 0.25, 1.5)

    return trim
