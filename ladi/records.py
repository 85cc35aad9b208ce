"""A request as plain values and back: for what a result's file records, and for settings by name.

The names are those of the table in ``settings.py``. It checks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ladi.settings import Settings, Switches, TryOnRequest, picture_seed, rows_of
from ladi.types import Photo, Result


def request_of(person: Photo, garment: Photo, values: Mapping[str, Any]) -> TryOnRequest:
    """A request from flat values, by the names that ``record`` writes and ``settings_table`` has.

    Args:
        person: the photo.
        garment: the garment's picture.
        values: any of the settings, and the ``mask``; what is missing is at its default, and nothing is
            checked (``check_request`` does).
    """
    values = dict(values)
    if values.get("size") is not None:
        values["size"] = tuple(values["size"])  # a list where the values have been JSON

    def named(kind: type[Any]) -> dict[str, Any]:
        return {one.name: values[one.name] for one in fields(kind) if one.name in values}

    settings = Settings(**named(Settings), switches=Switches(**named(Switches)))
    return TryOnRequest(person, garment, settings=settings, **named(TryOnRequest))


def values_of(*parts: Any) -> dict[str, Any]:
    """The settings in a request, in ``Settings`` or ``Switches``, by name; the inverse of ``request_of``."""
    return {row.name: getattr(part, row.name) for part in parts for row in rows_of(part)}


def record(request: TryOnRequest, result: Result, *, model: str, picture: int = 0) -> dict[str, Any]:
    """How one picture of a result was made, as plain values: enough to ask for it again.

    Args:
        request: as it was asked.
        result: what came of it, which knows the defaults that were taken.
        model: the model's name.
        picture: which of the result's pictures.
    """
    asked = values_of(request.settings, request.settings.switches, request)
    del asked["pictures"]  # the record is one picture's
    return asked | {
        "model": model,
        "category": result.person.category,
        "seed": picture_seed(result.seed, picture),
        "steps": result.steps,
        "guidance": result.guidance,
        "size": list(result.person.frame.size),
    }
