"""The inversion adapter at its published size against the published implementation."""

from __future__ import annotations

import numpy as np
import torch

from ladi.models.inversion_adapter import InversionAdapter
from tests.reference.filled import manifest, published_state


def test_inversion_adapter(reference_dir, fill, values, assert_close):
    """Prevents: another head count or activation, the wrong token, dropout left on."""
    expected = np.load(reference_dir / "inversion_adapter.npz")
    with torch.device("meta"):
        adapter = InversionAdapter().eval()
    state = published_state(manifest(reference_dir)["inversion_adapter"], fill)
    adapter.load_state_dict(state, assign=True)
    with torch.no_grad():
        words = adapter(values("clip_features", (2, 257, 1280), 0.5))
    assert words.shape == (2, 16, 1024)
    assert_close(words.flatten(1)[:, ::16], expected["out"])
