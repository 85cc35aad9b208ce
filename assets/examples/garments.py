"""Garments as a shop would photograph them: laid flat, front up, on near-white.

Each garment is a cut (``Cut``), a paint for its cloth and some trimming. It draws nothing that anybody
designed or photographed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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
    fold,
    grid,
    light,
    mirror,
    stroke,
    waves,
    weave,
)

MIDDLE = WIDTH / 2
PAPER: Colour = (246 / 255, 246 / 255, 246 / 255)


@dataclass(frozen=True)
class Cut:
    """The measurements of a garment in units, from the middle outwards and from the top down."""

    neck: float = 100
    neck_top: float = 84
    neck_depth: float = 98
    neckline: Literal["round", "v", "collar", "high"] = "round"
    shoulder: float = 238
    shoulder_drop: float = 56
    chest: float = 230
    armpit: float = 340
    waist: float = 222
    hem_width: float = 230
    hem: float = 930
    sleeve: Literal["short", "long", "none"] = "short"
    rib: float = 20


@dataclass(frozen=True)
class Design:
    """A garment: its cut, the paint of its cloth, and what is added on top."""

    cut: Cut
    paint: Paint | Colour
    rib: Colour
    seed: int
    inside: Colour
    sleeve_paint: Paint | Colour | None = None
    trim: Callable[[Sheet, Cut, Field], None] | None = None
    knitted: bool = False


def _side(cut: Cut) -> list[Point]:
    """The left edge of the body from the neck to the hem."""
    shoulder = (MIDDLE - cut.shoulder, cut.neck_top + cut.shoulder_drop)
    armpit = (MIDDLE - cut.chest, cut.armpit)
    dip = 0.0 if cut.sleeve != "none" else 34.0
    seam = curve([shoulder, (MIDDLE - cut.shoulder + 10 + dip, (shoulder[1] + armpit[1]) / 2), armpit])
    flank = curve(
        [
            armpit,
            (MIDDLE - cut.waist - 4, cut.armpit + 170),
            (MIDDLE - cut.waist, (cut.armpit + cut.hem) / 2 + 30),
            (MIDDLE - cut.hem_width, cut.hem - 8),
        ]
    )
    slope = curve(
        [
            (MIDDLE - cut.neck, cut.neck_top),
            (MIDDLE - (cut.neck + cut.shoulder) / 2, cut.neck_top + 0.42 * cut.shoulder_drop),
            shoulder,
        ]
    )
    return slope[:-1] + seam[:-1] + flank


def _neckline(cut: Cut, deeper: float = 0.0, wider: float = 0.0) -> list[Point]:
    """The front edge of the neck from left to right."""
    left, top = MIDDLE - cut.neck - wider, cut.neck_top + 0.35 * wider
    depth = cut.neck_depth + deeper
    if cut.neckline in ("v", "collar"):
        half = curve([(left, top), (left + 0.42 * cut.neck, top + 0.5 * depth), (MIDDLE, top + depth)])
        return half[:-1] + mirror(half)
    half = curve(
        [
            (left, top),
            (left + 0.16 * cut.neck, top + 0.52 * depth),
            (left + 0.55 * cut.neck, top + 0.9 * depth),
            (MIDDLE, top + depth),
            (2 * MIDDLE - left - 0.55 * cut.neck, top + 0.9 * depth),
        ]
    )
    half = [point for point in half if point[0] < MIDDLE]
    return [*half, (MIDDLE, top + depth), *mirror(half)]


def back_neck(cut: Cut) -> list[Point]:
    """The back edge of the neck from left to right."""
    half = curve(
        [
            (MIDDLE - cut.neck, cut.neck_top),
            (MIDDLE - 0.5 * cut.neck, cut.neck_top + 15),
            (MIDDLE, cut.neck_top + 20),
        ]
    )
    return half[:-1] + mirror(half)


def body_outline(cut: Cut) -> list[Point]:
    """The closed outline of the front."""
    side = _side(cut)
    hem = curve(
        [
            (MIDDLE - cut.hem_width, cut.hem - 8),
            (MIDDLE - 0.5 * cut.hem_width, cut.hem + 3),
            (MIDDLE, cut.hem + 6),
        ]
    )
    lower = hem[:-1] + mirror(hem)
    return side + lower + mirror(side) + list(reversed(_neckline(cut)))


def sleeve_outline(cut: Cut) -> tuple[list[Point], list[Point]]:
    """The left sleeve's closed outline, and its cuff's edge."""
    shoulder = (MIDDLE - cut.shoulder + 3, cut.neck_top + cut.shoulder_drop)
    armpit = (MIDDLE - cut.chest + 6, cut.armpit + 4)
    if cut.sleeve == "short":
        outer, inner = (MIDDLE - 352, cut.armpit + 62), (MIDDLE - 252, cut.armpit + 116)
        top = curve([shoulder, (shoulder[0] - 28, shoulder[1] + 22), (MIDDLE - 308, cut.armpit - 72), outer])
        under = curve([inner, (MIDDLE - 228, cut.armpit + 58), armpit])
    else:
        outer, inner = (MIDDLE - 354, cut.hem - 140), (MIDDLE - 274, cut.hem - 122)
        top = curve(
            [
                shoulder,
                (shoulder[0] - 26, shoulder[1] + 24),
                (MIDDLE - 294, cut.armpit - 60),
                (MIDDLE - 328, cut.armpit + 190),
                outer,
            ]
        )
        under = curve([inner, (MIDDLE - 250, cut.armpit + 280), (MIDDLE - 226, cut.armpit + 90), armpit])
    cuff = curve([outer, ((outer[0] + inner[0]) / 2 - 2, (outer[1] + inner[1]) / 2 + 5), inner])
    back = curve([armpit, (MIDDLE - cut.shoulder + 40, cut.armpit - 60), shoulder])
    return top + cuff[1:-1] + under + back[1:-1], cuff


def _folds(cut: Cut, seed: int) -> Field:
    """How the front lies: folds from the armpits and shoulders, soft waves, a fuller hem."""
    random = np.random.default_rng(seed)
    height = waves(seed, across=60, along=240, depth=2.6) + waves(seed + 1, across=150, along=110, depth=3.2)
    for flip in (False, True):
        for _ in range(3):
            start = (MIDDLE - cut.chest + random.uniform(2, 30), cut.armpit + random.uniform(-40, 25))
            length = random.uniform(90, 190)
            slope = random.uniform(0.5, 1.5)
            line = [
                start,
                (start[0] + length * 0.5, start[1] + length * slope * 0.42),
                (start[0] + length, start[1] + length * slope),
            ]
            height += fold(
                [(WIDTH - x, y) for x, y in line] if flip else line,
                random.uniform(2.2, 4.2),
                random.uniform(9, 16),
            )
        for _ in range(2):
            x = MIDDLE - random.uniform(0.25, 0.95) * cut.hem_width
            line = [
                (x, cut.hem - random.uniform(180, 330)),
                (x + random.uniform(-14, 14), cut.hem - 90),
                (x + random.uniform(-24, 24), cut.hem + 20),
            ]
            height += fold(
                [(WIDTH - a, b) for a, b in line] if flip else line,
                random.uniform(2.0, 4.0),
                random.uniform(10, 18),
            )
    return height


def _sleeve_folds(cut: Cut, seed: int) -> Field:
    random = np.random.default_rng(seed)
    height = waves(seed, across=30, along=120, depth=1.2, turn=-20 if cut.sleeve == "short" else 0)
    bottom = cut.armpit + 60 if cut.sleeve == "short" else cut.hem - 190
    for _ in range(2 if cut.sleeve == "short" else 9):
        y = random.uniform(cut.armpit - 40, bottom)
        x = MIDDLE - 238 - 0.11 * max(0.0, y - cut.armpit)
        line = [
            (x, y),
            (x - random.uniform(20, 40), y - random.uniform(4, 22)),
            (x - random.uniform(60, 84), y - random.uniform(6, 50)),
        ]
        height += fold(line, random.uniform(2.0, 4.0), random.uniform(7, 13))
    return height


def draw_garment(design: Design) -> Sheet:
    """Lay the garment from back to front: inside of the back, sleeves, front, ribs, trimming."""
    cut, sheet, cloth = design.cut, Sheet(PAPER), weave(design.seed, 0.016)
    back = fill(back_neck(cut) + list(reversed(_neckline(cut, 30, 2))))
    if cut.neckline != "high":
        sheet.lay(back, design.inside, cloth * 0.86)
        sheet.lay(fill(_band(back_neck(cut), 0, max(13, cut.rib * 0.8))) * back, design.rib, cloth * 0.80)
    if cut.sleeve != "none":
        _draw_sleeves(sheet, design, cloth)
    outline = body_outline(cut)
    body = fill(outline)
    sheet.shade(body, 0.30, 7, (0, 3))
    height = _folds(cut, design.seed) + bulge(body, 11, 16) + (knit() if design.knitted else 0)
    sheet.lay(body, design.paint, light(height, 0.95) * cloth, warp=height)
    _edges(sheet, design, body)
    if design.trim is not None:
        design.trim(sheet, cut, height)
    return sheet


def _draw_sleeves(sheet: Sheet, design: Design, cloth: Field) -> None:
    cut = design.cut
    outline, cuff = sleeve_outline(cut)
    for flip in (False, True):
        turned = mirror(outline) if flip else outline
        mask = fill(turned)
        height = _sleeve_folds(cut, design.seed + 7 + flip)
        height = (
            (height[:, ::-1] if flip else height) + bulge(mask, 11, 14) + (knit() if design.knitted else 0)
        )
        paint = design.sleeve_paint if design.sleeve_paint is not None else design.paint
        sheet.lay(mask, paint, light(height, 0.95) * cloth, warp=height)
        edge = mirror(cuff) if flip else cuff
        depth = 20 if cut.sleeve == "short" else 46
        band = fill(_band(edge, -depth, 2)) * mask
        if cut.sleeve == "long" and cut.rib:
            sheet.lay(band, design.rib, light(_ribbing(7) + bulge(mask, 12, 12), 0.9) * cloth)
        line = [(x, y - depth) for x, y in edge]
        sheet.shade(stroke(line, 3.0) * mask, 0.32, 0.8)
        if cut.sleeve == "short":
            sheet.shade(stroke([(x, y - depth + 5) for x, y in edge], 1.6) * mask, 0.16, 0.6)


def _band(line: list[Point], above: float, below: float) -> list[Point]:
    """The strip between a line moved up and the same line moved down."""
    return [(x, y + above) for x, y in line] + [(x, y + below) for x, y in reversed(line)]


def _ribbing(period: float) -> Field:
    x, _ = grid()
    return 0.9 * np.sin(2 * np.pi * x / period)


def _edges(sheet: Sheet, design: Design, body: Field) -> None:
    """Neck band and hem with their stitching, and the seams at the sleeves."""
    cut = design.cut
    hem = [(x, y) for x, y in body_outline(cut) if y > cut.hem - 9]
    hem.sort()
    for rise, width, strength in ((26, 2.0, 0.20), (31, 1.4, 0.14)):
        sheet.shade(stroke([(x, y - rise) for x, y in hem[::3]], width) * body, strength, 0.6)
    if cut.sleeve != "none":
        side = [
            point for point in _side(cut) if cut.neck_top + cut.shoulder_drop - 2 <= point[1] <= cut.armpit
        ]
        for seam in (side, mirror(side)):
            sheet.shade(stroke(seam[::2] + seam[-1:], 4.0), 0.34, 1.2)
    if cut.neckline in ("round", "v") and cut.rib:
        inner, outer = _neckline(cut), _neckline(cut, cut.rib * 1.05, cut.rib * 0.85)
        band = fill(inner + list(reversed(outer)))
        sheet.shade(band, 0.22, 4, (0, 4))
        sheet.lay(band, design.rib, light(bulge(band, 6, 5), 0.9) * weave(design.seed + 3, 0.02))
        sheet.shade(stroke(outer[::4] + outer[-1:], 2.2), 0.30, 0.8)


def knit(depth: float = 0.8, period: float = 9.0) -> Field:
    """Vertical ribs of knitted cloth as a height."""
    x, y = grid()
    return depth * (
        np.sin(2 * np.pi * x / period) + 0.35 * np.sin(2 * np.pi * y / 5 + np.pi * np.floor(x / period))
    )
