"""People who do not exist, standing before a studio wall, drawn from a height field and light.

They are made to be found by a pose detector and to be dressed; nobody sat for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from canvas import (
    HEIGHT,
    SCALE,
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
    limb,
    mirror,
    stroke,
    swell,
    waves,
    weave,
)
from hair import draw_back_hair, draw_hair
from heads import draw_face, hump, skin
from scipy import ndimage

MIDDLE = WIDTH / 2
_HEAD_SIZE = 1.07
_HEAD_DROP = 14


@dataclass(frozen=True)
class Person:
    """Looks and clothes of one figure."""

    skin: Colour
    hair: Colour
    style: Literal["long", "short", "bun"]
    lips: Colour
    iris: Colour
    top: Paint | Colour
    sleeve: Literal["short", "long", "none"]
    trousers: Colour
    seed: int
    shoulders: float = 140
    waist: float = 112
    hips: float = 134
    left_arm: tuple[Point, Point] = ((-176, 552), (-186, 728))
    right_arm: tuple[Point, Point] = ((176, 552), (186, 728))
    wall: Colour = (0.90, 0.895, 0.885)
    tilt: float = 0.0


def draw_person(person: Person) -> Sheet:
    """Paint the figure from back to front."""
    x, y = grid()
    glow = 1.02 - 0.10 * np.hypot((x - MIDDLE) / WIDTH, (y - 0.4 * HEIGHT) / HEIGHT) ** 1.5
    sheet = Sheet(np.asarray(person.wall, np.float32) * glow[..., None])
    if person.style == "long":
        draw_back_hair(sheet, person.hair, person.seed)
    _legs(sheet, person)
    _neck(sheet, person)
    for side in (-1, 1):
        _arm(sheet, person, side)
    _top(sheet, person)
    _head(sheet, person)
    return sheet


def _head(sheet: Sheet, person: Person) -> None:
    """Draw the head on a sheet of its own, then set it onto the neck: lower, larger and a little tilted."""
    head = Sheet((0.0, 0.0, 0.0))
    draw_face(head, person.skin, person.lips, person.iris, person.hair)
    draw_hair(head, person.hair, person.style, person.seed)
    centre = np.array([250.0, MIDDLE]) * SCALE
    turn = np.deg2rad(person.tilt)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / _HEAD_SIZE
    offset = centre - matrix @ (centre + np.array([_HEAD_DROP * SCALE, 0]))
    layers = np.concatenate([head.image, head.covered[..., None]], axis=2)
    moved = [ndimage.affine_transform(layers[..., k], matrix, offset, order=1) for k in range(4)]
    cover = moved[3]
    sheet.shade(cover, 0.50, 9, (4, 22))
    sheet.image = sheet.image * (1 - cover)[..., None] + np.stack(moved[:3], axis=2)
    sheet.covered = np.maximum(sheet.covered, cover)


def _joints(person: Person, side: int) -> tuple[Point, Point, Point]:
    """Shoulder, elbow and wrist of one arm."""
    elbow, wrist = person.left_arm if side < 0 else person.right_arm
    shoulder = (MIDDLE + side * (person.shoulders - 26), 366)
    return shoulder, (MIDDLE + elbow[0], elbow[1]), (MIDDLE + wrist[0], wrist[1])


def _arm(sheet: Sheet, person: Person, side: int) -> None:
    """Arm and relaxed hand in one piece, seen from the hand's back, the thumb in front."""
    shoulder, elbow, (x, y) = _joints(person, side)
    inward = -side
    between = ((elbow[0] + x) / 2 + side * 5, (elbow[1] + y) / 2)
    if person.sleeve != "none":
        # Under a sleeve the arm starts lower, or the shoulder would show beside it.
        shoulder = (shoulder[0] * 0.6 + elbow[0] * 0.4, shoulder[1] * 0.6 + elbow[1] * 0.4)
    arm = fill(limb([shoulder, elbow, between, (x, y)], [35, 33, 28, 29, 24, 17]))
    middle = [(x, y - 8), (x + 2 * inward, y + 26), (x + 6 * inward, y + 58), (x + 11 * inward, y + 98)]
    hand = fill(limb(middle, [16.5, 17, 20, 21, 20, 18, 15, 8]))
    mask = np.maximum(arm, hand)
    sheet.shade(mask, 0.10, 14, (10, 6), everywhere=True)
    height = swell(mask, 62, 44)
    for index in range(3):
        offset = (index - 1) * 9.5
        root = (x + 5 * inward + offset, y + 56 + 2 * abs(index - 1))
        tip = (x + 11 * inward + offset * 0.62, y + 100 - 5 * abs(index - 1))
        height += fold([root, ((root[0] + tip[0]) / 2 + inward, (root[1] + tip[1]) / 2), tip], -4.5, 2.6)
    for index in range(4):
        height += hump((x + 4 * inward + (index - 1.5) * 9.5 - MIDDLE, y + 52), (4.5, 6), 1.5)
    skin(sheet, person.skin, mask, height)
    along = [(x + 12 * inward, y + 12), (x + 22 * inward, y + 40), (x + 23 * inward, y + 66)]
    thumb = fill(limb(along, [10, 9.5, 8, 6]))
    sheet.shade(thumb, 0.22, 3, (-2 * inward, 2))
    skin(sheet, person.skin, thumb, swell(thumb, 16, 14))


