"""What a stage is trained with: processes, device and precision, optimizer, schedule and averages.

It sets these up and takes them to a checkpoint and back; the steps are ``train.py``'s.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import nn

from ladi.models.precision import KeepFloat32
from ladi.runtime.devices import usable_precision
from ladi.training.loop.checkpoints import Averages
from ladi.training.loop.optimizers import build_optimizer, build_schedule, rated_groups
from ladi.training.loop.stage import LoopOptions, Stage
from ladi.types import SettingError

LOGGER = logging.getLogger(__name__)
PATIENCE = timedelta(hours=24)
"""How long processes wait for each other: one of them may be warping a whole data set."""


class Workbench:
    """A stage's modules, optimizer, schedule and averages on their device, wrapped for several processes.

    Args:
        stage: what to train.
        device: ``cpu`` forces the CPU.

    Raises:
        SettingError: the batch cannot be shared out evenly.
    """

    def __init__(self, stage: Stage, device: str | None = None) -> None:
        options = stage.options
        start_processes(device)
        # Precision is a setting of each stage, but accelerate's state would refuse a second one.
        AcceleratorState._reset_state()
        self.accelerator = Accelerator(
            mixed_precision=usable_precision(options.precision, device),
            cpu=device == "cpu",
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=stage.unused_parameters)],
        )
        # The options say in how many parts a step is computed; a launcher's setting would scale it again.
        self.accelerator.gradient_accumulation_steps = 1
        parts = self.accelerator.num_processes * options.accumulate
        if options.batch_size % parts:
            raise SettingError(
                f"A batch of {options.batch_size} cannot be shared out evenly among "
                f"{self.accelerator.num_processes} process(es) with {options.accumulate} part(s) each: "
                f"choose a multiple of {parts}."
            )
        self.part = options.batch_size // parts
        place = self.accelerator.device
        halves = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(self.accelerator.mixed_precision)
        for module in stage.frozen.values():
            module.requires_grad_(False).eval().to(place)
            if halves is not None and not isinstance(module, KeepFloat32):
                halve_matrices(module, halves)
        self.modules = {name: module.to(place) for name, module in stage.modules.items()}
        if options.gradient_checkpointing:
            for module in (*self.modules.values(), *stage.frozen.values()):
                if getattr(module, "_supports_gradient_checkpointing", False):
                    module.enable_gradient_checkpointing()  # type: ignore[operator]
        self.parameters = [
            parameter
            for module in self.modules.values()
            for parameter in module.parameters()
            if parameter.requires_grad
        ]
        named = (
            (name, parameter)
            for module in self.modules.values()
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        )
        groups = rated_groups(named, stage.rates, options.learning_rate) if stage.rates else self.parameters
        bare = build_optimizer(groups, options)
        self.schedule = build_schedule(bare, options)
        self.optimizer = self.accelerator.prepare_optimizer(bare)
        self.averages = Averages(self.modules, options.ema_decay)
        for average in self.averages.models.values():
            average.to(place)
        self.wrapped = {name: self.accelerator.prepare_model(module) for name, module in self.modules.items()}
        for module in self.modules.values():
            module.train()

    def state(self, step: int, options: LoopOptions) -> dict[str, Any]:
        """Everything that a checkpoint holds."""
        modules = {
            name: {key: value.detach().cpu() for key, value in module.state_dict().items()}
            for name, module in self.modules.items()
        }
        state = {
            "step": step,
            "processes": self.accelerator.num_processes,
            "modules": modules,
            "weights": self.averages.weights() if self.averages.models else modules,
            "averages": self.averages.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "options": asdict(options),
        }
        if self.accelerator.scaler is not None:
            state["scaler"] = self.accelerator.scaler.state_dict()
        return state

    def restore(self, state: Mapping[str, Any], learning_rate: float) -> int:
        """Goes back to a checkpoint; returns its step.

        Args:
            state: the checkpoint's.
            learning_rate: what to go on at, in each group's share of it, where that is not what it was.
        """
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if state["averages"]:
            self.averages.load_state_dict(state["averages"], self.accelerator.device)
        if self.accelerator.scaler is not None and "scaler" in state:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        before = state.get("options", {}).get("learning_rate")
        if before and learning_rate != before:
            LOGGER.info("learning rate: %g, until now %g", learning_rate, before)
            self._change_rates(learning_rate / before)
        return state["step"]

    def _change_rates(self, factor: float) -> None:
        """Multiplies the learning rate of all that is still to come."""
        for group in self.optimizer.param_groups:
            group["lr"], group["initial_lr"] = group["lr"] * factor, group["initial_lr"] * factor
        self.schedule.base_lrs = [rate * factor for rate in self.schedule.base_lrs]
        self.schedule._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def agree(self, wish: bool) -> bool:
        """Whether any process wishes it: what one does all must do, or they wait for each other forever."""
        if self.accelerator.num_processes == 1:
            return wish
        votes = torch.tensor(float(wish), device=self.accelerator.device)
        return bool(self.accelerator.reduce(votes, "sum") > 0)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Logged values, averaged over the processes."""
        numbers = torch.tensor(list(values.values()), dtype=torch.float32, device=self.accelerator.device)
        if self.accelerator.num_processes > 1:
            numbers = self.accelerator.reduce(numbers, "mean")
        return dict(zip(values, numbers.tolist(), strict=True))


def halve_matrices(module: nn.Module, dtype: torch.dtype) -> None:
    """Casts the weights that autocast would cast at every use; norms stay as they are, which it wants so."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
            layer.to(dtype)


def start_processes(device: str | None = None) -> PartialState:
    """This process among the others that ``accelerate launch`` started, if it did."""
    return PartialState(cpu=device == "cpu", timeout=PATIENCE)
