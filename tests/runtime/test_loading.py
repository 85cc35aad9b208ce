"""What a model's folder holds beside its own parts does not keep it from being loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ladi.runtime import loading
from ladi.runtime.devices import choose_running
from ladi.weights.catalog import MODELS
from ladi.weights.check import check_model

KIND = {"_class_name": "GarmentKind", "_diffusers_version": "0.42.0", "side": 64, "widths": [32, 48, 72, 112]}
"""As it was written while garments' kinds were told by a network."""


@pytest.fixture
def with_kind(tmp_path: Path) -> Path:
    """The embedded model with the folder that an earlier version left; nobody can read its weights."""
    for part in MODELS["mini"].iterdir():
        (tmp_path / part.name).symlink_to(part)
    folder = tmp_path / "kind"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(KIND))
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"nobody reads this")
    return tmp_path


def test_a_network_that_is_no_more_is_passed_over(with_kind: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents: a model saved while there was a network for garments' kinds, and "incomplete or damaged"."""
    pipeline, _, _ = loading.load_networks(str(with_kind), choose_running("cpu"))
    assert "kind" not in pipeline.components
    monkeypatch.setattr(loading, "HELPERS", with_kind)
    assert all(loading.load_garment_networks(lining=True))
    assert check_model(with_kind).faults == []
