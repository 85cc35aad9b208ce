"""The flags that several commands share: which model, where it computes, and how a picture is made.

Each is written once. Nothing is checked here beyond what argparse does: the sentences on wrong values are
``ladi.settings.check_request``'s, which the page uses too.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from ladi.settings import read_size, read_switch

if TYPE_CHECKING:
    pass

SETTINGS = (
    "category",
    "seed",
    "steps",
    "guidance",
    "sampler",
    "pictures",
    "size",
    "emasc",
    "pseudo_words",
    "warped_garment",
    "pose",
    "garment_skips",
    "cloth_cond_rate",
    "mask_grow",
    "mask_rule",
    "clean_garment",
    "paste_back",
    "fine_detail",
    "keep_unchanged",
    "feather",
)
"""What ``add_settings`` sets, by the names that ``ladi.settings.request_of`` takes."""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Describe how a picture is made; ``settings_of`` collects what was said."""
    add = parser.add_argument
    kinds = ("auto", "upper_body", "lower_body", "dresses")
    add("--category", choices=kinds, default="auto", help="kind of garment; auto looks at its outline")
    add("--size", metavar="HxW", help="of the network's picture, 256x192 to 1024x768; the model's own")
    add("--seed", type=int, metavar="N", help="0 to 4294967295; drawn and printed, unless given")
    add("--steps", type=int, metavar="N", help="1 to 100; the model's own default, unless given")
    add("--guidance", type=float, metavar="X", help="0 to 30; the model's own default, unless given")
    add("--sampler", metavar="S", help="ddim, dpm++, unipc or euler; the model's own, unless given")
    add("--pictures", type=int, default=1, metavar="N", help="so many pictures: result.png, result-2.png, …")
    add(
        "--cloth-cond-rate",
        type=float,
        default=1.0,
        metavar="R",
        help="share of steps, 0 to 1, that see the garment",
    )
    add(
        "--mask-grow",
        type=int,
        default=0,
        metavar="N",
        help="grow the mask by N model pixels (negative: shrink)",
    )
    add(
        "--mask-rule",
        choices=("worn", "published"),
        default="worn",
        help="replace all that is covered, or as published",
    )
    add(
        "--garment-background",
        dest="clean_garment",
        default="auto",
        metavar="HOW",
        help="auto, keep, embedded, or a local rembg model",
    )
    add(
        "--feather",
        type=float,
        default=4.0,
        metavar="X",
        help="soft edge inside the mask, 0 to 32 model pixels",
    )
    for flag, name, meaning in (
        ("--no-emasc", "emasc", "leave out the skips that keep the photo's fine detail"),
        ("--no-pseudo-words", "pseudo_words", "describe the garment by its category alone"),
        ("--no-warped-garment", "warped_garment", "do not show the fitted garment to the network"),
        ("--no-garment-skips", "garment_skips", "leave out the skips that carry the garment's pattern"),
        ("--no-pose", "pose", "do not show the joints to the network"),
        ("--repaint-all", "keep_unchanged", "also repaint wall and skin that stay as they are"),
        ("--no-fine-detail", "fine_detail", "do not add the garment's fine detail in large photos"),
        ("--no-paste-back", "paste_back", "write the network's picture instead of the dressed photo"),
    ):
        add(flag, dest=name, action="store_false", help=meaning)


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What ``add_settings`` parsed, by the names of ``SETTINGS``.

    Raises:
        SettingError: ``--size`` is not written as a size.
    """
    values = {name: getattr(options, name) for name in SETTINGS}
    return values | {"size": None if options.size is None else read_size(options.size, "--size")}


def add_model(parser: argparse.ArgumentParser) -> None:
    """Describe the choice of a model."""
    parser.add_argument(
        "--model", default="mini", help="mini, vitonhd, dresscode, or a folder with model_index.json"
    )


def add_running(parser: Any) -> None:
    """Describe where and how a model computes; the page takes the same flags and environment variables."""
    env = os.environ.get
    add = parser.add_argument
    add("--device", default=env("LADI_DEVICE"), help="cuda, mps or cpu (LADI_DEVICE); the best there is")
    add(
        "--precision",
        default=env("LADI_PRECISION", "auto"),
        metavar="P",
        help="auto, fp32, fp16 or bf16 (LADI_PRECISION)",
    )
    add(
        "--low-memory",
        action="store_true",
        default=switched_on("LADI_LOW_MEMORY"),
        help="slower, with less memory (LADI_LOW_MEMORY)",
    )
    add(
        "--content-filter",
        action="store_true",
        default=switched_on("LADI_CONTENT_FILTER"),
        help="keep back what a local safety checker refuses (LADI_CONTENT_FILTER)",
    )


def running_of(options: argparse.Namespace) -> dict[str, Any]:
    """What ``add_running`` parsed, as ``Engine.load`` takes it."""
    return {name: getattr(options, name) for name in ("device", "precision", "low_memory", "content_filter")}


def switched_on(variable: str) -> bool:
    """Whether an environment variable says yes; one that is empty or not set says no.

    Raises:
        SettingError: it says something else.
    """
    said = os.environ.get(variable, "").strip()
    return bool(said) and read_switch(said, variable)
