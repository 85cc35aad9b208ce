"""Which samples a step takes, and how they come: one process's share at a time, read ahead by workers."""

from __future__ import annotations

import signal
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ladi.training.loop.stage import Batch, Stage
from ladi.types import LadiError


@dataclass(frozen=True)
class Feed:
    """One process's samples of one step."""

    batch: Batch
    waited: float
    """Seconds that training stood still for them."""


def indices_of_step(length: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """The samples of one step: every epoch is its own permutation, batches run across their ends."""
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    order = {
        int(epoch): np.random.default_rng([seed, int(epoch)]).permutation(length)
        for epoch in np.unique(positions // length)
    }
    return np.array([order[int(position // length)][position % length] for position in positions])


class Shares(Dataset[Batch | LadiError]):
    """One process's samples by number of the step; workers are given this, and no network.

    Args:
        stage: whose batches.
        process: which process.
        processes: how many there are.
    """

    def __init__(self, stage: Stage, process: int, processes: int) -> None:
        self.batch, self.independent, self.length = stage.batch, stage.independent, stage.length
        self.options = stage.options
        share = stage.options.batch_size // processes
        self.rows = slice(process * share, (process + 1) * share)

    def __getitem__(self, step: int) -> Batch | LadiError:
        """The samples, or the error: raised in a worker, it would arrive as a traceback."""
        rng = np.random.default_rng([self.options.seed, 1, step])
        indices = indices_of_step(self.length, self.options.batch_size, step, self.options.seed)
        try:
            if self.independent:
                return self.batch(indices[self.rows], rng)
            return {key: value[self.rows] for key, value in self.batch(indices, rng).items()}
        except LadiError as error:
            return error


def feed(stage: Stage, process: int, processes: int, steps: range, *, pin: bool = False) -> Iterator[Feed]:
    """The batches of some steps, in order.

    Args:
        stage: whose.
        process: which process asks.
        processes: how many there are.
        steps: which steps.
        pin: put tensors where a GPU can fetch them by itself.

    Raises:
        LadiError: a sample cannot be read.
    """
    loader = DataLoader(
        Shares(stage, process, processes),
        batch_size=None,
        sampler=steps,
        num_workers=stage.options.workers,
        pin_memory=pin,
        worker_init_fn=_leave_signals_alone,
    )
    with closing(bring(loader)) as batches:
        for _ in steps:
            asked = time.monotonic()
            batch = next(batches)
            yield Feed(batch, time.monotonic() - asked)


def bring(loader: DataLoader[Batch | LadiError]) -> Generator[Batch, None, None]:
    """What a loader brings; its workers end with the last batch, or as soon as nobody asks any more.

    Raises:
        LadiError: a batch that is one.
    """
    batches = iter(loader)
    try:
        for batch in batches:
            if isinstance(batch, LadiError):
                raise batch
            yield batch
    finally:
        del batches  # an error's traceback would keep them waiting


def _leave_signals_alone(_worker: int) -> None:
    """Ctrl-C reaches workers too; the process that trains decides when they end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)
