"""What both editions of the embedded model share: stages run one after the other, and a model written.

Which stages there are, and what they need, is ``first_edition_tables.py``'s and ``second_edition.py``'s.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.files import folder_written_whole
from ladi.training.loop.stage import LoopOptions, steps_of
from ladi.training.loop.train import train
from ladi.training.loop.workbench import start_processes
from ladi.training.samples.latents import LATENT_NAMES, VARIED_NAMES

LOGGER = logging.getLogger(__name__)

SHARD_SIZE = "8MB"
"""Hosts of models refuse larger files in plain git."""

STALE_AFTER: dict[str, tuple[str, ...]] = {
    "vae": (*LATENT_NAMES, *VARIED_NAMES, "predicted"),
    "warp": ("warped", "warped_matte", "garment_moments", "garment_moments_varied", "predicted", "hiding"),
    "refinement": ("warped", "garment_moments", "garment_moments_varied", "predicted"),
    "tryon": ("predicted",),
    "placing": ("warp_points", "warped", "warped_matte", "hiding"),
    "bending": ("warped", "warped_matte"),
}
"""What of a cache was made by weights that a stage has just changed."""


def fast_device() -> torch.device:
    """On which what does not change while a stage trains is computed."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def halve(module: nn.Module) -> None:
    """Rounds every weight to half precision, for the disk; also of parts that refuse to compute in it."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.half()


def forget_origin(folder: Path) -> None:
    """Takes out of a saved model's configurations from which folder its parts were loaded."""
    for path in (*folder.glob("*.json"), *folder.glob("*/config.json")):
        told = json.loads(path.read_text())
        if told.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(told, indent=2) + "\n")


def save_model(out: Path, pipeline: LadiVtonPipeline, extras: Mapping[str, Any]) -> None:
    """Writes a model: half precision, safetensors, no file over 9 MB.

    Args:
        out: the folder.
        pipeline: rounded in place.
        extras: networks beside it by the names of their folders, likewise.
    """
    networks = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    for module in (*networks, *extras.values()):
        halve(module)
    with folder_written_whole(out) as draft:
        pipeline.save_pretrained(draft, max_shard_size=SHARD_SIZE)
        for name, module in extras.items():
            module.save_pretrained(draft / name, max_shard_size=SHARD_SIZE)
        forget_origin(draft)
    LOGGER.info("exported to %s", out)


def run_stages(
    workshop: Any,
    stages: Sequence[str],
    defaults: Mapping[str, LoopOptions],
    *,
    resume: bool = False,
    device: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Trains a workshop's stages one after the other.

    Args:
        workshop: of either edition: with ``work``, ``stage``, ``load_stage`` and ``caches``.
        stages: which, in order.
        defaults: their options.
        resume: continue each stage from its checkpoint.
        device: ``cpu`` forces the CPU.
        changes: fields of ``LoopOptions`` to replace in every stage.
    """
    state = start_processes(device)
    changed = dict(changes or {})
    if "epochs" in changed:
        changed.setdefault("steps", 0)
    for name in stages:
        options = dataclasses.replace(defaults[name], **changed)
        with state.main_process_first():  # which fills the caches for all
            stage = workshop.stage(name, options)
        options = dataclasses.replace(options, steps=steps_of(options, stage.length))
        stage = dataclasses.replace(stage, options=options)
        metrics = train(stage, workshop.work / name, resume=resume, device=device)
        workshop.load_stage(name)
        if state.is_main_process:
            for cache in workshop.caches():
                cache.discard(*STALE_AFTER.get(name, ()))
        state.wait_for_everyone()
        LOGGER.info("%s: %s", name, ", ".join(f"{key} {value:.4g}" for key, value in metrics.items()))
