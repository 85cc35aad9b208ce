"""The one training loop: every stage gives it modules, batches and a loss.

Reproducible by construction: the pictures of step *n* and every random number drawn in it depend on the seed
    and *n* alone, so that a resumed run continues exactly where an uninterrupted one would be. It does not
    know what is trained.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from diffusers.optimization import get_scheduler
from diffusers.training_utils import EMAModel
from PIL import Image
from torch import nn

from ladi.devices import usable_precision
from ladi.types import LadiError

LOGGER = logging.getLogger(__name__)

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class LoopOptions:
    """How long and how fast to train one stage."""

    steps: int
    """Length of the learning-rate schedule; training ends there."""
    batch_size: int
    """Pictures per step, over all processes."""
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    warmup_steps: int = 100
    schedule: str = "cosine"
    clip_norm: float = 1.0
    ema_decay: float = 0.998
    minutes: float | None = None
    """Stop (resumably) after this long."""
    save_minutes: float = 4.0
    log_every: int = 50
    validate_every: int = 1000
    precision: str = "no"
    """accelerate's ``no``, ``bf16`` or ``fp16``."""
    seed: int = 0


@dataclass(frozen=True)
class Stage:
    """What a stage brings to the loop."""

    name: str
    modules: Mapping[str, nn.Module]
    """The modules that are trained, by the name of their component."""
    length: int
    """Number of training samples."""
    batch: Callable[[np.ndarray, np.random.Generator], Batch]
    """(indices, random numbers) → tensors on the CPU."""
    loss: Callable[[Mapping[str, nn.Module], Batch, torch.Generator], tuple[torch.Tensor, dict[str, float]]]
    """(modules, batch on the device, generator on the CPU) → scalar to minimise, values to log."""
    options: LoopOptions
    validate: Callable[[Mapping[str, nn.Module]], tuple[dict[str, float], np.ndarray | None]] | None = None
    """modules → metrics and a sheet (H,W,3) uint8 to look at."""
    notes: dict[str, Any] = field(default_factory=dict)


