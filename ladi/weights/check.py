"""Is a model's folder whole, and do its parts fit each other?

It reads configurations and headers only, builds every network on the ``meta`` device and compares: keys,
shapes, file lengths, the 31 channels, the 16 pseudo-words, the widths. Whether the weights are any good it
does not say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ladi.types import ModelError
from ladi.weights.catalog import NUMBERS

HELPER_NAMES = ("parser", "matting")
"""Networks that may lie in a model's folder beside the pipeline's own."""


@dataclass
class Findings:
    """What a look at a folder brought."""

    lines: list[str] = field(default_factory=list)
    """What was seen, for the reader."""
    faults: list[str] = field(default_factory=list)


def check_model(folder: Path) -> Findings:
    """Look over a saved pipeline."""
    findings = Findings()
    index = _read_json(folder / "model_index.json", findings)
    components = {name: entry for name, entry in index.items() if isinstance(entry, list) and entry[0]}
    components |= {name: [None, None] for name in HELPER_NAMES if (folder / name / "config.json").is_file()}
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
        _check_together(parts, findings, matte=bool(index.get("garment_matte", False)))
    return findings


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


def _check_together(parts: dict[str, Any], findings: Findings, *, matte: bool) -> None:
    """What no single file can tell."""
    from ladi.diffusion.inputs import check_parts
    from ladi.weights.networks import PSEUDO_WORDS

    try:
        check_parts(parts, matte=matte)
    except ModelError as error:
        findings.faults.append(str(error))
    latent = parts["vae"].config.latent_channels
    words = parts["inversion_adapter"].config.num_words
    if words != PSEUDO_WORDS:
        findings.faults.append(f"the inversion adapter makes {words} pseudo-words instead of {PSEUDO_WORDS}")
    channels = parts["unet"].config.in_channels
    findings.lines.append(
        f"{channels} input channels = 3·{latent} + {20 if matte else 19}, {words} pseudo-words"
    )


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
