"""``python -m ladi evaluate``: flags to evaluation, nothing else.

On several GPUs: ``accelerate launch -m ladi evaluate …`` with the same flags; on several processes of a CPU:
``torchrun --nproc_per_node N -m ladi evaluate …``.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladi.files import make_folder
from ladi.setting_row import read_size
from ladi.settings import settings_table
from ladi.types import CATEGORIES, LadiError

if TYPE_CHECKING:
    from ladi.evaluation.options import Extra


def add_parser(subparsers: Any) -> None:
    """Registers ``evaluate``."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a model on labelled pairs",
        description="Make pictures of labelled pairs, score them, and write a report. Pictures that are "
        "there are not made again. On several GPUs: accelerate launch -m ladi evaluate, with these options.",
    )
    parser.add_argument(
        "model",
        nargs="?",
        help="mini, vitonhd, dresscode, or a model folder such as assets/mini; not needed with --pictures",
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, required=True, help="folder of shards, VITON-HD or Dress Code")
    data.add_argument("--split", default="val", help="which part of it (%(default)s)")
    data.add_argument("--order", choices=["paired", "unpaired"], default="paired")
    data.add_argument(
        "--category",
        dest="categories",
        choices=CATEGORIES,
        action="append",
        help="only this one; may stand several times",
    )
    data.add_argument("--limit", type=int, help="only so many pairs, from the first")
    data.add_argument("--size", help="HEIGHTxWIDTH of the pictures; the model's own by default")
    data.add_argument(
        "--masks",
        choices=["published", "app"],
        default="published",
        help="from the data's labels and joints, or from what the app finds by itself (%(default)s)",
    )
    data.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="NAME=DIR[@HxW]",
        help="also this data set, in the report; may stand several times",
    )
    data.add_argument("--extra-limit", type=int, metavar="N", help="only so many pairs of each of them")
    making = parser.add_argument_group("pictures")
    making.add_argument(
        "--ablation",
        dest="with_ablation",
        action="store_true",
        help="also without each part, in other numbers of steps, and by other samplers",
    )
    making.add_argument("--ablation-limit", type=int, metavar="N", help="for the first so many pairs only")
    making.add_argument("--other-emasc", type=Path, metavar="DIR", help="a linear EMASC, for the ablation")
    making.add_argument("--steps", type=int, help="the model's own by default")
    making.add_argument("--guidance", type=float, help="the model's own by default")
    making.add_argument(
        "--sampler", choices=settings_table()["sampler"].choices, help="the model's own by default"
    )
    making.add_argument("--seed", type=int, default=0, help="of the first pair; pair i has this plus i")
    making.add_argument(
        "--no-paste-back",
        dest="paste_back",
        action="store_false",
        help="score the network's own picture, also outside the mask",
    )
    making.add_argument("--batch-size", type=int, default=1, help="pairs at once (%(default)s)")
    making.add_argument("--device", choices=["cuda", "mps", "cpu"], help="the best there is by default")
    making.add_argument("--precision", choices=["auto", "fp32", "fp16", "bf16"], default="auto")
    scoring = parser.add_argument_group("scores and report")
    scoring.add_argument(
        "--stage",
        choices=["all", "generate", "score", "report"],
        default="all",
        help="only one of: make pictures, score what is there, write the report of what is scored",
    )
    scoring.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="score these instead: {person}.png or {person}_{garment}.png",
    )
    scoring.add_argument(
        "--no-causes",
        dest="causes",
        action="store_false",
        help="do not measure warp, parser and detector pair by pair",
    )
    scoring.add_argument("--metrics", help="only these, by comma: ssim, masked_error, lpips_alex, fid, …")
    scoring.add_argument(
        "--out", type=Path, default=Path("outputs/evaluation"), help="pictures, tables, report (%(default)s)"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluates as the flags say; returns the exit code."""
    from ladi.evaluation.options import Options
    from ladi.evaluation.report.tables import describe
    from ladi.evaluation.run import evaluate

    asked = {one.name: getattr(arguments, one.name) for one in fields(Options)}
    asked |= {
        "categories": tuple(arguments.categories) if arguments.categories else None,
        "size": read_size(arguments.size, "--size") if arguments.size else None,
        "metrics": tuple(arguments.metrics.split(",")) if arguments.metrics else None,
        "extra": tuple(read_extra(text) for text in arguments.extra),
    }
    make_folder(arguments.out, "--out")
    result = evaluate(Options(**asked))
    if result:
        print(describe(result))
    if result or arguments.stage == "report":
        print(f"\nreport: {arguments.out / 'report.html'}")
    return 0


def read_extra(text: str) -> Extra:
    """``name=folder`` or ``name=folder@512x384``.

    Raises:
        LadiError: it is neither.
    """
    from ladi.evaluation.options import Extra

    found = re.fullmatch(r"([\w.-]+)=(.+?)(?:@(\d+[x×]\d+))?", text)
    if found is None:
        raise LadiError(f"--extra takes NAME=DIR or NAME=DIR@HEIGHTxWIDTH, got {text!r}")
    return Extra(found[1], Path(found[2]), read_size(found[3], "the size in --extra") if found[3] else None)
