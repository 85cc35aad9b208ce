"""``python -m ladi train``: flags to training, nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ladi.files import make_folder
from ladi.types import CATEGORIES, SettingError

FIRST_NAMES = (
    "vae",
    "warp",
    "refinement",
    "emasc",
    "tryon",
    "garment_skips",
    "parser",
    "matting",
    "sleeves",
    "lining",
)
"""Of the embedded model's first edition; the last four are the second's too."""
FULL_SIZE_NAMES = ("warp", "refinement", "emasc", "inversion_adapter", "tryon")
"""Of the paper's."""
SECOND_NAMES = ("autoencoder", "placing", "bending", "end_to_end", "sharpening")
"""Of its second edition, which ``assets/mini`` holds."""
MODELS = ("mini", "second", "vitonhd", "dresscode")
MINI_FOLDER = Path("assets/mini")
OPTION_FLAGS = (
    "steps",
    "epochs",
    "minutes",
    "batch_size",
    "accumulate",
    "learning_rate",
    "schedule",
    "warmup_steps",
    "precision",
    "gradient_checkpointing",
    "optimizer",
    "ema_decay",
    "keep",
    "save_minutes",
    "workers",
    "seed",
    "log_every",
    "validate_every",
    "tensorboard",
    "grid_weight",
    "perceptual_weight",
    "drop",
)
"""The flags that are fields of the stages' options."""
FULL_SIZE_ONLY = (
    *("base", "vision", "vgg", "no_vgg", "precompute", "dry_run", "category"),
    *("grid_weight", "perceptual_weight", "drop"),
)


def add_parser(subparsers: Any) -> None:
    """Registers ``train``."""
    parser = subparsers.add_parser(
        "train",
        help="train a model",
        description="Train a model, stage by stage: the embedded one (mini), its second edition (second), or "
        "the paper's on VITON-HD or Dress Code. On several GPUs: accelerate launch -m ladi train … . Options "
        "that are not given are the stage's own, which for the paper's stages are the paper's.",
    )
    parser.add_argument("model", choices=MODELS, help="which model to train")
    stages = list(dict.fromkeys((*FIRST_NAMES, *SECOND_NAMES, *FULL_SIZE_NAMES, "export")))
    add = parser.add_argument
    add(
        "--stage", action="append", choices=stages, help="only this stage; may be repeated (all, then export)"
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="the data set; embedded: shards train-*.tar and val-*.tar",
    )
    add(
        "--street",
        type=Path,
        metavar="DIR",
        help="embedded: labelled street photos to train on too",
    )
    add(
        "--floors",
        type=Path,
        metavar="DIR",
        help="mini: photos whose corners show what garments lie on, for the matting",
    )
    add("--work", type=Path, metavar="DIR", help="caches, checkpoints and logs (runs/MODEL)")
    add("--init", metavar="MODEL", help="model to start from: a folder such as assets/mini, or a name")
    add("--resume", action="store_true", help="continue from the last checkpoint")
    add("--out", type=Path, metavar="DIR", help="where export writes (WORK/model)")
    add("--plot", type=Path, metavar="FILE", help="only draw the logs, as a .png or .svg")
    add("--device", choices=["cpu"], help="train on the CPU even where there is a GPU")
    add("--threads", type=int, help="CPU threads")
    _add_full_size(parser.add_argument_group("the paper's model"))
    _add_options(parser.add_argument_group("every stage"))
    parser.set_defaults(func=run)


def _add_full_size(group: Any) -> None:
    add = group.add_argument
    add("--base", metavar="PLACE", help="hub id or folder of the inpainting base (LADI_BASE_MODEL)")
    add("--vision", metavar="PLACE", help="hub id or folder of the vision encoder (LADI_VISION_MODEL)")
    add("--category", action="append", choices=CATEGORIES, help="only these garments; may be repeated")
    vgg = group.add_mutually_exclusive_group()
    vgg.add_argument("--vgg", type=Path, metavar="FILE", help="VGG-19's weights, else fetched once")
    vgg.add_argument("--no-vgg", action="store_true", help="a loss without weights in VGG's place")
    add("--precompute", action="store_true", help="garment features and warped garments once, kept in WORK")
    add("--dry-run", action="store_true", help="build all, two steps; say memory and time to the end")
    add("--grid-weight", type=float, help="warp: of the control points' regularity")
    add("--perceptual-weight", type=float, help="refinement, emasc: of VGG's loss")
    add("--drop", type=float, help="tryon: how often text, pose, garment are each left out")


