"""The full-size model in the making: its stages in their order, what they need of each other, and its export.

The paper's stages with its losses and settings, on VITON-HD, Dress Code or whatever ``open_dataset`` opens. A
work folder holds one folder per stage, and ``cache/`` where something is computed once.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ladi.data.opening import open_dataset
from ladi.data.sample import DatasetError, PairDataset
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.files import folder_written_whole
from ladi.training.loop.checkpoints import CHECKPOINT, load_checkpoint
from ladi.training.loop.rehearsal import rehearse
from ladi.training.loop.stage import FullSizeOptions, PaperStage, Stage, steps_of
from ladi.training.loop.train import train
from ladi.training.loop.workbench import start_processes
from ladi.training.losses import detail_loss
from ladi.training.parts import Parts
from ladi.training.perceptual import PerceptualLoss, load_vgg
from ladi.training.samples.pairs import TrainingPairs
from ladi.training.samples.stored import open_store, store_features, store_warped
from ladi.training.stages import denoising, emasc, refinement, warp
from ladi.types import Category, LadiError, SettingError, Size
from ladi.weights.convert import refuse_existing

LOGGER = logging.getLogger(__name__)

MODELS = ("vitonhd", "dresscode")
STAGE_TABLE: dict[str, PaperStage] = {
    "warp": warp.PAPER,
    "refinement": refinement.PAPER,
    "emasc": emasc.PAPER,
    "inversion_adapter": denoising.PAPER_ADAPTER,
    "tryon": denoising.PAPER_TRYON,
}
STAGES = tuple(STAGE_TABLE)
"""In the order in which they need each other."""
EXPORTED = ("warp", "refinement", "emasc", "tryon")
"""The stages whose results a model consists of; the last one contains what the one before it made."""
VALIDATION_SPLITS = ("test", "val")
"""The first that the data have is looked at."""


@dataclass(frozen=True)
class PaperTraining:
    """What to train, on what, and where."""

    model: str
    """``vitonhd`` or ``dresscode``."""
    work: Path
    parts: Parts
    data: Path | None = None
    categories: Sequence[Category] | None = None
    vgg: Path | None = None
    """A file with VGG-19's weights; without one, the published one is fetched."""
    use_vgg: bool = True
    precompute: bool = False
    device: str | None = None
    """``cpu`` forces the CPU."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Options that are not the stages' own defaults."""

    def open(self, split: str, size: Size) -> PairDataset:
        """A split of the data.

        Raises:
            LadiError: there is none.
        """
        if self.data is None:
            raise LadiError("Give the folder with the data set with --data.")
        return open_dataset(self.data, split, size=size, categories=self.categories)


def check_changes(stages: Sequence[str], changes: Mapping[str, Any]) -> None:
    """Raises ``SettingError`` for an option that none of the stages has."""
    known = {entry.name for stage in stages for entry in dataclasses.fields(STAGE_TABLE[stage].options)}
    for name in changes:
        if name not in known:
            flag = f"--{name.replace('_', '-')}"
            raise SettingError(f"{flag} means nothing to {', '.join(stages)}: leave it out.")


def options_of(stage: str, changes: Mapping[str, Any], length: int) -> FullSizeOptions:
    """A stage's options: its published ones, but for what is changed; passes over the data become steps.

    Args:
        stage: which.
        changes: by field; those that the stage does not have are left out.
        length: pairs in the data set.
    """
    kind = STAGE_TABLE[stage].options
    own = {entry.name for entry in dataclasses.fields(kind)}
    changed = {name: value for name, value in changes.items() if name in own}
    if "epochs" in changed:
        changed.setdefault("steps", 0)
    options = kind(**changed)
    return dataclasses.replace(options, steps=steps_of(options, length))


def build_stage(job: PaperTraining, name: str) -> Stage:
    """A stage, ready for the loop.

    Raises:
        LadiError: a stage that it needs has not been trained; says by which command it is.
    """
    parts, row = job.parts, STAGE_TABLE[name]
    torch.manual_seed(int(job.changes.get("seed", 0)))  # for parts that are new
    for needed in row.needs:
        if parts.init is None and not parts.trained(needed):
            raise LadiError(
                f"Stage {name} needs {needed}: run `{command(job, needed)}` first, or start from a "
                f"model with --init."
            )
    later = STAGES[STAGES.index(name) :]
    found = {part.removeprefix("plain_"): bring(job, part, without=later) for part in row.parts}
    # The warp works at a size of its own.
    pairs = _pairs(job, found["tps"].size if name == "warp" else parts.size)
    options = options_of(name, job.changes, len(pairs.train))
    if row.stored:
        pairs = _with_stored(job, pairs, found, options.workers)
    return row.build(found, pairs, options)


