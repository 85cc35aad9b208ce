"""What is remembered of photos: few, for minutes, and by one thread in all."""

from __future__ import annotations

import threading
import time
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from ladi.runtime import recall as recalling
from ladi.runtime.recall import Recall, bytes_of
from ladi.types import Photo

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
    before = {*sweepers()}  # an engine of another test may still be remembering
    recall: Recall[np.ndarray] = Recall(seconds=0.1)
    reference = weakref.ref(recall.get("me", lambda: np.zeros(9)))
    assert reference() is not None
    assert wait_until_gone(reference)
    end = time.monotonic() + DEADLINE
    while {*sweepers()} - before and time.monotonic() < end:
        time.sleep(0.02)
    assert not {*sweepers()} - before


def test_three_hundred_photos_need_one_thread() -> None:
    """Prevents a thread for every photo that is looked at, which lives for ten minutes."""
    recalls: list[Recall[int]] = [Recall(seconds=0.5) for _ in range(3)]
    for number in range(300):
        recalls[number % 3].get(number, lambda: 1)
        assert len(sweepers()) == 1


def test_memory_is_given_back_when_all_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents an idle server from holding what its busiest minute took, and a busy one from trimming."""
    asked: list[threading.Thread] = []
    monkeypatch.setattr(recalling, "_SWEEPER", recalling._Sweeper())
    monkeypatch.setattr(recalling, "LONGEST_SLEEP", 0.05)
    monkeypatch.setattr(recalling, "give_back_memory", lambda: asked.append(threading.current_thread()))
    short, long = Recall[np.ndarray](seconds=0.1), Recall[int]()
    long.get(1, lambda: 1)
    own = recalling._SWEEPER._thread  # those of other tests may still be at work
    reference = weakref.ref(short.get(1, lambda: np.zeros(9)))
    assert wait_until_gone(reference)
    time.sleep(0.2)
    assert own is not None and own not in asked  # something is remembered still
    del long
    own.join(DEADLINE)
    assert asked.count(own) == 1


def test_giving_memory_back_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a server from failing where the C library is not glibc, and asking for what is no function."""
    recalling.give_back_memory()
    trimmed: list[int] = []
    monkeypatch.setattr(recalling.ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=trimmed.append))
    recalling.give_back_memory()
    assert trimmed == [0]
    monkeypatch.setattr(recalling.ctypes, "CDLL", lambda _: SimpleNamespace())
    recalling.give_back_memory()


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


def test_two_who_ask_for_the_same_wait_for_one() -> None:
    """Prevents a garment that is cut out three times because three rows begin with it at once."""
    recall: Recall[int] = Recall()
    made, started = [], threading.Barrier(3)

    def make() -> int:
        made.append(threading.get_ident())
        time.sleep(0.1)
        return 7

    def ask() -> None:
        started.wait()
        assert recall.get("garment", make) == 7

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and not recall._making


def test_what_cannot_be_made_is_tried_again() -> None:
    """Prevents a lock that is never given back, and an error that is remembered."""
    recall: Recall[int] = Recall()
    with pytest.raises(ZeroDivisionError):
        recall.get("key", lambda: 1 // 0)
    assert recall.get("key", lambda: 1) == 1


def test_what_is_not_here_may_be_elsewhere() -> None:
    """Prevents a second machine from preparing what the first one has."""
    shelf = {"garment": 3}
    recall: Recall[int] = Recall(elsewhere=lambda key, make: shelf.get(key) or make())
    assert recall.get("garment", lambda: 0) == 3 and recall.get("person", lambda: 5) == 5
    shelf.clear()
    assert recall.get("garment", lambda: 0) == 3


def test_the_weight_of_a_record_is_that_of_its_arrays() -> None:
    """Prevents a bound in bytes that counts nothing of photos inside records."""
    photo = Photo(np.zeros((10, 20, 3), np.uint8), np.zeros((10, 20), np.uint8))
    assert bytes_of(photo) == 800 and bytes_of((photo, 1, None, photo)) == 1600
