"""What a comparison varies: axes, their values, and the cells that come of them.

Plain data and words: nothing is computed, and the page's layout is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import prod
from typing import Any

from ladi.settings import Switches, settings_table
from ladi.types import SettingError

RequestKey = tuple[int, tuple[tuple[str, Any], ...]]
"""A garment's number, and the settings in which a request differs from the page's."""

MOST_CELLS = 24
"""More would keep others waiting for minutes."""


@dataclass(frozen=True)
class Axis:
    """Something that can vary."""

    label: str
    """As the page calls it."""
    values: str
    """What it varies over unless something else is written."""
    help: str


AXES: dict[str, Axis] = {
    "garment": Axis("Garment", "all", "every garment above; or their numbers, such as 1, 3"),
    **{
        row.name: Axis(
            row.short or row.label, row.compared, row.compared if row.kind == "switch" else row.allowed
        )
        for row in settings_table().values()
        if row.compared
    },
    "model": Axis("Model", "all", "every model here; or their names"),
}


OFFERED = {
    "steps": (1, 2, 4, 8, 16, 30, 50),
    "guidance": (1, 1.5, 2, 3, 4, 5, 7.5),
    "seed": tuple(range(1, 9)),
    "feather": (0, 2, 4, 8, 16, 32),
}
"""Numbers that the page offers; programs may ask for any."""
SAMPLED = ("steps", "guidance", "seed", "sampler")
"""What varies from one sampling of the same preparation to the next."""


@dataclass(frozen=True)
class Planned:
    """One cell of a comparison before seed, steps and guidance are known."""

    labels: tuple[str, ...]
    """One for each axis."""
    model: str
    garment: int = 0
    sampling_changes: Mapping[str, Any] = field(default_factory=dict)
    """Those of ``SAMPLED`` that vary."""
    switches: Switches = field(default_factory=Switches)
    request_changes: Mapping[str, Any] = field(default_factory=dict)
    """Settings that vary and need a preparation, or a way back into the photo, of their own."""

    @property
    def label(self) -> str:
        """The cell's name."""
        return " · ".join(self.labels)

    @property
    def request_key(self) -> RequestKey:
        """What it is asked by: cells of the same garment and the same ``request_changes`` share a request."""
        return self.garment, tuple(self.request_changes.items())


