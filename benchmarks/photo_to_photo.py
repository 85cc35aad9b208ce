"""Seconds and memory from photo to photo, by stage: ``python benchmarks/photo_to_photo.py PERSON GARMENT``.

Runs the engine as the command does, once to warm up and then several times, and prints the median of each
stage and the largest resident memory that was seen during it. Numbers of one run on one machine; compare
ratios, not seconds.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = resource.getpagesize()


class MemoryByStage:
    """Samples the process's resident memory and keeps the largest value of each stage."""

    def __init__(self) -> None:
        self.stage = "load"
        self.peaks: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
            self.peaks[self.stage] = max(self.peaks.get(self.stage, 0), resident)

    def progress(self, stage: str, _: float) -> None:
        """The engine's progress callback."""
        self.stage = stage

    def stop(self) -> None:
        """Ends the watching."""
        self._over.set()
        self._thread.join()


def main() -> int:
    """Measures and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("person", type=Path)
    parser.add_argument("garment", type=Path)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()

    started = time.perf_counter()
    import torch

    from ladi.engine import Engine
    from ladi.preprocess.photo import read_photo
    from ladi.settings import Settings, TryOnRequest

    if options.threads:
        torch.set_num_threads(options.threads)
    memory = MemoryByStage()
    engine = Engine.load(options.model)
    loaded = time.perf_counter() - started
    settings = Settings(seed=0, steps=options.steps)
    seconds: dict[str, list[float]] = {}
    totals = []
    for run in range(options.runs + 1):
        started = time.perf_counter()
        person, garment = (read_photo(path) for path in (options.person, options.garment))
        for photo in (person, garment):
            # Another corner pixel: the engine recalls what it has just prepared.
            photo.pixels[0, 0] ^= run + 1
        request = TryOnRequest(person=person, garment=garment, settings=settings)
        result = engine.try_on(request, progress=memory.progress)
        if run:
            totals.append(time.perf_counter() - started)
            for stage, value in result.timings.items():
                seconds.setdefault(stage, []).append(value)
    memory.stop()

    setting = f"{result.steps} steps, guidance {result.guidance}"
    print(f"{torch.get_num_threads()} threads, {setting}, {options.runs} runs\n")
    print("| stage | seconds (median) | largest resident memory, MB |\n|---|---|---|")
    print(f"| load | {loaded:.2f} | {memory.peaks.get('load', 0) / 1e6:.0f} |")
    for stage, values in seconds.items():
        print(f"| {stage} | {statistics.median(values):.2f} | {memory.peaks.get(stage, 0) / 1e6:.0f} |")
    print(f"| photo to photo | {statistics.median(totals):.2f} | {max(memory.peaks.values()) / 1e6:.0f} |")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
