"""The stages of one try-on: what they are called, how long they took, how far along the work is.

``Stages`` measures, reports and stops; it runs nothing, and a new one is made for every request. For longer
work than a try-on there are ``follow``, which logs how far it is, and ``Interrupted``, by which it ends. The
stages of a training are others: ``ladi/training/loop/stage.py``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ladi.types import Cancelled

LOGGER = logging.getLogger(__name__)
T = TypeVar("T")

Progress = Callable[[str, float], None]
"""(stage, share of the whole work done); the stages are ``garment, person, conditions, denoise, decode,
paste``."""

SHARES = {"garment": 0.0, "person": 0.04, "conditions": 0.1, "denoise": 0.2, "decode": 0.9, "paste": 0.97}
"""Share of the work that is done when a stage begins."""


class Interrupted(KeyboardInterrupt):
    """A signal was heard, and work has ended where it is whole; the words say how far it came."""

    def __init__(self, words: str, number: int) -> None:
        """Tell.

        Args:
            words: part of a sentence, after "Stopped: ".
            number: the signal's.
        """
        super().__init__(words)
        self.signal = number


class Stages:
    """Measures and reports the stages of one request, and stops it between two steps."""

    def __init__(self, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None) -> None:
        """Start with no stage done.

        Args:
            progress: called as the work goes on.
            cancelled: asked as often; once it says yes, Cancelled is raised.
        """
        self.timings: dict[str, float] = {}
        self._progress = progress
        self._cancelled = cancelled

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside, under the stage's name."""
        self.within(stage, 0.0)
        start = time.perf_counter()
        yield
        self.timings[stage] = time.perf_counter() - start

    def within(self, stage: str, share: float) -> None:
        """Report that so much of a stage is done."""
        names = list(SHARES)
        following = names[names.index(stage) + 1 :]
        end = SHARES[following[0]] if following else 1.0
        self._report(stage, SHARES[stage] + share * (end - SHARES[stage]))

    def done(self) -> None:
        """Report the end."""
        self._report(list(SHARES)[-1], 1.0)

    def _report(self, stage: str, done: float) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("Stopped before it was done; nothing was changed.")
        if self._progress is not None:
            self._progress(stage, done)


def steps_done(share: float, steps: int) -> int:
    """How many of so many denoising steps are done at a share of the whole work."""
    within = (share - SHARES["denoise"]) / (SHARES["decode"] - SHARES["denoise"])
    return min(max(round(within * steps), 0), steps)


def follow(items: Iterable[T], total: int, what: str, *, every: float = 10.0) -> Iterator[T]:
    """Pass on what is worked through, and write now and then into the log how far that is."""
    started = reported = time.monotonic()
    for count, item in enumerate(items, start=1):
        now = time.monotonic()
        if now - reported > every or count == total:
            reported = now
            LOGGER.info("%s: %d of %d in %.0f seconds", what, count, total, now - started)
        yield item
