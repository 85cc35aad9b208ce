"""Renaming old keys."""

from __future__ import annotations

import torch

from ladi.weights.renames import rename_text_encoder_keys, rename_vae_keys


def test_old_attention_of_a_vae():
    """Prevents: attention kept as 1×1 convolutions failing to load, or like-named keys being renamed."""
    old = {
        "encoder.mid_block.attentions.0.query.weight": torch.ones(4, 4, 1, 1),
        "encoder.mid_block.attentions.0.proj_attn.bias": torch.ones(4),
        "encoder.mid_block.attentions.0.group_norm.weight": torch.ones(4),
        "decoder.conv_in.weight": torch.ones(4, 4, 1, 1),
    }
    new = rename_vae_keys(old)
    assert {key: tuple(tensor.shape) for key, tensor in new.items()} == {
        "encoder.mid_block.attentions.0.to_q.weight": (4, 4),
        "encoder.mid_block.attentions.0.to_out.0.bias": (4,),
        "encoder.mid_block.attentions.0.group_norm.weight": (4,),
        "decoder.conv_in.weight": (4, 4, 1, 1),
    }


def test_todays_keys_stay():
    """Prevents: renaming twice."""
    new = {"encoder.mid_block.attentions.0.to_q.weight": torch.ones(4, 4)}
    assert rename_vae_keys(new).keys() == new.keys()


def test_text_encoder():
    """Prevents: the position counter of old files breaking a strict load."""
    old = {
        "text_model.embeddings.position_ids": torch.arange(77),
        "text_model.final_layer_norm.bias": torch.ones(4),
    }
    assert list(rename_text_encoder_keys(old)) == ["final_layer_norm.bias"]
