"""The embedded model's training, for real, on drawn pairs: a step of every stage, export, and reload."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from ladi.commands.train import FIRST_NAMES
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.matting import GarmentMatting
from ladi.models.parser import HumanParser
from ladi.models.refinement import RefinementUNet
from ladi.training.first_edition import DEFAULTS, STAGES, Workshop, train_mini
from ladi.training.loop.draws import Draws
from ladi.training.loop.plot import plot_logs
from ladi.training.stages.refinement import start_from_coarse
from ladi.types import LadiError
from tests.drawn_shards import write_drawn_shards

QUICK = {
    "steps": 1,
    "batch_size": 2,
    "precision": "no",
    "warmup_steps": 0,
    "log_every": 1,
    "validate_every": 9,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The shards, and a work folder in which every stage has run a step."""
    torch.manual_seed(0)
    data = write_drawn_shards(tmp_path_factory.mktemp("shards"), train=4, val=1)
    work = tmp_path_factory.mktemp("work")
    train_mini(work, data, device="cpu", changes=QUICK)
    return data, work


class Shipped(NamedTuple):
    """A model that was exported."""

    path: Path
    weights: dict[str, dict[str, torch.Tensor]]
    """By part, as they were trained."""
    scaling: float


@pytest.fixture(scope="module")
def shipped(trained: tuple[Path, Path]) -> Shipped:
    """What was trained, loaded and exported once."""
    workshop, path = Workshop(trained[1], None), trained[1] / "exported"
    parts = {name: getattr(workshop.pipeline, name) for name in ("tps", "emasc", "unet")}
    weights = {
        name: {key: value.clone() for key, value in part.state_dict().items()} for name, part in parts.items()
    }
    workshop.export(path)
    return Shipped(path, weights, workshop.pipeline.vae.config.scaling_factor)


def test_the_command_offers_every_stage() -> None:
    assert FIRST_NAMES == STAGES


def test_every_stage_leaves_a_log_a_checkpoint_and_a_picture(trained: tuple[Path, Path]) -> None:
    for stage in STAGES:
        folder = trained[1] / stage
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [1, 1] and "validation" in lines[1]
        assert (folder / "checkpoint.pt").is_file() and list(folder.glob("validation-*.png"))


def test_export_is_small_half_precision_and_loads_in_full(shipped: Shipped) -> None:
    """Hosts refuse files over 10 MB in plain git, and half-precision modules cannot run on a CPU."""
    files = [path for path in shipped.path.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) < 9_000_000
    assert sum(path.stat().st_size for path in files) < 80_000_000
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt", ".jinja"}
    loaded = LadiVtonPipeline.from_pretrained(shipped.path)
    assert loaded.vae.config.scaling_factor == shipped.scaling != 0.18215
    for name, value in loaded.unet.state_dict().items():
        assert value.dtype is torch.float32
        assert torch.allclose(value, shipped.weights["unet"][name], atol=2e-3)
    for kind, folder in ((HumanParser, "parser"), (GarmentMatting, "matting")):
        module = kind.from_pretrained(shipped.path, subfolder=folder, torch_dtype=torch.float32)
        assert next(module.parameters()).dtype is torch.float32


def test_training_continues_from_a_shipped_model(
    trained: tuple[Path, Path], shipped: Shipped, tmp_path: Path
) -> None:
    fresh = Workshop(tmp_path / "elsewhere", trained[0], init=shipped.path)
    assert fresh.ready == set(STAGES)
    for part, weights in shipped.weights.items():
        loaded = getattr(fresh.pipeline, part).state_dict()
        assert all(torch.allclose(loaded[key].float(), weights[key].float(), atol=2e-3) for key in weights)


def test_the_record_draws_every_stage(trained: tuple[Path, Path], tmp_path: Path) -> None:
    """Prevents: a model card whose curves nobody can draw again."""
    plot_logs(trained[1], tmp_path / "record.svg")
    text = (tmp_path / "record.svg").read_text()
    assert all(f"<!-- {stage} -->" in text for stage in STAGES)
    with pytest.raises(LadiError, match="train a stage first"):
        plot_logs(tmp_path, tmp_path / "none.png")


def test_a_stage_without_what_it_needs_names_the_command(tmp_path: Path) -> None:
    data = write_drawn_shards(tmp_path / "shards", train=1, val=1)
    workshop = Workshop(tmp_path / "work", data)
    with pytest.raises(LadiError, match="stage emasc needs vae: run `python -m ladi train mini --stage vae`"):
        workshop.stage("emasc", None)
    with pytest.raises(LadiError, match="not trained yet: vae, warp"):
        workshop.export(tmp_path / "model")


def test_stages_say_which_of_them_leave_parameters_without_a_gradient(trained: tuple[Path, Path]) -> None:
    """Prevents: several processes that wait forever for a gradient that nobody computes."""
    workshop = Workshop(trained[1], trained[0])
    for name in STAGES:
        stage = workshop.stage(name, replace(DEFAULTS[name], batch_size=2))
        for module in stage.modules.values():
            module.zero_grad(set_to_none=True)
        batch = stage.batch(np.array([0, 1]), np.random.default_rng(0))
        stage.loss(stage.modules, batch, Draws(0, 0, range(2)))[0].backward()
        idle = [
            key
            for module in stage.modules.values()
            for key, parameter in module.named_parameters()
            if parameter.requires_grad and parameter.grad is None
        ]
        assert all("vision_encoder" in key and "post_layernorm" in key for key in idle)
        assert stage.unused_parameters == bool(idle), name


def test_an_untrained_refinement_returns_the_garment_that_it_is_given() -> None:
    """Otherwise a short training blurs every pattern before it mends anything."""
    network = RefinementUNet(widths=(16, 16, 16, 16))
    start_from_coarse(network)
    network.train()
    torch.manual_seed(0)
    garment = (0.7 + 0.5 * torch.randn(2, 3, 64, 48)).clamp(-1, 1)
    with torch.no_grad():
        refined = network(torch.cat([torch.randn(2, 21, 64, 48), garment], dim=1))
    together = torch.stack([refined.flatten(), garment.flatten()])
    assert torch.corrcoef(together)[0, 1] > 0.98
