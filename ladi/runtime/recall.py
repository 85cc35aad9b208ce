"""A few recent preparations, so that what the page has shown is not computed again by the try-on.

Keys are digests of pixels with all settings, so that nobody gets another's picture except by having that very
picture; entries are few and short-lived, because they are people's photos. It does not know what it keeps.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import numpy as np

from ladi.types import Photo

T = TypeVar("T")
KEPT, SECONDS = 4, 600.0
"""How many preparations are kept, and for how long."""


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

    def __init__(self, kept: int = KEPT, seconds: float = SECONDS) -> None:
        """Start empty, for at most ``kept`` values of at most ``seconds``."""
        self._kept, self._seconds = kept, seconds
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
        with self._lock:
            self._values[key] = (time.monotonic(), value)
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
        # Also when nobody comes any more: a photo does not stay in memory until the next visitor.
        timer = threading.Timer(self._seconds, self.forget_old)
        timer.daemon = True
        timer.start()
        return value

    def forget_old(self) -> None:
        """Drop what has been kept for its time."""
        with self._lock:
            limit = time.monotonic() - self._seconds
            for key in [key for key, (since, _) in self._values.items() if since <= limit]:
                del self._values[key]
