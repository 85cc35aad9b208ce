"""Where a model works and where it does not: pairs sorted by what ``properties.py`` measures on them.

Numbers are cut into thirds of the set at hand, because no limits are agreed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ladi.evaluation.causes.properties import PROPERTIES, UNKNOWN
from ladi.evaluation.scores.metrics import DRAWS, LEVEL, bootstrap_interval

FEW = 10
"""Slices with fewer pairs are marked."""


def cut(found: Sequence[Mapping[str, str | float | None]]) -> dict[str, list[tuple[str, list[int]]]]:
    """Sorts pairs into slices.

    Args:
        found: properties of each pair.

    Returns:
        Key of a property → slices of name and indices of pairs; each pair is in one slice of each property.
    """
    result = {}
    for entry in PROPERTIES:
        values = [each[entry.key] for each in found]
        known = sorted(value for value in values if isinstance(value, float))
        slices: dict[str, list[int]] = {word: [] for word in entry.words}
        if entry.kind == "number" and known:
            low, high = np.quantile(known, [1 / 3, 2 / 3])
            slices = {f"below {low:.2f}": [], f"{low:.2f}–{high:.2f}": [], f"above {high:.2f}": []}
            first, middle, last = slices
        for index, value in enumerate(values):
            if isinstance(value, float):
                name = first if value < low else last if value > high else middle
            else:
                name = value or UNKNOWN
            slices.setdefault(name, []).append(index)
        result[entry.key] = [(name, members) for name, members in slices.items() if members]
    return result


def difference_interval(own: np.ndarray, others: np.ndarray) -> tuple[float, float] | None:
    """Interval of the difference of two groups' means, by resampling each; nothing for small groups."""
    if min(len(own), len(others)) < FEW:
        return None
    rng = np.random.default_rng(0)
    one, other = (group[rng.integers(0, len(group), (DRAWS, len(group)))].mean(1) for group in (own, others))
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(one - other, [tail, 100 - tail])
    return float(low), float(high)


def slice_table(
    found: Sequence[Mapping[str, str | float | None]], values: Mapping[str, Sequence[float]]
) -> list[dict[str, object]]:
    """One line per slice: property, slice, n, and the metrics' means.

    Each mean has its interval, and the interval of its distance from the mean of the pairs outside the slice.

    Args:
        found: properties of each pair.
        values: metric → one number per pair.
    """
    lines: list[dict[str, object]] = []
    slices = cut(found)
    for entry in PROPERTIES:
        for name, members in slices[entry.key]:
            scores = {}
            for key, numbers in values.items():
                own = np.asarray(numbers)[members]
                others = np.delete(np.asarray(numbers), members)
                scores[key] = {
                    "value": float(own.mean()),
                    "interval": bootstrap_interval(own) if len(own) > 1 else None,
                    "from_others": difference_interval(own, others),
                }
            lines.append(
                {
                    "property": entry.key,
                    "label": entry.label,
                    "slice": name,
                    "n": len(members),
                    "few": len(members) < FEW,
                    "scores": scores,
                }
            )
    return lines
