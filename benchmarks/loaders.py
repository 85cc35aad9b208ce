"""How fast the data sets are read: ``python benchmarks/loaders.py FOLDER[:SPLIT] … [--check]``.

For each folder, whatever its layout: seconds to open it, and samples per second, every picture decoded and at
the wanted size, in this process and through a DataLoader with two workers. A run lasts until every pair was
read once or ``--samples`` were; each is repeated and the fastest counts, so that a cold disk does not. The
start of the workers is not counted. With ``--check``, also the files per second of ``python -m ladi check``.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, Subset

if TYPE_CHECKING:
    from ladi.data.sample import Sample

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Measure and print a Markdown table."""
    sys.path.insert(0, str(ROOT))
    from ladi.data.checking.dataset import check_dataset
    from ladi.data.opening import LAYOUT_NAMES, open_dataset, recognise_layout
    from ladi.setting_row import read_size

    options = _options()
    size = read_size(options.size)
    columns = " | ".join(f"{workers} workers, samples/s" for workers in options.workers)
    print(f"| data | order | pairs | opened, s | {columns} |")
    print("|---|---|---|---|" + "---|" * len(options.workers))
    for place in options.places:
        root, _, split = place.partition(":")
        for order in options.orders:
            started = time.perf_counter()
            dataset = open_dataset(Path(root), split or "test", order=order, size=size)
            opened = time.perf_counter() - started
            paces = [pace(dataset, workers, options.samples, options.repeats) for workers in options.workers]
            layout = recognise_layout(Path(root))
            assert layout is not None
            shown = " | ".join(f"{value:.1f}" for value in paces)
            print(
                f"| {LAYOUT_NAMES[layout]} | {order} | {len(dataset)} | {opened:.2f} | {shown} |", flush=True
            )
        if options.check:
            started = time.perf_counter()
            report = check_dataset(Path(root), layout, [split or "test"])
            seconds = time.perf_counter() - started
            print(f"check of {place}: {report.files} files in {seconds:.1f} s", file=sys.stderr)
    return 0


def pace(dataset: Any, workers: int, samples: int, repeats: int) -> float:
    """Samples per second, the best of some runs; small data sets are read over and over."""
    indices = [index % len(dataset) for index in range(samples)]
    loader = DataLoader(Subset(dataset, indices), batch_size=1, num_workers=workers, collate_fn=only)
    best = 0.0
    for _ in range(repeats):
        stream = iter(loader)
        # The clock starts when the workers have; they are then two samples ahead each.
        ahead = len(list(islice(stream, max(1, 2 * workers))))
        started = time.perf_counter()
        rest = sum(1 for _ in stream)
        best = max(best, rest / (time.perf_counter() - started))
        assert ahead + rest == samples
    return best


def only(samples: list[Sample]) -> Sample:
    """The sample of a batch of one."""
    return samples[0]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "places", nargs="+", metavar="FOLDER[:SPLIT]", help="data sets; split test unless given"
    )
    parser.add_argument("--orders", nargs="+", default=["paired"], choices=("paired", "unpaired"))
    parser.add_argument("--size", default="512x384", help="of every picture (%(default)s)")
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 2], help="of the DataLoader")
    parser.add_argument("--samples", type=int, default=200, help="read in each run (%(default)s)")
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs, of which the fastest counts (%(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="also how fast `check` is, on stderr")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
