"""Long work with a visitor watching: what is reported on the way, and how it is stopped.

Work runs in a thread of its own, so that the page's event can hand out its reports as they come; whoever
leaves or cancels has a flag that the engine asks between two steps. It knows nothing of what is computed.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")
EVERY = 0.2
"""Seconds between two reports: more would only keep browsers busy."""


@dataclass(frozen=True)
class Report:
    """How far the work is."""

    stage: str
    share: float
    """Of the whole work."""
    seconds: float
    """Since it began."""
    preview: np.ndarray | None = None
    """(h,w,3) uint8, the newest one, where there is one that was not reported yet."""


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of the work."""

    value: T


class Work:
    """What the running work is given: where to report, and whether to stop."""

    def __init__(self, stop: threading.Event) -> None:
        """Start with nothing reported."""
        self._stop = stop
        self._began = time.monotonic()
        self._preview: np.ndarray | None = None
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()

    def progress(self, stage: str, share: float) -> None:
        """The engine's ``progress``."""
        self.reports.put(Report(stage, share, time.monotonic() - self._began, self._preview))
        self._preview = None

    def preview(self, picture: np.ndarray) -> None:
        """The engine's ``preview``; it travels with the next report."""
        self._preview = picture

    def cancelled(self) -> bool:
        """The engine's ``cancelled``."""
        return self._stop.is_set()


class Runs:
    """The flags by which visitors stop their own work, and nobody else's."""

    def __init__(self) -> None:
        """Nobody is here."""
        self._flags: dict[str, set[threading.Event]] = {}
        self._lock = threading.Lock()

    def stop(self, visitor: str) -> None:
        """Stop whatever a visitor has running."""
        with self._lock:
            for flag in self._flags.get(visitor, ()):
                flag.set()

    def watch(self, visitor: str, work: Callable[[Work], T]) -> Iterator[Report | Outcome[T]]:
        """Runs work in a thread, and yields its reports and in the end its outcome.

        Args:
            visitor: whoever may stop it.
            work: called with where to report and whether to stop.

        Raises:
            Whatever the work raises.
        """
        flag = threading.Event()
        task = Work(flag)
        results: list[Outcome[T]] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(Outcome(work(task)))
            except BaseException as error:  # raised again below, in the thread that asked
                errors.append(error)

        with self._lock:
            self._flags.setdefault(visitor, set()).add(flag)
        thread = threading.Thread(target=run, name="work", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(EVERY)
                newest = _newest(task.reports)
                if newest is not None:
                    yield newest
            if errors:
                raise errors[0]
            yield results[0]
        finally:
            # Also where the visitor has left and nobody asks for the next report.
            flag.set()
            with self._lock:
                flags = self._flags.get(visitor, set())
                flags.discard(flag)
                if not flags:
                    self._flags.pop(visitor, None)


def _newest(reports: queue.SimpleQueue[Report]) -> Report | None:
    """The last report that waits, with the last preview among those that wait."""
    last, preview = None, None
    while not reports.empty():
        last = reports.get()
        preview = last.preview if last.preview is not None else preview
    return None if last is None else replace(last, preview=preview)
