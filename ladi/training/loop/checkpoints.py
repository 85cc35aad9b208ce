"""What a training leaves on disk: averages, and checkpoints that are whole or not there.

``checkpoint.pt`` is always the newest; older ones that are kept are called ``checkpoint-{step}.pt``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch import nn

from ladi.files import written_whole

CHECKPOINT = "checkpoint.pt"


def save_atomically(state: object, path: Path) -> None:
    """``torch.save`` that never leaves half a file under the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as draft:
        torch.save(state, draft)


def save_checkpoint(state: Mapping[str, Any], folder: Path, *, keep: int, last: int | None) -> None:
    """Writes the newest checkpoint, and keeps so many in all.

    Args:
        state: with its ``step``.
        folder: of the stage.
        keep: how many to keep, at least 1.
        last: the step of the checkpoint that is there; ``None`` where it is of another run.
    """
    newest = folder / CHECKPOINT
    if keep > 1 and last is not None and last != state["step"] and newest.is_file():
        # A second name for the old file: at no time is there no checkpoint.
        older = folder / f"checkpoint-{last:07d}.pt"
        older.unlink(missing_ok=True)
        try:
            os.link(newest, older)
        except OSError:  # a file system without links
            shutil.copyfile(newest, older)
    for draft in folder.glob(f".{CHECKPOINT}.*.part"):  # of a training that was killed
        draft.unlink()
    save_atomically(state, newest)
    kept = sorted(folder.glob("checkpoint-*.pt"), key=lambda path: int(path.stem.rpartition("-")[2]))
    for path in kept[: max(0, len(kept) - (keep - 1))]:
        path.unlink()


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """The newest checkpoint, mapped to its file."""
    return torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True, mmap=True)


def stage_weights(folder: Path) -> dict[str, dict[str, torch.Tensor]] | None:
    """The averaged weights that a stage has reached, by component; ``None`` where it never ran."""
    if not (folder / CHECKPOINT).is_file():
        return None
    return load_checkpoint(folder)["weights"]


class Averages:
    """Exponential moving averages of every module of a stage, and a way to look through them.

    A decay of 0 keeps none: what is seen and exported are the weights themselves.
    """

    def __init__(self, modules: Mapping[str, nn.Module], decay: float) -> None:
        self.modules = modules
        self.models = {
            name: EMAModel(module.parameters(), decay=decay, use_ema_warmup=True, power=0.75)
            for name, module in modules.items()
            if decay > 0
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
        """Each module's state with averaged parameters, on the CPU.

        Where a tensor is there already it is not copied, so that a checkpoint holds it once.
        """
        weights = {}
        for name, module in self.modules.items():
            state = {key: value.detach() for key, value in module.state_dict().items()}
            if name in self.models:
                shadows = self.models[name].shadow_params
                keys = [key for key, _ in module.named_parameters()]
                state |= dict(zip(keys, shadows, strict=True))
            weights[name] = {key: value.cpu() for key, value in state.items()}
        return weights

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {name: average.state_dict() for name, average in self.models.items()}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """From the checkpoint."""
        for name, average in self.models.items():
            average.load_state_dict(state[name])
            average.to(device)
