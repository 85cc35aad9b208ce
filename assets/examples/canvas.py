"""A small painter's box: smooth outlines, folded cloth lit from the upper left, layers on a picture.

Coordinates are units of a 768×1024 sheet. It knows nothing of garments or people (``garments.py``,
``figures.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

WIDTH, HEIGHT = 768, 1024
OUT = (576, 768)
SCALE = 1.5
"""Working pixels per unit: twice the size of what is saved."""
LIGHT = np.array([-0.42, -0.50, 0.76])

Point = tuple[float, float]
Colour = tuple[float, float, float]
Field = np.ndarray
Paint = Callable[[Field, Field], Field]
"""From x and y in units, (h,w) each, to colours (h,w,3) in [0,1]."""


def hex_colour(code: str) -> Colour:
    """``#rrggbb`` as three numbers in [0,1]."""
    red, green, blue = (int(code[index : index + 2], 16) / 255 for index in (1, 3, 5))
    return red, green, blue


def grid() -> tuple[Field, Field]:
    """The x and y in units of every working pixel, (h,w) each."""
    rows, columns = np.indices((round(HEIGHT * SCALE), round(WIDTH * SCALE)), np.float32)
    return columns / SCALE, rows / SCALE


def mirror(points: Sequence[Point]) -> list[Point]:
    """The same outline on the other side of the sheet's middle, run through backwards."""
    return [(WIDTH - x, y) for x, y in reversed(points)]


