"""The metrics: what each one is, which of them can be computed here, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from ladi.data.sample import Order
from ladi.evaluation.scores.distribution import HALVES, INCEPTION_SPLITS, KID_SUBSET_SIZE, KID_SUBSETS
from ladi.evaluation.scores.metrics import DRAWS, LEVEL, masked_error, ssim
from ladi.evaluation.scores.networks import (
    CleanFidInception,
    FeatureNetwork,
    NotComputed,
    TorchmetricsInception,
    lpips,
    torchmetrics_ssim,
)
from ladi.types import LadiError


@dataclass(frozen=True)
class Metric:
    """A column of the tables."""

    key: str
    label: str
    per: Literal["pair", "set"]
    better: Literal["higher", "lower"]
    how: str
    """The protocol: what exactly is computed."""
    factor: float = 1.0
    """What the tables multiply it by."""
    digits: int = 3


METRICS = (
    Metric(
        "ssim",
        "SSIM",
        "pair",
        "higher",
        "scikit-image, RGB, Gaussian weights, sigma 1.5, data range 1, mean over pairs",
    ),
    Metric(
        "ssim_torchmetrics",
        "SSIM (torchmetrics)",
        "pair",
        "higher",
        "torchmetrics' defaults, RGB, Gaussian weights, sigma 1.5, 11×11, data range 1, mean over pairs",
    ),
    Metric(
        "masked_error",
        "error inside the mask",
        "pair",
        "lower",
        "absolute difference over the mask's pixels and channels in [0,1], mean over pairs",
    ),
    Metric(
        "lpips_alex",
        "LPIPS (Alex)",
        "pair",
        "lower",
        "version 0.1, AlexNet, pictures in [-1,1] at the stated size, mean over pairs",
    ),
    Metric(
        "lpips_vgg",
        "LPIPS (VGG)",
        "pair",
        "lower",
        "version 0.1, VGG-16, pictures in [-1,1] at the stated size, mean over pairs",
    ),
    Metric(
        "fid",
        "FID",
        "set",
        "lower",
        "clean-fid's Inception features, against the photos of the same pairs",
        digits=2,
    ),
    Metric(
        "kid",
        "KID ×1000",
        "set",
        "lower",
        "clean-fid's Inception features, cubic kernel, unbiased, against the photos of the same pairs; "
        f"{KID_SUBSETS} subsets of {KID_SUBSET_SIZE}, seed 0, or the whole set where it is smaller",
        factor=1000,
        digits=2,
    ),
    Metric(
        "inception_score",
        "IS",
        "set",
        "higher",
        f"torch-fidelity's Inception logits by torchmetrics, {INCEPTION_SPLITS} splits, seed 0",
        digits=2,
    ),
)
BY_KEY = {metric.key: metric for metric in METRICS}
INTERVALS = (
    f"{LEVEL:.0%} by bootstrap over the pairs, {DRAWS} draws, seed 0; FID, KID and IS by {HALVES} random "
    "halves (value ± 1.96 standard deviations), for which repeats would be a bias"
)
NO_TRUTH = "unpaired pairs have no truth: nobody was photographed in that garment"

PairFunction = Callable[[np.ndarray, np.ndarray, np.ndarray], float]
"""Picture and truth (H,W,3) in [0,1], mask (H,W) bool → a number."""


@dataclass
class Suite:
    """The metrics that can be computed here, and why the others cannot."""

    pair: dict[str, PairFunction] = field(default_factory=dict)
    features: FeatureNetwork | None = None
    """For FID and KID."""
    logits: FeatureNetwork | None = None
    """For the inception score."""
    why: dict[str, str] = field(default_factory=dict)
    """Key of a metric → why it is not computed."""

    def describe(self) -> dict[str, str]:
        """Each metric's protocol, or why it is not computed."""
        names = {"fid": self.features, "kid": self.features, "inception_score": self.logits}
        found = {}
        for metric in METRICS:
            network = names.get(metric.key)
            how = metric.how if network is None else f"{metric.how} ({network.name})"
            found[metric.key] = f"not computed: {self.why[metric.key]}" if metric.key in self.why else how
        return found


def load_suite(order: Order, device: torch.device, keys: Sequence[str] | None = None) -> Suite:
    """Finds the metrics' packages and weights.

    Args:
        order: unpaired pairs have no truth, so only sets are compared.
        device: for the networks.
        keys: the wanted metrics; all if none.

    Raises:
        LadiError: an unknown metric.
    """
    unknown = sorted(set(keys or ()) - set(BY_KEY))
    if unknown:
        raise LadiError(f"there is no metric {unknown[0]!r}: choose from {', '.join(BY_KEY)}")
    suite = Suite()
    loaders: dict[str, Callable[[], PairFunction]] = {
        "ssim": lambda: lambda picture, truth, mask: ssim(picture, truth),
        "ssim_torchmetrics": lambda: _without_mask(torchmetrics_ssim()),
        "masked_error": lambda: masked_error,
        "lpips_alex": lambda: _without_mask(lpips("alex", device)),
        "lpips_vgg": lambda: _without_mask(lpips("vgg", device)),
    }
    for metric in METRICS:
        try:
            if keys is not None and metric.key not in keys:
                raise NotComputed("not asked for (--metrics)")
            if metric.per == "pair":
                if order == "unpaired":
                    raise NotComputed(NO_TRUTH)
                suite.pair[metric.key] = loaders[metric.key]()
            elif metric.key == "inception_score":
                suite.logits = TorchmetricsInception(device)
            elif suite.features is None:
                if "fid" in suite.why and suite.why["fid"] != "not asked for (--metrics)":
                    raise NotComputed(suite.why["fid"])
                suite.features = CleanFidInception(device)
        except NotComputed as reason:
            suite.why[metric.key] = str(reason)
    return suite


def _without_mask(function: Callable[[np.ndarray, np.ndarray], float]) -> PairFunction:
    return lambda picture, truth, mask: function(picture, truth)
