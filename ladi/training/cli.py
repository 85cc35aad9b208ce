"""``python -m ladi train``: flags to training, nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

STAGE_NAMES = ("vae", "warp", "refinement", "emasc", "tryon", "garment_skips", "parser", "matting")
OPTION_FLAGS = (
    "steps",
    "minutes",
    "batch_size",
    "learning_rate",
    "precision",
    "seed",
    "log_every",
    "validate_every",
)


def add_parser(subparsers: Any) -> None:
    """Registers ``train``."""
    parser = subparsers.add_parser(
        "train", help="train a model", description="Train a model, stage by stage."
    )
    parser.add_argument("model", choices=["mini"], help="which model to train: the embedded one")
    parser.add_argument("--data", type=Path, help="folder with the shards train-*.tar and val-*.tar")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/mini"), help="cache, checkpoints and logs (%(default)s)"
    )
    parser.add_argument(
        "--stage", action="append", choices=[*STAGE_NAMES, "export"], help="only this stage; may be repeated"
    )
    parser.add_argument("--init", type=Path, help="model folder to start from, such as assets/mini")
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument(
        "--out", type=Path, default=Path("assets/mini"), help="where export writes (%(default)s)"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="only draw the logs, as a .png or .svg")
    parser.add_argument("--device", choices=["cpu"], help="train on the CPU even where there is a GPU")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--steps", type=int, help="length of each stage")
    parser.add_argument("--minutes", type=float, help="stop each stage, resumably, after this long")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--precision", choices=["no", "bf16", "fp16"])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--log-every", type=int, help="steps between lines of the log")
    parser.add_argument("--validate-every", type=int, help="steps between validations")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Trains as the flags say; returns the exit code."""
    import torch

    from ladi.training.plot import plot_logs
    from ladi.training.workshop import STAGES, Workshop, train_mini

    if arguments.plot:
        plot_logs(arguments.work, arguments.plot)
        return 0
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    wanted = tuple(arguments.stage or (*STAGES, "export"))
    changes = {
        flag: getattr(arguments, flag) for flag in OPTION_FLAGS if getattr(arguments, flag) is not None
    }
    train_mini(
        arguments.work,
        arguments.data,
        stages=tuple(stage for stage in wanted if stage != "export"),
        init=arguments.init,
        resume=arguments.resume,
        device=arguments.device,
        changes=changes,
    )
    if "export" in wanted:
        Workshop(arguments.work, arguments.data, arguments.init).export(arguments.out)
    return 0
