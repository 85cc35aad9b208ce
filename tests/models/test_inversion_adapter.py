"""The inversion adapter at toy size."""

from __future__ import annotations

import torch

from ladi.models.inversion_adapter import InversionAdapter


def toy_adapter(**sizes) -> InversionAdapter:
    """Four words of width eight."""
    return InversionAdapter(
        hidden_size=16, intermediate_size=32, num_heads=2, mlp_width=24, num_words=4, word_dim=8, **sizes
    )


def test_words_come_from_the_whole_picture():
    """Prevents: an adapter that looks at its first token without attending to the others."""
    adapter = toy_adapter().eval()
    features = torch.randn(2, 5, 16, requires_grad=True)
    words = adapter(features)
    assert words.shape == (2, 4, 8)
    words.sum().backward()
    assert features.grad is not None and bool((features.grad.abs().sum(-1) > 0).all())


def test_dropout_in_training_only():
    """Prevents: words that differ from call to call when sampling."""
    adapter, features = toy_adapter(), torch.randn(1, 5, 16)
    assert not torch.equal(adapter.train()(features), adapter(features))
    assert torch.equal(adapter.eval()(features), adapter(features))


def test_two_layers_save_and_load(tmp_path):
    """Prevents: sizes that are not kept with the weights."""
    adapter, features = toy_adapter(num_layers=2).eval(), torch.randn(1, 5, 16)
    adapter.save_pretrained(tmp_path)
    assert torch.allclose(InversionAdapter.from_pretrained(tmp_path)(features), adapter(features), atol=1e-6)
