"""What compares two sets of pictures, or looks at one, as plain functions of a network's features.

FID, KID and the inception score. Which network the features come from is ``networks.py``'s business. With
few pictures FID is far above its limit, whatever the pictures: compare numbers of equal n only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, special

KID_SUBSETS = 100
KID_SUBSET_SIZE = 1000
"""Of the set, if it is smaller."""
INCEPTION_SPLITS = 10
HALVES = 50
"""Random halves that intervals are made from."""


def fid(features: np.ndarray, other: np.ndarray) -> float:
    """Fréchet inception distance (Heusel et al., 2017): of the Gaussians of two sets of features.

    Args:
        features: (N,D), N at least 2.
        other: (M,D).

    Returns:
        At least 0 but for rounding; covariances are the unbiased ones, as in the published code.
    """
    parts = []
    for each in (features, other):
        centred = (each - each.mean(0)).astype(np.float64) / np.sqrt(len(each) - 1)
        # C = AᵀA with A this factor; its triangle has the same product and at most D rows.
        parts.append(linalg.qr(centred, mode="r")[0] if len(each) > each.shape[1] else centred)
    first, second = (part[: part.shape[1]] for part in parts)
    # tr (C₁C₂)^½ is the sum of the singular values of A₁A₂ᵀ: no root of a D×D matrix is needed.
    cross = linalg.svdvals(first @ second.T).sum()
    shift = ((features.mean(0, np.float64) - other.mean(0, np.float64)) ** 2).sum()
    return float(shift + (first**2).sum() + (second**2).sum() - 2 * cross)


def _kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(x·y/D + 1)³, the kernel of KID."""
    return (one @ other.T / one.shape[1] + 1) ** 3


def squared_mmd(features: np.ndarray, other: np.ndarray) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy under KID's kernel: (N,D), (M,D)."""
    one, two = features.astype(np.float64), other.astype(np.float64)
    n, m = len(one), len(two)
    own, others = _kernel(one, one), _kernel(two, two)
    within = (own.sum() - np.trace(own)) / (n * (n - 1)) + (others.sum() - np.trace(others)) / (m * (m - 1))
    return float(within - 2 * _kernel(one, two).mean())


def kid(
    features: np.ndarray,
    other: np.ndarray,
    *,
    subsets: int = KID_SUBSETS,
    size: int = KID_SUBSET_SIZE,
    seed: int = 0,
) -> float:
    """Kernel inception distance (Bińkowski et al., 2018): the mean of ``squared_mmd`` over random subsets.

    Args:
        features: (N,D).
        other: (M,D).
        subsets: how many; one is enough where the subset is the whole set.
        size: of each subset, drawn without repeats.
        seed: of the draws.

    Returns:
        About 0 for equal distributions, also below; not multiplied by 1000.
    """
    size = min(size, len(features), len(other))
    if size == len(features) == len(other):
        return squared_mmd(features, other)
    rng = np.random.default_rng(seed)
    values = [
        squared_mmd(
            features[rng.choice(len(features), size, replace=False)],
            other[rng.choice(len(other), size, replace=False)],
        )
        for _ in range(subsets)
    ]
    return float(np.mean(values))


def inception_score(logits: np.ndarray, *, splits: int = INCEPTION_SPLITS, seed: int = 0) -> float:
    """Inception score (Salimans et al., 2016): (N,classes) logits → the mean over random splits.

    Each split's score is exp of the mean divergence of its members' class probabilities from their mean.
    """
    shuffled = logits[np.random.default_rng(seed).permutation(len(logits))].astype(np.float64)
    scores = []
    for part in np.array_split(shuffled, min(splits, len(shuffled))):
        log = part - special.logsumexp(part, axis=1, keepdims=True)
        # An empty class has no weight either: xlogy gives its term as 0.
        mean = np.exp(log).mean(0)
        divergence = (np.exp(log) * log).sum(1) - special.xlogy(np.exp(log), mean).sum(1)
        scores.append(np.exp(divergence.mean()))
    return float(np.mean(scores))


def half_interval(
    value: float, count: int, of: Callable[[np.ndarray], float], *, halves: int = HALVES
) -> tuple[float, float] | None:
    """A 95 % interval by random halves: value ± 1.96 standard deviations of the halves' values.

    Resampling with repeats, as for means, would bias FID and KID; the spread over halves without repeats
    estimates the spread of the whole (delete-half jackknife, Shao and Wu, 1989).

    Args:
        value: of the whole set.
        count: members of the set; below 8 there is no interval.
        of: indices → the measure of these members.
        halves: how many.
    """
    if count < 8:
        return None
    rng = np.random.default_rng(0)
    spread = float(np.std([of(rng.choice(count, count // 2, replace=False)) for _ in range(halves)], ddof=1))
    return value - 1.96 * spread, value + 1.96 * spread