def _neck(sheet: Sheet, person: Person) -> None:
    n = 56 if person.style == "short" else 48
    half = curve(
        [
            (MIDDLE - n, 215),
            (MIDDLE - n + 2, 274),
            (MIDDLE - 64, 308),
            (MIDDLE - 120, 336),
            (MIDDLE - 110, 420),
        ]
    )
    mask = fill(half + mirror(half))
    height = swell(mask, 60, 60)
    for side in (-1, 1):
        height += fold([(MIDDLE + side * 44, 262), (MIDDLE + side * 24, 310), (MIDDLE + side * 8, 344)], 4, 8)
        height += fold(
            [(MIDDLE + side * 14, 350), (MIDDLE + side * 60, 344), (MIDDLE + side * 112, 346)], 5, 8
        )
    skin(sheet, person.skin, mask, height, 0.7)


def _top(sheet: Sheet, person: Person) -> None:
    """The garment on the upper body, trunk and sleeves in one piece."""
    s, w, h = person.shoulders, person.waist, person.hips
    neck = (MIDDLE - 66, 304)
    if person.sleeve == "none":
        slope = curve([neck, (MIDDLE - 84, 311), (MIDDLE - 104, 321)])
        flank = [(MIDDLE - 107, 350), (MIDDLE - 108, 396), (MIDDLE - s + 18, 446), (MIDDLE - s + 22, 510)]
    else:
        slope = curve([neck, (MIDDLE - 100, 319), (MIDDLE - s + 20, 336), (MIDDLE - s + 4, 352)])
        flank = [(MIDDLE - s + 12, 404), (MIDDLE - s + 16, 450), (MIDDLE - s + 22, 510)]
    flank += [(MIDDLE - w - 4, 606), (MIDDLE - h + 2, 700)]
    hem = curve([(MIDDLE - h - 3, 752), (MIDDLE - 60, 762), (MIDDLE, 765)])
    side = slope + curve([*flank, hem[0]])
    half = curve([neck, (MIDDLE - 52, 336), (MIDDLE - 28, 358), (MIDDLE, 364)])
    neckline = half + mirror(half)[1:]
    trunk = fill(side + hem[1:] + mirror(hem)[1:] + mirror(side) + list(reversed(neckline))[1:-1])
    # The rounding goes on below the hem and above the neck: cloth does not curl in there.
    lower = [(MIDDLE - h - 3, 1000), (MIDDLE + h + 3, 1000)]
    whole = fill([*side, *lower, *mirror(side)])
    sleeves = [_sleeve(person, side) for side in (-1, 1)] if person.sleeve != "none" else []
    mask, round_mask = trunk, whole
    for cut, uncut in sleeves:
        mask, round_mask = np.maximum(mask, cut), np.maximum(round_mask, uncut)
    sheet.shade(mask, 0.30, 6, (2, 5))
    height = swell(round_mask, 62, 46) + swell(whole, 60, 150) + _folds(person)
    if person.style != "short":
        height += hump((-52, 480), (50, 54), 11) + hump((52, 480), (50, 54), 11)
    else:
        height += hump((0, 450), (100, 60), 9)
    sheet.lay(mask, person.top, light(height, 0.8) * weave(person.seed, 0.010), warp=height)
    band = fill(
        [(x, y - 2) for x, y in neckline]
        + [(x * 0.97 + MIDDLE * 0.03, y + 13) for x, y in reversed(neckline)]
    )
    sheet.lay(band * trunk, person.top, light(bulge(band, 5, 4), 0.9) * 0.92)
    sheet.shade(stroke([(x, y + 13) for x, y in neckline[::3]], 2) * trunk, 0.25, 0.8)
    sheet.shade(stroke([(x, y - 20) for x, y in (hem + mirror(hem)[1:])[::3]], 1.8) * trunk, 0.2, 0.7)
    for sign in (-1, 1) if person.sleeve != "none" else ():
        edge = MIDDLE + sign * (s - 16)
        seam = [
            (edge + sign * 10, 340),
            (edge - sign * 2, 384),
            (edge - sign * 2, 428),
            (edge + sign * 6, 462),
        ]
        sheet.shade(stroke(seam, 2.4) * mask, 0.22, 1.2)


