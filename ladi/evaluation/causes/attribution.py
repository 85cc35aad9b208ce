"""Why a pair failed: a measurable reason for each part that can go wrong. A heuristic, not a proof.

Each measure looks at one part by itself and is called suspicious beyond a fixed limit. A bad pair may have
several suspects or none (then it is the painting itself). How often the same measures are suspicious among
*all* pairs stands beside it: a cause that is as common among the good ones explains nothing. The limits were
set on VITON's validation pairs, so that each is passed by a twentieth to a fifth of them, or by none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.stats import spearmanr

if TYPE_CHECKING:
    pass

LOGGER = logging.getLogger(__name__)

Cause = Literal["warp", "parsing", "pose", "mask"]
BAD_SHARE = 0.1
"""The worst tenth of the pairs, by error inside the mask, are the bad ones."""
LEAST_BAD = 5


@dataclass(frozen=True)
class Measure:
    """One way in which a part can fail."""

    key: str
    cause: Cause
    label: str
    suspicious: Literal["below", "above"]
    limit: float
    how: str
    of_app: bool = False
    """It looks at what the app would find: no cause where masks and joints come from the data."""

    def suspects(self, value: float | None) -> bool:
        """Whether a value lies beyond the limit."""
        if value is None:
            return False
        return value < self.limit if self.suspicious == "below" else value > self.limit


MOST_SHOWN = 4
"""Pairs that are pictured for each measure of the app."""
MEASURES = (
    Measure(
        "warp_overlap",
        "warp",
        "overlap of warped and worn garment",
        "below",
        0.65,
        "intersection over union of the garment's mask, warped, and the worn garment's label, hidden parts "
        "(arms, hair, head) left out of both",
    ),
    Measure(
        "mask_swallows",
        "mask",
        "body that the mask swallows",
        "above",
        0.15,
        "share of the mask that lies on arms, hands, legs or hair in the labels and must be invented anew",
    ),
    Measure(
        "mask_leaves",
        "mask",
        "old garment that the mask leaves",
        "above",
        0.02,
        "share of the worn garment's label outside the mask",
    ),
    Measure(
        "parser_overlap",
        "parsing",
        "overlap of our parser and the labels",
        "below",
        0.75,
        "intersection over union of the worn garment by the app's parser and by the labels",
        of_app=True,
    ),
    Measure(
        "pose_distance",
        "pose",
        "distance of detected joints from the labelled",
        "above",
        0.12,
        "mean distance of shoulders, elbows and wrists found by mediapipe from the labelled ones, over the "
        "width of the shoulders",
        of_app=True,
    ),
    Measure(
        "app_mask_leaves",
        "mask",
        "old garment that the app's mask would leave",
        "above",
        0.1,
        "share of the worn garment's label outside the mask that the app draws by itself",
        of_app=True,
    ),
)


def attribute(
    errors: Sequence[float], measured: Sequence[Mapping[str, float | None]], *, masks_of_app: bool
) -> dict[str, Any]:
    """Which measures are suspicious, among the worst pairs and among all.

    Args:
        errors: one per pair, higher is worse.
        measured: the measures of each pair.
        masks_of_app: whether the pictures were made with what the app found. Otherwise the measures of the
            app cannot have caused an error, and are listed as what the app would get wrong there.

    Returns:
        ``bad`` (indices, worst first), ``suspects`` (per bad pair, keys), ``table`` (per measure its limit,
        how often it is suspicious among bad and all pairs, its rank correlation with the error), and ``app``
        (per measure of the app, the pairs farthest beyond its limit).
    """
    order = np.argsort(np.asarray(errors))[::-1]
    count = min(len(order), max(LEAST_BAD, round(BAD_SHARE * len(order))))
    bad = [int(index) for index in order[:count]]
    table = []
    for entry in MEASURES:
        values = [each.get(entry.key) for each in measured]
        known = [index for index, value in enumerate(values) if value is not None]
        line: dict[str, Any] = {
            "key": entry.key,
            "cause": entry.cause,
            "label": entry.label,
            "how": entry.how,
            "limit": f"{entry.suspicious} {entry.limit:g}",
            "of_app": entry.of_app,
            "causal": masks_of_app or not entry.of_app,
            "n": len(known),
            "why": None,
        }
        if not known:
            table.append(
                {**line, "why": "not measured: it needs the model, or garment masks that the data lack"}
            )
            continue
        numbers = np.array([float(values[index] or 0) for index in known])
        line["suspicious_bad"] = sum(entry.suspects(values[index]) for index in bad)
        line["suspicious_all"] = sum(entry.suspects(value) for value in values)
        line["median"] = float(np.median(numbers))
        varied = len(known) > 3 and np.ptp(numbers) > 0
        correlation = spearmanr(numbers, np.asarray(errors)[known]) if varied else None
        line["correlation"] = float(correlation.statistic) if correlation is not None else None
        table.append(line)
    suspects = {
        index: [
            entry.key
            for entry in MEASURES
            if (masks_of_app or not entry.of_app) and entry.suspects(measured[index].get(entry.key))
        ]
        for index in bad
    }
    return {
        "bad": bad,
        "suspects": suspects,
        "table": table,
        "app": {entry.key: most_suspicious(entry, measured) for entry in MEASURES if entry.of_app},
        "pairs": len(order),
        "masks_of_app": masks_of_app,
    }


def most_suspicious(entry: Measure, measured: Sequence[Mapping[str, float | None]]) -> list[int]:
    """The pairs that lie farthest beyond a measure's limit, the worst first."""
    sign = 1 if entry.suspicious == "below" else -1
    values = [each.get(entry.key) for each in measured]
    beyond = [
        (sign * value, index)
        for index, value in enumerate(values)
        if value is not None and entry.suspects(value)
    ]
    return [index for _, index in sorted(beyond)[:MOST_SHOWN]]
