"""The paper's stages for real, at toy size: each learns, resumes exactly, and may be cut into parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ladi.runtime.devices import usable_precision
from ladi.training.loop.checkpoints import load_checkpoint, stage_weights
from ladi.training.loop.draws import Draws
from ladi.training.loop.stage import Stage
from ladi.training.loop.train import train
from ladi.training.paper_model import STAGES, build_stage, run_stages
from tests.training.conftest import Places, job_from, mean_difference, same_state

LEARNING = {
    "warp": (25, 1e-2),
    "refinement": (6, 1e-2),
    "emasc": (6, 1e-2),
    "inversion_adapter": (30, 1e-2),
    "tryon": (15, 3e-3),
}
"""Steps and learning rates with which each stage learns at this size."""
WITHOUT_BATCH_NORM = ("emasc", "inversion_adapter", "tryon")


def loss_of(stage: Stage) -> float:
    """On all training samples, always with the same random numbers, without dropout."""
    for module in (*stage.modules.values(), *stage.frozen.values()):
        module.eval()
    batch = stage.batch(np.arange(stage.length), np.random.default_rng(0))
    with torch.no_grad():
        return float(stage.loss(stage.modules, batch, Draws(7, 0, range(stage.length)))[0])


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_learns_and_leaves_the_frozen_parts_alone(
    name: str, places: Places, tmp_path: Path
) -> None:
    """Prevents: a loss that is not connected to what is trained, and a frozen part that is trained too."""
    steps, rate = LEARNING[name]
    job = job_from(places, tmp_path, steps=steps, learning_rate=rate, batch_size=5)
    stage = build_stage(job, name)
    stage = replace(stage, validate=None)
    frozen = {
        key: [value.clone() for value in module.state_dict().values()] for key, module in stage.frozen.items()
    }
    before = loss_of(stage)
    train(stage, tmp_path / name, device="cpu")
    assert loss_of(stage) < 0.97 * before
    for key, module in stage.frozen.items():
        assert all(map(torch.equal, frozen[key], module.state_dict().values()))


@pytest.mark.parametrize("name", STAGES)
def test_a_resumed_stage_equals_an_uninterrupted_one(name: str, places: Places, tmp_path: Path) -> None:
    """Prevents: dropout, averages, optimizer or batch statistics that start anew after an interruption."""
    job = job_from(places, tmp_path / "whole", ema_decay=0.9)
    run_stages(job, [name])
    parts = job_from(places, tmp_path / "parts", ema_decay=0.9, minutes=0.0)
    run_stages(parts, [name])
    assert load_checkpoint(tmp_path / "parts" / name)["step"] == 1
    run_stages(job_from(places, tmp_path / "parts", ema_decay=0.9), [name], resume=True)
    one, other = (load_checkpoint(tmp_path / which / name) for which in ("whole", "parts"))
    for key in ("step", "modules", "weights", "averages", "optimizer", "schedule"):
        assert same_state(one[key], other[key]), key


@pytest.mark.parametrize("name", WITHOUT_BATCH_NORM)
def test_accumulated_parts_equal_one_batch(name: str, places: Places, tmp_path: Path) -> None:
    """Prevents: noise or dropout that depends on how a batch is cut, and gradients of the wrong scale."""
    for parts in (1, 4):
        changes = {"steps": 2, "warmup_steps": 0, "clip_norm": None, "accumulate": parts}
        run_stages(job_from(places, tmp_path / str(parts), **changes), [name])
    whole, cut = (load_checkpoint(tmp_path / str(parts) / name) for parts in (1, 4))
    assert mean_difference(whole["weights"], cut["weights"]) < 1e-6
    # To Adam's steps the scale of the gradients hardly matters; its means show it.
    means = [
        torch.cat([entry["exp_avg"].flatten() for entry in state["optimizer"]["state"].values()])
        for state in (whole, cut)
    ]
    assert float((means[0] - means[1]).abs().max() / means[0].abs().max()) < 1e-3


@pytest.mark.parametrize("name", WITHOUT_BATCH_NORM)
def test_gradient_checkpointing_changes_nothing_but_memory(name: str, places: Places, tmp_path: Path) -> None:
    """Prevents: dropout or noise that is drawn anew when activations are computed a second time."""
    for checkpointing in (False, True):
        job = job_from(places, tmp_path / str(checkpointing), steps=1, gradient_checkpointing=checkpointing)
        run_stages(job, [name])
    one, other = (stage_weights(tmp_path / str(flag) / name) for flag in (False, True))
    assert one is not None and other is not None and mean_difference(one, other) < 1e-7


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_trains_and_validates_in_bfloat16(name: str, places: Places, tmp_path: Path) -> None:
    """Prevents: frozen parts in half precision that meet inputs in single."""
    if usable_precision("bf16", "cpu") != "bf16":
        pytest.skip("this CPU has no bfloat16 instructions, and training would fall back to float32")
    changes = {"steps": 1, "precision": "bf16", "gradient_checkpointing": True}
    run_stages(job_from(places, tmp_path, **changes), [name])
    lines = [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(lines[0]["loss"]) and "validation" in lines[1]


def test_two_processes_equal_one_of_twice_the_batch(places: Places, tmp_path: Path) -> None:
    """Prevents: two GPUs that see the same noise, or learn something else than one does."""
    flags = ["--steps", "2", "--batch-size", "4", "--learning-rate", "1e-3", "--warmup-steps", "0"]
    flags += ["--workers", "0", "--precision", "no", "--log-every", "1"]
    stages = [word for name in WITHOUT_BATCH_NORM for word in ("--stage", name)]
    # With --cpu in place of --multi_gpu, accelerate starts one process unless it is given an MPI host file.
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    launch += ["--main_process_port", "0", "-m", "ladi", "train", "vitonhd", *stages, *flags]
    launch += ["--data", str(places.data), "--work", str(tmp_path / "two"), "--init", str(places.model)]
    launch += ["--base", str(places.base), "--vgg", str(places.vgg), "--device", "cpu"]
    done = subprocess.run(
        launch, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    run_stages(job_from(places, tmp_path / "one", steps=2, warmup_steps=0), WITHOUT_BATCH_NORM)
    for name in WITHOUT_BATCH_NORM:
        assert load_checkpoint(tmp_path / "two" / name)["processes"] == 2
        one, two = (stage_weights(tmp_path / which / name) for which in ("one", "two"))
        start = {
            key: module.state_dict()
            for key, module in build_stage(job_from(places, tmp_path / "none"), name).modules.items()
        }
        assert one is not None and two is not None
        assert mean_difference(one, start) > 5e-4
        assert mean_difference(one, two) < 1e-6, name
