"""Work in a thread of its own: reports on the way, stopping, leaving, and failing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from app import long_work
from app.long_work import Crew, Outcome, Report, Runs, Ticket, Work
from ladi.types import Cancelled

LONG = 30.0
"""Seconds after which a test has failed: nothing here takes one."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_work, "EVERY", 0.01)


class Steps:
    """Work that goes on until it is stopped, as an engine does: it asks between two steps."""

    def __init__(self) -> None:
        self.done = 0
        self.over = threading.Event()

    def __call__(self, task: Work) -> int:
        try:
            end = time.monotonic() + LONG
            while time.monotonic() < end:
                if task.cancelled():
                    raise Cancelled("Stopped.")
                self.done += 1
                task.progress("denoise", 0.5)
                time.sleep(0.01)
            return self.done
        finally:
            self.over.set()


def test_reports_come_first_and_the_outcome_last() -> None:
    """Prevents a page that waits in silence, or that loses the newest preview between two reports."""
    seen = threading.Event()

    def work(task: Work) -> str:
        task.preview(np.full((2, 2, 3), 9, np.uint8))
        task.progress("person", 0.1)
        task.progress("denoise", 0.4)
        assert seen.wait(LONG)
        task.progress("paste", 0.98)
        return "picture"

    told: list[Any] = []
    for report in Runs().watch("me", work):
        told.append(report)
        seen.set()
    first, *_, last = told
    assert last == Outcome("picture") and all(isinstance(one, Report) for one in told[:-1])
    assert first.preview is not None and first.stage in ("person", "denoise")
    assert told[-2].stage == "paste" and told[-2].preview is None
    assert [one.seconds for one in told[:-1]] == sorted(one.seconds for one in told[:-1])


def test_another_thread_stops_it_within_a_step() -> None:
    """Prevents a Cancel that does nothing until the picture is there."""
    runs, steps = Runs(), Steps()
    watched = runs.watch("me", steps)
    next(watched)
    stopper = threading.Thread(target=runs.stop, args=("me",))
    stopper.start()
    stopper.join()
    done = steps.done
    with pytest.raises(Cancelled):
        list(watched)
    assert steps.done <= done + 1


def test_work_that_nobody_watches_any_more_stops() -> None:
    """Prevents a closed browser from keeping the GPU busy."""
    steps = Steps()
    watched = Runs().watch("me", steps)
    next(watched)
    watched.close()  # type: ignore[attr-defined]
    assert steps.over.wait(LONG / 2)


def test_visitors_stop_only_themselves() -> None:
    """Prevents one visitor's Cancel from ending another's work."""
    runs, mine, theirs = Runs(threads=2), Steps(), Steps()
    first, second = runs.watch("me", mine), runs.watch("them", theirs)
    next(first), next(second)
    runs.stop("me")
    with pytest.raises(Cancelled):
        list(first)
    done = theirs.done
    assert isinstance(next(second), Report) and isinstance(next(second), Report)
    assert theirs.done > done and not theirs.over.is_set()
    runs.stop("them")
    with pytest.raises(Cancelled):
        list(second)


def test_a_stop_does_not_reach_what_comes_later() -> None:
    """Prevents a visitor who has cancelled once from never getting a picture again."""
    runs = Runs()
    runs.stop("me")
    assert list(runs.watch("me", lambda task: task.cancelled())) == [Outcome(False)]
    runs.stop("me")
    assert list(runs.watch("me", lambda task: task.cancelled())) == [Outcome(False)]


def test_errors_reach_whoever_asked() -> None:
    """Prevents errors that end with the thread, and a page that waits for ever."""
    error = ValueError("wrong")

    def work(task: Work) -> None:
        raise error

    with pytest.raises(ValueError) as raised:
        list(Runs().watch("me", work))
    assert raised.value is error


def test_work_is_done_by_the_same_few_threads() -> None:
    """Prevents 391 threads: each new one that calls the networks brings helpers and memory of its own."""
    runs, crew = Runs(), Crew(2)
    assert len({runs.result("me", lambda task: threading.get_ident()) for _ in range(20)}) == 1
    with ThreadPoolExecutor(10) as askers:
        assert len(set(askers.map(lambda _: crew.run(threading.get_ident), range(40)))) <= 2


def test_work_that_nobody_wants_any_more_stops_and_counts_until_then() -> None:
    """Prevents cancelled requests that compute on to their end, and that count as nobody's meanwhile."""
    gone, over, steps = threading.Event(), threading.Event(), Steps()
    runs = Runs(lambda: Ticket(lambda: not gone.is_set(), over.set))
    watched = runs.watch("me", steps)
    next(watched)
    assert not over.is_set()
    gone.set()
    with pytest.raises(Cancelled):
        list(watched)
    assert steps.over.wait(LONG / 2) and over.wait(LONG / 2)


def test_what_waits_for_its_turn_is_stopped_before_it_begins() -> None:
    """Prevents a queue of cancelled work, each begun only to be ended."""
    runs, first, begun = Runs(), Steps(), threading.Event()
    running_ = runs.watch("first", first)
    next(running_)
    asker = threading.Timer(0.05, runs.stop, ["second"])
    asker.start()
    with pytest.raises(Cancelled):
        list(runs.watch("second", lambda task: begun.set()))
    runs.stop("first")
    with pytest.raises(Cancelled):
        list(running_)
    assert runs.result("third", lambda task: 3) == 3 and not begun.is_set()


def test_what_has_begun_may_show_what_it_has() -> None:
    """Prevents a cancelled batch from losing the rows that are done."""

    def work(task: Work) -> str:
        while not task.cancelled():
            task.progress("denoise", 0.5)
            time.sleep(0.01)
        return "half"

    runs = Runs()
    watched = runs.watch("me", work)
    next(watched)
    runs.stop("me")
    assert list(watched)[-1] == Outcome("half")


def test_programs_without_a_name_cannot_stop_each_other() -> None:
    """Prevents one call without a session from ending everybody's."""
    runs, steps = Runs(), Steps()
    watched = runs.watch(None, steps)
    next(watched)
    runs.stop("")
    done = steps.done
    assert isinstance(next(watched), Report) and steps.done > done
    watched.close()  # type: ignore[attr-defined]
    assert steps.over.wait(LONG / 2)
