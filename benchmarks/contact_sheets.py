"""Pages of person, garment and result side by side, large enough to judge by eye."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

CELL = (300, 400)
"""Width and height of one picture."""
CAPTION = 26
ACROSS, DOWN = 2, 3
"""Triples on a page."""
GAP = 24


@dataclass(frozen=True)
class Triple:
    """One pair and what came of it."""

    number: int
    person: np.ndarray
    """(H,W,3) uint8, as the others."""
    garment: np.ndarray
    result: np.ndarray | str
    """The picture, or why there is none."""


def write_sheets(triples: Sequence[Triple], folder: Path) -> list[Path]:
    """Writes ``sheet-1.png``, ``sheet-2.png``, … and returns them."""
    paths = []
    for page, start in enumerate(range(0, len(triples), ACROSS * DOWN), start=1):
        path = folder / f"sheet-{page}.png"
        draw_sheet(triples[start : start + ACROSS * DOWN]).save(path)
        paths.append(path)
    return paths


def draw_sheet(triples: Sequence[Triple]) -> Image.Image:
    """One page."""
    width, height = 3 * CELL[0] + GAP, CELL[1] + CAPTION
    sheet = Image.new("RGB", (ACROSS * width - GAP, DOWN * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=CAPTION - 6)
    for place, triple in enumerate(triples):
        left, top = place % ACROSS * width, place // ACROSS * height
        draw.text((left + 4, top), f"{triple.number:02d}", fill="black", font=font)
        for column, picture in enumerate((triple.person, triple.garment, triple.result)):
            corner = left + column * CELL[0], top + CAPTION
            if isinstance(picture, str):
                draw.multiline_text(corner, textwrap.fill(picture, 28), fill="black", font=font)
                continue
            fitted = ImageOps.contain(Image.fromarray(picture), CELL, Image.Resampling.LANCZOS)
            sheet.paste(fitted, (corner[0] + (CELL[0] - fitted.width) // 2, corner[1]))
    return sheet
