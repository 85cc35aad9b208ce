"""``python -m ladi evaluate``: flags to evaluation, nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Registers ``evaluate``."""
    parser = subparsers.add_parser(
        "evaluate", help="score a model on labelled pairs", description="Score a model on labelled pairs."
    )
    parser.add_argument("model", type=Path, help="model folder, such as assets/mini")
    parser.add_argument("--data", type=Path, required=True, help="folder with the shards")
    parser.add_argument("--split", default="val", help="which shards (%(default)s)")
    parser.add_argument("--order", choices=["paired", "unpaired"], default="paired")
    parser.add_argument(
        "--ablation", action="store_true", help="also without each part, and at other numbers of steps"
    )
    parser.add_argument("--steps", type=int, help="the model's own by default")
    parser.add_argument("--guidance", type=float, help="the model's own by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="only so many pairs")
    parser.add_argument(
        "--out", type=Path, default=Path("outputs/evaluation"), help="tables and pictures (%(default)s)"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluates as the flags say; returns the exit code."""
    from ladi.evaluation.run import Variant, evaluate, print_table

    rows = evaluate(
        arguments.model,
        arguments.data,
        arguments.out,
        split=arguments.split,
        order=arguments.order,
        with_ablation=arguments.ablation,
        full=Variant("full", steps=arguments.steps, guidance=arguments.guidance),
        seed=arguments.seed,
        limit=arguments.limit,
    )
    print(
        print_table(rows)
        if rows
        else f"unpaired pairs have no truth to score against: look at {arguments.out}"
    )
    return 0
