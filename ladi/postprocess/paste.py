"""Painted pixels back into the photo; whatever lies outside the mask stays the photo's own, bit for bit."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

from ladi.preprocess.frame import to_photo, window_to_photo
from ladi.preprocess.large import strips
from ladi.types import Frame, Photo, Size

_ON = 0.5
_ROUNDING = 1e-6
_TRANSITION = 1.5
"""Standard deviation, in model pixels, of the change from a soft edge to none."""


def paste_back(
    photo: Photo,
    generated: np.ndarray,
    mask: np.ndarray,
    frame: Frame,
    *,
    feather: float = 4.0,
    same: np.ndarray | None = None,
) -> np.ndarray:
    """Put the painted pixels into the photo; everything outside the mask stays bit for bit the photo's.

    Args:
        photo: The original.
        generated: (h,w,3) uint8 at the model's size, or a multiple of it.
        mask: (h,w) hard mask at the model's size, nonzero = painted.
        frame: The window that ``generated`` covers.
        feather: Width in model pixels of the soft edge. It lies inside the mask, also where the window ends
            within the photo; along the photo's own border there is none.
        same: (h,w) bool, where photo and painting show the same thing. Given, the soft edge is left out
            elsewhere: a photo's old sleeve must not shine through at the edge of the new one.

    Returns:
        (H,W,3) uint8, the photo's size.
    """
    out = photo.pixels.copy()
    hard = np.asarray(mask) > _ON
    if frame.angle:
        return _paste_turned(out, generated, hard, frame, feather, same)
    rows, columns = np.flatnonzero(hard.any(axis=1)), np.flatnonzero(hard.any(axis=0))
    if not rows.size:
        return out
    x0, x1 = _span(frame.left, columns, frame.scale, frame.width, photo.size[1])
    y0, y1 = _span(frame.top, rows, frame.scale, frame.height, photo.size[0])
    if x1 <= x0 or y1 <= y0:
        return out
    soft = _gradual(_feathered(hard, feather, frame, photo.size), hard, same)
    # Strip by strip: weights of a very large photo, in floats, would need more memory than the photo.
    for rows_ in strips(y1 - y0, x1 - x0):
        top, bottom = y0 + rows_.start, y0 + rows_.stop
        corners = np.array([x0 - frame.left, top - frame.top, x1 - frame.left, bottom - frame.top])
        box = np.clip(corners * frame.scale, 0, [frame.size[1], frame.size[0]] * 2)
        _blend(out[top:bottom, x0:x1], generated, hard, soft, box)
    return out


def _blend(
    window: np.ndarray, generated: np.ndarray, hard: np.ndarray, soft: np.ndarray, box: np.ndarray
) -> None:
    """Paint into a window of the photo, in place.

    Args:
        window: (H,W,3) uint8.
        generated: see ``paste_back``.
        hard: (h,w) bool.
        soft: (h,w) float32.
        box: left, top, right and bottom of the window, in the mask's pixels.
    """
    height, width = window.shape[:2]

    def enlarge(array: np.ndarray, filter_: Image.Resampling, times: float = 1.0) -> np.ndarray:
        left, top, right, bottom = (float(edge) * times for edge in box)
        return np.asarray(
            Image.fromarray(array).resize((width, height), filter_, box=(left, top, right, bottom))
        )

    weight = enlarge(soft, Image.Resampling.BILINEAR)
    weight = weight * enlarge(hard.astype(np.uint8), Image.Resampling.NEAREST)
    painted = enlarge(generated, Image.Resampling.BICUBIC, generated.shape[0] / soft.shape[0])
    _lay(window, painted, weight)


def _lay(window: np.ndarray, painted: np.ndarray, weight: np.ndarray) -> None:
    """Lay painted pixels over a window of the photo, in place, by their weights."""
    full, part = weight >= 1, (weight > 0) & (weight < 1)
    window[full] = painted[full]
    share = weight[part][:, None]
    window[part] = np.rint(window[part] * (1 - share) + painted[part] * share).astype(np.uint8)


def _gradual(soft: np.ndarray, hard: np.ndarray, same: np.ndarray | None) -> np.ndarray:
    """The weight (h,w) float32 with its soft edge only where photo and painting show the same thing."""
    if same is None:
        return soft.astype(np.float32)
    share = gaussian_filter(same.astype(np.float32), _TRANSITION)
    return (soft * share + hard * (1 - share)).astype(np.float32)


def _paste_turned(
    out: np.ndarray,
    generated: np.ndarray,
    hard: np.ndarray,
    frame: Frame,
    feather: float,
    same: np.ndarray | None,
) -> np.ndarray:
    """The same for a window that leans: its pixels are turned back onto the photo's."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * (frame.size[1], frame.size[0])
    ends = to_photo(corners, frame)
    limits = out.shape[1], out.shape[0]
    x0, y0 = np.clip(np.floor(ends.min(axis=0)), 0, limits).astype(int)
    x1, y1 = np.clip(np.ceil(ends.max(axis=0)), 0, limits).astype(int)

    def turned(array: np.ndarray, filter_: Image.Resampling, rows: slice) -> np.ndarray:
        times = array.shape[0] / frame.size[0]
        data = tuple(times * number for number in window_to_photo(frame, (int(x0), int(y0) + rows.start)))
        size = (int(x1 - x0), rows.stop - rows.start)
        return np.asarray(Image.fromarray(array).transform(size, Image.Transform.AFFINE, data, filter_))

    depth = distance_transform_edt(np.pad(hard, 1))[1:-1, 1:-1]
    soft = _gradual(np.clip((depth - 0.5) / feather, 0, 1) if feather > 0 else hard, hard, same)
    for rows in strips(int(y1 - y0), int(x1 - x0)):
        weight = turned(soft, Image.Resampling.BILINEAR, rows)
        weight = weight * turned(hard.astype(np.uint8), Image.Resampling.NEAREST, rows)
        painted = turned(generated, Image.Resampling.BICUBIC, rows)
        _lay(out[y0 + rows.start : y0 + rows.stop, x0:x1], painted, weight)
    return out


