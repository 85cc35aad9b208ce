"""Weights and configuration of one network → its subfolder of a saved pipeline.

Shards are written one after the other, so that no more than one of them is in memory; the files are those
that diffusers and transformers write themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from ladi.models.precision import KeepFloat32
from ladi.weights.table import Precision

SHARD_BYTES = 1_000_000_000
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "fp16": torch.float16}


def write_network(
    network: nn.Module, weights: Mapping[str, torch.Tensor], folder: Path, precision: Precision
) -> None:
    """Write a network's configuration and weights.

    Args:
        network: on the ``meta`` device, for its configuration.
        weights: with the network's keys and shapes.
        folder: is made.
        precision: of the weights; networks that stay in float32 do so here too.
    """
    folder.mkdir(parents=True)
    dtype = torch.float32 if isinstance(network, KeepFloat32) else DTYPES[precision]
    saved: Any = network
    config = saved.config
    if hasattr(saved, "save_config"):
        saved.save_config(folder)
        stem = "diffusion_pytorch_model"
    else:
        config.architectures, config.dtype = [type(network).__name__], dtype
        config.save_pretrained(folder)
        stem = "model"
    shards = list(_split(weights, dtype))
    names = [f"{stem}-{index + 1:05}-of-{len(shards):05}.safetensors" for index in range(len(shards))]
    if len(shards) == 1:
        names = [f"{stem}.safetensors"]
    for name, keys in zip(names, shards, strict=True):
        # Copied, because safetensors wants each tensor in memory of its own, and the mapping is one block.
        tensors = {key: _cast(weights[key], dtype).contiguous().clone() for key in keys}
        save_file(tensors, folder / name, metadata={"format": "pt"})
    if len(shards) > 1:
        where = {key: name for name, keys in zip(names, shards, strict=True) for key in keys}
        total = sum(_bytes(tensor, dtype) for tensor in weights.values())
        index = {"metadata": {"total_size": total}, "weight_map": where}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def _split(weights: Mapping[str, torch.Tensor], dtype: torch.dtype) -> Iterator[list[str]]:
    """Keys in order, in groups that are about a shard long."""
    keys: list[str] = []
    size = 0
    for key, tensor in weights.items():
        if keys and size + _bytes(tensor, dtype) > SHARD_BYTES:
            yield keys
            keys, size = [], 0
        keys.append(key)
        size += _bytes(tensor, dtype)
    yield keys


def _cast(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Counters keep their type."""
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _bytes(tensor: torch.Tensor, dtype: torch.dtype) -> int:
    return tensor.numel() * (dtype.itemsize if tensor.is_floating_point() else tensor.itemsize)
