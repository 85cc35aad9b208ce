"""The command ``batch``: a table, a folder or a zip file of pairs in, a folder of pictures out.

It prints a line for every row and a summary. Its exit code is 0 when every row has its pictures, 1 when some
have none (the manifest says why), and 2 when nothing could be begun.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from ladi.commands.flags import add_model, add_running, add_settings, running_of, settings_of

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


def run(options: argparse.Namespace) -> int:
    """The command.

    Returns:
        0, or 1 if a row failed; what stops all of them is raised as a LadiError.
    """
    from ladi.batch.folder import folder_of
    from ladi.batch.manifest import TABLE
    from ladi.batch.pairs import open_pairs
    from ladi.batch.run import run_batch
    from ladi.engine import Engine
    from ladi.preprocess.cleaner import LOCAL_MODELS, model_file
    from ladi.runtime.recall import CATALOGUE
    from ladi.weights.catalog import find_model

    settings = settings_of(options)
    find_model(options.model)
    with tempfile.TemporaryDirectory(prefix="ladi-batch-") as workspace:
        rows = open_pairs(options.pairs, Path(workspace), local=True)
        _check_shared(settings, options.model)
        folder_of(options.out).make()
        engine = Engine.load(options.model, **running_of(options), room=CATALOGUE)
        cleaners = {row.values.get("clean_garment", settings["clean_garment"]) for row in rows}
        if any(model_file(name) for name in cleaners & set(LOCAL_MODELS)):
            engine.warm_up(wait=True)
        counted: Counter[str] = Counter()
        batch = run_batch(
            rows,
            engine,
            options.out,
            model=options.model,
            settings=settings,
            at_once=AT_ONCE,
            room=CATALOGUE,
        )
        for index, news in enumerate(batch, 1):
            counted[news.status] += 1
            place = f"[{index}/{len(rows)}]"
            if news.status == "failed":
                person, garment = news.row.names
                print(
                    f"{place} failed: row {news.row.number} ({person}, {garment}): {news.message}",
                    file=sys.stderr,
                )
            elif not options.quiet:
                what = "already done" if news.status == "skipped" else f"{news.seconds:.1f} s"
                print(f"{place} {news.path}  {what}", flush=True)
    if not options.quiet:
        print(
            f"{len(rows)} rows: {counted['done']} done, {counted['skipped']} already done, "
            f"{counted['failed']} failed; see {folder_of(options.out).named(TABLE)}"
        )
    return EXIT_ROWS_FAILED if counted["failed"] else 0


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
