"""The command ``convert``: published files into a model folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ladi.weights import stock, table
from ladi.weights.convert import convert, refuse_existing


def add_parser(subparsers: Any) -> None:
    """Describe the ``convert`` command to argparse."""
    parser = subparsers.add_parser("convert", help="published files into a model folder")
    parser.set_defaults(func=run)
    add = parser.add_argument
    add("model", choices=list(table.RELEASES))
    add("--out", type=Path, required=True, metavar="DIR", help="the model folder to make")
    add("--precision", choices=list(table.CONVERTED_BYTES), default="fp32", help="of the weights on disk")
    add("--from", dest="downloads", type=Path, default=stock.DOWNLOADS, metavar="DIR", help="the .pth files")
    add("--base", metavar="PLACE", help="hub id or folder of the base, tried first (LADI_BASE_MODEL)")
    add("--vision", metavar="PLACE", help="the same for the vision encoder (LADI_VISION_MODEL)")


def run(options: argparse.Namespace) -> int:
    """The command."""
    given = {"base": options.base, "vision": options.vision}
    refuse_existing(options.out)
    base, vision = stock.require_sources(options.model, options.downloads, **given)
    stock.require_space({options.out: stock.converted_bytes(options.precision)})
    convert(options.model, options.out, options.downloads, base, vision, precision=options.precision)
    print(f"{options.out}: the model {options.model}, in {options.precision}")
    return 0
