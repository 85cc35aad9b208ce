"""The command ``batch``: a table, a folder or a zip file of pairs in, a folder of pictures out.

It prints a line for every row and a summary. Its exit code is 0 when every row has its pictures, 1 when some
have none (the manifest says why), and 2 when nothing could be begun.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladi.commands.flags import add_model, add_running, add_settings, cores, running_of, settings_of
from ladi.scale.cluster import MOST_ENGINES
from ladi.types import in_one_line

if TYPE_CHECKING:
    from ladi.batch.book import RowDone
    from ladi.batch.pairing import Row

EXIT_ROWS_FAILED = 1
AT_ONCE = 3
"""Rows at work at a time: one is prepared, one painted, and one put back into its photo and saved."""


def add_parser(subparsers: Any) -> None:
    """Describe the ``batch`` command to argparse."""
    parser = subparsers.add_parser(
        "batch",
        help="many pairs, from a table, into a folder",
        description="A picture for each row of a table. The same command again goes on where it stopped. "
        "Exit code: 0 when every row has its pictures, 1 when some have none, 2 when nothing could be begun.",
    )
    parser.set_defaults(func=run)
    add = parser.add_argument
    add(
        "pairs",
        type=Path,
        help="a csv, tsv or txt file with the columns person and garment, and, if you like, out and settings "
        "such as category, seed, steps; or a folder or zip file with a pairs.csv, or with the folders people "
        "and garments",
    )
    add(
        "--out",
        required=True,
        metavar="DIR",
        help="where pictures and manifest go: a folder, or a place that fsspec knows, such as s3://bucket/results",
    )
    add_model(parser)
    add_running(parser)
    add_settings(parser)
    add("--quiet", action="store_true", help="print nothing but failures")
    cluster = parser.add_argument_group("on a cluster, by Ray (pip install -r requirements-scale.txt)")
    cluster.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="spread the rows over a Ray cluster: auto for the one that this machine belongs to, or its "
        "host:port; over the processors or GPUs of this machine where none is named",
    )
    cluster.add_argument(
        "--engines", type=_engines, metavar="N", help="so many engines, or auto: as many as fit, unless given"
    )
    cluster.add_argument(
        "--cpus-per-engine",
        type=cores,
        default=1.0,
        metavar="N",
        help="cores of each where there are no GPUs (%(default)g); with GPUs, each engine has one",
    )


def run(options: argparse.Namespace) -> int:
    """The command.

    Returns:
        0, or 1 if a row failed; what stops all of them is raised as a LadiError.
    """
    from ladi.batch.folder import folder_of
    from ladi.batch.manifest import TABLE
    from ladi.batch.pairs import open_pairs
    from ladi.weights.catalog import find_model

    settings = settings_of(options)
    find_model(options.model)
    with tempfile.TemporaryDirectory(prefix="ladi-batch-") as workspace:
        rows = open_pairs(options.pairs, Path(workspace), local=True)
        _check_shared(settings, options.model)
        folder_of(options.out).make()
        make = _here if options.ray is None else _on_cluster
        counted = _follow(make(options, rows, settings), len(rows), quiet=options.quiet)
    if not options.quiet:
        print(
            f"{len(rows)} rows: {counted['done']} done, {counted['skipped']} already done, "
            f"{counted['failed']} failed; see {folder_of(options.out).named(TABLE)}"
        )
    return EXIT_ROWS_FAILED if counted["failed"] else 0


def _here(options: argparse.Namespace, rows: Sequence[Row], settings: dict[str, Any]) -> Iterator[RowDone]:
    """The rows on this machine, by one engine."""
    from ladi.batch.run import run_batch
    from ladi.engine import Engine
    from ladi.runtime.recall import BATCH_ROOM

    engine = Engine.load(options.model, **running_of(options), room=BATCH_ROOM)
    if _needs_rembg(rows, settings):
        engine.warm_up(wait=True)
    yield from run_batch(
        rows,
        engine,
        options.out,
        model=options.model,
        settings=settings,
        at_once=AT_ONCE,
        room=BATCH_ROOM,
    )


def _on_cluster(
    options: argparse.Namespace, rows: Sequence[Row], settings: dict[str, Any]
) -> Iterator[RowDone]:
    """The rows on a cluster."""
    from ladi.scale.batch import Engines, run_on_cluster
    from ladi.scale.cluster import connected
    from ladi.scale.worker import load_engine

    load = partial(
        load_engine,
        model=options.model,
        running=running_of(options),
        warm_up=_needs_rembg(rows, settings),
    )
    engines = Engines(load, options.engines, options.cpus_per_engine)
    with connected(options.ray) as ray:
        yield from run_on_cluster(
            rows,
            ray,
            engines,
            options.out,
            model=options.model,
            settings=settings,
            told=(lambda words: None) if options.quiet else partial(print, flush=True),
        )


def _needs_rembg(rows: Sequence[Row], settings: dict[str, Any]) -> bool:
    """Whether a row asks for a background remover of rembg's that is on this machine."""
    from ladi.preprocess.cleaner import LOCAL_MODELS, model_file

    cleaners = {row.values.get("clean_garment", settings["clean_garment"]) for row in rows}
    return any(model_file(name) for name in cleaners & set(LOCAL_MODELS))


def _follow(batch: Iterator[RowDone], total: int, *, quiet: bool) -> Counter[str]:
    """Print a line for each row that is over; how many ended in which way."""
    counted: Counter[str] = Counter()
    pace = Pace()
    for index, news in enumerate(batch, 1):
        counted[news.status] += 1
        place = f"[{index}/{total}]"
        if news.status == "failed":
            person, garment = news.row.names
            told = f"{place} failed: row {news.row.number} ({person}, {garment}): {news.message}"
            print(in_one_line(told), file=sys.stderr)
        elif not quiet:
            left = pace.left(total - index) if news.status == "done" else ""
            what = "already done" if news.status == "skipped" else f"{news.seconds:.1f} s{left}"
            print(in_one_line(f"{place} {news.path}  {what}"), flush=True)
    return counted


class Pace:
    """How fast rows come, by the last few of them."""

    LAST = 50
    """Rows that count: the first ones load and prepare what later ones find there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with none."""
        self._clock = clock
        self._times: deque[float] = deque(maxlen=self.LAST)

    def left(self, rows: int) -> str:
        """Words on the time that so many more rows will take, once that can be told; one has just come."""
        self._times.append(self._clock())
        if len(self._times) < 3 or not rows:
            return ""
        each = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        minutes = math.ceil(each * rows / 60)
        told = f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
        return f", about {told} left"


def _engines(text: str) -> int | None:
    """A number of engines, for argparse."""
    if text == "auto":
        return None
    if not text.isdecimal() or not 0 < int(text) <= MOST_ENGINES:
        raise argparse.ArgumentTypeError(f"must be auto, or a number from 1 to {MOST_ENGINES}, got {text!r}")
    return int(text)


def _check_shared(settings: dict[str, Any], model: str) -> None:
    """Refuse a flag that no row could be run with, before the model is loaded.

    Raises:
        LadiError: in one sentence.
    """
    import numpy as np

    from ladi.records import request_of
    from ladi.settings import check_request
    from ladi.types import Photo
    from ladi.weights.catalog import check_category

    nothing = Photo(np.zeros((1, 1, 3), np.uint8))
    request = request_of(nothing, nothing, settings)
    check_request(request)
    check_category(request.category, model=model)
