"""Cut-outs lose the floor along their edges, and nothing else."""

from __future__ import annotations

import numpy as np
import torch

from ladi.preprocess.fringes import trimmed, without_fringe
from ladi.types import Garment

SIZE = (288, 216)
FLOOR, CLOTH = (170, 30, 40), (200, 185, 160)


def shirt() -> tuple[np.ndarray, np.ndarray]:
    """A beige shirt on a red bed, (H,W,3) uint8, and where it is, (H,W) bool."""
    there = np.zeros(SIZE, bool)
    there[60:230, 60:160] = True
    return np.where(there[..., None], CLOTH, FLOOR).astype(np.uint8), there


def test_floor_along_the_outline_goes() -> None:
    """Prevents: a red line around a beige T-shirt."""
    pixels, there = shirt()
    wide = np.zeros(SIZE, np.float32)
    wide[58:232, 58:162] = 1
    narrow = without_fringe(wide, pixels)
    assert narrow[145, 58] < 0.2 and narrow[145, 64] > 0.95
    overlap = ((narrow > 0.5) & there).sum() / ((narrow > 0.5) | there).sum()
    assert overlap > 0.98 > (there.sum() / (wide > 0.5).sum())


def test_a_tight_outline_a_trim_and_cloth_in_the_floors_colour_stay() -> None:
    pixels, there = shirt()
    matte = there.astype(np.float32)
    assert without_fringe(matte, pixels) is matte
    trimmed = pixels.copy()
    trimmed[60:64, 60:160] = (20, 20, 90)
    assert without_fringe(matte, trimmed) is matte
    alike = np.full_like(pixels, 120)
    assert without_fringe(matte, alike) is matte
    assert without_fringe(matte * 0, pixels).max() == 0


def test_a_garment_at_the_models_size_loses_its_walls_rim() -> None:
    """Prevents: white threads along the sleeves of a navy top that a shop showed before white."""
    pixels, there = shirt()
    wide = np.zeros(SIZE, np.float32)
    wide[58:232, 58:162] = 1
    image = torch.from_numpy(pixels).movedim(-1, 0)[None] / 127.5 - 1
    garment = Garment(image, torch.from_numpy(wide)[None, None], "upper_body", "kept")
    left = trimmed(garment)
    assert left.image is garment.image and left.matte.shape == garment.matte.shape
    below = slice(100, None)
    assert abs(float((left.matte[0, 0, below] > 0.5).sum()) - there[below].sum()) < 0.02 * there.sum()
    assert (left.matte[0, 0, :80] == garment.matte[0, 0, :80]).all(), "collars stay"
    assert float((garment.matte > 0.5).sum()) > 1.05 * there.sum()


def test_white_stripes_end_at_a_garments_edge() -> None:
    """Prevents: notches in a striped sleeve's outline, wherever a white stripe meets the white wall."""
    pixels, there = shirt()
    pixels[~there] = 250
    for row in range(60, 230, 12):
        pixels[row : row + 5, 60:160] = 248
    image = torch.from_numpy(pixels).movedim(-1, 0)[None] / 127.5 - 1
    garment = Garment(image, torch.from_numpy(there.astype(np.float32))[None, None], "upper_body", "kept")
    assert trimmed(garment) is garment
