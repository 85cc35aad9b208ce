"""A row of the table of settings: what one may be, how it is read, and what is said where it is wrong.

Which settings there are is told in ``settings.py``. A table of pairs, which has rows too, is
``ladi/batch/pairs.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Literal

from ladi.types import SettingError, Size

ValueKind = Literal["switch", "whole", "number", "choice", "size"]

MIN_HEIGHT, MAX_HEIGHT, HEIGHT_STEP = 256, 1024, 64
"""Pixels of the network's picture, whose width is three quarters of its height."""

YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


_MOST_QUOTED, _MOST_BITS, _MOST_DIGITS = 80, 200, 6
"""Characters, and bits, of a wrong value that are told back, and digits of a size that can be meant."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that is known of one setting."""

    kind: ValueKind
    label: str
    """Its name on the page."""
    meaning: str
    """What it does, as a clause for behind a flag, below the page's field and in an endpoint's help."""
    group: str
    """Under which of ``ladi.settings.GROUPS`` it stands."""
    ends: tuple[int, ...] = (0, 0)
    """A number's lowest and highest value."""
    step: float = 1
    """Between two places of the page's slider."""
    shown: tuple[int, int] | None = None
    """Where the slider ends, if short of what is allowed."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """What it may be, and how the page calls that."""
    other: str = ""
    """What it may be beside ``choices``; whoever uses it knows which there are."""
    unless: str = "the model's own"
    """What is taken where the value is ``None``, in words."""
    flag: str = ""
    """The command line's flag, where it is not made of the name."""
    short: str = ""
    """Its name on a cell of a comparison, if not ``label``."""
    compared: str = ""
    """The values that a comparison tries; empty where it does not vary."""
    name: str = ""
    default: Any = None
    """Both are the field's, put in by ``ladi.settings.settings_table``."""

    @property
    def flag_name(self) -> str:
        """The command's flag."""
        return self.flag or f"--{'no-' if self.default is True else ''}{self.name.replace('_', '-')}"

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if self.kind in ("whole", "number"):
            return f"{self.ends[0]} to {self.ends[1]}"
        if self.kind == "size":
            return f"{_shown(MIN_HEIGHT)} to {_shown(MAX_HEIGHT)}"
        return listed([*self.choices, *filter(None, [self.other])]) if self.choices else ""

    @property
    def explained(self) -> str:
        """``meaning`` with what is allowed and what is taken otherwise."""
        otherwise = f"{self.unless} unless given" if self.default is None else ""
        told = "; ".join(filter(None, [self.allowed, otherwise]))
        return f"{self.meaning} ({told})" if told else self.meaning

    def read(self, value: Any) -> Any:
        """A value as a table, a page, a program or a PNG writes it; nothing is the default.

        Raises:
            SettingError: it is not written so. Ranges are ``check``'s.
        """
        if value is None or value == "":
            return self.default
        if self.kind == "switch":
            return read_switch(value, self.name)
        if self.kind == "size":
            return read_size(value, self.name)
        if self.kind == "choice":
            return str(value)
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise SettingError(f"{self.name} must be a number, got {quoted(value)}.") from error
        if self.kind == "number":
            return number
        if not math.isfinite(number) or number != int(number):
            raise SettingError(f"{self.name} must be a whole number, got {quoted(number)}.")
        return int(number)

    def check(self, value: Any) -> None:
        """Raises SettingError for a value outside the setting's range, in one sentence."""
        if value is None and self.default is None:
            return
        if self.kind in ("whole", "number"):
            kind = Integral if self.kind == "whole" else Real
            usable = isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
            if not usable or not self.ends[0] <= value <= self.ends[1]:
                told = "a whole number" if self.kind == "whole" else "a number"
                raise SettingError(
                    f"{self.name} must be {told} from {self.ends[0]} to {self.ends[1]}, got {quoted(value)}."
                )
        elif self.kind == "size":
            check_size(value)
        elif self.choices and value not in self.choices and not self.other:
            raise SettingError(f"{self.name} must be {self.allowed}, got {quoted(value)}.")


def check_size(size: Size) -> None:
    """Raises SettingError for a size that no picture is painted at."""
    height, width = size
    fits = MIN_HEIGHT <= height <= MAX_HEIGHT and height % HEIGHT_STEP == 0 and 4 * width == 3 * height
    if not fits:
        raise SettingError(
            f"size must be {_shown(MIN_HEIGHT)} to {_shown(MAX_HEIGHT)} "
            f"(height by width, 4 to 3, the height a multiple of {HEIGHT_STEP}), got {height}x{width}."
        )


def read_size(value: Any, name: str = "size") -> Size:
    """``512x384`` as (512, 384), and [512, 384] as records have it.

    Args:
        value: what was written.
        name: what the sentence calls it.

    Raises:
        SettingError: it is not written so.
    """
    numbers = value.lower().replace("×", "x").split("x") if isinstance(value, str) else value
    if not isinstance(numbers, list | tuple) or len(numbers) != 2:
        numbers = ("", "")
    words = [str(number) for number in numbers if isinstance(number, str | int)]
    if len(words) != 2 or not all(word.isdecimal() and len(word) <= _MOST_DIGITS for word in words):
        raise SettingError(f"{name} must be height by width, such as 512x384, got {quoted(value)}.")
    return int(words[0]), int(words[1])


def read_switch(value: Any, name: str) -> bool:
    """Yes or no, as tables, programs, variables and language models write them: words, numbers or booleans.

    Raises:
        SettingError: another word.
    """
    word = str(int(value) if isinstance(value, float) and value in (0, 1) else value).strip().lower()
    if word not in YES + NO:
        raise SettingError(f"{name} must be yes or no, got {quoted(value)}.")
    return word in YES


def quoted(value: Any) -> str:
    """A wrong value as it can stand in a sentence: in one line, and short, whatever was sent."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:  # too many digits to be written at all
        return f"a number of {value.bit_length()} bits"
    text = str(value) if isinstance(value, Real) else repr(value)
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"


def listed(names: Iterable[str]) -> str:
    """``a, b or c``."""
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _shown(height: int) -> str:
    return f"{height}x{height * 3 // 4}"
