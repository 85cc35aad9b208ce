"""The garment skips as a module."""

from __future__ import annotations

import pytest
import torch

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.garment_skips import GarmentSkips
from ladi.settings import Switches
from tests.toy import pictures, same, toy_garment_skips, toy_pipeline

FEATURES, SKIPS = (4, 4, 8), (4, 8, 8)


def test_nothing_passes_outside_the_mask() -> None:
    """Prevents: the garment showing on the wall behind the person."""
    skips = toy_garment_skips(FEATURES, SKIPS)
    features = [torch.randn(1, width, 16 >> depth, 16 >> depth) for depth, width in enumerate(FEATURES)]
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:8, 4:8] = 1
    for depth, width in enumerate(SKIPS):
        size = 16 >> depth
        added = skips(features, mask, depth, torch.randn(1, width, size, size))
        inside = torch.zeros(1, 1, size, size)
        inside[..., 4 >> depth : 8 >> depth, 4 >> depth : 8 >> depth] = 1
        assert added.shape == (1, width, size, size)
        assert not (added * (1 - inside)).any()
        assert (added * inside).any()


def test_untrained_they_change_nothing() -> None:
    """Prevents: a training that has to unlearn noise before it learns."""
    skips = GarmentSkips(FEATURES, SKIPS, hidden_channels=(4, 4, 4))
    features = [torch.randn(1, width, 8, 8) for width in FEATURES]
    assert not skips(features, torch.ones(1, 1, 8, 8), 1, torch.randn(1, 8, 8, 8)).any()


def test_a_model_without_them_decodes_as_with_them_off() -> None:
    """Prevents: the published model decoding other than published."""
    torch.manual_seed(0)
    with_them = toy_pipeline()
    off = with_them.components | {"garment_skips": None}
    switched = pictures(with_them, switches=Switches(garment_skips=False))
    assert same(switched, pictures(toy_pipeline(**off)))
    assert not same(switched, pictures(with_them))


def test_a_pipeline_without_them_saves_and_loads(tmp_path) -> None:
    """Prevents: an optional part that every folder must nevertheless have."""
    pipeline = toy_pipeline(garment_skips=None)
    pipeline.save_pretrained(tmp_path)
    loaded = LadiVtonPipeline.from_pretrained(tmp_path)
    assert loaded.garment_skips is None
    loaded.set_progress_bar_config(disable=True)
    assert same(pictures(loaded), pictures(pipeline))


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="equally long"):
        GarmentSkips((4,), (4, 8), (4,))
