"""The flags that several commands share: which model, where it computes, and how a picture is made.

Each is written once. Nothing is checked here beyond what argparse does: the sentences on wrong values are
``ladi.settings.check_request``'s, which the page uses too.
"""

from __future__ import annotations

import argparse
import math
import os
from typing import Any

from ladi.runtime.content import NETWORKS, SIGHTS, THRESHOLD, FilterChoice
from ladi.scale.cluster import MOST_ENGINES
from ladi.setting_row import NO, YES, listed, read_size, read_switch
from ladi.settings import GROUPS, settings_table

OFF = "off"
METAVARS = {"whole": "N", "number": "X", "choice": "WORD", "size": "HxW"}


def add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    """Describe how a picture is made: all settings, or those that are named; ``settings_of`` reads them."""
    groups = {group: parser.add_argument_group(heading) for group, heading in GROUPS.items()}
    for row in settings_table().values():
        if names and row.name not in names:
            continue
        add = groups[row.group].add_argument
        # argparse formats its help with %.
        told = row.explained.replace("%", "%%")
        if row.kind != "switch":
            kind = {"whole": int, "number": float}.get(row.kind, str)
            add(
                row.flag_name,
                dest=row.name,
                type=kind,
                default=row.default,
                metavar=METAVARS[row.kind],
                help=told,
            )
        elif row.default:
            add(row.flag_name, dest=row.name, action="store_false", help=f"leave out {told}")
        else:
            add(row.flag_name, dest=row.name, action="store_true", help=told)


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What ``add_settings`` parsed, by the settings' names.

    Raises:
        SettingError: ``--size`` is not written as a size.
    """
    values = {name: getattr(options, name) for name in settings_table() if hasattr(options, name)}
    if isinstance(values.get("size"), str):
        values["size"] = read_size(values["size"], "--size")
    return values


def add_model(parser: argparse.ArgumentParser) -> None:
    """Describe the choice of a model."""
    parser.add_argument(
        "--model", default="mini", help="mini, vitonhd, dresscode, or a folder with model_index.json"
    )


def add_running(parser: Any) -> None:
    """Describe where and how a model computes; the page takes the same flags and environment variables."""
    env = os.environ.get
    add = parser.add_argument
    add("--device", default=env("LADI_DEVICE"), help="cuda, mps or cpu (LADI_DEVICE); the best there is")
    add(
        "--precision",
        default=env("LADI_PRECISION", "auto"),
        metavar="P",
        help="auto, fp32, fp16 or bf16 (LADI_PRECISION)",
    )
    add(
        "--low-memory",
        action="store_true",
        default=switched_on("LADI_LOW_MEMORY"),
        help="slower, with less memory (LADI_LOW_MEMORY)",
    )
    add(
        "--content-filter",
        nargs="?",
        const=NETWORKS[0],
        type=_network,
        metavar="NETWORK",
        default=env("LADI_CONTENT_FILTER") or None,
        help=f"keep nudity back, as {listed(NETWORKS)} sees it, or off (LADI_CONTENT_FILTER); {NETWORKS[0]} "
        "where none is named, off unless given",
    )
    add(
        "--content-threshold",
        type=_share,
        metavar="X",
        default=env("LADI_CONTENT_THRESHOLD", str(THRESHOLD)),
        help=f"score from which open-nsfw refuses, 0 to 1 (LADI_CONTENT_THRESHOLD; {THRESHOLD})",
    )
    add(
        "--content-sees",
        choices=SIGHTS,
        default=env("LADI_CONTENT_SEES", SIGHTS[0]),
        help=f"what the filter looks at (LADI_CONTENT_SEES; {SIGHTS[0]})",
    )


def running_of(options: argparse.Namespace) -> dict[str, Any]:
    """What ``add_running`` parsed, as ``Engine.load`` takes it."""
    running = {name: getattr(options, name) for name in ("device", "precision", "low_memory")}
    network = None if options.content_filter in (None, OFF) else options.content_filter
    choice = network and FilterChoice(network, options.content_threshold, options.content_sees)
    return {**running, "content_filter": choice}


def _network(text: str) -> str:
    """A content filter's network, for argparse; ``yes`` is the first, ``no`` none."""
    word = text.strip().lower()
    if word in NO:
        return OFF
    if word in YES:
        return NETWORKS[0]
    if word not in NETWORKS:
        raise argparse.ArgumentTypeError(f"must be {listed([*NETWORKS, OFF])}, got {text!r}")
    return word


def _share(text: str) -> float:
    """A number from 0 to 1, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text!r}")
    return number


def cores(text: str) -> float:
    """The cores of an engine, for argparse."""
    if not text.isdecimal() or not 0 < int(text) <= MOST_ENGINES:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return float(text)


def switched_on(variable: str) -> bool:
    """Whether an environment variable says yes; one that is empty or not set says no.

    Raises:
        SettingError: it says something else.
    """
    said = os.environ.get(variable, "").strip()
    return bool(said) and read_switch(said, variable)
