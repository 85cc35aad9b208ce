"""``--dry-run``: a stage built in full and trained for two steps, to learn what the whole will take."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from itertools import pairwise

import torch

from ladi.training.loop.stage import Stage
from ladi.training.loop.train import feed_of, take_step
from ladi.training.loop.workbench import Workbench

STEPS = 2
GIB = 2**30


@dataclass(frozen=True)
class Rehearsal:
    """What two steps told."""

    stage: str
    device: str
    weights: int
    """How many are trained."""
    samples: int
    batch: str
    """How a step's samples are shared out."""
    seconds: tuple[float, ...]
    """Of each step."""
    waits: tuple[float, ...]
    """Seconds of each step spent waiting for data."""
    memory: int
    """Bytes at the most: of the GPU, or of the process on a CPU."""
    steps: int
    """To the end."""

    @property
    def waiting(self) -> float:
        """Share of the time spent waiting for data, without the first step, which also warms up."""
        return sum(self.waits[1:]) / sum(self.seconds[1:])

    @property
    def hours(self) -> float:
        """To the end, at the pace of all steps but the first."""
        return self.steps * sum(self.seconds[1:]) / len(self.seconds[1:]) / 3600

    @property
    def words(self) -> str:
        """As the command prints it."""
        paces = " and ".join(f"{seconds:.2f} s" for seconds in self.seconds)
        return (
            f"stage {self.stage} on {self.device}: {self.weights / 1e6:.1f} million trained weights, "
            f"{self.samples} pairs, {self.batch}\n"
            f"  {len(self.seconds)} steps in {paces}, {self.waiting:.0%} waiting for data; "
            f"peak memory {self.memory / GIB:.1f} GiB\n"
            f"  {self.steps} steps to the end: about {self.hours:.1f} h, without validation"
        )


def rehearse(stage: Stage, device: str | None = None, steps: int = STEPS) -> Rehearsal:
    """Builds everything, runs two steps and writes nothing.

    Args:
        stage: which.
        device: ``cpu`` forces the CPU.
        steps: another number of steps.

    Raises:
        LadiError: as training would.
    """
    bench = Workbench(stage, device)
    place = bench.accelerator.device
    times, waits = [time.monotonic()], []
    for step, arrival in enumerate(feed_of(stage, bench, 0, steps)):
        take_step(stage, bench, step, arrival.batch)
        if place.type == "cuda":
            torch.cuda.synchronize(place)
        times.append(time.monotonic())
        waits.append(arrival.waited)
    options, processes = stage.options, bench.accelerator.num_processes
    shares = f"{processes} process(es) × {options.accumulate} part(s) × {bench.part}"
    return Rehearsal(
        stage=stage.name,
        device=str(place),
        weights=sum(parameter.numel() for parameter in bench.parameters),
        samples=stage.length,
        batch=f"batch {options.batch_size} = {shares}",
        seconds=tuple(after - before for before, after in pairwise(times)),
        waits=tuple(waits),
        memory=peak_memory(place),
        steps=options.steps,
    )


def peak_memory(device: torch.device) -> int:
    """Bytes at the most so far: of a CUDA device's tensors, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows has none
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
