"""Random numbers by sample, pairs as batches, and how they are read ahead."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ladi.data.opening import open_dataset
from ladi.preprocess.mask import inpaint_mask
from ladi.preprocess.pose_map import pose_map
from ladi.training.loop.draws import Draws, dropout_from
from ladi.training.loop.feeding import Shares, feed, indices_of_step
from ladi.training.paper_model import build_stage
from ladi.training.samples.pairs import all_pairs, pair_batch, pictures
from ladi.types import LadiError
from tests.drawn_datasets import write_dress_code
from tests.training.conftest import Places, job_from


def test_a_samples_numbers_depend_on_its_place_alone() -> None:
    """Prevents: processes that repeat each other's noise."""
    whole, half = Draws(3, 5, range(4)), Draws(3, 5, range(2, 4))
    for draw in (lambda d: d.normal((2, 3)), lambda d: d.integers(1000), lambda d: d.chance(0.5, (7,))):
        assert torch.equal(draw(whole)[2:], draw(half))
    assert not torch.equal(Draws(3, 6, range(4)).normal((2,)), Draws(3, 5, range(4)).normal((2,)))
    assert not torch.equal(Draws(4, 5, range(4)).normal((2,)), Draws(3, 5, range(4)).normal((2,)))
    many = Draws(0, 0, range(2000))
    assert abs(float(many.chance(0.2).float().mean()) - 0.2) < 0.03
    assert abs(float(many.normal((1,)).std()) - 1) < 0.05


def test_dropout_draws_by_sample_and_keeps_the_mean() -> None:
    """Prevents: dropout that differs between one process and two, or that scales what is left wrongly."""
    layer = nn.Sequential(nn.Dropout(0.5), nn.Identity())
    ones = torch.ones(4, 1000)
    with dropout_from(Draws(0, 0, range(4)), [layer]):
        whole = layer(ones)
    with dropout_from(Draws(0, 0, range(2, 4)), [layer]):
        half = layer(ones[2:])
    assert torch.equal(whole[2:], half) and set(whole.unique().tolist()) == {0.0, 2.0}
    assert abs(float(whole.mean()) - 1) < 0.1
    with dropout_from(Draws(0, 0, range(4)), [layer.eval()]):
        assert torch.equal(layer(ones), ones)


def test_a_batch_has_the_published_mask_pose_and_target(places: Places) -> None:
    """Prevents: a model trained on other masks and poses than it is used with."""
    pairs = open_dataset(places.data, "train", size=(128, 96))
    sample, read = pairs[1], pictures(pair_batch(pairs, [1, 0]))
    mask = inpaint_mask(sample.labels, sample.keypoints, category="upper_body", scheme="lip")
    assert np.array_equal(read["mask"][0, 0].numpy() > 0, mask)
    assert torch.equal(read["pose_map"][:1], pose_map(sample.keypoints, (128, 96)))
    assert torch.equal(read["masked"][0][:, torch.from_numpy(mask)], torch.zeros(3, int(mask.sum())))
    worn = torch.from_numpy(np.isin(sample.labels, (5, 6, 7)))
    assert torch.equal(read["target"][0][:, ~worn], torch.ones(3, int((~worn).sum())))
    assert torch.equal(read["target"][0][:, worn], read["image"][0][:, worn])
    wide = pictures(pair_batch(pairs, [1]), sigma=9.0)["pose_map"]
    assert torch.equal(wide, pose_map(sample.keypoints, (128, 96), 9.0))


def test_dress_codes_garments_are_told_apart(tmp_path: Path) -> None:
    """Prevents: a skirt whose target is the blouse above it, and prompts of another category."""
    root = write_dress_code(tmp_path, "lower_body", [0])
    batch = pair_batch(open_dataset(root, "test", size=(128, 96)), [0])
    labels = open_dataset(root, "test", size=(128, 96))[0].labels
    assert np.array_equal(batch["worn"][0].numpy(), np.isin(labels, (5, 6))) and batch["worn"].any()
    assert batch["category"].tolist() == [1]


def test_workers_bring_the_same_batches_in_order(places: Places, tmp_path: Path) -> None:
    """Prevents: samples that depend on which worker was faster."""
    stage = build_stage(job_from(places, tmp_path), "warp")
    alone = list(feed(stage, 0, 1, range(3)))
    helped = replace(stage, options=replace(stage.options, workers=2))
    for one, other in zip(alone, feed(helped, 0, 1, range(3)), strict=True):
        assert all(torch.equal(one.batch[key], other.batch[key]) for key in one.batch)
    second = next(iter(feed(stage, 1, 2, range(1))))
    assert torch.equal(second.batch["image"], alone[0].batch["image"][2:])
    shares = pickle.loads(pickle.dumps(Shares(stage, 0, 1)))  # as where processes do not fork
    assert torch.equal(shares[1]["image"], alone[1].batch["image"])
    assert len(set(indices_of_step(5, 4, 0, 0))) == 4


def test_a_picture_that_cannot_be_read_is_named_in_one_sentence(places: Places, tmp_path: Path) -> None:
    """Prevents: a worker's traceback where the broken file's name should be."""
    data = shutil.copytree(places.data, tmp_path / "data")
    for path in (data / "train" / "cloth").iterdir():
        path.write_bytes(b"no picture")
    job = replace(job_from(places, tmp_path, workers=2), data=data)
    stage = build_stage(job, "warp")
    with pytest.raises(LadiError, match=r"^The picture .*cloth.* is damaged and cannot be read"):
        next(feed(stage, 0, 1, range(1)))
    with pytest.raises(LadiError, match=r"^The picture .*cloth.* is damaged"):
        list(all_pairs(stage.batch.__self__.train, workers=1))  # type: ignore[attr-defined]
