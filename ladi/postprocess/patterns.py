"""Cloth with the same pattern all over, which goes on beyond the warp by pieces of itself.

Plain cloth goes on smoothly (``continuing.py``), and a print, or sleeves of another colour, must not be
repeated; but stripes, checks and tweed that end in a smear look torn. Stripes across go on in their own rows.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch.nn import functional

from ladi.postprocess.exemplars import fill_by_exemplars
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.shades import in_lab

_HEIGHT = 256
"""The lengths below are pixels at this height."""
_SURE, _RIM = 0.9, 4
"""Matte from which a pixel is the garment's, and by how much its edge is left out."""
_FINE, _COARSE, _PLACE = 3.0, 10.0, 15
"""Deviations over which a pattern is evened out, and over which a garment's parts are; and how large a place
is that has the pattern."""
_ALL_OVER, _SAME = 4.5, 1.3
"""Contrast (CIELAB of 8 bit) that nine places in ten have, and how much more the parts of a garment may
differ than its pattern does. Of forty garments, nine checked, striped or woven ones are within both."""
_PLACES = 0.1
"""Share of places that may have less."""
_DEEP, _SEAM = 5.0, 1.5
"""How far from the warp a piece of missing cloth is large; and by which cloth is drawn in before its pattern
is continued: at its edge it has a seam's or a shadow's colours."""
_ACROSS, _WAVE = 4.0, 12.0
"""How much more colours change down a garment with stripes across it than along them, in squares; and how far
inside cloth is mirrored at its edge along these, there and back."""
_PRINT = (20.0, 2.5)
"""How far from a garment's colour evened-out cloth is a print, at least, and of what is common."""


def is_patterned(picture: torch.Tensor, matte: torch.Tensor) -> bool:
    """Whether a garment has the same pattern all over.

    Args:
        picture: (1,3,kh,kw) in [-1,1], the garment.
        matte: (1,1,h,w) in [0,1], where it is.
    """
    size = _HEIGHT, max(1, round(_HEIGHT * matte.shape[-1] / matte.shape[-2]))
    small, there = (functional.interpolate(one.float(), size, mode="area") for one in (picture, matte))
    garment = (there[0, 0].numpy() > _SURE).astype(np.uint8)
    within = cv2.erode(garment, np.ones((3, 3), np.uint8), iterations=_RIM, borderValue=0) > 0
    if not within.any():
        return False
    colours = in_lab(to_pixels(small[0]))
    weight = within.astype(np.float32)

    def even(deviation: float) -> np.ndarray:
        share = cv2.GaussianBlur(weight, (0, 0), deviation)[..., None]
        total = cv2.GaussianBlur(colours * weight[..., None], (0, 0), deviation)
        return np.asarray(total / np.maximum(share, 1e-3))

    contrast = np.linalg.norm(colours - even(_FINE), axis=-1) * weight
    parts = even(_COARSE)[within]
    apart = np.linalg.norm(parts - np.median(parts, axis=0), axis=1).mean()
    places = cv2.blur(contrast, (_PLACE, _PLACE)) / np.maximum(cv2.blur(weight, (_PLACE, _PLACE)), 1e-3)
    all_over = np.quantile(places[within], _PLACES) >= _ALL_OVER
    return bool(all_over and apart <= _SAME * contrast[within].mean())


def pattern_continued(
    picture: np.ndarray, sure: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cloth whose pattern goes on where much of it is missing.

    Args:
        picture: (H,W,3) uint8, the warped garment.
        sure: (H,W) bool, where it shows.
        wanted: (H,W) bool, where cloth is to be.

    Returns:
        (H,W,3) uint8, and (H,W) bool, where it has gone on.
    """
    times, square = len(picture) / _HEIGHT, np.ones((3, 3), np.uint8)
    deep = cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > _DEEP * times
    reach = 2 * round(_DEEP * times) + 1
    near = cv2.dilate((deep & wanted).astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    large = near & wanted & ~sure
    if not large.any():
        return picture, large
    inner = cv2.erode(sure.astype(np.uint8), square, iterations=max(1, round(_SEAM * times))) > 0
    along = _along_rows(picture, inner, wanted & ~inner, times)
    if along is not None:
        picture, striped = along
        inner, large = inner | striped, large & ~striped
    else:
        striped = np.zeros_like(large)
    rim = sure & ~inner & (cv2.dilate(large.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0)
    filled, done = fill_by_exemplars(
        picture, inner & ~_printed(picture, inner, times), large | rim, one_colour=True
    )
    done = np.asarray(done & large)
    return np.where(done[..., None], filled, picture), done | striped


def _along_rows(
    picture: np.ndarray, cloth: np.ndarray, wanted: np.ndarray, times: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Stripes that go on from side to side, in their own rows; None where there are none.

    Args:
        picture: (H,W,3) uint8.
        cloth: (H,W) bool, where it shows.
        wanted: (H,W) bool, where it is to go on.
        times: pixels of one at a height of 256.

    Returns:
        As ``pattern_continued``.
    """
    luma = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    within = cv2.erode(cloth.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    down, along = (cv2.Sobel(luma, cv2.CV_32F, *order) ** 2 * within for order in ((0, 1), (1, 0)))
    if down.sum() <= _ACROSS * along.sum():
        return None
    place = (round(_PLACE * times) | 1,) * 2
    across = cv2.blur(down, place) > _ACROSS * cv2.blur(along, place)
    width, depth = cloth.shape[1], max(1, round(_WAVE * times))
    columns = np.broadcast_to(np.arange(width), cloth.shape)
    before = np.maximum.accumulate(np.where(cloth, columns, -width), axis=1)
    after = np.minimum.accumulate(np.where(cloth, columns, 2 * width)[:, ::-1], axis=1)[:, ::-1]
    left = columns - before <= after - columns
    edge, away = np.where(left, before, after), np.minimum(columns - before, after - columns)
    back = depth - np.abs(away % (2 * depth) - depth)
    source = (edge + np.where(left, -back, back)).clip(0, width - 1)
    edge = edge.clip(0, width - 1)
    source = np.where(np.take_along_axis(cloth, source, axis=1), source, edge)
    # On sleeves they run askew.
    done = wanted & (away < width) & np.take_along_axis(across, edge, axis=1)
    return np.where(done[..., None], np.take_along_axis(picture, source[..., None], axis=1), picture), done


def _printed(picture: np.ndarray, cloth: np.ndarray, times: float) -> np.ndarray:
    """What of patterned cloth is a print or a label, far from its common colour: (H,W) bool.

    Args:
        picture: (H,W,3) uint8.
        cloth: (H,W) bool.
        times: pixels of one at a height of 256.
    """
    if not cloth.any():
        return cloth
    weight, colours = cloth.astype(np.float32), in_lab(picture)
    share = cv2.GaussianBlur(weight, (0, 0), _FINE * times)[..., None]
    even = cv2.GaussianBlur(colours * weight[..., None], (0, 0), _FINE * times) / np.maximum(share, 1e-3)
    away = np.linalg.norm(even - np.median(even[cloth], axis=0), axis=-1)
    return np.asarray(cloth & (away > max(_PRINT[0], _PRINT[1] * float(np.median(away[cloth])))))
