"""What is remembered of photos: few, for minutes, and by one thread in all."""

from __future__ import annotations

import threading
import time
import weakref

import numpy as np

from ladi.runtime.recall import Recall

DEADLINE = 5.0


def sweepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "forget"]


def wait_until_gone(reference: weakref.ref[np.ndarray]) -> bool:
    end = time.monotonic() + DEADLINE
    while reference() is not None and time.monotonic() < end:
        time.sleep(0.02)
    return reference() is None


def test_a_photo_is_forgotten_when_nobody_comes_any_more() -> None:
    """Prevents a photo from lying in memory until the next visitor, and a sweeper that never ends."""
    recall: Recall[np.ndarray] = Recall(seconds=0.1)
    reference = weakref.ref(recall.get("me", lambda: np.zeros(9)))
    assert reference() is not None
    assert wait_until_gone(reference)
    end = time.monotonic() + DEADLINE
    while sweepers() and time.monotonic() < end:
        time.sleep(0.02)
    assert not sweepers()


def test_three_hundred_photos_need_one_thread() -> None:
    """Prevents a thread for every photo that is looked at, which lives for ten minutes."""
    recalls: list[Recall[int]] = [Recall(seconds=0.5) for _ in range(3)]
    for number in range(300):
        recalls[number % 3].get(number, lambda: 1)
        assert len(sweepers()) == 1


def test_what_is_remembered_has_a_weight() -> None:
    """Prevents four photos of 50 megapixels from staying in memory, 600 MB, where four of phones may."""
    recall: Recall[int] = Recall(kept=4, seconds=60, weigh=float, most=10)
    made: list[int] = []

    def get(weight: int) -> None:
        recall.get(weight, lambda: made.append(weight) or weight)  # type: ignore[func-returns-value]

    for weight in (3, 4, 5, 20, 20):
        get(weight)
    assert made == [3, 4, 5, 20]
    get(4)
    assert made == [3, 4, 5, 20, 4]


def test_nothing_is_remembered_for_no_time() -> None:
    """Prevents a photo from being kept where the host wants none kept."""
    recall: Recall[np.ndarray] = Recall(seconds=0)
    reference = weakref.ref(recall.get("me", lambda: np.zeros(9)))
    assert reference() is None
