"""What safetensors files say about themselves in their headers: keys, shapes, types and their own length.

A header is a few kilobytes at the start of a file, so gigabytes are looked over in no time. Values are not
read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

STEMS = ("diffusion_pytorch_model", "model")


@dataclass(frozen=True)
class Weights:
    """What the headers of one network's files promise."""

    shapes: dict[str, tuple[int, ...]]
    dtypes: frozenset[str]
    """As safetensors writes them: ``F32``, ``F16``, ``I64``."""
    size: int
    """Bytes on disk."""
    faults: tuple[str, ...]
    """What is wrong with the files, in words."""


def read_weights_headers(folder: Path) -> Weights:
    """One network's files: a single one, or shards with their index."""
    shapes: dict[str, tuple[int, ...]] = {}
    dtypes: set[str] = set()
    faults: list[str] = []
    names, where = _files(folder, faults)
    size = 0
    for name in names:
        path = folder / name
        if not path.is_file():
            faults.append(f"{name} is missing")
            continue
        size += path.stat().st_size
        try:
            with safe_open(path, "np") as file:
                entries = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118 — no mapping
                shapes |= {key: tuple(entry.get_shape()) for key, entry in entries.items()}
                dtypes |= {entry.get_dtype() for entry in entries.values()}
        except (OSError, SafetensorError) as error:
            faults.append(f"{name} is truncated or no safetensors file ({error})")
            continue
        astray = [key for key in entries if where and where.get(key) != name]
        faults += [f"{name} holds {key!r}, which the index does not place there" for key in astray]
    return Weights(shapes, frozenset(dtypes), size, tuple(faults))


def _files(folder: Path, faults: list[str]) -> tuple[list[str], dict[str, str]]:
    """A network's files, and for shards which key lies in which."""
    for stem in STEMS:
        if (folder / f"{stem}.safetensors").is_file():
            return [f"{stem}.safetensors"], {}
        index = folder / f"{stem}.safetensors.index.json"
        if index.is_file():
            try:
                where = dict(json.loads(index.read_text())["weight_map"])
            except (ValueError, KeyError, TypeError):
                faults.append(f"{index.name} cannot be read")
                return [], {}
            return sorted(set(where.values())), where
    faults.append("there are no weights (safetensors)")
    return [], {}