def _sleeve(person: Person, side: int) -> tuple[Field, Field]:
    """One sleeve's coverage, and the same without the cut at its end."""
    shoulder, elbow, wrist = _joints(person, side)
    start = (shoulder[0], shoulder[1] + 14)
    if person.sleeve == "long":
        between = ((elbow[0] + wrist[0]) / 2 + side * 6, (elbow[1] + wrist[1]) / 2)
        shape = fill(limb([start, elbow, between, (wrist[0], wrist[1] + 30)], [43, 41, 35, 35, 30, 24]))
        end = (wrist[0], wrist[1] + 4)
    else:
        end = (shoulder[0] * 0.36 + elbow[0] * 0.64, shoulder[1] * 0.36 + elbow[1] * 0.64)
        shape = fill(limb([start, elbow], [43, 44, 45]))
    tilt = -side * 12
    below = fill(
        [
            (end[0] - 90, end[1] - tilt),
            (end[0] + 90, end[1] + tilt),
            (end[0] + 90, end[1] + 190),
            (end[0] - 90, end[1] + 190),
        ]
    )
    return shape * (1 - below), shape


def _folds(person: Person) -> Field:
    random = np.random.default_rng(person.seed)
    height = waves(person.seed, across=46, along=150, depth=1.6)
    for side in (-1, 1):
        for _ in range(3):
            start = (MIDDLE + side * (person.shoulders - 22), 432 + random.uniform(-30, 30))
            end = (start[0] - side * random.uniform(60, 100), start[1] + random.uniform(20, 80))
            height += fold(
                [start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 8), end],
                random.uniform(3, 5),
                random.uniform(7, 12),
            )
        for level in (590, 640, 690):
            y = level + random.uniform(-14, 14)
            start = (MIDDLE + side * (person.waist + 2), y)
            end = (MIDDLE + side * random.uniform(10, 50), y + random.uniform(10, 46))
            height += fold(
                [start, ((start[0] + end[0]) / 2, y + 24), end], random.uniform(2.5, 5), random.uniform(7, 12)
            )
        shoulder, elbow, wrist = _joints(person, side)
        line = np.array([shoulder, elbow, wrist])
        for share in (
            ()
            if person.sleeve == "none"
            else (0.62, 0.9)
            if person.sleeve == "short"
            else np.linspace(0.5, 1.9, 9)
        ):
            x, y = (float(np.interp(share, range(3), line[:, axis])) for axis in (0, 1))
            tilt = random.uniform(-24, 24)
            points = [(x - 36, y - tilt), (x, y + random.uniform(2, 9)), (x + 36, y + tilt)]
            height += fold(points, random.uniform(2.5, 5), random.uniform(6, 10))
    return height


def _legs(sheet: Sheet, person: Person) -> None:
    h = person.hips
    for side in (-1, 1):
        outer = curve(
            [
                (MIDDLE + side * (h - 12), 690),
                (MIDDLE + side * (h + 2), 780),
                (MIDDLE + side * (h - 2), 900),
                (MIDDLE + side * (h - 14), 1060),
            ]
        )
        inner = curve(
            [
                (MIDDLE + side * 20, 1060),
                (MIDDLE + side * 8, 930),
                (MIDDLE - side * 2, 830),
                (MIDDLE - side * 2, 690),
            ]
        )
        mask = fill(outer + inner)
        height = swell(mask, 80, 80) + waves(person.seed + 20 + side, across=40, along=140, depth=1.8)
        for level in (812, 836, 866):
            height += fold(
                [
                    (MIDDLE + side * 4, level),
                    (MIDDLE + side * 44, level - 12),
                    (MIDDLE + side * 92, level - 34),
                ],
                5,
                8,
            )
        sheet.shade(mask, 0.12, 16, (12, 4), everywhere=True)
        sheet.lay(mask, person.trousers, light(height, 0.85) * weave(person.seed + 9, 0.03))
        seam = [(px - side * 7, py) for px, py in outer[::6]]
        sheet.shade(stroke(seam, 1.8) * mask, 0.25, 0.6)
    sheet.shade(stroke([(MIDDLE, 700), (MIDDLE + 1, 770), (MIDDLE, 836)], 2.4), 0.4, 1)
    sheet.shade(stroke([(MIDDLE, 828), (MIDDLE, 930), (MIDDLE, 1060)], 8, taper=True), 0.6, 5)
    for side in (-1, 1):
        pocket = curve([(MIDDLE + side * 66, 748), (MIDDLE + side * 84, 786), (MIDDLE + side * (h - 2), 806)])
        sheet.shade(stroke(pocket[::4], 2), 0.35, 0.8)
