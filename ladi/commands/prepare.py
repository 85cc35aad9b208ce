"""The command ``prepare``: your own photos into a data set that everything else reads.

It finds the pictures, has garments and then people made ready on one process or several (``data/preparing``),
and writes which belong together. What is done is not done again, and a picture that fails stops no other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladi.data.prepared import MANIFEST, Pair, write_list
from ladi.data.preparing.folder import manifest, start_folder
from ladi.data.preparing.pairing import choose_pairs, find_pictures, read_pairs_file, same_names
from ladi.data.preparing.workers import told, workers
from ladi.files import write_json
from ladi.types import SettingError

if TYPE_CHECKING:
    from ladi.data.preparing.pictures import Outcome, PrepareOptions

EXIT_SOME_FAILED = 2


def add_parser(subparsers: Any) -> None:
    """Describe the ``prepare`` command to argparse."""
    parser = subparsers.add_parser(
        "prepare",
        help="your own photos into a data set",
        description="Your own photos into a data set: joints, labels, garments on the model's "
        "background. The same command goes on where it stopped.",
    )
    parser.set_defaults(func=run)
    add = parser.add_argument
    add("people", type=Path, metavar="PEOPLE", help="folder with photos of one person each")
    add("garments", type=Path, metavar="GARMENTS", help="folder with pictures of one garment each")
    add("--out", type=Path, required=True, metavar="DIR", help="where the data set goes")
    add("--split", default="test", metavar="NAME", help="which part of it these pictures are (%(default)s)")
    add(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="who wears which garment: person and garment in each line; else those of the same name",
    )
    add(
        "--unpaired",
        type=Path,
        metavar="FILE",
        help="who tries on which garment; else everybody the next one of the kind that they wear",
    )
    add(
        "--category",
        choices=("auto", "upper_body", "lower_body", "dresses"),
        default="auto",
        help="kind of all garments; auto looks at each one's outline",
    )
    add(
        "--model",
        default="mini",
        help="whose ways and helpers: mini, vitonhd, dresscode, or a model's folder",
    )
    add("--size", metavar="HxW", help="of the pictures written, 256x192 to 1024x768; the model's own")
    add("--garment-background", default="auto", metavar="HOW", help="auto, keep, embedded, or a rembg model")
    add("--device", help="cuda, mps or cpu; the best there is")
    add("--processes", type=int, default=1, metavar="N", help="so many at once (%(default)s)")
    add("--anew", action="store_true", help="throw away what this split has, and start again")


def run(options: argparse.Namespace) -> int:
    """The command.

    Returns:
        0, or 2 where a picture failed or no pair came of it; the rest is prepared all the same.
    """
    people, garments = find_pictures(options.people, "people"), find_pictures(options.garments, "garments")
    lists = {
        name: None if path is None else read_pairs_file(path, people, garments)
        for name, path in (("paired", options.pairs), ("unpaired", options.unpaired))
    }
    if options.processes < 1:
        raise SettingError(f"--processes must be a whole number from 1, got {options.processes}.")
    settings = read_settings(options)
    folder = options.out / options.split
    start_folder(folder, settings, anew=options.anew)
    from ladi.data.preparing.pictures import Task

    with workers(options.processes) as apply:
        tasks = [Task("garment", *item, folder, settings, device=options.device) for item in garments.items()]
        made = list(told(apply(tasks), len(tasks), "garments"))
        kinds = {outcome.task.name: outcome.category for outcome in made if outcome.failure is None}
        categories = {name: kinds[name] for name in garments if name in kinds}
        pairs = choose_pairs(list(people), lists, same_names(people, garments), categories)
        wanted = dict.fromkeys((pair.person, pair.category) for listed in pairs.values() for pair in listed)
        tasks = [
            Task("person", name, people[name], folder, settings, category, options.device)
            for name, category in wanted
        ]
        made += told(apply(tasks), len(tasks), "people")
    dressed = [outcome for outcome in made if outcome.task.kind == "person" and outcome.failure is None]
    ready = {(outcome.task.name, outcome.category) for outcome in dressed}
    for order, listed in pairs.items():
        pairs[order] = [pair for pair in listed if (pair.person, pair.category) in ready]
        write_list(folder / f"{order}.csv", pairs[order])
    write_json(folder / MANIFEST, manifest(settings, made))
    return summarise(folder, people, garments, made, pairs)


def read_settings(options: argparse.Namespace) -> PrepareOptions:
    """What the command line asks for, with the model's own size put in.

    Raises:
        LadiError: it cannot be had.
    """
    from ladi.data.preparing.pictures import PrepareOptions, own_size
    from ladi.preprocess.cleaner import LOCAL_MODELS, model_file
    from ladi.setting_row import check_size, read_size
    from ladi.weights.catalog import check_category

    size = own_size(options.model) if options.size is None else read_size(options.size)
    check_size(size)
    check_category(options.category, model=options.model)
    how = options.garment_background
    if how not in ("auto", "keep", "embedded", *LOCAL_MODELS):
        allowed = ", ".join(("auto", "keep", "embedded", *LOCAL_MODELS))
        raise SettingError(f"--garment-background must be one of {allowed}, got {how!r}.")
    if how in LOCAL_MODELS and model_file(how) is None:
        raise SettingError(f"The background model {how!r} is not on this machine: choose auto or embedded.")
    return PrepareOptions(options.model, size, options.category, how)


def summarise(
    folder: Path,
    people: Mapping[str, Path],
    garments: Mapping[str, Path],
    outcomes: Sequence[Outcome],
    pairs: Mapping[str, Sequence[Pair]],
) -> int:
    """Print what came of it; gives the exit code."""
    failed = {(outcome.task.kind, outcome.task.name) for outcome in outcomes if outcome.failure is not None}
    ready = {(outcome.task.kind, outcome.task.name) for outcome in outcomes} - failed
    dressed = sum(kind == "person" for kind, _ in ready)
    unused = len(people) - len({outcome.task.name for outcome in outcomes if outcome.task.kind == "person"})
    shown = len(ready) - dressed
    print(f"{dressed} of {len(people)} people and {shown} of {len(garments)} garments are ready in {folder}")
    print(f"pairs: {len(pairs['paired'])} worn, {len(pairs['unpaired'])} to try on")
    print(f"pictures that were ready before: {sum(outcome.kept for outcome in outcomes)}")
    if unused:
        print(f"people in no pair, left out: {unused}")
    if failed:
        print(f"pictures that failed: {len(failed)}; {folder / MANIFEST} says why.", file=sys.stderr)
    if not any(pairs.values()):
        print(
            "No pair came of it: give a garment the name of the person who wears it, or a list with --pairs.",
            file=sys.stderr,
        )
    return 0 if any(pairs.values()) and not failed else EXIT_SOME_FAILED
