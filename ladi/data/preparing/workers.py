"""Many pictures prepared at once, and how far that is.

It starts processes and hears of their end; what each does with a picture is ``pictures.py``'s.
"""

from __future__ import annotations

import logging
import multiprocessing
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

    Raises:
        DatasetError: a process died.
    """
    from ladi.data.preparing.pictures import prepare, start_worker

    if processes == 1:
        yield partial(map, prepare)
        return
    # Forked copies of a process that has started threads may hang; spawned ones begin clean.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=start_worker)

    def apply(tasks: Sequence[Task]) -> Iterator[Outcome]:
        for future in as_completed([pool.submit(prepare, task) for task in tasks]):
            yield future.result()

    try:
        yield apply
    except BrokenProcessPool as error:
        raise DatasetError(
            "One of the processes died, most likely for want of memory: run the same command again with "
            "fewer --processes; what is done stays."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def told(outcomes: Iterable[Outcome], total: int, what: str) -> Iterator[Outcome]:
    """Pass outcomes on, telling failures as they come and now and then how far the work is."""
    for outcome in follow(outcomes, total, what):
        if outcome.failure is not None:
            print(f"{outcome.task.source}: {outcome.failure}", file=sys.stderr)
        yield outcome
