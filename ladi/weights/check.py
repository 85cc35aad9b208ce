"""The command ``check``: is this folder whole, and do its parts fit each other?

A data set is handed to ``ladi/data/check.py``. Of a model it reads configurations and headers only, builds
every network on the ``meta`` device and compares: keys, shapes, file lengths, the 31 channels, the 16
pseudo-words, the widths. It does not say whether the weights are any good.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ladi.types import ModelError

HELPERS = ("parser", "matting")
"""Networks that may lie in a model's folder beside the pipeline's own."""
NUMBERS = ("default_steps", "default_guidance", "height", "width")


@dataclass
class Findings:
    """What a look at a folder brought."""

    lines: list[str] = field(default_factory=list)
    """What was seen, for the reader."""
    faults: list[str] = field(default_factory=list)


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
    if not any((options.folder / marker).is_file() for marker, _, _ in KINDS):
        from ladi.data.opening import recognise_layout

        layout = recognise_layout(options.folder)
        if layout is not None:
            from ladi.data.check import run_check

            return run_check(
                options.folder, layout, options.split, threads=options.threads, report=options.report
            )
    kind, check = recognise(options.folder)
    findings = check(options.folder)
    for line in findings.lines:
        print(line)
    if findings.faults:
        count = len(findings.faults)
        words = "one fault" if count == 1 else f"{count} faults"
        raise ModelError(f"The {kind} in {str(options.folder)!r} has {words}: {'; '.join(findings.faults)}.")
    print(f"{options.folder}: the {kind} is whole and consistent")
    return 0


def recognise(folder: Path) -> tuple[str, Callable[[Path], Findings]]:
    """What a folder holds, and what checks that.

    Raises:
        ModelError: nothing that is known.
    """
    if not folder.is_dir():
        raise ModelError(f"There is no folder {str(folder)!r}: name one that holds a model or a data set.")
    for marker, kind, check in KINDS:
        if (folder / marker).is_file():
            return kind, check
    from ladi.data.opening import what_is_known

    markers = " or ".join(f"{marker} ({kind})" for marker, kind, _ in KINDS)
    raise ModelError(
        f"The folder {str(folder)!r} holds nothing that can be checked: it has no {markers}, and no data "
        f"set: {what_is_known()}. Name the folder that has it."
    )


def check_model(folder: Path) -> Findings:
    """Look over a saved pipeline."""
    findings = Findings()
    index = _read_json(folder / "model_index.json", findings)
    components = {name: entry for name, entry in index.items() if isinstance(entry, list) and entry[0]}
    components |= {name: [None, None] for name in HELPERS if (folder / name / "config.json").is_file()}
    _check_index(index, findings)
    parts: dict[str, Any] = {}
    for name, (_, kind) in components.items():
        if name == "scheduler":
            _read_json(folder / name / "scheduler_config.json", findings)
        elif name == "tokenizer":
            _check_tokenizer(folder / name, findings)
        else:
            parts[name] = _check_network(folder / name, kind, findings)
    if not findings.faults:
        _check_together(parts, findings)
    return findings


KINDS: tuple[tuple[str, str, Callable[[Path], Findings]], ...] = (("model_index.json", "model", check_model),)
"""What can be checked: the file that tells it, its name, and the check."""


def _check_index(index: dict[str, Any], findings: Findings) -> None:
    """All parts of a pipeline must be named, and its defaults be numbers."""
    from ladi.weights.networks import COMPONENTS

    needed = {*COMPONENTS, "scheduler", "tokenizer"}
    if absent := sorted(needed - index.keys()):
        findings.faults.append(f"model_index.json does not name {', '.join(absent)}")
    if absent := [name for name in NUMBERS if not isinstance(index.get(name), int | float)]:
        findings.faults.append(f"model_index.json has no number for {', '.join(absent)}")


def _check_tokenizer(folder: Path, findings: Findings) -> None:
    """Either of the two formats."""
    old = all((folder / name).is_file() for name in ("vocab.json", "merges.txt"))
    if not old and not (folder / "tokenizer.json").is_file():
        findings.faults.append("tokenizer has neither tokenizer.json nor vocab.json with merges.txt")


def _check_network(folder: Path, kind: str | None, findings: Findings) -> Any:
    """Compare one network's headers with its configuration; gives the network on the ``meta`` device."""
    from ladi.weights.headers import read_weights_headers
    from ladi.weights.networks import build, differences, shapes_of

    before = len(findings.faults)
    config = _read_json(folder / "config.json", findings)
    weights = read_weights_headers(folder)
    findings.faults += [f"{folder.name}: {fault}" for fault in weights.faults]
    if len(findings.faults) > before:
        return None
    try:
        network = build(kind or config.get("_class_name", "a network without a class"), config)
    except ModelError as error:
        findings.faults.append(f"{folder.name}: {error}")
        return None
    if complaint := differences(shapes_of(network), weights.shapes):
        findings.faults.append(f"{folder.name} {complaint}")
    types = "+".join(sorted(weights.dtypes))
    name = f"{folder.name:<18} {type(network).__name__:<28}"
    findings.lines.append(
        f"{name} {len(weights.shapes):>5} tensors {types:<12} {weights.size / 1e6:>9.1f} MB"
    )
    return network


def _check_together(parts: dict[str, Any], findings: Findings) -> None:
    """What no single file can tell."""
    from ladi.inputs import check_parts
    from ladi.weights.networks import PSEUDO_WORDS

    try:
        check_parts(parts)
    except ModelError as error:
        findings.faults.append(str(error))
    latent = parts["vae"].config.latent_channels
    words = parts["inversion_adapter"].config.num_words
    if words != PSEUDO_WORDS:
        findings.faults.append(f"the inversion adapter makes {words} pseudo-words instead of {PSEUDO_WORDS}")
    channels = parts["unet"].config.in_channels
    findings.lines.append(f"{channels} input channels = 3·{latent} + 19, {words} pseudo-words")


def _read_json(path: Path, findings: Findings) -> dict[str, Any]:
    """A file's content; empty, and a fault, where it cannot be read."""
    name = path.name if path.name == "model_index.json" else f"{path.parent.name}/{path.name}"
    try:
        return dict(json.loads(path.read_text()))
    except OSError:
        findings.faults.append(f"{name} is missing")
    except (ValueError, TypeError):
        findings.faults.append(f"{name} is no JSON")
    return {}
