"""Many pictures prepared at once, and how far that is.

It starts processes and hears of their end; what each does with a picture is ``pictures.py``'s.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ladi.data.sample import DatasetError
from ladi.progress import follow

if TYPE_CHECKING:
    from ladi.data.preparing.pictures import Outcome, Task

LOGGER = logging.getLogger(__name__)


@contextmanager
def workers(processes: int) -> Iterator[Callable[[Sequence[Task]], Iterator[Outcome]]]:
    """What prepares pictures, here or on several processes, each of which loads the networks once.

    Whoever leaves by an error or an interruption does not wait for pictures that are at work: they are given
    up, and nothing of them stays.

    Raises:
        DatasetError: a process died.
    """
    from ladi.data.preparing.pictures import prepare

    if processes == 1:
        yield partial(map, prepare)
        return
    # Forked copies of a process that has started threads may hang; spawned ones begin clean.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_start_worker)

    def apply(tasks: Sequence[Task]) -> Iterator[Outcome]:
        with _unheard(signal.SIGINT):
            futures = [pool.submit(_prepare_or_end, task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()

    try:
        yield apply
    except BrokenProcessPool as error:
        raise DatasetError(
            "One of the processes died, most likely for want of memory: run the same command again with "
            "fewer --processes; what is done stays."
        ) from error
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()  # which ends one that still loads, and in others the picture that is at work
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """What every further process does first: one thread, and only the main process ends it."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    torch.set_num_threads(1)


def _prepare_or_end(task: Task) -> Outcome:
    """Prepare a picture in a further process, which ends as soon as it is told to; files that it began go."""
    from ladi.data.preparing.pictures import prepare

    try:
        return prepare(task)
    except SystemExit:
        os._exit(0)  # the pool would take it for a failure, and give this process its next picture


@contextmanager
def _unheard(number: int) -> Iterator[None]:
    """A signal that comes meanwhile is heard afterwards, and never by processes that are started meanwhile.

    Ctrl-C reaches all processes of a terminal, and one that still imports would answer by a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def told(outcomes: Iterable[Outcome], total: int, what: str) -> Iterator[Outcome]:
    """Pass outcomes on, telling failures as they come and now and then how far the work is."""
    for outcome in follow(outcomes, total, what):
        if outcome.failure is not None:
            print(f"{outcome.task.source}: {outcome.failure}", file=sys.stderr)
        yield outcome
