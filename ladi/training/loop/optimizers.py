"""Optimizers and learning-rate schedules by their names in the options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from diffusers.optimization import get_scheduler
from torch import nn

from ladi.training.loop.stage import SCHEDULES, LoopOptions
from ladi.types import SettingError

Groups = Sequence[nn.Parameter] | Sequence[dict[str, Any]]


def rated_groups(
    named: Iterable[tuple[str, nn.Parameter]], rates: Sequence[tuple[str, float]], learning_rate: float
) -> list[dict[str, Any]]:
    """Parameters by their share of the learning rate, those with none left out.

    Args:
        named: names and parameters.
        rates: see ``Stage.rates``.
        learning_rate: of a share of 1.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in named:
        share = next((share for word, share in rates if word in name.split(".")), 1.0)
        if share:
            groups.setdefault(share, []).append(parameter)
    return [{"params": members, "lr": share * learning_rate} for share, members in groups.items()]


def build_optimizer(parameters: Groups, options: LoopOptions) -> torch.optim.Optimizer:
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
