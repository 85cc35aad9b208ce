"""Text with pseudo-words, against the published implementation."""

from __future__ import annotations

import numpy as np
import torch

from ladi.diffusion.conditioning import encode_text
from tests.reference.filled import PLACEHOLDER_ID, empty_ids, filled_text_encoder, text_ids


def test_pseudo_words_in_text(reference_dir, fill, values, assert_close):
    """Prevents: words put in after the positions, at other places, or past the causal mask."""
    expected = np.load(reference_dir / "text.npz")
    encoder = filled_text_encoder(reference_dir, fill)
    with torch.no_grad():
        hidden = encode_text(encoder, text_ids(), values("pte", (2, 16, 32)), PLACEHOLDER_ID)
        unconditional = encode_text(encoder, empty_ids())
    assert_close(hidden, expected["hidden"])
    assert_close(unconditional, expected["uncond"])
