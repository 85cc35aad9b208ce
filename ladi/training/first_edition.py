"""The embedded model's first edition in the making: its parts, its data, its stages, and its export.

``python -m ladi train mini``. What ``assets/mini`` holds is a second edition, made of a first one by
``second_edition.py``; the networks that tell labels, mattes, sleeves and linings are trained here all the
same. A work folder holds the decoded data (``cache/``) and one folder per stage; an export puts everything
that has been trained into one model folder.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.lining import GarmentLining
from ladi.models.matting import GarmentMatting
from ladi.models.parser import LABELS, HumanParser
from ladi.models.sleeves import SleeveLength
from ladi.training.editions import run_stages, save_model
from ladi.training.first_edition_sizes import SIZE, build_pipeline
from ladi.training.first_edition_tables import (
    BUILDERS,
    COMPUTED,
    DEFAULTS,
    EXTRA_STAGES,
    NEEDS,
    PIPELINE_STAGES,
    SHARED_STAGES,
    STAGES,
    START,
    STEPS,
    as_it_is,
)
from ladi.training.loop.checkpoints import stage_weights
from ladi.training.loop.stage import LoopOptions, Stage
from ladi.training.loop.workbench import start_processes
from ladi.training.samples.cache import Cache, build_cache
from ladi.training.samples.floors import build_floors
from ladi.training.samples.latents import latent_scale
from ladi.training.samples.street import add_walls, build_street_cache
from ladi.training.stages import refinement
from ladi.types import LadiError

LOGGER = logging.getLogger(__name__)


class Workshop:
    """The model's parts as far as they are trained, and the data, for one work folder.

    Args:
        work: holds the cache and the stages' checkpoints.
        data: the folder with the shards; only needed where the cache is not built yet.
        init: a model folder to start from where a stage has no checkpoint.
        street: the folder with the street photos, which the parser is trained on too; not needed where they
            are framed already.
        floors: a folder with photos whose corners show floors, beds and walls, for the matting; not needed
            where they are cut already.
    """

    def __init__(
        self,
        work: Path,
        data: Path | None,
        init: Path | None = None,
        street: Path | None = None,
        floors: Path | None = None,
    ) -> None:
        self.work, self.data, self.street, self.floors = work, data, street, floors
        self.pipeline = build_pipeline(work / "tokenizer")
        self.extras: dict[str, Any] = {
            "parser": HumanParser(labels=LABELS),
            "matting": GarmentMatting(),
            "sleeves": SleeveLength(),
            "lining": GarmentLining(),
        }
        self.ready: set[str] = set()
        refinement.start_from_coarse(self.pipeline.refinement)
        if init is not None:
            self._load_model(init)
        for stage in STAGES:
            self.load_stage(stage)

    def _load_model(self, folder: Path) -> None:
        loaded = LadiVtonPipeline.from_pretrained(folder)
        second = bool(loaded.config.garment_matte)
        for stage, names in PIPELINE_STAGES.items():
            if (second and stage not in SHARED_STAGES) or any(
                getattr(loaded, name) is None for name in names
            ):
                continue
            for name in names:
                getattr(self.pipeline, name).load_state_dict(getattr(loaded, name).state_dict())
            self.ready.add(stage)
        if not second:
            self.pipeline.vae.register_to_config(scaling_factor=loaded.vae.config.scaling_factor)
        for stage, kind in EXTRA_STAGES.items():
            if not (folder / stage).is_dir():
                continue  # models saved before there was one have no such part
            extra: Any = kind.from_pretrained(folder, subfolder=stage, torch_dtype=torch.float32)
            START.get(stage, as_it_is)(self.extras[stage], extra.state_dict())
            self.ready.add(stage)

    def load_stage(self, stage: str) -> None:
        """Takes over the averaged weights that a stage has reached, if it ever ran."""
        weights = stage_weights(self.work / stage)
        if weights is None:
            return
        for name, state in weights.items():
            START.get(stage, as_it_is)(self.parts(stage)[name], state)
        self.ready.add(stage)

    def parts(self, stage: str) -> Mapping[str, nn.Module]:
        """The modules of a stage under the names that its checkpoint uses."""
        if stage in self.extras:
            return {stage: self.extras[stage]}
        if stage in STEPS:
            return STEPS[stage](self.pipeline)
        return {name: getattr(self.pipeline, name) for name in PIPELINE_STAGES[stage]}

    def caches(self) -> tuple[Cache, Cache]:
        """The decoded training and validation splits."""
        folder = self.work / "cache"
        if self.data is None and not (folder / "train" / "ids.json").is_file():
            raise LadiError("there is no decoded data yet: give the folder with the shards with --data")
        data = self.data if self.data is not None else folder
        return build_cache(data, folder, "train", SIZE), build_cache(data, folder, "val", SIZE)

    def street_caches(self) -> tuple[Cache, Cache] | None:
        """The framed street photos' training and validation splits, if there are any."""
        folder = self.work / "street"
        if self.street is None and not (folder / "train" / "ids.json").is_file():
            return None
        data = self.street if self.street is not None else folder
        training, validation = (build_street_cache(data, folder, name, SIZE) for name in ("train", "val"))
        add_walls(training)
        return training, validation

    def floor_pictures(self) -> np.ndarray | None:
        """What garments are photographed on, for the matting, if there is any."""
        folder = self.work / "floors"
        if self.floors is None and not (folder / "floors.npy").is_file():
            return None
        return build_floors(self.floors if self.floors is not None else folder, folder)

    def stage(self, name: str, options: LoopOptions) -> Stage:
        """A stage, ready for the loop.

        Raises:
            LadiError: a stage that it needs has not been trained; says by which command it is.
        """
        for needed in NEEDS.get(name, ()):
            if needed not in self.ready:
                raise LadiError(
                    f"stage {name} needs {needed}: run `python -m ladi train mini --stage {needed}` first, "
                    "or start from a model with --init"
                )
        training, validation = self.caches()
        for module in self.parts(name).values():
            # A stage before this one may have frozen it.
            module.requires_grad_(True)
        compute = COMPUTED.get(name)
        if compute is not None:
            compute(self.pipeline, training, validation, options)
        return BUILDERS[name](self, training, validation, options)

    def export(self, out: Path) -> None:
        """Writes the whole model: half precision, safetensors, no file over 9 MB.

        Raises:
            LadiError: stages that were never trained, named.
        """
        missing = ", ".join(stage for stage in STAGES if stage not in self.ready)
        if missing:
            raise LadiError(f"not trained yet: {missing}; run `python -m ladi train mini` for them")
        if "tryon" in self.ready and (self.work / "cache" / "train" / "image_moments.npy").is_file():
            self.pipeline.vae.register_to_config(
                scaling_factor=latent_scale(Cache(self.work / "cache", "train"))
            )
        save_model(out, self.pipeline, self.extras)


def train_mini(
    work: Path,
    data: Path | None,
    *,
    stages: tuple[str, ...] = STAGES,
    init: Path | None = None,
    street: Path | None = None,
    floors: Path | None = None,
    resume: bool = False,
    device: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Trains stages one after the other.

    Args:
        work: folder of cache, checkpoints and logs.
        data: folder with the shards.
        stages: which, in order.
        init: model folder to start from.
        street: folder with the street photos.
        floors: folder with photos whose corners show what garments lie on.
        resume: continue each stage from its checkpoint.
        device: ``cpu`` forces the CPU.
        changes: fields of ``LoopOptions`` to replace in every stage.
    """
    state = start_processes(device)
    with state.main_process_first():
        workshop = Workshop(work, data, init, street, floors)
    run_stages(workshop, stages, DEFAULTS, resume=resume, device=device, changes=changes)
