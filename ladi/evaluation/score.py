"""Scores folders of pictures against the photos: per pair, per set, with intervals and reasons.

It reads pictures and knows nothing of models: pictures made by somebody else are scored by the same functions.
A metric that cannot be computed keeps its place in every table, with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image

from ladi.data.sample import Order
from ladi.evaluation.distribution import (
    HALVES,
    INCEPTION_SPLITS,
    KID_SUBSET_SIZE,
    KID_SUBSETS,
    fid,
    half_interval,
    inception_score,
    kid,
)
from ladi.evaluation.metrics import DRAWS, LEVEL, bootstrap_interval, masked_error, ssim
from ladi.evaluation.networks import (
    CleanFidInception,
    FeatureNetwork,
    NotComputed,
    TorchmetricsInception,
    load_lpips,
    torchmetrics_ssim,
)
from ladi.evaluation.pairs import Pair, Pairs
from ladi.types import LadiError, Size

LOGGER = logging.getLogger(__name__)

CHUNK = 16
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


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
    f"{LEVEL:.0%} by bootstrap over the pairs, {DRAWS} draws, seed 0; FID, KID and IS by {HALVES} random halves "
    "(value ± 1.96 standard deviations), for which repeats would be a bias"
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
        "lpips_alex": lambda: _without_mask(load_lpips("alex", device)),
        "lpips_vgg": lambda: _without_mask(load_lpips("vgg", device)),
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


class Folder:
    """The pictures of one row, by the names of their pairs.

    Args:
        folder: holds ``{pair}.png`` (or .jpg, .jpeg, .webp); ``{person}`` alone will do where no other pair has it.
        size: pictures of another size are brought to this one by a bicubic filter, and counted.
    """

    def __init__(self, folder: Path, size: Size) -> None:
        self.folder, self.size = folder, size
        self.resized: dict[Size, int] = {}
        found = folder.iterdir() if folder.is_dir() else ()
        self.files = {path.stem: path for path in sorted(found) if path.suffix.lower() in SUFFIXES}

    def path(self, pair: Pair) -> Path | None:
        """The picture's file, if there is one."""
        person = pair.id.removesuffix(f"_{pair.sample.garment_id}")
        return self.files.get(pair.id) or self.files.get(person)

    def read(self, pair: Pair) -> np.ndarray:
        """(H,W,3) uint8 at the wanted size.

        Raises:
            LadiError: the picture is missing or damaged.
        """
        path = self.path(pair)
        if path is None:
            raise LadiError(f"{self.folder} has no picture {pair.id}.png: generate it first")
        try:
            with Image.open(path) as image:
                picture = image.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise LadiError(f"the picture {path} cannot be read ({error}): generate it again") from error
        own = (picture.height, picture.width)
        if own != self.size:
            self.resized[own] = self.resized.get(own, 0) + 1
            picture = picture.resize((self.size[1], self.size[0]), Image.Resampling.BICUBIC)
        return np.asarray(picture)


@dataclass(frozen=True)
class Scores:
    """What became of one row."""

    row: str
    pairs: int
    scores: Mapping[str, Mapping[str, Any]]
    """Metric → ``value`` and ``interval``, or ``why``."""
    values: Mapping[str, Sequence[float]]
    """Metric per pair → one number per pair."""


@dataclass
class _Collected:
    values: dict[str, list[float]] = field(default_factory=dict)
    features: list[np.ndarray] = field(default_factory=list)
    logits: list[np.ndarray] = field(default_factory=list)


def score_rows(
    folders: Mapping[str, Folder], pairs: Pairs, suite: Suite, counts: Mapping[str, int] | None = None
) -> dict[str, Scores]:
    """Scores several rows in one pass over the pairs.

    Args:
        folders: row → its pictures.
        pairs: what they show.
        suite: the metrics.
        counts: row → how many pairs, from the first, it has; all if not named.

    Returns:
        Row → its scores.

    Raises:
        LadiError: pictures are missing; the sentence says how many and where.
    """
    counts = {row: min((counts or {}).get(row, len(pairs)), len(pairs)) for row in folders}
    _refuse_missing(folders, pairs, counts)
    collected = {row: _Collected() for row in folders}
    truth = _Collected()
    for start in range(0, len(pairs), CHUNK):
        members = [pairs[index] for index in range(start, min(start + CHUNK, len(pairs)))]
        photos = [pair.truth for pair in members]
        _look(suite, photos, truth)
        for row, folder in folders.items():
            own = members[: max(0, counts[row] - start)]
            if own:
                _measure(suite, [folder.read(pair) for pair in own], own, collected[row])
    reference = np.concatenate(truth.features) if truth.features else None
    return {row: _summary(row, counts[row], collected[row], reference, suite) for row in folders}


def _refuse_missing(folders: Mapping[str, Folder], pairs: Pairs, counts: Mapping[str, int]) -> None:
    """Says at once how many pictures are missing, rather than at the first."""
    missing = [
        (row, folder.folder / pair.id)
        for index, pair in enumerate(pairs)
        for row, folder in folders.items()
        if index < counts[row] and folder.path(pair) is None
    ]
    if missing:
        row, path = missing[0]
        raise LadiError(
            f"{len(missing)} of {sum(counts.values())} pictures are missing, the first is {path}.png of {row!r}: "
            f"generate them, or limit the pairs by --limit"
        )


def _look(suite: Suite, pictures: Sequence[np.ndarray], into: _Collected) -> None:
    if suite.features is not None:
        into.features.append(suite.features(pictures))
    if suite.logits is not None:
        into.logits.append(suite.logits(pictures))


def _measure(suite: Suite, pictures: Sequence[np.ndarray], members: Sequence[Pair], into: _Collected) -> None:
    _look(suite, pictures, into)
    for picture, pair in zip(pictures, members, strict=True):
        one, other = (each.astype(np.float32) / 255 for each in (picture, pair.truth))
        for key, function in suite.pair.items():
            into.values.setdefault(key, []).append(function(one, other, pair.mask))


def _summary(row: str, count: int, found: _Collected, reference: np.ndarray | None, suite: Suite) -> Scores:
    """Means, distances and intervals of one row."""
    scores: dict[str, dict[str, Any]] = {}
    for metric in METRICS:
        if metric.key in suite.why:
            scores[metric.key] = {"value": None, "why": suite.why[metric.key]}
        elif metric.per == "pair":
            values = np.array(found.values[metric.key])
            scores[metric.key] = {"value": float(values.mean()), "interval": bootstrap_interval(values)}
        elif count < 2:
            scores[metric.key] = {"value": None, "why": "a set needs two pictures"}
        else:
            scores[metric.key] = _of_set(metric.key, found, reference, count)
    return Scores(row, count, scores, found.values)


def _of_set(key: str, found: _Collected, reference: np.ndarray | None, count: int) -> dict[str, Any]:
    if key == "inception_score":
        logits = np.concatenate(found.logits)
        value = inception_score(logits)
        return {
            "value": value,
            "interval": half_interval(value, count, lambda own: inception_score(logits[own])),
        }
    assert reference is not None
    features, truth = np.concatenate(found.features), reference[:count]
    distance = fid if key == "fid" else kid
    value = distance(features, truth)
    return {
        "value": value,
        "interval": half_interval(value, count, lambda own: distance(features[own], truth[own])),
    }
