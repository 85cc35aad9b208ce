"""Paints for cloth: what a garment's fabric looks like before light falls on it.

Each function returns a ``Paint``: colours from x and y in units. None copies a pattern that anybody owns.
"""

from __future__ import annotations

import numpy as np
from canvas import WIDTH, Field, Paint, hex_colour

MIDDLE = WIDTH / 2


def plain(code: str) -> Paint:
    """One colour."""
    colour = np.array(hex_colour(code), np.float32)
    return lambda x, y: np.broadcast_to(colour, (*x.shape, 3))


def stripes(codes: list[tuple[str, float]], start: float = 0.0) -> Paint:
    """Horizontal stripes, each with its width in units, repeated."""
    edges = np.cumsum([width for _, width in codes])
    colours = np.array([hex_colour(code) for code, _ in codes], np.float32)

    def paint(x: Field, y: Field) -> Field:
        index = np.searchsorted(edges, (y - start) % edges[-1], side="right")
        return colours[np.minimum(index, len(colours) - 1)]

    return paint


def checks(ground: str, bands: list[tuple[str, float, float]], period: float) -> Paint:
    """Woven checks: bands (colour, offset, width) in both directions, twice as strong where they cross."""
    base = np.array(hex_colour(ground), np.float32)

    def paint(x: Field, y: Field) -> Field:
        out = np.broadcast_to(base, (*x.shape, 3)).copy()
        twill = 0.5 + 0.12 * np.sign(np.sin((x + y) * 1.3))
        for code, offset, width in bands:
            colour = np.array(hex_colour(code), np.float32)
            for axis, share in ((x, twill), (y, 1 - twill)):
                on = ((axis - offset) % period < width) * share
                out += on[..., None] * (colour - out)
        return out

    return paint


def dots(ground: str, spot: str, period: float, radius: float) -> Paint:
    """Polka dots in a diamond lattice."""
    base, colour = (np.array(hex_colour(code), np.float32) for code in (ground, spot))

    def paint(x: Field, y: Field) -> Field:
        row = np.round(y / (period / 2))
        shifted = x + (row % 2) * period / 2
        dx = (shifted - MIDDLE + period / 2) % period - period / 2
        dy = y - row * period / 2
        on = np.clip((radius - np.hypot(dx, dy)) * 1.2 + 0.5, 0, 1)
        return base + on[..., None].astype(np.float32) * (colour - base)

    return paint


def along_sleeve(paint: Paint, angle: float = 38.0) -> Paint:
    """The same cloth cut on the sleeve's own grain: turned about the shoulder."""
    turn = np.deg2rad(angle)

    def turned(x: Field, y: Field) -> Field:
        right = x > MIDDLE
        u = np.where(right, WIDTH - x, x) - 160
        v = y - 140
        return paint(u * np.cos(turn) - v * np.sin(turn) + 160, u * np.sin(turn) + v * np.cos(turn) + 140)

    return turned


def sunset(ground: str) -> Paint:
    """A print of a sun over three hills in a round frame, on plain cloth."""
    base = np.array(hex_colour(ground), np.float32)
    sky, sun, far, middle, near = (
        np.array(hex_colour(code), np.float32)
        for code in ("#f7c873", "#e4572e", "#7d9aaa", "#3f6c7a", "#1d3d4c")
    )

    def paint(x: Field, y: Field) -> Field:
        u, v = x - MIDDLE, y - 440
        picture = sky + np.clip((v + 110) / 260, 0, 1)[..., None] * (
            np.array([1, 0.93, 0.82], np.float32) - sky
        )
        rays = (np.cos(np.arctan2(v + 8, u) * 18) > 0.25) & (np.hypot(u, v + 8) < 200)
        picture = np.where(rays[..., None], picture * np.array([1, 0.93, 0.84], np.float32), picture)
        picture = np.where((np.hypot(u, v + 8) < 54)[..., None], sun, picture)
        for colour, level, swing, speed, phase in (
            (far, 24, 20, 0.021, 0.4),
            (middle, 52, 17, 0.030, 2.0),
            (near, 84, 12, 0.024, 4.2),
        ):
            ridge = level - swing * np.sin(u * speed + phase) - 0.4 * swing * np.sin(u * speed * 2.7 + phase)
            picture = np.where((v > ridge)[..., None], colour, picture)
        frame = np.hypot(u, v)
        out = np.where((frame < 132)[..., None], picture, base)
        ring = (frame > 138) & (frame < 144)
        return np.where(ring[..., None], near, out).astype(np.float32)

    return paint
