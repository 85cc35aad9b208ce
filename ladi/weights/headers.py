"""What safetensors files say about themselves in their headers: keys, shapes, types and their own length.

A header is a few kilobytes at the start of a file, so gigabytes are looked over in no time. Values are not
read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

STEMS = ("diffusion_pytorch_model", "model")
LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000
"""safetensors' own limit."""


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
        try:
            header = read_header(path)
        except (OSError, ValueError) as error:
            faults.append(f"{name} {error if isinstance(error, ValueError) else 'is missing'}")
            continue
        size += path.stat().st_size
        for key, entry in header.items():
            if where and where.get(key) != name:
                faults.append(f"{name} holds {key!r}, which the index does not place there")
            shapes[key] = tuple(entry["shape"])
            dtypes.add(entry["dtype"])
    return Weights(shapes, frozenset(dtypes), size, tuple(faults))


def read_header(path: Path) -> dict[str, dict]:
    """A safetensors file's entries by key.

    Raises:
        ValueError: the header cannot be read, or the file is not as long as it promises.
        OSError: there is no such file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > min(size, LONGEST_HEADER):
            raise ValueError("is truncated or no safetensors file")
        try:
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("has a header that cannot be read") from error
    if size != LENGTH_BYTES + length + end:
        raise ValueError(f"is {size} bytes long instead of {LENGTH_BYTES + length + end}")
    return header


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
