"""A wall continued behind what is taken away, by pieces of the same wall that fit what is beside the gap.

Exemplar-based inpainting (Criminisi, Pérez and Toyama, IEEE Transactions on Image Processing 2004): the gap
is closed square by square, first where much around is known and where edges run into it, each time with the
square of the known picture that looks most like what is there already. Which square that is, is found at a
small size, and copied at the picture's own. A fence stays a fence, which no smooth filling can do. It knows
nothing of people.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from ladi.preprocess.boxes import Box, whole

_HEIGHT = 256
"""Of the small picture; the lengths below are its pixels."""
_HALF = 9
"""A square reaches so far on either side of its middle."""
_NARROW, _FEW = (7, 5, 4), 150
"""Likewise in cloth, as in the legs of trousers, that has fewer middles of whole squares than that."""
_REACH = 80
"""So far away a square is looked for; everywhere, where there is none."""
_FAR = 1.0
"""What a pixel of distance costs, in squared difference of colours: of two that fit, the nearer one."""
_FLAT = 25.0
"""Sobel response in lightness of an edge that makes a place twice as urgent as a flat one."""
_GUESS = 0.4
"""How much a smooth guess counts beside what is known, in a difference: it keeps a lamp out of the shade."""
_STAY = 0.003
"""How much it counts that a colour stays as it was copied, beside one step to a neighbour."""
_TELEA = 3
"""The smooth guess's radius."""
_INFLUENCE = 12
"""So far a pixel counts in the edges and the confidence of others, at most."""
_NEXT = np.ones((3, 3), np.uint8)


