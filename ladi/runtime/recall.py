"""A few recent preparations, so that what the page has shown is not computed again by the try-on.

Keys are digests of pixels with all settings, so that nobody gets another's picture except by having that very
picture; entries are few and short-lived, because they are people's photos. It does not know what it keeps.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import numpy as np

from ladi.types import Photo

T = TypeVar("T")
KEPT, SECONDS = 4, 600.0
"""How many preparations are kept, and for how long."""
SHORTEST_SLEEP, LONGEST_SLEEP = 0.05, 5.0
"""Seconds between two sweeps; what comes later may be due sooner."""


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
        kept: int = KEPT,
        seconds: float = SECONDS,
        *,
        weigh: Callable[[T], float] = lambda value: 0,
        most: float = math.inf,
    ) -> None:
        """Start empty, for at most ``kept`` values of at most ``seconds``.

        Args:
            kept: how many.
            seconds: how long; 0 keeps nothing.
            weigh: what a value takes of ``most``.
            most: of all values together; the newest is kept in any case.
        """
        self._kept, self._seconds = kept, seconds
        self._weigh, self._most = weigh, most
        self._values: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made if it is not here; what ``make`` raises is not remembered."""
        self.forget_old()
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][1]
        value = make()
        if self._seconds <= 0:
            return value
        with self._lock:
            self._values[key] = (time.monotonic(), value)
            while len(self._values) > self._kept or (len(self._values) > 1 and self._weight() > self._most):
                self._values.popitem(last=False)
        # Also when nobody comes any more: a photo does not stay in memory until the next visitor.
        _SWEEPER.watch(self)
        return value

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


class _Sweeper:
    """One thread for all that is remembered in this process, there as long as anything is."""

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
                    self._thread = None
                    return
            time.sleep(min(LONGEST_SLEEP, max(SHORTEST_SLEEP, min(due))))


_SWEEPER = _Sweeper()
