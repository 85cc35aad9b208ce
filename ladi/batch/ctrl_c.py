"""Ctrl-C that is told, instead of raised wherever the main thread happens to be.

The locks of ``threading`` (of conditions, events and futures, and so of executors too) stay taken where
Ctrl-C is raised just after one was acquired, and a thread that waits for such a lock never ends.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ctrl_c_told(tell: Callable[[], None]) -> Iterator[None]:
    """Inside, the first Ctrl-C calls a function, and only a second one is raised.

    Outside the main thread, and where a handler of somebody else's listens, nothing changes.

    Args:
        tell: may be called between any two instructions of the main thread, so it must take no lock of
            ``threading``; ``queue.SimpleQueue.put`` takes none.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def heard(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        tell()

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
