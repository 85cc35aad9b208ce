"""The engines that a server offers, by model name.

It knows no model: what an engine is and how it is loaded is told to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ladi.setting_row import listed
from ladi.types import ModelError

if TYPE_CHECKING:
    from ladi.engine import Engine


class Shelf:
    """Engines by model name, each loaded once, when it is first asked for."""

    def __init__(self, names: Sequence[str], load: Callable[[str], Engine]) -> None:
        """Offer some models.

        Args:
            names: what may be asked for; others are refused, so that no visitor can have a folder loaded.
            load: makes the engine of a name.
        """
        self._names = tuple(names)
        self._load = load
        self._engines: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Engine:
        """The engine of a model; waits while it loads.

        Raises:
            ModelError: not one of the names, or it cannot be loaded.
        """
        if name not in self._names:
            raise ModelError(f"There is no model {name!r} here: choose {listed(self._names)}.")
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._load(name)
            return self._engines[name]