def curve(points: Sequence[Point], steps: int = 14) -> list[Point]:
    """An open curve through all points (Catmull–Rom)."""
    p = np.array([points[0], *points, points[-1]], float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return [(float(x), float(y)) for x, y in np.concatenate([*pieces, p[-1:]])]


def limb(points: Sequence[Point], radii: Sequence[float]) -> list[Point]:
    """The outline of a rounded limb along a curve, its radius given at every point."""
    middle = np.array(curve(points, 16))
    at = np.linspace(0, 1, len(radii))
    reach = np.interp(np.linspace(0, 1, len(middle)), at, radii)
    step = np.gradient(middle, axis=0)
    normal = (
        np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(np.linalg.norm(step, axis=1), 1e-6)[:, None]
    )
    ends = []
    for index, sign in ((0, -1), (-1, 1)):
        start = np.arctan2(normal[index, 1], normal[index, 0])
        angles = start - sign * np.linspace(0, np.pi, 16)
        ends.append(middle[index] + reach[index] * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    right, left = middle + normal * reach[:, None], middle - normal * reach[:, None]
    outline = np.concatenate([right, ends[1], left[::-1], ends[0][::-1]])
    return [(float(x), float(y)) for x, y in outline]


def fill(*outlines: Sequence[Point], soften: float = 0.25) -> Field:
    """The union of closed polygons as coverage in [0,1]."""
    fine = 3
    canvas = Image.new("L", (round(WIDTH * SCALE) * fine, round(HEIGHT * SCALE) * fine))
    draw = ImageDraw.Draw(canvas)
    for outline in outlines:
        draw.polygon([(x * SCALE * fine, y * SCALE * fine) for x, y in outline], fill=255)
    return ndimage.gaussian_filter(np.asarray(canvas.reduce(fine), np.float32) / 255, soften * SCALE)


def stroke(points: Sequence[Point], width: float, taper: bool = False) -> Field:
    """Coverage of a soft line along a curve; tapered lines run out thinly at both ends."""
    distance, along = to_line(points)
    reach = width / 2 * (np.sin(np.pi * np.clip(along, 0.001, 0.999)) ** 0.6 if taper else 1.0)
    return np.clip((reach - distance) * SCALE + 0.5, 0, 1).astype(np.float32)


def to_line(points: Sequence[Point]) -> tuple[Field, Field]:
    """Each pixel's distance in units to a curve, and how far along it (0–1) the nearest point lies."""
    dense = np.array(curve(points, 40))
    x, y = grid()
    left, top = dense.min(axis=0) - 120
    right, bottom = dense.max(axis=0) + 120
    rows = slice(max(0, int(top * SCALE)), max(1, int(bottom * SCALE)))
    columns = slice(max(0, int(left * SCALE)), max(1, int(right * SCALE)))
    distance, along = np.full(x.shape, 1e3, np.float32), np.zeros(x.shape, np.float32)
    on = np.zeros(x[rows, columns].shape, bool)
    index = np.zeros(on.shape, np.float32)
    r = np.clip((dense[:, 1] * SCALE).astype(int) - rows.start, 0, on.shape[0] - 1)
    c = np.clip((dense[:, 0] * SCALE).astype(int) - columns.start, 0, on.shape[1] - 1)
    on[r, c] = True
    index[r, c] = np.linspace(0, 1, len(dense))
    far, (near_r, near_c) = ndimage.distance_transform_edt(~on, return_indices=True)
    distance[rows, columns] = far / SCALE
    along[rows, columns] = index[near_r, near_c]
    return distance, along


def fold(points: Sequence[Point], depth: float, width: float) -> Field:
    """A ridge (or with negative depth a valley) in the cloth along a curve, running out at both ends."""
    distance, along = to_line(points)
    ridge = depth * np.sin(np.pi * np.clip(along, 0.02, 0.98)) ** 0.7 * np.exp(-((distance / width) ** 2))
    # The nearest point jumps along the inside of a bend; unsmoothed, these jumps show as scratches.
    return ndimage.gaussian_filter(ridge, 4 * SCALE)


def waves(seed: int, *, across: float, along: float, depth: float, turn: float = 0.0) -> Field:
    """Gentle random undulation, ``across`` units wide and ``along`` units long, turned by degrees."""
    noise = (
        np.random.default_rng(seed).standard_normal((round(HEIGHT / 2), round(WIDTH / 2))).astype(np.float32)
    )
    if turn:
        noise = ndimage.rotate(noise, turn, reshape=False, order=1, mode="wrap")
        size = max(across, along) / 2
        smooth = ndimage.gaussian_filter(noise, (size, min(across, along) / 2))
        smooth = ndimage.rotate(smooth, -turn, reshape=False, order=1, mode="reflect")
    else:
        smooth = ndimage.gaussian_filter(noise, (along / 2, across / 2))
    smooth *= depth / smooth.std()
    shape = (round(HEIGHT * SCALE), round(WIDTH * SCALE))
    return np.array(Image.fromarray(smooth).resize(shape[::-1], Image.Resampling.BICUBIC))


def bulge(mask: Field, depth: float, width: float) -> Field:
    """The rounding of a stuffed shape: steep at its outline, flat ``width`` units inside."""
    inside = ndimage.distance_transform_edt(mask > 0.5) / SCALE
    # Distances from single pixels make steps along slanting edges.
    inside = ndimage.gaussian_filter(inside, 2.5 * SCALE)
    return (depth * (1 - np.exp(-inside / width))).astype(np.float32)


def swell(mask: Field, depth: float, width: float) -> Field:
    """The rounding of a limb or trunk: smooth all over, without ``bulge``'s crest along the middle."""
    spreads = (0.15, 0.35, 0.7)
    blurred = sum(ndimage.gaussian_filter(mask, share * width * SCALE, truncate=2.5) for share in spreads)
    return depth * blurred / len(spreads)


def light(height: Field, strength: float = 1.0) -> Field:
    """Brightness factor of a surface lit from the upper left; 1 where it is flat."""
    smooth = ndimage.gaussian_filter(height, 1.2 * SCALE)
    down, right = np.gradient(smooth, 1 / SCALE)
    normal = np.stack([-right, -down, np.ones_like(down)])
    normal /= np.linalg.norm(normal, axis=0)
    lit = np.tensordot(LIGHT / np.linalg.norm(LIGHT), normal, axes=1) / (LIGHT[2] / np.linalg.norm(LIGHT))
    return 1 + strength * (np.clip(lit, 0.2, 1.5) - 1)


class Sheet:
    """A picture under work: layers are laid onto it from the back to the front."""

    def __init__(self, background: Field | Colour) -> None:
        """Start with a background, a colour or (h,w,3) in [0,1]."""
        x, _ = grid()
        self.image = np.broadcast_to(np.asarray(background, np.float32), (*x.shape, 3)).copy()
        self.covered = np.zeros(x.shape, np.float32)

    def shade(
        self, mask: Field, strength: float, blur: float, shift: Point = (0, 0), everywhere: bool = False
    ) -> None:
        """Darken what is painted so far by a blurred, shifted mask, as something in front of it would."""
        dark = ndimage.shift(mask, (shift[1] * SCALE, shift[0] * SCALE), order=1)
        dark = ndimage.gaussian_filter(dark, blur * SCALE) * strength
        self.image *= (1 - dark * (1 if everywhere else self.covered))[..., None]

    def lay(
        self,
        mask: Field,
        paint: Paint | Colour,
        brightness: Field | float = 1.0,
        *,
        warp: Field | None = None,
    ) -> None:
        """Lay a layer of paint; ``warp`` is a height field along which a pattern is pushed about."""
        x, y = grid()
        if warp is not None:
            down, right = np.gradient(ndimage.gaussian_filter(warp, 5 * SCALE), 1 / SCALE)
            drift = waves(1, across=260, along=200, depth=2.5)
            x, y = x + 9 * right, y + 9 * down + drift - 7 * ((x - WIDTH / 2) / 230) ** 2
        colours = paint(x, y) if callable(paint) else np.asarray(paint, np.float32)
        if warp is not None:
            # Cloth has no edges as sharp as numbers have.
            colours = ndimage.gaussian_filter(colours, (SCALE, SCALE, 0))
        lit = tone(colours, brightness)
        self.image += mask[..., None] * (lit - self.image)
        self.covered = np.maximum(self.covered, mask)

    def save(self, path: Path, quality: int = 90) -> None:
        """Shrink to the final size and write a JPEG."""
        pixels = np.rint(np.clip(self.image, 0, 1) * 255).astype(np.uint8)
        picture = Image.fromarray(pixels).resize(OUT, Image.Resampling.LANCZOS)
        picture.save(path, quality=quality, optimize=True, subsampling=0)


def tone(colours: Field, brightness: Field | float) -> Field:
    """Colours under more or less light: shadows keep their hue, highlights wash out gently."""
    factor = np.asarray(brightness, np.float32)
    factor = factor[..., None] if factor.ndim == 2 else factor
    dark = colours * np.minimum(factor, 1) ** np.array([1.0, 1.04, 1.02], np.float32)
    return np.clip(dark + (1 - dark) * np.clip(factor - 1, 0, 1) * 0.55, 0, 1)


def weave(seed: int, grain: float = 0.02) -> Field:
    """The fine unevenness of cloth, as a brightness factor."""
    x, _ = grid()
    noise = np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)
    fine = ndimage.gaussian_filter(noise, (0.5, 0.9))
    return 1 + grain * fine / fine.std()