def offered(axis: str, *, garments: int, models: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the page offers as an axis's values, and which of them are chosen to begin with.

    Args:
        axis: a key of ``AXES``.
        garments: how many there are.
        models: which there are.
    """
    if axis == "garment":
        every = [str(number + 1) for number in range(garments)]
        return every, every
    if axis == "model":
        return list(models), list(models)
    chosen = AXES[axis].values.split(", ")
    every = (
        [f"{number:g}" for number in OFFERED[axis]]
        if axis in OFFERED
        else list(settings_table()[axis].choices)
    )
    return every or chosen, chosen


def read_values(axis: str, text: str, *, garments: int, models: Sequence[str]) -> list[Any]:
    """What is written beside an axis, as values, each once.

    Args:
        axis: a key of ``AXES``.
        text: words separated by commas; empty takes the axis's own.
        garments: how many there are.
        models: which there are.

    Raises:
        SettingError: no such axis, a word that is no value of it, or none at all.
    """
    if axis not in AXES:
        raise SettingError(f"What varies must be one of {', '.join(AXES)}, got {axis!r}.")
    wanted = [word.strip() for word in (text or AXES[axis].values).split(",") if word.strip()]
    if not wanted:
        raise SettingError(f"{AXES[axis].label} has no values: give {AXES[axis].help}.")
    if wanted == ["all"] and axis in ("garment", "model"):
        return list(range(garments)) if axis == "garment" else list(models)
    read: dict[str, Callable[[str], Any]] = {
        "garment": lambda word: _numbered(word, garments),
        "model": lambda word: _one_of(word, tuple(models), "model"),
    }
    # Cells are told apart by their labels, so that the same value twice would be one cell with two pictures.
    return list(dict.fromkeys(read.get(axis, partial(_setting, axis))(word) for word in wanted))


def _setting(name: str, word: str) -> Any:
    row = settings_table()[name]
    if row.kind == "switch":
        return _switch(word)
    value = row.read(word)
    row.check(value)
    return value


def _numbered(word: str, garments: int) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= garments:
        raise SettingError(f"garment must be a number from 1 to {garments}, got {word!r}.")
    return int(word) - 1


def _one_of(word: str, allowed: tuple[str, ...], name: str) -> str:
    if word not in allowed:
        raise SettingError(f"{name} must be one of {', '.join(allowed)}, got {word!r}.")
    return word


def _switch(word: str) -> bool:
    if word.lower() not in ("on", "off"):
        raise SettingError(f"A switch is on or off, got {word!r}.")
    return word.lower() == "on"


def value_label(axis: str, value: Any) -> str:
    """How a value is called on a cell."""
    if isinstance(value, bool):
        return f"{AXES[axis].label} {'on' if value else 'off'}"
    if axis == "garment":
        return f"Garment {value + 1}"
    if axis in ("sampler", "model"):
        return str(value)
    if axis == "size":
        return f"{AXES[axis].label} {value[0]}x{value[1]}"
    if isinstance(value, str):
        return f"{AXES[axis].label}: {value}"
    # Ten digits: more than the largest seed has.
    return f"{AXES[axis].label} {value:.10g}"


def plan(
    axes: Sequence[tuple[str, Sequence[Any]]], *, model: str, switches: Switches, garment: int = 0
) -> list[Planned]:
    """Every combination of one or two axes' values, the last axis running fastest.

    Args:
        axes: names in ``AXES`` with their values.
        model: where the axes do not vary it.
        switches: as the page has them.
        garment: where the axes do not vary it.

    Raises:
        SettingError: the same axis twice, or too many cells.
    """
    names = [name for name, _ in axes]
    if len(set(names)) < len(names):
        raise SettingError(
            f"{AXES[names[0]].label} varies in both directions: choose another for one of them."
        )
    count = prod(len(values) for _, values in axes)
    if count > MOST_CELLS:
        raise SettingError(
            f"That would be {count} pictures: at most {MOST_CELLS} are compared at once, so choose fewer."
        )
    cells = []
    for values in product(*(values for _, values in axes)):
        cell = Planned((), model, garment, {}, switches)
        for name, value in zip(names, values, strict=True):
            cell = _with(cell, name, value)
        cells.append(cell)
    return cells


def _with(cell: Planned, name: str, value: Any) -> Planned:
    """A cell with one value more."""
    labels = (*cell.labels, value_label(name, value))
    if name == "model":
        return replace(cell, labels=labels, model=value)
    if name == "garment":
        return replace(cell, labels=labels, garment=value)
    if isinstance(value, bool):
        return replace(cell, labels=labels, switches=replace(cell.switches, **{name: value}))
    if name in SAMPLED:
        return replace(cell, labels=labels, sampling_changes={**cell.sampling_changes, name: value})
    return replace(cell, labels=labels, request_changes={**cell.request_changes, name: value})


ABLATION: tuple[tuple[str, dict[str, bool]], ...] = (
    ("Full method", {}),
    ("No warped garment", {"warped_garment": False}),
    ("No pseudo-words", {"pseudo_words": False}),
    ("No EMASC", {"emasc": False}),
    ("No pose", {"pose": False}),
    ("No garment skips", {"garment_skips": False}),
    ("No skips at all", {"emasc": False, "garment_skips": False}),
    (
        "Nothing but the mask",
        {
            "warped_garment": False,
            "pseudo_words": False,
            "emasc": False,
            "pose": False,
            "garment_skips": False,
        },
    ),
)
"""The paper's ablation (table 4: warped garment, pseudo-words, EMASC), with our own rows."""


def plan_ablation(model: str, garment: int = 0) -> list[Planned]:
    """The ablation's eight cells, whatever the page's switches say."""
    return [Planned((label,), model, garment, {}, replace(Switches(), **off)) for label, off in ABLATION]
