"""A short memory of recent preparations: what the page, or the row before, needed is not made again.

Keys are digests of pixels with all settings, so that nobody gets another's picture except by having that very
picture; entries are few and short-lived, because they are people's photos. It does not know what it keeps.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ladi.types import Photo

T = TypeVar("T")
SECONDS = 600.0
"""For how long preparations are kept."""
SHORTEST_SLEEP, LONGEST_SLEEP = 0.05, 5.0
"""Seconds between two sweeps; what comes later may be due sooner."""


Elsewhere = Callable[[Hashable, Callable[[], Any]], Any]
"""Gives the value of a key from somewhere else, or makes it by the function that it is given."""


@dataclass(frozen=True)
class Room:
    """How much one ``Recall`` keeps: of people, of garments, or of what the networks made of them."""

    kept: int = 4
    """How many values."""
    most: float = 200e6
    """How many bytes, all values together."""
    elsewhere: Elsewhere | None = None
    """Where prepared photos are looked for that are not kept here."""


BATCH_ROOM = Room(kept=64, most=400e6)
"""For a batch of one's own photos, in which every person meets many garments."""


def bytes_of(value: Any) -> int:
    """What the arrays and tensors in a value take, also in its fields and parts."""
    if is_dataclass(value):
        return sum(bytes_of(getattr(value, one.name)) for one in fields(value))
    if isinstance(value, tuple):
        return sum(map(bytes_of, value))
    return int(getattr(value, "nbytes", 0))


def digest(photo: Photo) -> bytes:
    """What identifies a photo's pixels and transparency; its notes do not count."""
    whole = hashlib.blake2b(repr(photo.pixels.shape).encode(), digest_size=32)
    whole.update(np.ascontiguousarray(photo.pixels).data)
    if photo.alpha is not None:
        whole.update(b"alpha")
        whole.update(np.ascontiguousarray(photo.alpha).data)
    return whole.digest()


class Recall(Generic[T]):
    """The last few values by key, each forgotten after some minutes; safe to use from many threads."""

    def __init__(
        self,
        kept: int = Room.kept,
        seconds: float = SECONDS,
        *,
        weigh: Callable[[T], float] = lambda value: 0,
        most: float = math.inf,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """Start empty, for at most ``kept`` values of at most ``seconds``.

        Args:
            kept: how many.
            seconds: how long; 0 keeps nothing.
            weigh: what a value takes of ``most``.
            most: of all values together; the newest is kept in any case.
            elsewhere: asked for what is not here, if anything.
        """
        self._kept, self._seconds = kept, seconds
        self._weigh, self._most = weigh, most
        self._elsewhere = elsewhere
        self._values: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, tuple[threading.Lock, int]] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made if it is not here; what ``make`` raises is not remembered.

        Threads that ask for one key at a time wait for the first of them, rather than make it again.
        """
        self.forget_old()
        with self._alone(key):
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key][1]
            value: T = make() if self._elsewhere is None else self._elsewhere(key, make)
            if self._seconds <= 0:
                return value
            with self._lock:
                self._values[key] = (time.monotonic(), value)
                while len(self._values) > self._kept or (
                    len(self._values) > 1 and self._weight() > self._most
                ):
                    self._values.popitem(last=False)
        # Also when nobody comes any more: a photo does not stay in memory until the next visitor.
        _SWEEPER.watch(self)
        return value

    @contextmanager
    def _alone(self, key: Hashable) -> Iterator[None]:
        """The only thread that is at work on a key."""
        with self._lock:
            lock, askers = self._making.get(key, (threading.Lock(), 0))
            self._making[key] = lock, askers + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, askers = self._making.pop(key)
                if askers > 1:
                    self._making[key] = lock, askers - 1

    def _weight(self) -> float:
        return sum(self._weigh(value) for _, value in self._values.values())

    def forget_old(self) -> float | None:
        """Drop what has been kept for its time; the seconds until the next is due, if anything is left."""
        with self._lock:
            now = time.monotonic()
            for key in [key for key, (since, _) in self._values.items() if since <= now - self._seconds]:
                del self._values[key]
            ages = [now - since for since, _ in self._values.values()]
            return self._seconds - max(ages) if ages else None


def give_back_memory() -> None:
    """Have glibc return to the system what nothing lies in any more; others do it by themselves, or not."""
    with suppress(OSError, AttributeError, TypeError):  # another C library, or another system
        ctypes.CDLL(None).malloc_trim(0)


class _Sweeper:
    """One thread for all that is remembered in this process, there as long as anything is.

    Before it ends, when nobody has come for minutes, it gives the memory of the work before back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._watched: weakref.WeakSet[Recall[Any]] = weakref.WeakSet()

    def watch(self, recall: Recall[Any]) -> None:
        """Have what this one holds forgotten in time."""
        with self._lock:
            self._watched.add(recall)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._sweep, name="forget", daemon=True)
                self._thread.start()

    def _sweep(self) -> None:
        while True:
            with self._lock:
                due = [left for left in (one.forget_old() for one in self._watched) if left is not None]
                if not due:
                    give_back_memory()
                    self._thread = None
                    return
            time.sleep(min(LONGEST_SLEEP, max(SHORTEST_SLEEP, min(due))))


_SWEEPER = _Sweeper()
