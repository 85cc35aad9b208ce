"""What may be asked of an engine, and what is told with its answer.

Checks and words only: pictures are judged in ``preprocess/``, and nothing is computed here.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, get_args

import numpy as np

from ladi.preprocess.category import guess_category
from ladi.preprocess.checks import check_settings
from ladi.samplers import check_sampler
from ladi.shelf import MODELS, listed, trained_categories
from ladi.types import (
    AskedCategory,
    Category,
    Finding,
    Garment,
    MaskRule,
    ModelError,
    PersonParts,
    Photo,
    Result,
    SettingError,
    Settings,
    Size,
    Switches,
    TryOnRequest,
)

MIN_HEIGHT, MAX_HEIGHT, HEIGHT_STEP = 256, 1024, 64
"""Pixels of the network's picture, whose width is three quarters of its height."""

MAX_GROW = 64
"""Pixels at the model's size."""

MAX_SEED = 2**32 - 1

DECODED = "decoded"
"""Code of the findings that only tell what was done to a file: notes rather than warnings."""


def request_of(person: Photo, garment: Photo, values: Mapping[str, Any]) -> TryOnRequest:
    """A request from flat values, by the names that ``record`` writes and the commands' flags have.

    Args:
        person: the photo.
        garment: the garment's picture.
        values: any of the fields of ``TryOnRequest``, ``Settings`` and ``Switches``; what is missing is at
            its default, and nothing is checked (``check_request`` does).
    """
    values = dict(values)
    if values.get("size") is not None:
        values["size"] = tuple(values["size"])  # a list where the values have been JSON

    def named(kind: type[Any]) -> dict[str, Any]:
        return {one.name: values[one.name] for one in fields(kind) if one.name in values}

    settings = Settings(**named(Settings), switches=Switches(**named(Switches)))
    return TryOnRequest(person, garment, settings=settings, **named(TryOnRequest))


def check_request(request: TryOnRequest) -> None:
    """Raises SettingError for whatever in a request is outside its range, before anything is computed."""
    check_settings(request.settings)
    check_sampler(request.settings.sampler)
    if request.settings.size is not None:
        check_size(request.settings.size)
    if request.category not in get_args(AskedCategory):
        raise SettingError(f"category must be {listed(get_args(AskedCategory))}, got {request.category!r}.")
    if request.mask_rule not in get_args(MaskRule):
        raise SettingError(f"mask_rule must be {listed(get_args(MaskRule))}, got {request.mask_rule!r}.")
    if not math.isfinite(request.mask_grow) or abs(request.mask_grow) > MAX_GROW:
        raise SettingError(f"mask_grow must be -{MAX_GROW} to {MAX_GROW} pixels, got {request.mask_grow}.")


def check_size(size: Size) -> None:
    """Raises SettingError for a size that no picture is painted at."""
    height, width = size
    fits = MIN_HEIGHT <= height <= MAX_HEIGHT and height % HEIGHT_STEP == 0 and 4 * width == 3 * height
    if not fits:
        raise SettingError(
            f"size must be {MIN_HEIGHT}x{MIN_HEIGHT * 3 // 4} to {MAX_HEIGHT}x{MAX_HEIGHT * 3 // 4} "
            f"(height by width, 4 to 3, the height a multiple of {HEIGHT_STEP}), got {height}x{width}."
        )


def check_category(category: AskedCategory, *, model: str) -> None:
    """Refuse what a model was not trained for.

    Raises:
        ModelError: naming the models that were.
    """
    if category == "auto" or category in trained_categories(model):
        return
    able = [name for name in MODELS if category in trained_categories(name)]
    raise ModelError(
        f"The model {model!r} was not trained for {category}: choose the model {listed(able)}, "
        f"or category {listed(trained_categories(model))}."
    )


def choose_category(
    asked: AskedCategory, pixels: np.ndarray, matte: np.ndarray, *, model: str
) -> tuple[Category, tuple[Finding, ...]]:
    """What a garment is taken for, and the doubts about it.

    Args:
        asked: what the request says; anything but ``auto`` is believed.
        pixels: (H,W,3) uint8 RGB, the garment's picture.
        matte: (H,W) float in [0,1].
        model: its name; one that knows tops only takes everything for a top.
    """
    if asked != "auto":
        return asked, ()
    guess, trained = guess_category(pixels, matte), trained_categories(model)
    if len(trained) == 1:
        if not guess.sure or guess.category != "lower_body":
            return trained[0], ()
        doubt = f"This looks like trousers, shorts or a skirt, and the model {model!r} knows tops only."
        return trained[0], (Finding("warning", "garment_not_a_top", doubt),)
    if guess.sure:
        return guess.category, ()
    doubt = "The garment's outline is unclear, so its kind is a guess; choose the category if it is wrong."
    return guess.category, (Finding("warning", "category_unsure", doubt),)


def choose_sampling(settings: Settings, defaults: tuple[int, float]) -> tuple[int, int, float]:
    """Seed, steps and guidance; a seed is drawn and a model's defaults are taken where nothing is asked."""
    return (
        secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed,
        defaults[0] if settings.steps is None else settings.steps,
        defaults[1] if settings.guidance is None else settings.guidance,
    )


def collect_findings(
    request: TryOnRequest, person: PersonParts, garment: Garment, *, own_size: Size
) -> tuple[Finding, ...]:
    """All there is to know about both pictures and how they were used, each thing once.

    Args:
        request: as it was asked.
        person: with its findings.
        garment: with its findings.
        own_size: the model's (height, width).
    """
    photos = (("The photo", request.person), ("The garment's picture", request.garment))
    found = [Finding("warning", DECODED, f"{name}: {note}") for name, photo in photos for note in photo.notes]
    if request.settings.size not in (None, own_size):
        height, width = own_size
        doubt = f"This model was trained at {height}x{width}; at other sizes its quality is untested."
        found.append(Finding("warning", "untested_size", doubt))
    return tuple(dict.fromkeys([*found, *person.findings, *garment.findings]))


def record(request: TryOnRequest, result: Result, *, model: str, picture: int = 0) -> dict[str, Any]:
    """How one picture of a result was made, as plain values: enough to ask for it again.

    Args:
        request: as it was asked.
        result: what came of it, which knows the defaults that were taken.
        model: the model's name.
        picture: which of the result's pictures.
    """
    settings = request.settings
    return {
        "model": model,
        "category": result.person.category,
        "seed": result.seed + picture,
        "steps": result.steps,
        "guidance": result.guidance,
        "sampler": settings.sampler,
        "size": list(result.person.frame.size),
        **asdict(settings.switches),
        "paste_back": settings.paste_back,
        "fine_detail": settings.fine_detail,
        "keep_unchanged": settings.keep_unchanged,
        "feather": settings.feather,
        "mask_grow": request.mask_grow,
        "mask_rule": request.mask_rule,
        "clean_garment": request.clean_garment,
    }
