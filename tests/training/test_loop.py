"""The training loop: exact resumption, whole checkpoints, averages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ladi.runtime.devices import usable_precision
from ladi.training.loop.checkpoints import Averages, load_checkpoint, save_atomically, stage_weights
from ladi.training.loop.feeding import indices_of_step
from ladi.training.loop.stage import LoopOptions, Stage
from ladi.training.loop.train import train
from ladi.types import LadiError, SettingError

OPTIONS = LoopOptions(steps=8, batch_size=4, learning_rate=0.05, warmup_steps=2, log_every=4)


def line_stage(options: LoopOptions = OPTIONS, factor: float = 1.0) -> Stage:
    """Fits y = 2x with noise from the loop's own numbers."""
    torch.manual_seed(3)
    model = nn.Linear(1, 1)

    def batch(indices: np.ndarray, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        x = torch.from_numpy(indices.astype(np.float32))[:, None] / 10
        return {"x": x + float(rng.normal(0, 0.01)), "y": 2 * x}

    def loss(modules, batch, draws):
        noise = 0.01 * draws.normal(batch["x"].shape[1:])
        return factor * (modules["line"](batch["x"] + noise) - batch["y"]).square().mean(), {}

    return Stage(name="line", modules={"line": model}, length=10, batch=batch, loss=loss, options=options)


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path) -> None:
    train(line_stage(), tmp_path / "whole", device="cpu")
    half = line_stage(replace(OPTIONS, minutes=0.0))
    train(half, tmp_path / "parts", device="cpu")
    assert torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)["step"] == 1
    train(line_stage(), tmp_path / "parts", resume=True, device="cpu")
    whole, parts = (stage_weights(tmp_path / name) for name in ("whole", "parts"))
    assert whole is not None and parts is not None
    for key, value in whole["line"].items():
        assert torch.equal(value, parts["line"][key])


def test_a_resumed_run_goes_on_at_the_rate_that_it_is_given(tmp_path: Path) -> None:
    """Prevents: --resume --learning-rate, of which the second is silently left out."""
    train(line_stage(replace(OPTIONS, minutes=0.0)), tmp_path, device="cpu")
    train(line_stage(replace(OPTIONS, learning_rate=0.01)), tmp_path, resume=True, device="cpu")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    train(line_stage(replace(OPTIONS, learning_rate=0.01)), tmp_path / "slow", device="cpu")
    slow = [json.loads(line) for line in (tmp_path / "slow" / "log.jsonl").read_text().splitlines()]
    rates = {line["step"]: line["rate"] for line in slow if "rate" in line}
    assert {line["step"]: line["rate"] for line in lines if "rate" in line} == pytest.approx(rates)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    stage = line_stage(replace(OPTIONS, steps=200, log_every=20, schedule="constant", warmup_steps=0))
    train(stage, tmp_path, device="cpu")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.1 * lines[0]["loss"]


def test_every_epoch_sees_every_sample_once_and_in_its_own_order() -> None:
    seen = np.concatenate([indices_of_step(10, 4, step, seed=0) for step in range(5)])
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert list(seen[:10]) != list(seen[10:])


def test_an_interrupted_save_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_atomically({"step": 1}, path)
    with pytest.raises(AttributeError):
        save_atomically({"step": lambda: None}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}


def test_a_loss_that_is_no_number_stops_training_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LadiError, match="not a number at step 0; lower the learning rate"):
        train(line_stage(factor=float("nan")), tmp_path, device="cpu")
    assert not (tmp_path / "checkpoint.pt").exists()


def test_looking_through_averages_leaves_the_weights_as_they_were() -> None:
    model = nn.Linear(2, 2)
    averages = Averages({"model": model}, decay=0.9)
    averages.step()
    with torch.no_grad():
        model.weight.add_(1)
    before = model.weight.detach().clone()
    averages.step()
    averaged = averages.weights()["model"]["weight"]
    assert torch.equal(model.weight, before) and not torch.equal(averaged, before)


def test_bfloat16_is_trained_in_only_where_the_cpu_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents: a training that runs a hundred times slower than it need, without a word."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False})
    assert usable_precision("bf16", "cpu") == "no"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert usable_precision("bf16", "cpu") == "bf16"
    assert usable_precision("no", "cpu") == "no"
    assert usable_precision("fp16", "cpu") == "no"


def test_a_launchers_own_accumulation_does_not_scale_the_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: a loss divided twice where accelerate is configured to accumulate too."""
    train(line_stage(), tmp_path / "plain", device="cpu")
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    train(line_stage(), tmp_path / "configured", device="cpu")
    means = [
        load_checkpoint(tmp_path / name)["optimizer"]["state"][0]["exp_avg"]
        for name in ("plain", "configured")
    ]
    assert torch.equal(*means)


def test_a_batch_that_cannot_be_shared_out_is_refused(tmp_path: Path) -> None:
    """Prevents: samples that are dropped without a word."""
    with pytest.raises(SettingError, match="A batch of 4 cannot be shared out evenly.*multiple of 3"):
        train(line_stage(replace(OPTIONS, accumulate=3)), tmp_path, device="cpu")