def indices_of_step(length: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """The samples of one step: every epoch is its own permutation, batches run across their ends."""
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    order = {
        int(epoch): np.random.default_rng([seed, int(epoch)]).permutation(length)
        for epoch in np.unique(positions // length)
    }
    return np.array([order[int(position // length)][position % length] for position in positions])


def save_atomically(state: object, path: Path) -> None:
    """``torch.save`` that never leaves half a file under the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    torch.save(state, partial)
    os.replace(partial, path)


class Averages:
    """Exponential moving averages of every module of a stage, and a way to look through them."""

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        self.modules = modules
        self.models = {
            name: EMAModel(module.parameters(), decay=decay, use_ema_warmup=True, power=0.75)
            for name, module in modules.items()
        }

    def step(self) -> None:
        """Moves every average towards the current weights."""
        for name, average in self.models.items():
            average.step(self.modules[name].parameters())

    def __enter__(self) -> None:
        """Puts the averages in place of the weights."""
        for name, average in self.models.items():
            average.store(self.modules[name].parameters())
            average.copy_to(self.modules[name].parameters())

    def __exit__(self, *_: object) -> None:
        """Puts the weights back."""
        for name, average in self.models.items():
            average.restore(self.modules[name].parameters())

    def weights(self) -> dict[str, dict[str, torch.Tensor]]:
        """A copy of each module's state with averaged parameters."""
        with self:
            return {
                name: {key: value.detach().cpu().clone() for key, value in module.state_dict().items()}
                for name, module in self.modules.items()
            }

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {name: average.state_dict() for name, average in self.models.items()}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """From the checkpoint."""
        for name, average in self.models.items():
            average.load_state_dict(state[name])
            average.to(device)


def stage_weights(folder: Path) -> dict[str, dict[str, torch.Tensor]] | None:
    """The averaged weights that a stage has reached, by component; ``None`` where it never ran."""
    path = folder / "checkpoint.pt"
    if not path.is_file():
        return None
    return torch.load(path, map_location="cpu", weights_only=True)["weights"]


def train(stage: Stage, folder: Path, *, resume: bool = False, device: str | None = None) -> dict[str, float]:
    """Trains one stage until its steps or minutes are over.

    Args:
        stage: what to train.
        folder: holds ``checkpoint.pt``, ``log.jsonl`` and the validation sheets.
        resume: continue from the checkpoint in the folder; without one, start.
        device: ``cpu`` forces the CPU.

    Returns:
        The last validation's metrics.

    Raises:
        LadiError: the loss is no longer a number.
    """
    options = stage.options
    accelerator = Accelerator(
        mixed_precision=usable_precision(options.precision, device), cpu=device == "cpu"
    )
    raw = {name: module.to(accelerator.device) for name, module in stage.modules.items()}
    parameters = [
        parameter for module in raw.values() for parameter in module.parameters() if parameter.requires_grad
    ]
    optimizer = torch.optim.AdamW(
        parameters, lr=options.learning_rate, betas=options.betas, weight_decay=options.weight_decay
    )
    schedule = get_scheduler(
        options.schedule, optimizer, num_warmup_steps=options.warmup_steps, num_training_steps=options.steps
    )
    averages = Averages(raw, options.ema_decay)
    for average in averages.models.values():
        average.to(accelerator.device)
    checkpoint = folder / "checkpoint.pt"
    first = 0
    if resume and checkpoint.is_file():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        for name, module in raw.items():
            module.load_state_dict(state["modules"][name])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        averages.load_state_dict(state["averages"], accelerator.device)
        first = state["step"]
        LOGGER.info("%s: resuming at step %d", stage.name, first)
    wrapped = {name: accelerator.prepare(module) for name, module in raw.items()}

    folder.mkdir(parents=True, exist_ok=True)
    stop = _StopOnSignal()
    started = saved = time.monotonic()
    sums: dict[str, float] = {}
    count = 0
    step = first

    def save() -> None:
        if accelerator.is_main_process:
            save_atomically(
                {
                    "step": step,
                    "modules": {name: module.state_dict() for name, module in raw.items()},
                    "weights": averages.weights(),
                    "averages": averages.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "options": asdict(options),
                },
                checkpoint,
            )

    for module in raw.values():
        module.train()
    share = options.batch_size // accelerator.num_processes
    while step < options.steps and not stop.requested:
        rng = np.random.default_rng([options.seed, 1, step])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        batch = stage.batch(indices_of_step(stage.length, options.batch_size, step, options.seed), rng)
        mine = slice(accelerator.process_index * share, (accelerator.process_index + 1) * share)
        batch = {key: value[mine].to(accelerator.device) for key, value in batch.items()}
        with accelerator.autocast():
            loss, logs = stage.loss(wrapped, batch, generator)
        if not torch.isfinite(loss):
            raise LadiError(f"{stage.name}: the loss is not a number at step {step}; lower the learning rate")
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(parameters, options.clip_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        averages.step()
        step += 1
        for key, value in {"loss": float(loss.detach()), **logs}.items():
            sums[key] = sums.get(key, 0.0) + value
        count += 1
        if step % options.log_every == 0:
            _log(
                folder,
                {"step": step, "seconds": time.monotonic() - started, "rate": schedule.get_last_lr()[0]},
                sums,
                count,
            )
            sums, count = {}, 0
        if stage.validate is not None and step % options.validate_every == 0:
            _validate(stage, raw, averages, folder, step)
        if time.monotonic() - saved > options.save_minutes * 60:
            save()
            saved = time.monotonic()
        if options.minutes is not None and time.monotonic() - started > options.minutes * 60:
            break
    save()
    stop.restore()
    return _validate(stage, raw, averages, folder, step) if stage.validate is not None else {}


class _StopOnSignal:
    """Turns SIGTERM and SIGINT into "finish this step and save"."""

    def __init__(self) -> None:
        self.requested = False
        self._previous = {
            number: signal.signal(number, self._request) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def _request(self, *_: object) -> None:
        self.requested = True

    def restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def _log(folder: Path, head: dict[str, float], sums: Mapping[str, float], count: int) -> None:
    line = {**head, **{key: value / max(count, 1) for key, value in sums.items()}}
    with (folder / "log.jsonl").open("a") as handle:
        handle.write(json.dumps({key: round(value, 6) for key, value in line.items()}) + "\n")
    LOGGER.info("%s", " ".join(f"{key}={value:.5g}" for key, value in line.items()))


def _validate(
    stage: Stage, modules: Mapping[str, nn.Module], averages: Averages, folder: Path, step: int
) -> dict[str, float]:
    assert stage.validate is not None
    for module in modules.values():
        module.eval()
    with averages, torch.no_grad():
        metrics, sheet = stage.validate(modules)
    for module in modules.values():
        module.train()
    _log(folder, {"step": step, "validation": 1.0}, metrics, 1)
    if sheet is not None:
        Image.fromarray(sheet).save(folder / f"validation-{step:06d}.png")
    return metrics
