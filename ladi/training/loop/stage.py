"""What a stage is: the modules it trains, its batches, its loss, and how long and how fast.

Data and nothing else: ``train.py`` does the work, and each stage's file fills this in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from ladi.training.loop.draws import Draws

Batch = dict[str, torch.Tensor]
Loss = Callable[[Mapping[str, nn.Module], Batch, Draws], tuple[torch.Tensor, dict[str, float]]]
Validation = Callable[[Mapping[str, nn.Module]], tuple[dict[str, float], np.ndarray | None]]
Optimizer = Literal["adamw", "adamw_8bit", "adafactor"]

SCHEDULES = (
    "constant",
    "constant_with_warmup",
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
)
"""Of diffusers', those that need no further settings."""


@dataclass(frozen=True)
class LoopOptions:
    """How long and how fast to train one stage."""

    steps: int
    """Length of the learning-rate schedule; training ends there. 0 takes it from ``epochs``."""
    batch_size: int
    """Pictures per step, over all processes and accumulated parts."""
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    warmup_steps: int = 100
    schedule: str = "cosine"
    clip_norm: float | None = 1.0
    ema_decay: float = 0.998
    """Of the averages that are exported; 0 keeps none, and the weights themselves are exported."""
    minutes: float | None = None
    """Stop (resumably) after this long."""
    save_minutes: float = 4.0
    keep: int = 1
    """Checkpoints kept, the newest included."""
    log_every: int = 50
    validate_every: int = 1000
    precision: str = "no"
    """accelerate's ``no``, ``bf16`` or ``fp16``."""
    seed: int = 0
    epochs: float = 0.0
    """Passes over the data, where ``steps`` is 0."""
    accumulate: int = 1
    """Parts in which a process computes its share of a step, one after the other."""
    optimizer: Optimizer = "adamw"
    """With a weight decay of 0, AdamW is Adam."""
    gradient_checkpointing: bool = False
    workers: int = 0
    """Processes that read ahead; 0 reads in between."""
    tensorboard: bool = False


@dataclass(frozen=True)
class FullSizeOptions(LoopOptions):
    """What the full-size stages have in common; each stage's file has its own published numbers."""

    steps: int = 0
    batch_size: int = 16
    learning_rate: float = 1e-5
    schedule: str = "constant_with_warmup"
    warmup_steps: int = 500
    weight_decay: float = 0.01
    """AdamW's usual one; the paper names none."""
    ema_decay: float = 0.0
    """The paper averages nothing."""
    save_minutes: float = 20.0
    keep: int = 2
    validate_every: int = 2000
    workers: int = 4


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
    loss: Loss
    """(modules, batch on the device, its samples' random numbers) → scalar to minimise, values to log."""
    options: LoopOptions
    validate: Validation | None = None
    """modules → metrics and a sheet (H,W,3) uint8 to look at."""
    frozen: Mapping[str, nn.Module] = field(default_factory=dict)
    """Modules that the loss uses as they are; the loop brings them to its device and precision."""
    independent: bool = False
    """Batches use no random numbers, so that a process can make its own samples only."""
    rates: tuple[tuple[str, float], ...] = ()
    """Shares of the learning rate for parameters whose names hold a word, the first that fits; 0 freezes."""
    unused_parameters: bool = False
    """Some trained parameters get no gradient, which several processes must know."""


@dataclass(frozen=True)
class PaperStage:
    """One of the paper's stages: what it needs, and how it is put together."""

    options: type[FullSizeOptions]
    """Whose defaults are the published numbers."""
    parts: tuple[str, ...]
    """What ``build`` is given, by the names of ``paper_model.bring``, in the order in which it is made."""
    build: Callable[[Mapping[str, Any], Any, Any], Stage]
    """(parts, pairs, options) → the stage."""
    needs: tuple[str, ...] = ()
    """The stages before it, unless a model to start from has their parts."""
    stored: bool = False
    """What its frozen parts say of a pair may be computed once."""


def steps_of(options: LoopOptions, length: int) -> int:
    """How many steps a stage takes on so many samples: its own number, or its passes over the data."""
    return options.steps or max(1, ceil(options.epochs * length / options.batch_size))
