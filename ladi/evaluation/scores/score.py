"""Scores folders of pictures against the photos: per pair, per set, with intervals and reasons.

It reads pictures and knows nothing of models: pictures made by somebody else are scored by the same
functions. A metric that cannot be computed keeps its place in every table, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ladi.evaluation.pairs import Pair, Pairs
from ladi.evaluation.scores.distribution import fid, half_interval, inception_score, kid, squared_mmd
from ladi.evaluation.scores.metrics import bootstrap_interval
from ladi.evaluation.scores.suite import METRICS, Suite
from ladi.files import PICTURES
from ladi.types import LadiError, Size

CHUNK = 16


class Folder:
    """The pictures of one row, by the names of their pairs.

    Args:
        folder: holds ``{pair}.png`` (or .jpg, .jpeg, .webp); the person's name alone will do.
        size: pictures of another size are brought to this one by a bicubic filter, and counted.
    """

    def __init__(self, folder: Path, size: Size) -> None:
        self.folder, self.size = folder, size
        self.resized: dict[Size, int] = {}
        found = folder.iterdir() if folder.is_dir() else ()
        self.files = {path.stem: path for path in sorted(found) if path.suffix.lower() in PICTURES}

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
            f"{len(missing)} of {sum(counts.values())} pictures are missing, the first is {path}.png of "
            f"{row!r}: generate them, or limit the pairs by --limit"
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
            between = bootstrap_interval(values) if count > 1 else None
            scores[metric.key] = {"value": float(values.mean()), "interval": between}
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
    distance, of_half = (fid, fid) if key == "fid" else (kid, squared_mmd)
    value = distance(features, truth)
    # A half needs no subsets: the estimate is unbiased for any number of pictures, and takes seconds so.
    return {
        "value": value,
        "interval": half_interval(value, count, lambda own: of_half(features[own], truth[own])),
    }
