"""What the network that tells garments looks at, and what it answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.models.garment_kind import SIDE
from ladi.preprocess.kind import KINDS, TURNS
from ladi.preprocess.kind_network import SQUARE, WEIGHTS, as_seen, look, square_around
from tests.preprocess.test_kind import drawn


def asked(pixels: np.ndarray, matte: np.ndarray) -> np.ndarray:
    return look(pixels, matte, kinds=len(KINDS), turns=len(TURNS))


def test_a_garment_fills_the_square_wherever_it_lies() -> None:
    """Prevents small garments in large photos from being told by other pixels than large ones."""
    pixels, matte = drawn("t-shirt")
    far = np.pad(pixels, ((300, 40), (20, 500), (0, 0)), "edge"), np.pad(matte, ((300, 40), (20, 500)))
    near, small = square_around(pixels, matte), square_around(*far)
    assert near.shape == small.shape == (SQUARE, SQUARE, 4)
    rows = np.flatnonzero((near[..., 3] > 127).any(1))
    assert rows[-1] - rows[0] + 1 == pytest.approx(84, abs=1)
    assert np.abs(near[..., 3].astype(int) - small[..., 3]).mean() < 4
    seen = as_seen(torch.from_numpy(near).movedim(-1, 0)[None])
    assert seen.shape == (1, 4, SIDE, SIDE) and not seen[:, :3, 0].any()


def test_turns_and_mirrors_are_told_alike() -> None:
    """Prevents turns that are counted the other way round, and kinds that a mirror changes."""
    pixels, matte = drawn("trousers")
    pixels[60:120, 60:90] = 230
    shares = np.exp(asked(pixels, matte))
    assert shares.shape == (4, 5) and shares[0].argmax() == KINDS.index("trousers")
    mirrored = np.exp(asked(pixels[:, ::-1], matte[:, ::-1]))
    assert shares[0] == pytest.approx(mirrored[0], abs=0.05)
    lying = np.exp(asked(np.rot90(pixels), np.rot90(matte)))
    assert lying[TURNS.index(90)] == pytest.approx(shares[0], abs=0.05)


def test_a_garment_of_less_than_a_pixel_is_no_error() -> None:
    """Prevents a failure on a speck in a large photo."""
    matte = np.zeros((1200, 900), np.float32)
    matte[600, 450] = 1
    assert np.isfinite(asked(np.zeros((1200, 900, 3), np.uint8), matte)).all()


def test_the_weights_are_small() -> None:
    """Prevents a file that makes everybody's clone slower."""
    assert WEIGHTS.stat().st_size < 400_000