def _span(start: float, used: np.ndarray, scale: float, length: float, limit: int) -> tuple[int, int]:
    """First and last-plus-one photo pixel under the mask's rows or columns.

    Only pixels that lie entirely inside the window count: part of any other would have to be guessed.
    """
    first, last = used[0] / scale - 1, (used[-1] + 1) / scale + 1
    low = max(0, math.ceil(start - _ROUNDING), math.floor(start + first))
    high = min(limit, math.floor(start + length + _ROUNDING), math.ceil(start + last))
    return low, high


def _feathered(hard: np.ndarray, feather: float, frame: Frame, photo_size: Size) -> np.ndarray:
    """The mask's weight (h,w) float32: 0 at its edge, 1 from ``feather`` pixels inside."""
    if feather <= 0:
        return hard.astype(np.float32)
    scale = frame.scale
    # What the model saw beyond the photo's border is repeated edge: the mask there follows the last real
    # pixels.
    first_x, first_y = max(0.0, -frame.left * scale), max(0.0, -frame.top * scale)
    last_x = min(frame.size[1], (photo_size[1] - frame.left) * scale)
    last_y = min(frame.size[0], (photo_size[0] - frame.top) * scale)
    rows = slice(math.floor(first_y), max(math.floor(first_y) + 1, math.ceil(last_y)))
    columns = slice(math.floor(first_x), max(math.floor(first_x) + 1, math.ceil(last_x)))
    real = hard[rows, columns]
    reach = math.ceil(feather) + 1
    padded = np.pad(real, reach, mode="edge")
    # Where the photo goes on beyond the window, the painted pixels must fade out before it.
    if frame.top > 0:
        padded[:reach] = False
    if frame.top + frame.height < photo_size[0]:
        padded[-reach:] = False
    if frame.left > 0:
        padded[:, :reach] = False
    if frame.left + frame.width < photo_size[1]:
        padded[:, -reach:] = False
    depth = np.full(padded.shape, np.inf) if padded.all() else distance_transform_edt(padded)
    weight = np.clip((depth - 0.5) / feather, 0, 1)[reach:-reach, reach:-reach]
    outer = ((rows.start, hard.shape[0] - rows.stop), (columns.start, hard.shape[1] - columns.stop))
    return np.pad(weight, [(max(0, a), max(0, b)) for a, b in outer], mode="edge").astype(np.float32)
