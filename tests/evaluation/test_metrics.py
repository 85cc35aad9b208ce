"""The metrics, on pictures whose scores are known."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.evaluation.metrics import bootstrap_interval, masked_error, ssim


def test_equal_pictures_score_one_and_zero() -> None:
    picture = np.random.default_rng(0).random((32, 24, 3))
    assert ssim(picture, picture) == pytest.approx(1)
    assert masked_error(picture, picture, np.ones((32, 24), bool)) == 0


def test_error_counts_the_mask_alone() -> None:
    truth, picture = np.zeros((8, 8, 3)), np.ones((8, 8, 3))
    mask = np.zeros((8, 8), bool)
    mask[:4] = True
    picture[:4] = 0.25
    assert masked_error(picture, truth, mask) == pytest.approx(0.25)


def test_ssim_of_two_flat_pictures_follows_the_formula() -> None:
    """(2ab + c1) / (a² + b² + c1) with c1 = 0.01²: no variance, so only the luminance term is left."""
    one, other = np.full((32, 32, 3), 0.5), np.full((32, 32, 3), 0.25)
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.25 + 0.0625 + 1e-4)
    assert ssim(one, other) == pytest.approx(expected, abs=1e-6)


def test_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    values = np.random.default_rng(1).normal(0.8, 0.05, 100)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert (low, high) == bootstrap_interval(values)
