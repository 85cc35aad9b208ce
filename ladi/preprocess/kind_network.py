"""Ask a small network what kind of garment a cut-out shows, in its four turns.

Its weights, ``kind_network.safetensors``, were trained by ``ladi/training/kind_network.py`` on 466 of the
amateurs' photos of ``kind.py``'s table (clothing-dataset, CC0), on 1,600 of VITON's garments (research only)
and on worn garments of Clothing Co-Parsing's street photos (Apache-2.0); no picture of theirs is in them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from ladi.models.garment_kind import SIDE, GarmentKind, seen
from ladi.preprocess.boxes import box_of
from ladi.preprocess.morphology import largest_part

WEIGHTS = Path(__file__).with_suffix(".safetensors")
SQUARE, _MARGIN = 96, 6
"""Pixels of the square around a garment, from which the network's own is made, and of its empty rim."""
_LOOK_SIDE = 320
"""Pixels of the longer side at which a picture is looked at."""
_ON = 127


def square_around(pixels: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The square (S,S,4) uint8, colours and matte, that the largest part of a garment fills, undistorted.

    Args:
        pixels: (H,W,3) uint8 RGB.
        matte: (H,W) in [0,1], 1 = garment.
    """
    scale = min(1.0, _LOOK_SIDE / max(matte.shape))
    size = max(1, round(matte.shape[1] * scale)), max(1, round(matte.shape[0] * scale))
    soft = 255 * cv2.resize(np.asarray(matte, np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    four = np.dstack([small, np.clip(np.rint(soft), 0, 255).astype(np.uint8)])
    box = box_of(largest_part(four[..., 3] > _ON))
    if box is None:  # It was less than a pixel.
        return np.zeros((SQUARE, SQUARE, 4), np.uint8)
    middle = np.array([box.left + box.right, box.top + box.bottom]) / 2
    scale = (SQUARE - 2 * _MARGIN) / max(box.height, box.width)
    if scale < 1:
        before = four.shape
        four = cv2.resize(four, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        shrunk = np.array([four.shape[1] / before[1], four.shape[0] / before[0]])
        middle, steps = middle * shrunk, shrunk / scale
    else:
        steps = np.full(2, 1 / scale)
    matrix = np.column_stack([np.diag(steps), middle - SQUARE / 2 * steps])
    ways = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    colours, soft = (
        cv2.warpAffine(part, matrix, (SQUARE, SQUARE), flags=ways, borderMode=border)
        for part, border in ((four[..., :3], cv2.BORDER_REPLICATE), (four[..., 3], cv2.BORDER_CONSTANT))
    )
    return np.dstack([colours, soft])


def as_seen(squares: torch.Tensor) -> torch.Tensor:
    """Squares (B,4,S,S) uint8 as the network looks at them: (B,4,s,s) float."""
    small = torch.nn.functional.interpolate(
        squares.float() / 255, (SIDE, SIDE), mode="bilinear", antialias=True
    )
    return seen(small[:, :3], small[:, 3:])


@torch.no_grad()
def look(pixels: np.ndarray, matte: np.ndarray, *, kinds: int, turns: int) -> np.ndarray:
    """Logarithms of each kind's share, for each quarter turn of a picture to the right: (turns, kinds).

    Args:
        pixels: (H,W,3) uint8 RGB.
        matte: (H,W) in [0,1], 1 = garment.
        kinds: how many there are.
        turns: how many quarters, the picture as it is being the first.
    """
    square = torch.from_numpy(square_around(pixels, matte)).movedim(-1, 0)
    turned = torch.stack([square.rot90(-quarter, (1, 2)) for quarter in range(turns)])
    views = torch.cat([turned, turned.flip(3)])
    return _network(kinds)(as_seen(views)).log_softmax(1).reshape(2, turns, kinds).mean(0).numpy()


@lru_cache(maxsize=1)
def _network(kinds: int) -> GarmentKind:
    network = GarmentKind(kinds)
    network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    return network.eval()
