"""A warp as wide as a garment's shape is, and no pattern bent."""

from __future__ import annotations

import numpy as np
import torch

from ladi.diffusion.warping import sample_matte
from ladi.postprocess.fitted_sides import fit_sides
from tests.postprocess.test_cloth import identity
from tests.postprocess.test_fitted_edges import COLUMNS, EVERYWHERE, ROWS, layers, limbs, neck
from tests.postprocess.test_tubes import SIZE

MIDDLE = 96


def body(half: float, top: float = 80, lowest: float = 180) -> np.ndarray:
    """A garment without sleeves, half so wide: (H,W) bool."""
    return np.asarray((np.abs(COLUMNS - MIDDLE) < half) & (ROWS > top) & (ROWS < lowest))


def fitted(laid: np.ndarray, shown: np.ndarray) -> torch.Tensor:
    return fit_sides(identity(SIZE), laid.astype(np.float32), shown, EVERYWHERE, limbs())


def lies(laid: np.ndarray, grid: torch.Tensor) -> np.ndarray:
    """Where a garment lies by a grid: (H,W) bool."""
    return sample_matte(torch.from_numpy(laid.astype(np.float32))[None, None], grid)[0, 0].numpy() > 0.5


def test_a_garment_becomes_as_wide_as_it_is_shown() -> None:
    """Prevents: a strip of made-up cloth on either side, and a second sleeve beside the first."""
    laid, shown = body(30), body(42)
    after = lies(laid, fitted(laid, layers(garment=shown)))
    rows = (ROWS > 90) & (ROWS < 170)
    assert (laid ^ shown)[rows].sum() > 900
    assert (after ^ shown)[rows].sum() < 0.12 * (laid ^ shown)[rows].sum()


def test_what_reaches_beyond_an_edge_is_hidden_there_and_not_pressed_together() -> None:
    """Prevents: side panels, prints and checks that become narrower for nothing."""
    grid, laid = identity(SIZE), body(42)
    same = fit_sides(grid, laid.astype(np.float32), layers(garment=body(36)), EVERYWHERE, limbs())
    assert same is grid
    wider = body(36) | (body(54) & (COLUMNS > MIDDLE))
    after = lies(laid, fitted(laid, layers(garment=wider)))
    rows = (ROWS > 95) & (ROWS < 165)
    assert (after ^ laid)[rows & (COLUMNS < MIDDLE)].sum() < 120


def test_nothing_moves_up_or_down_and_the_middle_stays() -> None:
    """Prevents: bent stripes, and a print beside the middle."""
    laid = body(30)
    moved = (fitted(laid, layers(garment=body(42))) - identity(SIZE))[0].numpy()
    assert np.abs(moved[..., 1]).max() < 1e-4
    inside = (ROWS > 90) & (ROWS < 170)
    assert np.abs(moved[..., 0][inside & (COLUMNS == MIDDLE)]).max() * SIZE[1] / 2 < 1.0
    across = np.diff(moved[..., 0][120, 60:133]) * SIZE[1] / 2
    assert np.abs(across).max() < 0.6, "evenly, nowhere a fold"


def test_one_side_alone_is_moved() -> None:
    """Prevents: what is beyond an arm drawn along, because the other side is wider."""
    laid = body(30)
    left_wider = body(30) | (body(42) & (COLUMNS < MIDDLE))
    arm = (COLUMNS > MIDDLE + 25) & (COLUMNS < MIDDLE + 40) & (ROWS > 70) & (ROWS < 200)
    after = lies(laid, fitted(laid, layers(garment=left_wider, skin=arm)))
    rows = (ROWS > 95) & (ROWS < 165)
    assert (after ^ left_wider)[rows & (COLUMNS < MIDDLE)].sum() < 250
    assert (after ^ laid)[rows & (COLUMNS > MIDDLE)].sum() < 120


def test_a_neckline_is_no_wider() -> None:
    laid = body(30) & ~neck(100)
    shown = layers(garment=body(42), skin=neck(100))
    after = lies(laid, fitted(laid, shown))
    throat = (ROWS > 84) & (ROWS < 100) & (np.abs(COLUMNS - MIDDLE) < 24)
    assert (after ^ laid)[throat].sum() < 0.15 * neck(100)[throat].sum()


def test_below_a_laid_sleeve_the_body_is_not_drawn_out() -> None:
    """Prevents: a body pulled over the forearm, where a short sleeve was laid and a long one is shown."""
    sleeve = (COLUMNS > 140) & (COLUMNS < 152) & (ROWS > 80)
    laid = body(30) | (body(60, lowest=120) & (COLUMNS > MIDDLE))
    shown = body(30) | (body(60, lowest=120) & (COLUMNS > MIDDLE)) | (sleeve & (ROWS < 180))
    shown |= (COLUMNS > MIDDLE) & (COLUMNS < 150) & (ROWS > 80) & (ROWS < 180)
    after = lies(laid, fitted(laid, layers(garment=shown)))
    lower = (ROWS > 135) & (ROWS < 175)
    assert (after ^ laid)[lower].sum() < 80


def test_far_edges_tell_nothing() -> None:
    laid = body(20)
    grid = identity(SIZE)
    same = fit_sides(grid, laid.astype(np.float32), layers(garment=body(60)), EVERYWHERE, limbs())
    assert same is grid
    nothing = np.zeros(SIZE, np.float32)
    assert fit_sides(grid, nothing, layers(garment=body(60)), EVERYWHERE, limbs()) is grid
