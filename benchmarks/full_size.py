"""Seconds and memory of a full-size model on a GPU: ``python benchmarks/full_size.py --model DIR``.

Photo to photo through the engine, 50 DDIM steps, in fp16 and bf16, one picture and eight at once, with and
without low memory: seconds per picture, the most memory that PyTorch held, and how far fp16's pictures lie
from fp32's of the same weights and seeds. The first run of each mode warms up and is not timed.

Without ``--model`` the networks have random weights: seconds and memory are the same, the pictures are noise.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
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
    parser.add_argument("--model", help="vitonhd, dresscode, or a folder; random weights without it")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--person", type=Path, default=EXAMPLES / "person-anna.jpg")
    parser.add_argument("--garment", type=Path, default=EXAMPLES / "garment-striped-tee.jpg")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("This measures a full-size model on a CUDA device, and there is none here.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        if options.model is None:
            from benchmarks.random_model import write_random_model

            options.model = str(write_random_model(Path(folder), "cuda"))
            gc.collect()
            torch.cuda.empty_cache()
        compare_modes(options)
    return 0


def compare_modes(options: argparse.Namespace) -> None:
    """The table, and how far the halves lie from fp32."""
    photos = {"person": options.person, "garment": options.garment}
    print(f"{torch.cuda.get_device_name()}, {options.steps} steps\n")
    print("| mode | pictures | seconds per picture | peak, GiB |\n|---|---|---|---|", flush=True)
    alone = {}
    for precision in ("fp32", "fp16", "bf16"):
        for low_memory in (False, True) if precision != "fp32" else (False,):
            rows = measure(
                options.model,
                "cuda",
                precision,
                low_memory=low_memory,
                pictures=(1,) if precision == "fp32" else (1, 8),
                steps=options.steps,
                **photos,
            )
            for row in rows:
                show(row)
            if not low_memory:
                alone[precision] = rows[0]
    for precision in ("fp16", "bf16"):
        difference = (alone[precision].generated - alone["fp32"].generated).abs() * 127.5
        print(f"\n{precision} against fp32: mean difference {difference.mean():.2f} of 255 levels, ", end="")
        print(f"99 % of all values within {difference.flatten()[::7].quantile(0.99):.1f}.", flush=True)


def measure(
    model: str,
    device: str,
    precision: str,
    *,
    low_memory: bool = False,
    pictures: tuple[int, ...] = (1,),
    steps: int = STEPS,
    person: Path = EXAMPLES / "person-anna.jpg",
    garment: Path = EXAMPLES / "garment-striped-tee.jpg",
) -> list[Measured]:
    """Load a model in one mode; for each number of pictures run it twice and look at the second run."""
    from ladi.engine import Engine
    from ladi.preprocess.photo import read_photo
    from ladi.settings import Settings, TryOnRequest

    engine = Engine.load(model, device=device, precision=precision, low_memory=low_memory)
    assert engine.running is not None
    photos = read_photo(person), read_photo(garment)
    cuda = device == "cuda"
    rows = []
    for count in pictures:
        warm_up, timed = (Settings(steps=many, seed=0, pictures=count) for many in (1, steps))
        engine.try_on(TryOnRequest(*photos, "upper_body", warm_up))
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        started = time.perf_counter()
        result = engine.try_on(TryOnRequest(*photos, "upper_body", timed))
        seconds = (time.perf_counter() - started) / count
        peak = torch.cuda.max_memory_allocated() if cuda else 0
        rows.append(Measured(engine.running.words, count, seconds, peak, result.generated))
    del engine
    gc.collect()
    if cuda:
        torch.cuda.empty_cache()
    return rows


def show(measured: Measured) -> None:
    """One row of the table."""
    peak = f"{measured.peak / GIB:.2f}" if measured.peak else "–"
    print(f"| {measured.mode} | {measured.pictures} | {measured.seconds:.2f} | {peak} |")


if __name__ == "__main__":
    sys.exit(main())
