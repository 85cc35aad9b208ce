"""Where a model's parts come from: the base as it is published, a saved model, the stages' own results."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ladi.training.paper_model import run_stages
from ladi.training.parts import Parts
from ladi.types import ModelError
from ladi.weights import table
from ladi.weights.networks import build_parts
from ladi.weights.reading import read_weights
from tests.training.conftest import Places, job_from
from tests.weights.published import TOY, write_base, write_vision


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Base and vision encoder with the keys and files of the hub's repositories."""
    write_base(tmp_path / "base", TOY)
    write_vision(tmp_path / "vision", TOY)
    return tmp_path


def parts_of(folder: Path) -> Parts:
    return Parts(folder, base=str(folder / "base"), vision=str(folder / "vision"), recipe=TOY)


@pytest.mark.parametrize("name", ["vae", "text_encoder", "vision_encoder"])
def test_the_base_in_its_published_format_is_read_to_the_last_weight(name: str, published: Path) -> None:
    """Prevents: training for weeks on a random text encoder because keys were called otherwise in 2023."""
    source = table.VISION if name == "vision_encoder" else table.BASE
    file = next(file for file in source.files if file.parts and file.parts[0].component == name)
    path = published / ("vision" if source is table.VISION else "base") / file.name
    wanted = read_weights(path, file.parts[0], build_parts(TOY, {})[name])
    found = parts_of(published).network(name).state_dict()
    assert len(wanted) > 30 and all(torch.equal(found[key], value) for key, value in wanted.items())


def test_a_base_that_lacks_a_weight_is_refused(published: Path) -> None:
    """Prevents: random numbers in its place, with nothing but a warning."""
    path = published / "base" / "text_encoder" / "model.safetensors"
    state = load_file(path)
    name = next(key for key in state if key.endswith("mlp.fc1.weight"))
    save_file({key: value for key, value in state.items() if key != name}, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="The text_encoder in .* lacks .*fc1.weight' and so does not fit"):
        parts_of(published).network("text_encoder")


def test_a_base_without_its_unet_says_which_file_is_missing(published: Path) -> None:
    """Prevents: finding out in stage 3 that the converted model's base was not enough."""
    (published / "base" / "unet" / "config.json").unlink()
    with pytest.raises(ModelError, match="lacks unet/config.json, unet/diffusion_pytorch_model.safetensors"):
        parts_of(published).plain_unet()


def test_what_was_trained_comes_before_what_was_started_from(places: Places, tmp_path: Path) -> None:
    """Prevents: a stage that builds on the model of before, and one that starts from its own result."""
    job = job_from(places, tmp_path)
    before = job.parts.network("tps").state_dict()
    run_stages(job, ["warp"])
    after, left_out = (job.parts.network("tps", without=names).state_dict() for names in ((), ("warp",)))
    key = "loc_net.regression.linear.weight"
    assert not torch.equal(before[key], after[key]) and torch.equal(before[key], left_out[key])
