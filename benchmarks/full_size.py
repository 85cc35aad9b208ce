"""Seconds and memory of a full-size model on a GPU: ``python benchmarks/full_size.py --model DIR``.

Photo to photo through the engine, 50 DDIM steps, in fp16 and bf16, one picture and eight at once, with and
without low memory: seconds per picture, the most memory that PyTorch held, and how far fp16's pictures lie
from fp32's of the same weights and seeds. The first run of each mode warms up and is not timed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "assets" / "examples"
GIB = 2**30
STEPS = 50


class Measured(NamedTuple):
    """One mode."""

    mode: str
    pictures: int
    seconds: float
    """Per picture."""
    peak: int
    """Bytes; 0 where the device cannot tell."""
    generated: torch.Tensor
    """(B,3,H,W) in [-1,1]."""


def main() -> int:
    """Measure and print Markdown tables."""
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="vitonhd, dresscode, or a folder")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--person", type=Path, default=EXAMPLES / "person-anna.jpg")
    parser.add_argument("--garment", type=Path, default=EXAMPLES / "garment-striped-tee.jpg")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("This measures a full-size model on a CUDA device, and there is none here.", file=sys.stderr)
        return 2
    photos = {"person": options.person, "garment": options.garment}
    print(f"{torch.cuda.get_device_name()}, {options.steps} steps\n")
    print("| mode | pictures | seconds per picture | peak, GiB |\n|---|---|---|---|")
    for precision in ("fp16", "bf16"):
        for low_memory in (False, True):
            for pictures in (1, 8):
                where = {"low_memory": low_memory, "pictures": pictures, "steps": options.steps}
                show(measure(options.model, "cuda", precision, **where, **photos))
    results = [
        measure(options.model, "cuda", precision, pictures=1, steps=options.steps, **photos)
        for precision in ("fp32", "fp16", "bf16")
    ]
    show(results[0])
    for other in results[1:]:
        difference = (other.generated - results[0].generated).abs() * 127.5
        print(f"\n{other.mode} against fp32: mean difference {difference.mean():.2f} of 255 levels, ", end="")
        print(f"99 % of all values within {difference.flatten()[::7].quantile(0.99):.1f}.")
    return 0


def measure(
    model: str,
    device: str,
    precision: str,
    *,
    low_memory: bool = False,
    pictures: int = 1,
    steps: int = STEPS,
    person: Path = EXAMPLES / "person-anna.jpg",
    garment: Path = EXAMPLES / "garment-striped-tee.jpg",
) -> Measured:
    """Load a model in one mode, run it twice and look at the second run."""
    from ladi.engine import Engine
    from ladi.preprocess.photo import read_photo
    from ladi.settings import Settings, TryOnRequest

    engine = Engine.load(model, device=device, precision=precision, low_memory=low_memory)
    settings = Settings(steps=1, seed=0, pictures=pictures)
    request = TryOnRequest(read_photo(person), read_photo(garment), "upper_body", settings)
    engine.try_on(request)
    cuda = device == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    timed = Settings(steps=steps, seed=0, pictures=pictures)
    result = engine.try_on(TryOnRequest(request.person, request.garment, "upper_body", timed))
    seconds = (time.perf_counter() - started) / pictures
    peak = torch.cuda.max_memory_allocated() if cuda else 0
    assert engine.running is not None
    mode = engine.running.words
    del engine
    gc.collect()
    if cuda:
        torch.cuda.empty_cache()
    return Measured(mode, pictures, seconds, peak, result.generated)


def show(measured: Measured) -> None:
    """One row of the table."""
    peak = f"{measured.peak / GIB:.2f}" if measured.peak else "–"
    print(f"| {measured.mode} | {measured.pictures} | {measured.seconds:.2f} | {peak} |")


if __name__ == "__main__":
    sys.exit(main())
