"""Plain pictures, as visitors send them."""

from __future__ import annotations

import numpy as np


def coloured(red: int, green: int, blue: int, size: tuple[int, int] = (96, 72)) -> np.ndarray:
    """A plain picture with a gradient, (H,W,3) uint8."""
    pixels = np.empty((*size, 3), np.uint8)
    pixels[:] = (red, green, blue)
    pixels[:, :, 0] += np.arange(size[1], dtype=np.uint8)[None] // 2
    return pixels
