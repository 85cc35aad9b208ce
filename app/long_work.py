"""Long work with a visitor watching: what is reported on the way, and how it is stopped.

``Runs`` starts a visitor's ``Work`` in a thread of its ``Crew``, hands out a ``Report`` at a time, and at the
end the ``Outcome``.

Work runs in a thread that is not the asker's, so that the page's event can hand out its reports as they come.
There are few such threads and always the same ones: every thread that calls the networks keeps helper threads
and memory of its own. Whoever leaves or cancels is noticed between two steps, also by work that still
waits for its thread. It knows nothing of what is computed, nor of who asks.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np

from ladi.types import Cancelled

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


@dataclass(frozen=True)
class Ticket:
    """What is known of whoever asks for work."""

    wanted: Callable[[], bool] = lambda: True
    """Whether anybody still waits for it; asked between two steps."""
    over: Callable[[], None] = lambda: None
    """Called once, when nothing is computed for it any more."""


class Work:
    """What the running work is given: where to report, and whether to stop."""

    def __init__(self, stop: threading.Event, wanted: Callable[[], bool] = lambda: True) -> None:
        """Start with nothing reported."""
        self._stop = stop
        self._wanted = wanted
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
        return self._stop.is_set() or not self._wanted()

    def while_wanted(self, items: Iterable[T]) -> Iterator[T]:
        """Passes on what there is still to do; raises Cancelled once nobody wants it any more."""
        for item in items:
            if self.cancelled():
                raise Cancelled("Stopped before it was done; nothing was changed.")
            yield item


@dataclass
class Crew:
    """A fixed number of threads; what comes when all are busy waits its turn."""

    threads: int = 1
    _pool: ThreadPoolExecutor | None = None
    _process: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have something done."""
        with self._lock:
            if self._pool is None or self._process != os.getpid():
                # A copy of the process, as on ZeroGPU, has none of the threads.
                self._pool, self._process = ThreadPoolExecutor(self.threads, "compute"), os.getpid()
            return self._pool.submit(work)

    def run(self, work: Callable[[], T]) -> T:
        """Have something done, and wait for it."""
        return self.submit(work).result()


class Runs:
    """The flags by which visitors stop their own work, and nobody else's."""

    def __init__(self, ticket: Callable[[], Ticket] = Ticket, *, threads: int = 1) -> None:
        """Nobody is here.

        Args:
            ticket: tells of whoever asks, in the thread that asks.
            threads: how much is computed at once.
        """
        self._ticket = ticket
        self._crew = Crew(threads)
        self._flags: dict[str, set[threading.Event]] = {}
        self._lock = threading.Lock()

    def stop(self, visitor: str) -> None:
        """Stop whatever a visitor has running."""
        with self._lock:
            for flag in self._flags.get(visitor, ()):
                flag.set()

    def watch(self, visitor: str | None, work: Callable[[Work], T]) -> Iterator[Report | Outcome[T]]:
        """Has work done, and yields its reports and in the end its outcome.

        Args:
            visitor: whoever may stop it; ``None`` for nobody but by leaving.
            work: called with where to report and whether to stop.

        Raises:
            Cancelled: nobody wants it any more.
            Exception: whatever the work raises.
        """
        flag, ticket = threading.Event(), self._ticket()
        task = Work(flag, ticket.wanted)

        def unless_cancelled() -> T:
            if task.cancelled():
                raise Cancelled("Stopped before it was begun.")
            return work(task)

        if visitor is not None:
            with self._lock:
                self._flags.setdefault(visitor, set()).add(flag)
        done = self._crew.submit(unless_cancelled)
        done.add_done_callback(lambda _: ticket.over())
        try:
            while not done.done():
                wait([done], EVERY)
                newest = _newest(task.reports)
                if newest is not None:
                    yield newest
                # What has begun may have something to show even when it is stopped, to whoever is there.
                if task.cancelled() and (done.cancel() or not ticket.wanted()):
                    raise Cancelled("Stopped before it was done; nothing was changed.")
            yield Outcome(done.result())
        finally:
            # Also where the visitor has left and nobody asks for the next report.
            flag.set()
            done.cancel()
            if visitor is not None:
                self._forget(visitor, flag)

    def _forget(self, visitor: str, flag: threading.Event) -> None:
        with self._lock:
            flags = self._flags.get(visitor, set())
            flags.discard(flag)
            if not flags:
                self._flags.pop(visitor, None)

    def result(self, visitor: str | None, work: Callable[[Work], T]) -> T:
        """The outcome alone, for those who want no reports; raises as ``watch``."""
        for told in self.watch(visitor, work):
            if isinstance(told, Outcome):
                return told.value
        raise Cancelled("Stopped before it was done; nothing was changed.")


def _newest(reports: queue.SimpleQueue[Report]) -> Report | None:
    """The last report that waits, with the last preview among those that wait."""
    last, preview = None, None
    while not reports.empty():
        last = reports.get()
        preview = last.preview if last.preview is not None else preview
    return None if last is None else replace(last, preview=preview)
