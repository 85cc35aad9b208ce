"""The command ``check``: is this folder whole, and do its parts fit each other?

It finds out what the folder holds, has it looked over and tells what was found.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ladi.data.checking.contents import Issue
from ladi.data.checking.dataset import Report, check_dataset
from ladi.data.opening import LAYOUT_NAMES, Layout, recognise_layout, what_is_known
from ladi.data.sample import DatasetError
from ladi.files import write_json
from ladi.types import ModelError, SettingError
from ladi.weights.catalog import INDEX, has_model
from ladi.weights.check import check_model


def add_parser(subparsers: Any) -> None:
    """Describe the ``check`` command to argparse."""
    parser = subparsers.add_parser("check", help="look a model folder or a data set over")
    parser.set_defaults(func=run)
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="a model, a converted part of one, or a data set")
    add(
        "--split",
        action="append",
        metavar="NAME",
        help="of a data set: only this part; may be given several times",
    )
    add(
        "--threads",
        type=int,
        metavar="N",
        help="of a data set: so many files at once; as many as cores, up to 8",
    )
    add("--report", type=Path, metavar="FILE", help="of a data set: write everything that was found as json")


def run(options: argparse.Namespace) -> int:
    """The command; faults are raised as one message."""
    if not has_model(options.folder) and (layout := recognise_layout(options.folder)) is not None:
        return run_check(
            options.folder, layout, options.split, threads=options.threads, report=options.report
        )
    refuse_unknown(options.folder)
    findings = check_model(options.folder)
    for line in findings.lines:
        print(line)
    if findings.faults:
        count = len(findings.faults)
        words = "one fault" if count == 1 else f"{count} faults"
        raise ModelError(f"The model in {str(options.folder)!r} has {words}: {'; '.join(findings.faults)}.")
    print(f"{options.folder}: the model is whole and consistent")
    return 0


def refuse_unknown(folder: Path) -> None:
    """Raises ModelError for a folder that holds no model."""
    if not folder.is_dir():
        raise ModelError(f"There is no folder {str(folder)!r}: name one that holds a model or a data set.")
    if not has_model(folder):
        raise ModelError(
            f"The folder {str(folder)!r} holds nothing that can be checked: it has no {INDEX} (model), and "
            f"no data set: {what_is_known()}. Name the folder that has it."
        )


SHOWN = 10
"""Issues of one kind that are shown; a report holds all."""


def run_check(
    root: Path, layout: Layout, splits: Sequence[str] | None, *, threads: int | None, report: Path | None
) -> int:
    """Check, print and write.

    Args:
        root: the data set.
        layout: which it is.
        splits: which parts of it.
        threads: see ``check_dataset``.
        report: where everything is written as json, if anywhere.

    Returns:
        0 where there is no fault.

    Raises:
        DatasetError: there are faults; how many of each kind.
    """
    started = time.perf_counter()
    found = check_dataset(root, layout, splits, threads=threads)
    seconds = time.perf_counter() - started
    if report is not None:
        _write(report, root, found)
    name = f"the {LAYOUT_NAMES[layout]} data in {str(root)!r}"
    pairs = ", ".join(f"{split} {count} pairs" for split, count in found.pairs.items())
    print(f"{name}: {pairs}; {found.files} files looked at in {seconds:.1f} s")
    for line in describe(found.issues):
        print(line)
    if found.faults:
        advice = "" if report is not None else "; --report FILE writes them all"
        raise DatasetError(
            f"{name[:1].upper()}{name[1:]} have faults: {_counted(found.faults)} (warnings: "
            f"{_counted(found.warnings) or 'none'}){advice}."
        )
    told = f"no fault, warnings: {_counted(found.warnings)}" if found.warnings else "whole and consistent"
    print(f"{root}: {told}")
    return 0


def describe(issues: Iterable[Issue]) -> Iterator[str]:
    """The issues by kind, faults first, the long lists shortened."""
    kinds: dict[tuple[str, str], list[Issue]] = defaultdict(list)
    for issue in sorted(issues, key=lambda issue: issue.level):
        kinds[issue.level, issue.kind].append(issue)
    for (level, kind), found in kinds.items():
        yield f"{level}: {kind} ({len(found)})"
        yield from (f"  {issue.file}: {issue.message}" for issue in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"  … and {len(found) - SHOWN} more"


def _counted(issues: Iterable[Issue]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in Counter(issue.kind for issue in issues).items())


def _write(path: Path, root: Path, found: Report) -> None:
    content = {
        "dataset": str(root),
        "layout": found.layout,
        "pairs": found.pairs,
        "files": found.files,
        "faults": [asdict(issue) for issue in found.faults],
        "warnings": [asdict(issue) for issue in found.warnings],
    }
    try:
        write_json(path, content)
    except OSError as error:
        raise SettingError(
            f"{path} cannot be written ({error.strerror}): choose another --report."
        ) from error