def _add_options(group: Any) -> None:
    add = group.add_argument
    add("--steps", type=int, help="length of each stage")
    add("--epochs", type=float, help="the same in passes over the data")
    add("--minutes", type=float, help="stop each stage, resumably, after this long")
    add("--batch-size", type=int, help="pictures per step, over all processes and parts")
    add("--accumulate", type=int, metavar="N", help="compute a step in N parts, one after the other")
    add("--learning-rate", type=float)
    add("--schedule", metavar="NAME", help="of the learning rate: constant, cosine, linear, …")
    add("--warmup-steps", type=int)
    add("--precision", choices=["no", "bf16", "fp16"])
    add("--gradient-checkpointing", action="store_true", default=None, help="less memory, more time")
    kinds = group.add_mutually_exclusive_group()
    for flag, kind, words in (
        ("--adam-8bit", "adamw_8bit", "bitsandbytes' Adam: a quarter of its memory"),
        ("--adafactor", "adafactor", "hardly any memory"),
    ):
        kinds.add_argument(flag, dest="optimizer", action="store_const", const=kind, help=words)
    add("--ema-decay", type=float, help="of the averages that are exported; 0 keeps none")
    add("--keep", type=int, metavar="N", help="checkpoints kept")
    add("--save-minutes", type=float, help="between checkpoints")
    add("--workers", type=int, help="processes that read ahead")
    add("--seed", type=int)
    add("--log-every", type=int, help="steps between lines of the log")
    add("--validate-every", type=int, help="steps between validations")
    add("--tensorboard", action="store_true", default=None, help="log to WORK/STAGE/tensorboard too")


def run(arguments: argparse.Namespace) -> int:
    """Trains as the flags say; returns the exit code."""
    import torch

    work = arguments.work or Path("runs") / arguments.model
    if arguments.plot:
        from ladi.training.loop.plot import plot_logs

        plot_logs(work, arguments.plot)
        return 0
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    values = {flag: getattr(arguments, flag) for flag in OPTION_FLAGS}
    changes = {flag: value for flag, value in values.items() if value is not None}
    embedded = arguments.model in ("mini", "second")
    known = {"mini": FIRST_NAMES, "second": SECOND_NAMES}.get(arguments.model, FULL_SIZE_NAMES)
    wanted = tuple(arguments.stage or (*known, "export"))
    if unknown := sorted(set(wanted) - {*known, "export"}):
        raise SettingError(
            f"The model {arguments.model} has no stage {', '.join(unknown)}: choose from {', '.join(known)}."
        )
    stages = tuple(stage for stage in wanted if stage != "export")
    if not arguments.dry_run:
        make_folder(work, "--work")
    train = _run_embedded if embedded else _run_full_size
    train(arguments, work, stages, export="export" in wanted, changes=changes)
    return 0


def _run_embedded(
    arguments: argparse.Namespace,
    work: Path,
    stages: tuple[str, ...],
    *,
    export: bool,
    changes: dict[str, Any],
) -> None:
    from ladi.training.first_edition import Workshop, train_mini
    from ladi.training.loop.workbench import start_processes
    from ladi.training.second_edition import SecondWorkshop, train_second

    for flag in FULL_SIZE_ONLY:
        value = getattr(arguments, flag)
        if value is not None and value is not False:
            raise SettingError(f"--{flag.replace('_', '-')} is for vitonhd and dresscode: leave it out.")
    init = Path(arguments.init) if arguments.init else None
    how: dict[str, Any] = {
        "stages": stages,
        "street": arguments.street,
        "resume": arguments.resume,
        "device": arguments.device,
        "changes": changes,
    }
    workshop: Workshop | SecondWorkshop
    if arguments.model == "second":
        workshop = train_second(work, arguments.data, init or MINI_FOLDER, **how)
    else:
        train_mini(work, arguments.data, init=init, floors=arguments.floors, **how)
        workshop = Workshop(work, arguments.data, init)
    if export and start_processes(arguments.device).is_main_process:
        workshop.export(arguments.out or work / "model")


def _run_full_size(
    arguments: argparse.Namespace,
    work: Path,
    stages: tuple[str, ...],
    *,
    export: bool,
    changes: dict[str, Any],
) -> None:
    from ladi.training.loop.workbench import start_processes
    from ladi.training.paper_model import PaperTraining, export_model, run_stages
    from ladi.training.parts import Parts

    if arguments.street is not None:
        raise SettingError("--street is for mini and second: leave it out.")
    job = PaperTraining(
        model=arguments.model,
        work=work,
        parts=Parts(work, init=arguments.init, base=arguments.base, vision=arguments.vision),
        data=arguments.data,
        categories=arguments.category,
        vgg=arguments.vgg,
        use_vgg=not arguments.no_vgg,
        precompute=arguments.precompute,
        device=arguments.device,
        changes=changes,
    )
    run_stages(job, stages, resume=arguments.resume, dry_run=arguments.dry_run)
    if export and not arguments.dry_run and start_processes(arguments.device).is_main_process:
        export_model(job, arguments.out or work / "model")
