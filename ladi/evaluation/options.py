"""What to evaluate, and how: everything that ``python -m ladi evaluate`` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ladi.data.sample import Order
from ladi.evaluation.pairs import Masks
from ladi.types import Category, LadiError, Size

Stage = Literal["all", "generate", "score", "report"]


@dataclass(frozen=True)
class Extra:
    """Another dataset to look at with the same model."""

    name: str
    folder: Path
    size: Size | None = None
    """Another one than the model's own."""


@dataclass(frozen=True)
class Options:
    """What to evaluate, and how."""

    data: Path
    out: Path
    model: str | None = None
    """Name or folder; none is needed to score pictures that are there."""
    stage: Stage = "all"
    split: str = "val"
    order: Order = "paired"
    categories: tuple[Category, ...] | None = None
    size: Size | None = None
    """The model's own if none."""
    with_ablation: bool = False
    ablation_limit: int | None = None
    """Only so many pairs, from the first, for the ablation's rows."""
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    seed: int = 0
    limit: int | None = None
    batch_size: int = 1
    paste_back: bool = True
    masks: Masks = "published"
    other_emasc: Path | None = None
    """Folder of an EMASC of the kind that the model does not have."""
    pictures: Path | None = None
    """Score these instead of our own."""
    metrics: tuple[str, ...] | None = None
    device: str | None = None
    precision: str = "auto"
    extra: tuple[Extra, ...] = ()
    extra_limit: int | None = None
    """Only so many pairs of each of them."""
    causes: bool = True
    """Also measure, in paired order, what could have gone wrong in each part."""


def check(options: Options) -> None:
    """Refuses what cannot work, before anything is loaded."""
    if options.stage not in get_args(Stage):
        raise LadiError(f"the stage must be one of {', '.join(get_args(Stage))}, got {options.stage!r}")
    if options.pictures is not None and not options.pictures.is_dir():
        raise LadiError(
            f"there is no folder {options.pictures}: give the folder of the pictures with --pictures"
        )
    if options.pictures is not None and options.masks == "app":
        raise LadiError("pictures made by somebody else are scored with the data's masks: leave --masks out")
    needs_model = options.stage in ("all", "generate") and options.pictures is None
    if options.model is None and (needs_model or options.masks == "app"):
        raise LadiError("name the model to evaluate, or give --pictures to score pictures that are there")
    if options.batch_size < 1:
        raise LadiError(f"--batch-size must be at least 1, got {options.batch_size}")
