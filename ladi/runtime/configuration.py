"""A saved model's own configuration, judged before any library acts on it.

Libraries import whatever module a configuration names, and reserve whatever memory it asks for. Only the
project's parts and those of two libraries are loaded, at sizes that pictures can have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ladi.settings import settings_table
from ladi.types import ModelError
from ladi.weights.catalog import INDEX

PIPELINE = "LadiVtonPipeline"
LIBRARIES = ("diffusers", "transformers")
OWN = "ladi.models."
SIDES = (16, 4096)
"""Pixels of a side of the model's picture."""
LARGEST = 1_000_000
"""Of any whole number in a network's configuration; the largest of the published ones is the vocabulary's
49,408."""
MOST_BYTES = 1 << 20
CODE = ("auto_map", "trust_remote_code", "custom_pipelines")
"""Keys by which a configuration brings code of its own."""


def check_configuration(folder: Path) -> None:
    """Raises ModelError where a model's folder asks for something that no model of this project needs."""

    def refuse(file: Path, why: str) -> ModelError:
        name = file.name if file.name == INDEX else f"{file.parent.name}/{file.name}"
        return ModelError(f"The model in {folder.name} is incomplete or damaged: its {name} {why}.")

    index = _read(folder / INDEX, refuse)
    if index.get("_class_name") != PIPELINE:
        raise refuse(folder / INDEX, f"names another pipeline than {PIPELINE}")
    for name, value in index.items():
        if isinstance(value, list) and not _is_known(value):
            raise refuse(folder / INDEX, f"names a part {name!r} that is none of this project's")
    rows = settings_table()
    limits: dict[str, tuple[float, ...]] = {"height": SIDES, "width": SIDES}
    limits |= {f"default_{name}": rows[name].ends for name in ("steps", "guidance")}
    for name, (low, high) in limits.items():
        value = index.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise refuse(folder / INDEX, f"has a {name} that is not {low} to {high}")
    for file in sorted(folder.glob("*/*config.json")):
        for key, value in _entries(_read(file, refuse)):
            if key in CODE:
                raise refuse(file, f"brings code of its own ({key}), which is never run")
            if isinstance(value, int) and abs(value) > LARGEST:
                raise refuse(file, f"has a {key!r} beyond {LARGEST}")


def _read(file: Path, refuse: Any) -> dict[str, Any]:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise refuse(file, "is no configuration but something larger")
        told = json.loads(file.read_text("utf-8"))
    except ModelError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise refuse(file, "cannot be read") from error
    if not isinstance(told, dict):
        raise refuse(file, "cannot be read")
    return told


def _is_known(pair: list[Any]) -> bool:
    """Whether a part, (module, class), is one of those that are loaded; (None, None) is an absent one."""
    if len(pair) != 2 or pair == [None, None]:
        return pair == [None, None]
    module, name = pair
    return (
        isinstance(module, str) and isinstance(name, str) and (module in LIBRARIES or module.startswith(OWN))
    )


def _entries(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from _entries(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield key, inner
            yield from _entries(inner, key)
