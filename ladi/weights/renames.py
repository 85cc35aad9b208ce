"""Published weights under today's names.

Renames keys of checkpoints that were written for the libraries of 2023. It loads nothing into a network: that
stays strict, in whoever does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_ATTENTION_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def rename_vae_keys(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Old attention names of a VAE (``query``, ``key``, ``value``, ``proj_attn``) → today's.

    Checkpoints older still keep these weights as 1×1 convolutions (C,C,1,1); they become matrices (C,C).
    """
    renamed = {}
    for key, tensor in state.items():
        module, _, leaf = key.rpartition(".")
        parent, _, name = module.rpartition(".")
        if name in _ATTENTION_NAMES and ".attentions." in key:
            key = f"{parent}.{_ATTENTION_NAMES[name]}.{leaf}"
            if tensor.ndim == 4:
                tensor = tensor[:, :, 0, 0]
        renamed[key] = tensor
    return renamed


def rename_text_encoder_keys(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A CLIP text encoder's keys without the former ``text_model.`` prefix and the counted positions."""
    prefix, counted = "text_model.", "embeddings.position_ids"
    bare = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    return {key: tensor for key, tensor in bare.items() if key != counted}


def rename_vision_keys(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The vision tower of a whole CLIP, or of a vision encoder with projection, as today's vision encoder.

    The text tower, both projections and the counted positions are left out: the adapter reads the last hidden
    state. A state that is a bare vision encoder's already stays as it is.
    """
    prefix, counted = "vision_model.", "embeddings.position_ids"
    bare = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    return {key: tensor for key, tensor in (bare or state).items() if key != counted}
