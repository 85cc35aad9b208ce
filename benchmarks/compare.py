"""The eight cells of the paper's ablation side by side, against eight try-ons one after the other.

Both make the same pictures from the same two files with the same engine, alternating, in one run:
``python benchmarks/compare.py [--model mini] [--steps N] [--guidance X] [--repeat 3]``. Preparations are not
shared between the two, nor between repetitions.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path

from app.compare.axes import plan_ablation
from ladi.diffusion.compare import Cell
from ladi.engine import Engine
from ladi.preprocess.photo import read_photo
from ladi.settings import Settings, TryOnRequest

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Cost of the 8-cell ablation against 8 single runs.")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--device")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    engine = Engine.load(options.model, device=options.device, remember=0)
    settings = Settings(steps=options.steps, guidance=options.guidance, seed=1)
    request = TryOnRequest(
        read_photo(EXAMPLES / "person-anna.jpg"),
        read_photo(EXAMPLES / "garment-striped-tee.jpg"),
        settings=settings,
    )
    planned = plan_ablation(options.model)

    def together() -> None:
        engine.compare(
            [request],
            lambda seed, steps, guidance: [
                Cell(one.label, steps, guidance, seed, one.switches) for one in planned
            ],
        )

    def singly() -> None:
        for one in planned:
            engine.try_on(replace(request, settings=replace(settings, switches=one.switches)))

    together()
    seconds: dict[str, list[float]] = {"together": [], "singly": []}
    for _ in range(options.repeat):
        for name, run in (("together", together), ("singly", singly)):
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    compared, single = (statistics.median(seconds[name]) for name in ("together", "singly"))
    steps, guidance = engine.defaults
    print(f"{options.model}, {options.steps or steps} steps, guidance {options.guidance or guidance:g}")
    print(f"8 cells compared: {compared:.2f} s; 8 single runs: {single:.2f} s; ratio {single / compared:.2f}")


if __name__ == "__main__":
    main()
