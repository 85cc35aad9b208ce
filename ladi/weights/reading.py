"""A weights file → one network's weights, without running anything that the file might carry.

Tensors stay mapped to the file, so that reading takes no memory until they are used. What comes back has
exactly the keys and shapes of its network, or there is one sentence.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ladi.types import ModelError
from ladi.weights.networks import differences, shapes_of
from ladi.weights.table import Part

_BAD_DATA = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What PyTorch's unpickler raises on text, on nothing at all and on what is nested too deep."""


def read_weights(path: Path, part: Part, network: nn.Module, *, name: str | None = None) -> dict[str, Any]:
    """One network's weights from a file, under today's keys.

    Args:
        path: safetensors, or a file of ``torch.save``.
        part: which weights in it.
        network: of the same sizes, for its keys and shapes; nothing is loaded into it.
        name: what the file is called in messages, if not as on disk.

    Returns:
        Tensors by key, in the precision of the file.

    Raises:
        ModelError: the file is damaged, holds code, or does not fit the network.
    """
    name = name or path.name
    state = read_state(path, name)
    if part.entry:
        if part.entry not in state:
            raise ModelError(f"{name} lacks the entry {part.entry!r}: get the published file.")
        state = state[part.entry]
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(f"{name} holds something else than named weights: get the published file.")
    weights = part.rename(state)
    complaint = differences(shapes_of(network), {key: tuple(value.shape) for key, value in weights.items()})
    if complaint:
        raise ModelError(f"{name} {complaint}: get the published file of this model.")
    return weights


def read_state(path: Path, name: str) -> Mapping[str, Any]:
    """What a file holds, mapped to it; nothing in it is run.

    Raises:
        ModelError: it cannot be read, or would run code.
    """
    damaged = f"{name} is truncated or damaged: delete it and run the download again."
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(damaged) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        if "unsupported global" not in str(error).lower():
            raise ModelError(damaged) from error
        raise ModelError(
            f"{name} holds code that loading would run, not weights alone; it was not run. Delete the "
            f"file and get the published one."
        ) from error
    except _BAD_DATA as error:
        raise ModelError(damaged) from error
    if not isinstance(state, Mapping):
        raise ModelError(f"{name} holds something else than named weights: get the published file.")
    return state
