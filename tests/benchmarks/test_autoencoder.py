"""The autoencoder's benchmark: what it calls a loss, and which ways of decoding it compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.autoencoder import measure, ways
from ladi.data.opening import open_dataset
from ladi.evaluation.pairs import Pairs
from tests.drawn_shards import write_drawn_shards
from tests.toy import toy_pipeline


class Perfect:
    """An autoencoder whose latent is the picture."""

    def __init__(self, off: float = 0.0) -> None:
        self.off = off

    def encode_with_features(self, image: torch.Tensor) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        return torch.cat([image, torch.zeros_like(image)], dim=1), ()

    def decode_with_skips(self, latent: torch.Tensor) -> torch.Tensor:
        return torch.where(latent > 0, latent - self.off, latent + self.off)


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    """Two drawn pairs; LPIPS's weights are nowhere."""
    monkeypatch.setenv("LADI_NETS", str(tmp_path))
    folder = write_drawn_shards(tmp_path / "shards", train=1, val=2)
    return Pairs(open_dataset(folder, "val", order="paired", size=(64, 48), categories=None), "paired")


def test_what_is_decoded_perfectly_loses_nothing(pairs: Pairs) -> None:
    network: Any = Perfect()
    line = measure(pairs, network, None, draw=False).splitlines()[2]
    assert line.startswith("| plain | 0.000 (0.000–0.000) | 1.000 (1.000–1.000) |")


def test_the_error_is_on_a_scale_of_one_and_counts_the_mask_alone(pairs: Pairs) -> None:
    """Every pixel is off by 0.2 on [-1,1], which is 0.1 on [0,1]; prevents averaging over pasted pixels."""
    network: Any = Perfect(off=0.2)
    assert "| plain | 0.100 (" in measure(pairs, network, None, draw=False)


def test_ways_follow_the_models_parts_and_missing_networks_are_named(pairs: Pairs) -> None:
    pipeline = toy_pipeline()
    table = measure(pairs, pipeline.vae, pipeline, draw=True)
    rows = ["plain", "with EMASC", "with EMASC, garment skips fed by the photo"]
    assert list(ways(pipeline.vae, pipeline)) == rows
    assert list(ways(pipeline.vae, toy_pipeline(garment_skips=None))) == rows[:2]
    assert all(f"| {row} |" in table for row in rows)
    assert "LPIPS (VGG) not computed: LADI_NETS names" in table
