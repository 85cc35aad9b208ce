"""Optimizers and learning-rate schedules by their names in the options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.optimization import get_scheduler
from torch import nn

from ladi.training.loop.stage import SCHEDULES, LoopOptions
from ladi.types import SettingError


def build_optimizer(parameters: Sequence[nn.Parameter], options: LoopOptions) -> torch.optim.Optimizer:
    """The optimizer of a stage.

    Raises:
        SettingError: it needs a package that is not installed.
    """
    if options.optimizer == "adafactor":
        return torch.optim.Adafactor(parameters, lr=options.learning_rate, weight_decay=options.weight_decay)
    kind: Any = torch.optim.AdamW
    if options.optimizer == "adamw_8bit":
        try:
            import bitsandbytes
        except ImportError as error:
            raise SettingError(
                "8-bit Adam needs the package bitsandbytes, which is not installed: "
                "`pip install bitsandbytes`, or leave out --adam-8bit."
            ) from error
        kind = bitsandbytes.optim.AdamW8bit
    return kind(parameters, lr=options.learning_rate, betas=options.betas, weight_decay=options.weight_decay)


def build_schedule(optimizer: torch.optim.Optimizer, options: LoopOptions) -> Any:
    """The learning rate over the steps, one of ``SCHEDULES``.

    Raises:
        SettingError: an unknown schedule.
    """
    if options.schedule not in SCHEDULES:
        raise SettingError(f"schedule must be one of {', '.join(SCHEDULES)}, got {options.schedule!r}.")
    return get_scheduler(
        options.schedule,
        optimizer,
        num_warmup_steps=options.warmup_steps,
        num_training_steps=options.steps,
    )
