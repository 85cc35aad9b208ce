"""A picture continued beyond what is known of it: a wall behind a removed coat, cloth beyond a warp's edge.

Its colours are those of Telea's inpainting of the small picture, which is smooth. Near the edge the grain of
the known picture, mirrored at the edge, is added, so that bricks stay bricks and cloth cloth. It knows
nothing of people.

Little of a picture is filled in as a rule, so whatever does not need the whole of it is computed around that
alone.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ladi.preprocess.boxes import Box, box_of

_HEIGHT = 256
"""The distances below are pixels at this height."""
_SMALL, _RADIUS = 160, 3
"""Height of the small picture, and Telea's radius in it."""
_SOFT = 1.5
"""Over which the mirror's share changes."""
_EVEN = 3.0
"""Over which an edge's direction is evened out."""
_GRAIN, _CONTRAST = 5.0, 40
"""Pixels over which colours are the smooth filling's and not the mirror's, and the most that it may differ:
what is mirrored may be a lamp or a passer-by, whose colour would be a streak."""


def continue_picture(
    picture: np.ndarray,
    known: np.ndarray,
    wanted: np.ndarray,
    mirror: tuple[float, float],
) -> np.ndarray:
    """Fill in what is not known; arguments and result are ``Continued``'s."""
    return Continued(picture, known).filled(wanted, mirror)


class Continued:
    """A picture and what is known of it, to be filled in once or in several ways.

    Args:
        picture: (H,W,3) uint8.
        known: (H,W) bool; where nothing is known, nothing is changed.
    """

    def __init__(self, picture: np.ndarray, known: np.ndarray) -> None:
        self._picture, self._known = picture, known
        self._size = (known.shape[0], known.shape[1])
        self._times = self._size[0] / _HEIGHT
        self._inpainted: np.ndarray | None = None

    def filled(self, wanted: np.ndarray, mirror: tuple[float, float]) -> np.ndarray:
        """Fill in what is wanted.

        Args:
            wanted: (H,W) bool; elsewhere nothing is changed.
            mirror: distances from the edge, in pixels at a height of 256, up to which the mirror counts
                alone, and from which it does not count: long for walls, short for what repeats itself less.

        Returns:
            (H,W,3) uint8; the picture itself where it is known.
        """
        unknown = wanted & ~self._known
        around = box_of(unknown)
        if around is None or not self._known.any():
            return self._picture
        if self._inpainted is None:
            self._inpainted = _inpainted(self._picture, (~self._known).astype(np.uint8))
        filled = _over(self._picture, self._inpainted, unknown)
        near, far = (length * self._times for length in mirror)
        window = 2 * round(_SOFT * self._times) + 1
        reach = far + window  # beyond it, no share is left by the blur
        part, distance = self._distances(around, reach)
        rows, columns = np.nonzero(unknown[part.window] & (distance < reach))
        down, along = _mirrored(distance, (rows, columns), _even(self._times))
        at, down, along = (rows + part.top, columns + part.left), down + part.top, along + part.left
        height, width = self._size
        inside = (down >= 0) & (down < height) & (along >= 0) & (along < width)
        down, along = down.clip(0, height - 1), along.clip(0, width - 1)
        shown = inside & self._known[down, along]
        trust = np.zeros(distance.shape, np.float32)
        trust[rows, columns] = shown * ((far - distance[rows, columns]) / max(far - near, 1e-6)).clip(0, 1)
        share = cv2.blur(trust, (window, window))[rows, columns]
        counts = shown & (share > 0)
        if counts.any():
            at, share = (at[0][counts], at[1][counts]), share[counts][:, None]
            grain = self._grain(down[counts], along[counts])
            mixed = filled[at] + grain.clip(-_CONTRAST, _CONTRAST) * share
            filled[at] = np.rint(mixed).clip(0, 255).astype(np.uint8)
        return filled

    def _distances(self, around: Box, reach: float) -> tuple[Box, np.ndarray]:
        """How far what lies near a box is from what is known: a larger box, and (h,w) float32 in it.

        They are right up to a distance of ``reach`` in the box itself, and up to what ``_mirrored`` looks at
        beside it; farther away they may be too large.
        """
        beside = 2 * _even(self._times)
        # OpenCV's distances are a few per cent from true.
        margin = beside + math.ceil(1.1 * (reach + 1.5 * beside))
        part = around.grown(margin, self._size)
        missing = (~self._known[part.window]).astype(np.uint8)
        return part, cv2.distanceTransform(missing, cv2.DIST_L2, cv2.DIST_MASK_5)

    def _grain(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """By how much pixels (N,) differ from those around them: (N,3) float32."""
        assert self._inpainted is not None
        reach = round(_GRAIN * self._times)
        box = Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
        part = box.grown(reach, self._size)
        whole = _over(self._inpainted[part.window], self._picture[part.window], self._known[part.window])
        window = 2 * reach + 1
        mean = cv2.boxFilter(whole, cv2.CV_32F, (window, window))
        at = rows - part.top, columns - part.left
        return np.asarray(whole[at] - mean[at])


def _over(below: np.ndarray, above: np.ndarray, where: np.ndarray) -> np.ndarray:
    """One picture (h,w,3) with another's pixels where (h,w) bool says so; NumPy takes ten times as long."""
    return np.asarray(cv2.copyTo(above, where.astype(np.uint8), below.copy()))


def _even(times: float) -> int:
    """The window, in pixels, over which an edge's direction is evened out."""
    return 2 * round(_EVEN * times) + 1


def _mirrored(
    distance: np.ndarray, unknown: tuple[np.ndarray, ...], window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Row and column that each unknown pixel has in the mirror of the edge.

    The edge is taken as even: at every notch of it a mirror would show a streak of its own.
    """
    # Twice a small blur is a smooth one, and fast.
    slope = cv2.blur(cv2.blur(distance, (window, window)), (window, window))
    across, downward = (cv2.Sobel(slope, cv2.CV_32F, dx, dy)[unknown] for dx, dy in ((1, 0), (0, 1)))
    length = np.maximum(np.hypot(across, downward), 1e-6)
    twice = 2 * distance[unknown]
    down, along = unknown[0] - twice * downward / length, unknown[1] - twice * across / length
    return np.rint(down).astype(np.int64), np.rint(along).astype(np.int64)


def _inpainted(picture: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Telea's inpainting of a small copy, enlarged."""
    height, width = missing.shape
    size = max(1, round(width * _SMALL / height)), _SMALL
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    # A pixel of the small copy of which any is missing is a mixture.
    holes = (cv2.resize(missing.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    if holes.all():
        return picture
    filled = cv2.inpaint(np.ascontiguousarray(small), holes, _RADIUS, cv2.INPAINT_TELEA)
    return cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
