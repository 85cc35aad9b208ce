"""Random moves and colours of training pictures."""

from __future__ import annotations

import numpy as np
import torch

from ladi.training.samples.augment import draw_moves, dye, moving_grid

SIZE = (8, 6)
ONE = np.ones((2, 2))
CORNERS = [0.8111, -0.8392, -0.7623, -0.7917]
COLOURS = [0.0078, 0.3121, 0.4073, 1.0, 1.0, 1.0, 0.5955, 1.1823, -0.0555, 1.0, 1.0, 1.0]
NEXT = 0.6292
"""What seed 7 gives: corners of two grids, colours of four white pictures, and the number after these."""


def moved(pictures: torch.Tensor, angle: float = 0.0, mirror: float = 1.0) -> torch.Tensor:
    grid = moving_grid(np.full(2, angle), ONE, ONE, np.full(2, mirror), np.zeros((2, 2)), SIZE)
    return torch.nn.functional.grid_sample(pictures, grid, align_corners=False)


def test_nothing_a_mirror_and_half_a_turn() -> None:
    """Prevents: angles and mirrors about another middle than the picture's."""
    pictures = torch.rand(2, 3, *SIZE)
    assert torch.allclose(moved(pictures), pictures, atol=1e-5)
    assert torch.allclose(moved(pictures, mirror=-1.0), pictures.flip(-1), atol=1e-5)
    assert torch.allclose(moved(pictures, angle=np.pi), pictures.flip(-1, -2), atol=1e-5)


def test_a_seed_moves_and_dyes_as_it_always_did() -> None:
    """Prevents: a training that cannot be repeated, because numbers are drawn in another order."""
    rng = np.random.default_rng(7)
    grid = draw_moves(rng, 2, SIZE, turn=0.1, scale=(0.05, 0.15))
    assert grid.shape == (2, *SIZE, 2)
    corners = grid[:, 0, 0].flatten().tolist()
    np.testing.assert_allclose(corners, CORNERS, atol=1e-4)
    colours = dye(torch.ones(4, 3, 1, 1), rng, most=1.2)
    np.testing.assert_allclose(colours.flatten().tolist(), COLOURS, atol=1e-4)
    assert abs(rng.random() - NEXT) < 1e-4
