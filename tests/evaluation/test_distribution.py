"""FID, KID and the inception score, on distributions whose distances are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import linalg

from ladi.evaluation.scores.distribution import (
    fid,
    half_interval,
    inception_score,
    kid,
    squared_mmd,
)


def exactly(mean: np.ndarray, covariance: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Samples (count,D) whose own mean and covariance are exactly the given ones."""
    values = np.random.default_rng(seed).normal(size=(count, len(mean)))
    values -= values.mean(0)
    white = values @ np.linalg.inv(np.linalg.cholesky(np.cov(values.T)).T)
    return white @ np.linalg.cholesky(covariance).T + mean


@pytest.mark.parametrize("count", [300, 5])
def test_fid_of_features_is_the_distance_of_their_gaussians(count: int) -> None:
    """Also with fewer pictures than dimensions; prevents a covariance divided by N, or a wrong shortcut."""
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(count, 8)), rng.normal(1, 2, size=(count + 3, 8))
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    shift = one.mean(0) - other.mean(0)
    expected = shift @ shift + np.trace(first + second - 2 * np.real(linalg.sqrtm(first @ second)))
    assert fid(one, other) == pytest.approx(expected, rel=1e-6)


def test_fid_of_samples_with_exactly_known_moments() -> None:
    """The analytic value, from samples."""
    a, b = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    one, other = exactly(np.zeros(3), a, 200, 0), exactly(np.array([3.0, 0, 4.0]), b, 100, 1)
    assert fid(one, other) == pytest.approx(30)
    assert fid(one, one) == pytest.approx(0, abs=1e-8)


def test_kid_equals_a_plain_sum_over_pairs() -> None:
    """The unbiased estimate as Gretton et al. (2012) write it, pair by pair."""
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(7, 4)), rng.normal(0.5, 1, size=(9, 4))

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 4 + 1) ** 3)

    within = np.mean([kernel(one[i], one[j]) for i in range(7) for j in range(7) if i != j])
    within += np.mean([kernel(other[i], other[j]) for i in range(9) for j in range(9) if i != j])
    between = np.mean([kernel(x, y) for x in one for y in other])
    assert squared_mmd(one, other) == pytest.approx(within - 2 * between)


def test_kid_is_zero_on_average_for_equal_gaussians_and_the_analytic_value_for_others() -> None:
    """One dimension, means 0 and 1: E k(x,x') + E k(y,y') − 2 E k(x,y) by the moments of (xy+1)³."""
    rng = np.random.default_rng(4)
    equal = [squared_mmd(rng.normal(size=(50, 1)), rng.normal(size=(50, 1))) for _ in range(300)]
    assert abs(np.mean(equal)) < 3 * np.std(equal) / np.sqrt(300)
    # E (xy+1)³ = E[x³]E[y³] + 3 E[x²]E[y²] + 3 E[x]E[y] + 1; moments of N(0,1): 0, 1, 0; of N(1,1): 1, 2, 4.
    expected = (0 + 3 + 0 + 1) + (16 + 12 + 3 + 1) - 2 * (0 + 6 + 0 + 1)
    found = [squared_mmd(rng.normal(size=(200, 1)), rng.normal(1, 1, size=(200, 1))) for _ in range(300)]
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / np.sqrt(300))


def test_kid_over_subsets_is_seeded_and_near_the_whole() -> None:
    """Prevents: two scorings of the same pictures that differ."""
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=(300, 6)), rng.normal(0.4, 1, size=(300, 6))
    found = kid(one, other, size=100, subsets=50)
    assert found == kid(one, other, size=100, subsets=50)
    assert found != kid(one, other, size=100, subsets=50, seed=1)
    assert found == pytest.approx(squared_mmd(one, other), rel=0.15)
    assert kid(one, other) == squared_mmd(one, other)


def test_fid_and_kid_equal_torchmetrics_through_a_stand_in_network() -> None:
    """Prevents: formulas of our own making. The network only flattens a picture."""
    pytest.importorskip("torchmetrics", reason="torchmetrics comes with requirements-eval.txt")
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    class Flat(torch.nn.Module):
        num_features = 12

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures.flatten(1).double() / 255

    generator = torch.Generator().manual_seed(0)
    real = torch.randint(0, 256, (60, 3, 2, 2), generator=generator, dtype=torch.uint8)
    fake = torch.randint(0, 160, (60, 3, 2, 2), generator=generator, dtype=torch.uint8)
    theirs = [
        FrechetInceptionDistance(feature=Flat(), input_img_size=(3, 2, 2)).set_dtype(torch.float64),
        KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=60),
    ]
    for metric in theirs:
        metric.update(real, real=True)
        metric.update(fake, real=False)
    features, truth = (Flat()(pictures).numpy() for pictures in (fake, real))
    assert fid(features, truth) == pytest.approx(float(theirs[0].compute()), rel=1e-3)
    assert kid(features, truth) == pytest.approx(float(theirs[1].compute()[0]), rel=1e-3)


def test_inception_score_of_known_classes() -> None:
    """Certain of ten equally common classes: 10. Never certain of anything: 1."""
    certain = np.tile(np.eye(10) * 1e3, (20, 1))
    assert inception_score(certain, splits=1) == pytest.approx(10)
    assert inception_score(np.zeros((50, 10))) == pytest.approx(1)
    assert inception_score(certain) == inception_score(certain)


def test_inception_score_equals_its_formula() -> None:
    """exp(E KL(p(y|x) ‖ p(y))), written down once more."""
    logits = np.random.default_rng(6).normal(0, 2, (40, 5))
    chance = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.exp(np.mean((chance * np.log(chance / chance.mean(0))).sum(1)))
    assert inception_score(logits, splits=1) == pytest.approx(expected)


def test_interval_by_halves_is_as_wide_as_statistics_say() -> None:
    """Of a mean, where the truth is known; prevents a forgotten factor for the halves' size."""
    values = np.random.default_rng(7).normal(0, 1, 400)
    found = half_interval(values.mean(), 400, lambda own: float(values[own].mean()), halves=400)
    assert found is not None
    assert (found[1] - found[0]) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.15)
    assert half_interval(0.0, 7, lambda own: 0.0) is None
