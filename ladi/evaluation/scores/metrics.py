"""What is measured pair by pair, as plain functions of pictures; and intervals of means.

How the pictures were made is ``generate.py``'s business; what compares whole sets stands in
``distribution.py``, what needs a pretrained network in ``networks.py``.
"""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

LEVEL = 0.95
"""Of all intervals."""
DRAWS = 2000
"""Of the bootstrap."""


def ssim(picture: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity (Wang et al., 2004) as scikit-image computes it.

    Args:
        picture: (H,W,3) in [0,1].
        truth: the same.

    Returns:
        At most 1; Gaussian weights of σ 1.5, data range 1, mean over pixels and channels.
    """
    return float(
        structural_similarity(
            picture,
            truth,
            channel_axis=2,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def masked_error(picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute difference over the mask's pixels and channels: (H,W,3) twice in [0,1], (H,W) bool."""
    return float(np.abs(picture - truth)[mask].mean()) if mask.any() else 0.0


def bootstrap_interval(
    values: np.ndarray, *, level: float = LEVEL, draws: int = DRAWS
) -> tuple[float, float]:
    """Confidence interval of a mean, by resampling the pairs with a fixed seed: (N,) → low, high."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(1)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)