def fill_by_exemplars(
    picture: np.ndarray, known: np.ndarray, wanted: np.ndarray, *, one_colour: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Fill in what is not known.

    Args:
        picture: (H,W,3) uint8.
        known: (H,W) bool, what may be copied.
        wanted: (H,W) bool; nothing else is filled.
        one_colour: what fits equally well is to be like all that is known, as cloth is, and not like what is
            beside the gap, as a wall is.

    Returns:
        (H,W,3) uint8, and (H,W) bool, what has been filled: nothing where the known picture has no whole
        square to copy.
    """
    gap = wanted & ~known
    size = max(1, round(known.shape[1] * _HEIGHT / len(known))), _HEIGHT

    def small(region: np.ndarray) -> np.ndarray:
        return cv2.resize(region.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    certain = small(known) > 1 - 1e-3
    open_ = (cv2.dilate(small(gap), _NEXT) > 0) & ~certain
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if one_colour and certain.any():
        guess = shrunk.copy()
        guess[~certain] = np.median(shrunk[certain], axis=0).round()
    else:
        guess = cv2.inpaint(shrunk, (~certain).astype(np.uint8), _TELEA, cv2.INPAINT_TELEA)
    colours = cv2.cvtColor(guess, cv2.COLOR_RGB2LAB).astype(np.float32)
    half = _half(certain) if one_colour else _HALF
    moves, filled = _moves(colours, certain, open_, half)
    return _copied(picture, gap, moves, filled, _seams(guess.astype(np.float32), certain, filled, moves))


def _half(known: np.ndarray) -> int:
    """Half the side of squares that fit into what is known, (h,w) bool."""
    for half in (_HALF, *_NARROW):
        if _middles(known, half).sum() >= _FEW:
            return half
    return _HALF


def _middles(known: np.ndarray, half: int) -> np.ndarray:
    """Where the middles of whole squares are, (h,w) bool."""
    square = np.ones((2 * half + 1, 2 * half + 1), np.uint8)
    return np.asarray(cv2.erode(known.astype(np.uint8), square, borderValue=0) > 0)


def _moves(
    colours: np.ndarray, known: np.ndarray, gap: np.ndarray, half: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a gap takes its colour from.

    Args:
        colours: (h,w,3) float32, CIELAB in 8 bits; a smooth guess where nothing is known.
        known: (h,w) bool.
        gap: (h,w) bool.
        half: of a square's side.

    Returns:
        (h,w,2) rows and columns to go to it, and (h,w) bool, which pixels have one.
    """
    # A margin of a square's half, so that every middle has a whole square.
    sides, inner = ((half, half), (half, half)), (slice(half, -half), slice(half, -half))
    known, gap = np.pad(known, sides), np.pad(gap, sides)
    colours = np.pad(colours, (*sides, (0, 0)), mode="edge")
    moves = np.zeros((*known.shape, 2), np.int32)
    middles = _middles(known, half)
    if not middles.any():
        return moves[inner], np.zeros_like(gap[inner])
    sure = known.astype(np.float32)
    missing = gap.copy()
    confidence, edges = np.empty_like(sure), np.empty_like(sure)
    barred, far = np.where(middles, 0.0, np.inf), _distances(*known.shape)
    changed = whole(known)
    while missing.any():
        _look_again(changed, confidence, edges, sure, colours[..., 0], known, half)
        front = missing & (cv2.dilate(known.astype(np.uint8), _NEXT) > 0)
        if not front.any():  # between an arm and the body, say: the guess has to do
            front = missing
        urgent = np.where(front, confidence * (1 + edges / _FLAT), -1)
        row, column = np.unravel_index(urgent.argmax(), urgent.shape)
        here = _square(int(row), int(column), half)
        there = _best(colours, known, barred, far, int(row), int(column), half)
        new = missing[here] & ~known[here]
        colours[here][new] = colours[_square(*there, half)][new]
        moves[here][new] = there[0] - row, there[1] - column
        sure[here][new] = confidence[row, column]
        known[here] |= new
        missing[here] &= ~new
        changed = Box(here[0].start, here[1].start, here[0].stop, here[1].stop)
    return moves[inner], (gap & ~missing)[inner]


def _square(row: int, column: int, half: int) -> tuple[slice, slice]:
    return slice(row - half, row + half + 1), slice(column - half, column + half + 1)


def _look_again(
    changed: Box,
    confidence: np.ndarray,
    edges: np.ndarray,
    sure: np.ndarray,
    lightness: np.ndarray,
    known: np.ndarray,
    half: int,
) -> None:
    """Bring two maps up to date, in place, around a box in which something has changed.

    Args:
        changed: the box.
        confidence: (h,w), the mean of ``sure`` in the square around each pixel.
        edges: (h,w), see ``_running_in``.
        sure: (h,w).
        lightness: (h,w).
        known: (h,w) bool.
        half: of a square's side.
    """
    size, square = (known.shape[0], known.shape[1]), (2 * half + 1, 2 * half + 1)
    stale = changed.grown(_INFLUENCE, size)
    around = stale.grown(_INFLUENCE, size)
    part, inner = around.window, stale.within(around).window
    confidence[stale.window] = cv2.blur(np.ascontiguousarray(sure[part]), square)[inner]
    edges[stale.window] = _running_in(np.ascontiguousarray(lightness[part]), known[part])[inner]


def _running_in(lightness: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How strong the edges are that run into what is not known: (h,w)."""
    inner = cv2.erode(known.astype(np.uint8), _NEXT) > 0
    across, downward = (cv2.Sobel(lightness, cv2.CV_32F, dx, dy) * inner for dx, dy in ((1, 0), (0, 1)))
    soft = cv2.GaussianBlur(known.astype(np.float32), (0, 0), 1.5)
    out_x, out_y = (cv2.Sobel(soft, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1)))
    strength = np.abs(across * out_y - downward * out_x) / np.maximum(np.hypot(out_x, out_y), 1e-6)
    return np.asarray(cv2.dilate(strength, np.ones((5, 5), np.uint8)))


def _distances(height: int, width: int) -> np.ndarray:
    """What distance costs, from the middle of the result on: (2·height-1,2·width-1)."""
    down, along = np.ogrid[1 - height : height, 1 - width : width]
    return np.asarray(_FAR * np.hypot(down, along))


def _best(
    colours: np.ndarray,
    known: np.ndarray,
    barred: np.ndarray,
    far: np.ndarray,
    row: int,
    column: int,
    half: int,
) -> tuple[int, int]:
    """The middle of the square that looks most like what is known of the one at a place.

    Args:
        colours: (h,w,3).
        known: (h,w) bool.
        barred: (h,w), 0 where a middle may be, else infinite.
        far: see ``_distances``.
        row: of the place.
        column: of the place.
        half: of a square's side.
    """
    here = _square(row, column, half)
    top, left = max(half, row - _REACH), max(half, column - _REACH)
    bottom = min(len(known) - half, row + _REACH + 1)
    right = min(known.shape[1] - half, column + _REACH + 1)
    if np.isinf(barred[top:bottom, left:right]).all():
        top, left, bottom, right = half, half, len(known) - half, known.shape[1] - half
    mask = np.repeat(np.where(known[here], 1, _GUESS).astype(np.float32)[..., None], 3, axis=2)
    area = colours[top - half : bottom + half, left - half : right + half]
    unlike = cv2.matchTemplate(area, colours[here], cv2.TM_SQDIFF, mask=mask) / (2 * half + 1) ** 2
    down, along = len(known) - 1 - row, known.shape[1] - 1 - column
    cost = unlike + far[top + down : bottom + down, left + along : right + along]
    cost += barred[top:bottom, left:right]
    down, along = np.unravel_index(cost.argmin(), cost.shape)
    return int(down) + top, int(along) + left


def _seams(colours: np.ndarray, known: np.ndarray, filled: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """What is added to copied colours so that squares do not show: (h,w,3).

    Between neighbours the difference is to be what it was where they come from (Poisson image editing, Pérez,
    Gangnet and Blake, SIGGRAPH 2003), from the known picture's own colours on; a little, colours stay.

    Args:
        colours: (h,w,3) float32.
        known: (h,w) bool.
        filled: (h,w) bool.
        moves: (h,w,2), see ``_moves``.
    """
    rows, columns = np.nonzero(filled)
    added = np.zeros_like(colours)
    if not len(rows):
        return added
    numbers = np.full(filled.shape, -1)
    numbers[rows, columns] = np.arange(len(rows))
    height, width = filled.shape

    def source(row: np.ndarray, column: np.ndarray, down: int, along: int) -> np.ndarray:
        """The colours beside those that pixels were copied from."""
        y, x = row + moves[row, column, 0] + down, column + moves[row, column, 1] + along
        return colours[y.clip(0, height - 1), x.clip(0, width - 1)]

    copied = source(rows, columns, 0, 0)
    system = [(np.arange(len(rows)), np.arange(len(rows)), np.full(len(rows), _STAY))]
    right = np.zeros((len(rows), 3))
    for down, along in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        y, x = rows + down, columns + along
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        y, x = y.clip(0, height - 1), x.clip(0, width - 1)
        other = inside & filled[y, x]
        edge = inside & known[y, x]
        # How much lighter the neighbour was, where this pixel comes from; and where the neighbour does.
        step = source(rows, columns, down, along) - copied
        mine = np.flatnonzero(other)
        theirs = numbers[y[mine], x[mine]]
        step[mine] = (step[mine] + copied[theirs] - source(y[mine], x[mine], -down, -along)) / 2
        system += [(mine, mine, np.ones(len(mine))), (mine, theirs, -np.ones(len(mine)))]
        right[mine] += copied[theirs] - copied[mine] - step[mine]
        border = np.flatnonzero(edge)
        system.append((border, border, np.ones(len(border))))
        right[border] += colours[y[border], x[border]] - copied[border] - step[border]
    across, down_, weights = (np.concatenate(part) for part in zip(*system, strict=True))
    matrix = sparse.csc_matrix((weights, (across, down_)), (len(rows), len(rows)))
    added[rows, columns] = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(right)
    return added


def _copied(
    picture: np.ndarray, gap: np.ndarray, moves: np.ndarray, filled: np.ndarray, added: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The picture (H,W,3) with its gap filled, and where, (H,W) bool; squares merge over a small pixel."""
    height, width = gap.shape
    times = height / len(filled), width / filled.shape[1]
    rows, columns = np.nonzero(gap)
    y, x = (rows + 0.5) / times[0] - 0.5, (columns + 0.5) / times[1] - 0.5
    total, weight = np.zeros((len(rows), 3), np.float32), np.zeros((len(rows), 1), np.float32)
    for down in (0, 1):
        for along in (0, 1):
            i = (np.floor(y).astype(int) + down).clip(0, len(filled) - 1)
            j = (np.floor(x).astype(int) + along).clip(0, filled.shape[1] - 1)
            near = (1 - np.abs(y - np.floor(y) - down)) * (1 - np.abs(x - np.floor(x) - along))
            share = (near * filled[i, j])[:, None].astype(np.float32)
            source = (
                (rows + np.rint(moves[i, j, 0] * times[0]).astype(int)).clip(0, height - 1),
                (columns + np.rint(moves[i, j, 1] * times[1]).astype(int)).clip(0, width - 1),
            )
            total += (picture[source] + added[i, j]) * share
            weight += share
    done = weight[:, 0] > 0
    result, where = picture.copy(), np.zeros_like(gap)
    result[rows[done], columns[done]] = np.rint(total[done] / weight[done]).clip(0, 255).astype(np.uint8)
    where[rows[done], columns[done]] = True
    return result, where
