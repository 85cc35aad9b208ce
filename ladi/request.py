"""What may be asked of an engine, and what is told with its answer.

Checks and words only: pictures are judged in ``preprocess/checks.py``, and nothing is computed here.
"""

from __future__ import annotations

import math
from typing import get_args

from ladi.preprocess.checks import check_settings
from ladi.shelf import TRAINED_ON_TOPS, listed
from ladi.types import (
    CATEGORIES,
    Finding,
    Garment,
    MaskRule,
    PersonParts,
    SettingError,
    TryOnRequest,
)

MAX_GROW = 64
"""Pixels at the model's size."""

DECODED = "decoded"
"""Code of the findings that only tell what was done to a file: notes rather than warnings."""


def check_request(request: TryOnRequest) -> None:
    """Raises SettingError for whatever in a request is outside its range, before anything is computed."""
    check_settings(request.settings)
    if request.category not in CATEGORIES:
        raise SettingError(f"category must be {listed(CATEGORIES)}, got {request.category!r}.")
    if request.mask_rule not in get_args(MaskRule):
        raise SettingError(f"mask_rule must be {listed(get_args(MaskRule))}, got {request.mask_rule!r}.")
    if not math.isfinite(request.mask_grow) or abs(request.mask_grow) > MAX_GROW:
        raise SettingError(f"mask_grow must be -{MAX_GROW} to {MAX_GROW} pixels, got {request.mask_grow}.")


def collect_findings(
    request: TryOnRequest, person: PersonParts, garment: Garment, *, model: str
) -> tuple[Finding, ...]:
    """All there is to know about both pictures and this model, each thing once.

    Args:
        request: as it was asked.
        person: with its findings.
        garment: with its findings.
        model: the model's name.
    """
    photos = (("The photo", request.person), ("The garment's picture", request.garment))
    found = [Finding("warning", DECODED, f"{name}: {note}") for name, photo in photos for note in photo.notes]
    if model in TRAINED_ON_TOPS and request.category != "upper_body":
        found.append(
            Finding(
                "warning",
                "untrained_category",
                f"The model {model!r} has only seen tops: for other garments its picture is a guess.",
            )
        )
    return tuple(dict.fromkeys([*found, *person.findings, *garment.findings]))
