"""What may be asked of an engine, and what is told with its answer.

Checks and words only: pictures are judged in ``preprocess/``, and nothing is computed here.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, get_args

import numpy as np

from ladi.types import (
    AskedCategory,
    MaskRule,
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


def choose_sampling(settings: Settings, defaults: tuple[int, float]) -> tuple[int, int, float]:
    """Seed, steps and guidance; a seed is drawn and a model's defaults are taken where nothing is asked."""
    return (
        secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed,
        defaults[0] if settings.steps is None else settings.steps,
        defaults[1] if settings.guidance is None else settings.guidance,
    )


def picture_seed(first: int, picture: int) -> int:
    """The seed of one of several pictures: each has the next number, and after the last comes 0."""
    return (first + picture) % (MAX_SEED + 1)


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
        "seed": picture_seed(result.seed, picture),
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


STEPS = (1, 100)


GUIDANCE = (0, 30)


PICTURES = (1, 8)


FEATHER = (0, 32)


CLOTH_COND_RATE = (0, 1)


SEED = (0, 2**32 - 1)


def check_settings(settings: Settings) -> None:
    """Refuse settings outside their range; ``None`` stands for the model's own default.

    Raises:
        SettingError: Naming the setting, what is allowed and what was given.
    """
    if settings.steps is not None:
        _check_number("steps", settings.steps, STEPS, whole=True)
    if settings.guidance is not None:
        _check_number("guidance", settings.guidance, GUIDANCE)
    if settings.seed is not None:
        _check_number("seed", settings.seed, SEED, whole=True)
    _check_number("pictures", settings.pictures, PICTURES, whole=True)
    _check_number("feather", settings.feather, FEATHER)
    _check_number("cloth_cond_rate", settings.switches.cloth_cond_rate, CLOTH_COND_RATE)


def _check_number(name: str, value: float, allowed: tuple[int, int], *, whole: bool = False) -> None:
    low, high = allowed
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    usable = isinstance(value, kinds) and not isinstance(value, bool)
    if not usable or not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise SettingError(f"{name} must be {kind} from {low} to {high}, got {value}.")


SAMPLERS: dict[str, str] = {
    "ddim": "DDIMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
}
"""Name → diffusers' class. DDIM is the paper's; the others are known to need fewer steps."""


def check_sampler(name: str | None) -> None:
    """Raises SettingError for a sampler that there is not; ``None`` stands for the model's own."""
    if name is not None and name not in SAMPLERS:
        *most, last = SAMPLERS
        raise SettingError(f"sampler must be {', '.join(most)} or {last}, got {name!r}.")


def read_size(text: str, name: str = "size") -> Size:
    """``512x384`` as (512, 384).

    Args:
        text: what was written.
        name: what the sentence calls it.

    Raises:
        SettingError: it is not written so.
    """
    from ladi.types import SettingError

    numbers = text.lower().replace("×", "x").split("x")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise SettingError(f"{name} must be height by width, such as 512x384, got {text!r}.")
    return int(numbers[0]), int(numbers[1])


YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


def read_switch(value: Any, name: str) -> bool:
    """Yes or no, as tables, programs, variables and language models write them: words, numbers or booleans.

    Raises:
        SettingError: another word.
    """
    word = str(int(value) if isinstance(value, float) and value in (0, 1) else value).strip().lower()
    if word not in YES + NO:
        raise SettingError(f"{name} must be yes or no, got {value!r}.")
    return word in YES


def listed(names: Sequence[str] | dict[str, Any]) -> str:
    """``a, b or c``."""
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
