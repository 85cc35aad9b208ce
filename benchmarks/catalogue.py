"""A catalogue, people × garments, in several ways: ``python -m benchmarks.catalogue``.

The same rows on the same machine in one run, photos of 768×1024:

- one by one: every row prepares its person and its garment and paints them;
- in the table's order: one row at a time, the last four people and garments remembered;
- catalogue: as ``python -m ladi batch`` does it, rows in the order of work, three of them at once;
- cluster, with ``--ray ADDRESS``: as ``batch --ray`` does it, by engines of one core each.

Printed are rows a second, and seconds of the processor for each row, which say more where other work shares
the machine, and are not known of a cluster; then how much the pictures differ, and what a second garment on
the same person costs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 768, 1024
WAYS = ("one by one", "in the table's order", "catalogue")
CLUSTER = "cluster"


def main() -> int:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ladi-catalogue-") as name:
        folder = Path(name)
        table = write_catalogue(folder, options.people, options.garments)
        measured = {way: measure(way, table, folder / "out" / way, options) for way in options.ways}
        ways = list(options.ways)
        if options.ray:
            measured[CLUSTER] = measure_cluster(table, folder / "out" / CLUSTER, options)
            ways.append(CLUSTER)
        first = measured[options.ways[0]]
        for way, (seconds, busy, rows) in measured.items():
            ratio = first[0] / first[2] * rows / seconds
            print(f"{way}: {rows / seconds:.3f} rows/s, {ratio:.2f} times the first")
            if way != CLUSTER:
                print(f"  {busy / rows:.3f} s of a core each, the first's by {first[1] / busy:.2f}")
        for way in ways[1:]:
            print(f"{way}: {difference(folder / 'out' / options.ways[0], folder / 'out' / way)}")
    if options.second:
        second_garment(options)
    return 0


def write_catalogue(folder: Path, people: int, garments: int) -> Path:
    """People and garments of the example pictures, mirrored and tinted to be so many, and their table."""
    names = []
    for kind, count in (("person", people), ("garment", garments)):
        pictures = sorted((ROOT / "assets" / "examples").glob(f"{kind}-*.jpg"))
        own = []
        for number in range(count):
            picture = Image.open(pictures[number % len(pictures)]).convert("RGB")
            varied = ImageOps.fit(picture, (WIDTH, HEIGHT))
            again = number // len(pictures)
            varied = ImageOps.mirror(varied) if again % 2 else varied
            path = folder / f"{kind}-{number:03}.png"
            # Too little to be seen, enough to be another picture.
            Image.fromarray(np.asarray(varied) // 2 * 2 + again % 2).save(path, compress_level=1)
            own.append(path.name)
        names.append(own)
    table = folder / "pairs.csv"
    rows = [f"{person},{garment},1" for person, garment in product(*names)]
    table.write_text("\n".join(["person,garment,seed", *rows]) + "\n")
    return table


def measure(way: str, table: Path, out: Path, options: argparse.Namespace) -> tuple[float, float, int]:
    """Seconds, seconds of the processor, and rows, after a first row that warms up and does not count."""
    from ladi.batch.pairs import read_table

    rows, work = read_table(table), way_of(way, options)
    for _ in work(rows[:1], out):
        pass
    (out / rows[0].out).unlink()
    started, busy = time.perf_counter(), time.process_time()
    failed = [message for message in work(rows, out) if message]
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    if failed:
        raise SystemExit(f"{way}: {len(failed)} rows failed, the first: {failed[0]}")
    return seconds, busy, len(rows)


def way_of(way: str, options: argparse.Namespace) -> Callable[[Any, Path], Iterator[str]]:
    """What makes rows in one of ``WAYS``; it tells of each why it failed, if it did."""
    from ladi.batch.folder import Folder
    from ladi.batch.run import run_batch
    from ladi.batch.work import Job, make_rows
    from ladi.commands.batch import AT_ONCE
    from ladi.engine import Engine
    from ladi.runtime.recall import CATALOGUE, SECONDS

    if way == WAYS[2]:
        engine = Engine.load(options.model, device=options.device, room=CATALOGUE)

        def catalogue(rows: Any, out: Path) -> Iterator[str]:
            made = run_batch(rows, engine, out, model=options.model, at_once=AT_ONCE, room=CATALOGUE)
            return (one.message for one in made)

        return catalogue
    plain = Engine.load(options.model, device=options.device, remember=0 if way == WAYS[0] else SECONDS)

    def one_by_one(rows: Any, out: Path) -> Iterator[str]:
        folder = Folder(out)
        folder.make()
        jobs = (Job(index, row, options.model, dict(row.values)) for index, row in enumerate(rows))
        return (entry.message for _, entry in make_rows(jobs, plain, folder.write))

    return one_by_one


def measure_cluster(table: Path, out: Path, options: argparse.Namespace) -> tuple[float, float, int]:
    """The same on a cluster: from the first row that is over, when all engines are loaded or about to be."""
    from ladi.batch.pairs import read_table
    from ladi.scale.catalogue import Engines, run_on_cluster
    from ladi.scale.cluster import connected
    from ladi.scale.worker import load_engine

    load = partial(load_engine, model=options.model, running={"device": options.device})
    rows = read_table(table)
    with connected(options.ray) as ray:
        engines = Engines(load, options.engines)
        made = run_on_cluster(rows, ray, engines, out, model=options.model, told=print)
        failed, times = [], []
        for one in made:
            times.append(time.perf_counter())
            failed += [one.message] * (one.status != "done")
    if failed:
        raise SystemExit(f"{CLUSTER}: {len(failed)} rows failed, the first: {failed[0]}")
    return times[-1] - times[0], 0.0, len(times) - 1


def difference(first: Path, other: Path) -> str:
    """How far the pictures of two folders are apart."""
    most, changed = 0, []
    for path in sorted(first.glob("*.png")):
        one, two = (np.asarray(Image.open(folder / path.name), np.int16) for folder in (first, other))
        apart = np.abs(one - two)
        most = max(most, int(apart.max()))
        changed.append(float((apart > 0).mean()))
    return f"pictures differ by at most {most} of 255, in {np.mean(changed):.2%} of their numbers"


def second_garment(options: argparse.Namespace) -> None:
    """What it takes to dress somebody in another garment."""
    from ladi.engine import Engine
    from ladi.preprocess.photo import read_photo
    from ladi.records import request_of

    engine = Engine.load(options.model, device=options.device)
    with tempfile.TemporaryDirectory(prefix="ladi-catalogue-") as name:
        folder = Path(name)
        write_catalogue(folder, 1, 5)
        person = read_photo(folder / "person-000.png")
        for number in range(5):
            request = request_of(person, read_photo(folder / f"garment-{number:03}.png"), {"seed": 1})
            started, busy = time.perf_counter(), time.process_time()
            result = engine.try_on(request)
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            parts = ", ".join(f"{stage} {spent:.2f}" for stage, spent in result.timings.items())
            print(f"garment {number + 1}: {seconds:.2f} s, {busy:.2f} s of a core ({parts})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--garments", type=int, default=20, help="(%(default)s)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--model", default="mini", help="(%(default)s)")
    parser.add_argument("--device", help="the best there is, unless given")
    parser.add_argument("--ray", metavar="ADDRESS", help="also on this Ray cluster")
    parser.add_argument("--engines", type=int, help="on the cluster; as many as fit, unless given")
    parser.add_argument("--second", action="store_true", help="also time a second garment on one person")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