def bring(job: PaperTraining, part: str, *, without: Sequence[str]) -> Any:
    """What a stage needs, by name: one of the pipeline's parts, or something that goes with them.

    Args:
        job: what and where.
        part: its name.
        without: stages whose results do not count.
    """
    beside: dict[str, Callable[[], Any]] = {
        "tokenizer": job.parts.tokenizer,
        "scheduler": job.parts.scheduler,
        "plain_unet": job.parts.plain_unet,
        "perceptual": lambda: _perceptual(job),
        "emasc_trained": lambda: job.parts.init is not None or job.parts.trained("emasc"),
    }
    return beside[part]() if part in beside else job.parts.network(part, without=without)


def run_stages(
    job: PaperTraining, stages: Sequence[str], *, resume: bool = False, dry_run: bool = False
) -> None:
    """Trains stages one after the other, or rehearses them.

    Args:
        job: what and where.
        stages: which, in order.
        resume: continue each stage from its checkpoint.
        dry_run: two steps of each, which leave nothing behind.

    Raises:
        LadiError: something is missing or does not fit; says what.
    """
    if not stages:
        return
    check_changes(stages, job.changes)
    state = start_processes(job.device)
    for name in stages:
        folder = job.work / name
        if not (resume or dry_run) and (folder / CHECKPOINT).is_file():
            raise LadiError(
                f"{folder} holds a checkpoint already: continue with --resume, or remove the folder to start "
                f"anew."
            )
        stage = build_stage(job, name)
        if dry_run:
            rehearsal = rehearse(stage, job.device)
            if state.is_main_process:
                print(rehearsal.words)
            continue
        metrics = train(stage, folder, resume=resume, device=job.device)
        LOGGER.info("%s: %s", name, ", ".join(f"{key} {value:.4g}" for key, value in metrics.items()))


def export_model(job: PaperTraining, out: Path) -> None:
    """Writes the whole model as a saved pipeline, whole or not at all.

    Raises:
        LadiError: stages that were never trained, named; or there is something at ``out`` already.
    """
    refuse_existing(out)
    parts = job.parts
    missing = [name for name in EXPORTED if parts.init is None and not parts.trained(name)]
    if missing:
        raise LadiError(
            f"Not trained yet: {', '.join(missing)}. Run `{command(job, missing[0])}`, or start from a model "
            f"with --init."
        )
    steps, guidance = parts.sampling
    names = (*denoising.ENCODERS, "tps", "refinement", "emasc", "unet")
    pipeline = LadiVtonPipeline(
        **{name: parts.network(name) for name in names},
        tokenizer=parts.tokenizer(),
        scheduler=parts.scheduler(),
        garment_skips=parts.garment_skips(),
        default_steps=steps,
        default_guidance=guidance,
        height=parts.size[0],
        width=parts.size[1],
    )
    with folder_written_whole(out) as draft:
        pipeline.save_pretrained(draft)
        (draft / "training.json").write_text(json.dumps(_record(job), indent=2) + "\n")
    LOGGER.info("exported to %s", out)


def command(job: PaperTraining, stage: str) -> str:
    """What to type to train a stage."""
    data = job.data if job.data is not None else "DIR"
    return f"python -m ladi train {job.model} --stage {stage} --data {data} --work {job.work}"


def _pairs(job: PaperTraining, size: Size) -> TrainingPairs:
    """The training pairs at a size, and others to look at, where the data have any."""
    training = job.open("train", size)
    for split in VALIDATION_SPLITS:
        try:
            return TrainingPairs(training, job.open(split, size))
        except DatasetError as error:
            LOGGER.debug("%s", error)
    LOGGER.warning("there will be no validation: the data have no split %s", " or ".join(VALIDATION_SPLITS))
    return TrainingPairs(training)


def _with_stored(
    job: PaperTraining, pairs: TrainingPairs, found: Mapping[str, Any], workers: int
) -> TrainingPairs:
    """The pairs together with what is computed once, if that is asked for: by one process, for all."""
    if not job.precompute:
        return pairs
    state = start_processes(job.device)
    with state.main_process_first():
        store = open_store(job.work / "cache", pairs.train)
        settings: dict[str, Any] = {"device": state.device, "workers": workers}
        store_features(store, pairs.train, found["vision_encoder"], **settings)
        names = ["garment_features"]
        if "tps" in found:
            store_warped(store, pairs.train, found["tps"], found["refinement"], **settings)
            names.append("warped")
    return dataclasses.replace(pairs, stored=store, stored_names=tuple(names))


def _perceptual(job: PaperTraining) -> PerceptualLoss:
    """VGG's loss, or the substitute without weights."""
    if not job.use_vgg:
        LOGGER.warning("training without VGG's loss: detail_loss takes its place, which is not the paper's")
        return detail_loss
    with start_processes(job.device).main_process_first():
        return load_vgg(job.vgg)


def _record(job: PaperTraining) -> dict[str, Any]:
    """What each stage of a model was trained with."""
    record: dict[str, Any] = {"model": job.model, "init": str(job.parts.init) if job.parts.init else None}
    for name in STAGES:
        if job.parts.trained(name):
            state = load_checkpoint(job.work / name)
            record[name] = {"step": state["step"], "options": state["options"]}
    return record
