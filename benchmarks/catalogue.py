"""A catalogue, people × garments, in several ways: ``python -m benchmarks.catalogue``.

The same rows on the same machine in one run, photos of 768×1024:

- one by one: every row prepares its person and its garment and paints them;
- in the table's order: one row at a time, the last four people and garments remembered;
- catalogue: as ``python -m ladi batch`` does it, rows in the order of work, three of them at once;
- cluster, with ``--ray ADDRESS``: as ``batch --ray`` does it, by engines of one core each.

The ways take turns: the people are dealt into rounds, and in each round every way makes the round's rows,
each time another way first. Other work on the machine then slows down all of them, and a ratio is of rows
that were made within minutes. The cluster makes all rows at once, after the rounds.

Printed are rows a second, and seconds of the processor for each row, which say more where other work shares
the machine, and are not known of a cluster; of both the ratio to the first way, of all rounds together and,
in brackets, the least and the most of a round; then how much the pictures differ, and what a second garment
on the same person costs.
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
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 768, 1024
WAYS = ("one by one", "in the table's order", "catalogue")
CLUSTER = "cluster"
Work = Callable[[Any, Path], Iterator[str]]
"""Makes rows into a folder, and tells of each why it failed, if it did."""


class Spent(NamedTuple):
    """What some rows took."""

    seconds: float
    busy: float
    """Seconds of the processor, of all threads together."""
    rows: int


def main() -> int:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ladi-catalogue-") as name:
        folder = Path(name)
        tables = write_catalogue(folder, options.people, options.garments, options.rounds)
        measured = measure_in_turns(tables, folder / "out", options)
        for line in report(measured):
            print(line)
        ways = list(options.ways)
        if options.ray:
            told = measure_cluster(tables, folder / "out" / CLUSTER, options)
            first = total(measured[ways[0]])
            ratio = told.rows / told.seconds / (first.rows / first.seconds)
            print(f"{CLUSTER}: {told.rows / told.seconds:.3f} rows/s, {ratio:.2f} times the first")
            ways.append(CLUSTER)
        for way in ways[1:]:
            print(f"{way}: {difference(folder / 'out' / ways[0], folder / 'out' / way)}")
    if options.second:
        second_garment(options)
    return 0


def write_catalogue(folder: Path, people: int, garments: int, rounds: int = 1) -> list[Path]:
    """People and garments of the example pictures, mirrored and tinted to be so many; a table per round."""
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
    tables = []
    for number in range(min(rounds, people)):
        table = folder / f"pairs-{number:02}.csv"
        rows = [f"{person},{garment},1" for person, garment in product(names[0][number::rounds], names[1])]
        table.write_text("\n".join(["person,garment,seed", *rows]) + "\n")
        tables.append(table)
    return tables


def measure_in_turns(tables: list[Path], out: Path, options: argparse.Namespace) -> dict[str, list[Spent]]:
    """What each round took in each way, after a first row that warms up and does not count."""
    from ladi.batch.pairs import read_table

    works = {way: way_of(way, options) for way in options.ways}
    for way, work in works.items():
        _make(way, work, read_table(tables[0])[:1], out / "warm" / way)
    measured: dict[str, list[Spent]] = {way: [] for way in works}
    for number, table in enumerate(tables):
        rows = read_table(table)
        first = number % len(works)
        for way in (*list(works)[first:], *list(works)[:first]):
            measured[way].append(_make(way, works[way], rows, out / way / f"{number:02}"))
    return measured


def _make(way: str, work: Work, rows: Any, out: Path) -> Spent:
    started, busy = time.perf_counter(), time.process_time()
    failed = [message for message in work(rows, out) if message]
    spent = Spent(time.perf_counter() - started, time.process_time() - busy, len(rows))
    if failed:
        raise SystemExit(f"{way}: {len(failed)} rows failed, the first: {failed[0]}")
    return spent


def total(rounds: list[Spent]) -> Spent:
    """All rounds together."""
    return Spent(*map(sum, zip(*rounds, strict=True)))


def report(measured: dict[str, list[Spent]]) -> Iterator[str]:
    """What is printed of each way, beside the first of them."""
    first, *_ = measured.values()
    for way, rounds in measured.items():
        pairs = list(zip([total(first), *first], [total(rounds), *rounds], strict=True))
        faster, less = ([before[part] / now[part] for before, now in pairs] for part in (0, 1))
        whole = pairs[0][1]
        yield f"{way}: {whole.rows / whole.seconds:.3f} rows/s, {_range(faster)} times the first"
        yield f"  {whole.busy / whole.rows:.3f} s of a core each, the first's by {_range(less)}"


def _range(ratios: list[float]) -> str:
    """The ratio of all rounds, which comes first, and those of each."""
    whole, *each = ratios
    return f"{whole:.2f} ({min(each):.2f} to {max(each):.2f})"


def way_of(way: str, options: argparse.Namespace) -> Work:
    """What makes rows in one of ``WAYS``."""
    from ladi.batch.folder import Folder
    from ladi.batch.run import run_batch
    from ladi.batch.work import Job, make_rows
    from ladi.commands.batch import AT_ONCE
    from ladi.engine import Engine
    from ladi.runtime.recall import BATCH_ROOM, SECONDS

    if way == WAYS[2]:
        engine = Engine.load(options.model, device=options.device, room=BATCH_ROOM)

        def catalogue(rows: Any, out: Path) -> Iterator[str]:
            made = run_batch(rows, engine, out, model=options.model, at_once=AT_ONCE, room=BATCH_ROOM)
            return (one.message for one in made)

        return catalogue
    plain = Engine.load(options.model, device=options.device, remember=0 if way == WAYS[0] else SECONDS)

    def one_by_one(rows: Any, out: Path) -> Iterator[str]:
        folder = Folder(out)
        folder.make()
        jobs = (Job(index, row, options.model, dict(row.values)) for index, row in enumerate(rows))
        return (entry.message for _, entry in make_rows(jobs, plain, folder.write))

    return one_by_one


def measure_cluster(tables: list[Path], out: Path, options: argparse.Namespace) -> Spent:
    """The same on a cluster: from the first row that is over, when all engines are loaded or about to be."""
    from ladi.batch.pairs import read_table
    from ladi.scale.batch import Engines, run_on_cluster
    from ladi.scale.cluster import connected
    from ladi.scale.worker import load_engine

    load = partial(load_engine, model=options.model, running={"device": options.device})
    whole = tables[0].with_name("pairs.csv")
    header, *_ = tables[0].read_text().splitlines()
    lines = [line for table in tables for line in table.read_text().splitlines()[1:]]
    whole.write_text("\n".join([header, *lines]) + "\n")
    rows = read_table(whole)
    with connected(options.ray) as ray:
        engines = Engines(load, options.engines)
        made = run_on_cluster(rows, ray, engines, out, model=options.model, told=print)
        failed, times = [], []
        for one in made:
            times.append(time.perf_counter())
            failed += [one.message] * (one.status != "done")
    if failed:
        raise SystemExit(f"{CLUSTER}: {len(failed)} rows failed, the first: {failed[0]}")
    return Spent(times[-1] - times[0], 0.0, len(times) - 1)


def difference(first: Path, other: Path) -> str:
    """How far the pictures of two folders are apart."""
    most, changed = 0, []
    others = {path.name: path for path in other.rglob("*.png")}
    for path in sorted(first.rglob("*.png")):
        one, two = (np.asarray(Image.open(picture), np.int16) for picture in (path, others[path.name]))
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
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--model", default="mini", help="(%(default)s)")
    parser.add_argument("--device", help="the best there is, unless given")
    parser.add_argument("--ray", metavar="ADDRESS", help="also on this Ray cluster")
    parser.add_argument("--engines", type=int, help="on the cluster; as many as fit, unless given")
    parser.add_argument("--second", action="store_true", help="also time a second garment on one person")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
