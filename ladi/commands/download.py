"""The command ``download``: everything that a full-size model needs, then its conversion.

It counts the disk space before anything is fetched. How one file comes is ``ladi/weights/``'s business.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from ladi.files import make_folder
from ladi.types import ModelError
from ladi.weights import stock, table
from ladi.weights.catalog import has_model
from ladi.weights.convert import convert
from ladi.weights.fetch import fetch
from ladi.weights.hub import download as download_hub
from ladi.weights.hub import mirrors_of

LOGGER = logging.getLogger(__name__)

ALL = "all"


def add_parser(subparsers: Any) -> None:
    """Describe the ``download`` command to argparse."""
    parser = subparsers.add_parser("download", help="fetch a published model and convert it")
    parser.set_defaults(func=run)
    add = parser.add_argument
    add("model", choices=[*table.RELEASES, ALL])
    add("--dry-run", action="store_true", help="only list files, sizes and licences")
    add("--base", metavar="PLACE", help="hub id or folder of the base, tried first (LADI_BASE_MODEL)")
    add("--vision", metavar="PLACE", help="the same for the vision encoder (LADI_VISION_MODEL)")
    add("--dir", type=Path, default=stock.DOWNLOADS, metavar="DIR", help="where the .pth files go")
    add("--precision", choices=list(table.CONVERTED_BYTES), default="fp32", help="of the converted weights")


def run(options: argparse.Namespace) -> int:
    """The command."""
    from huggingface_hub import constants

    from ladi.weights.catalog import MODELS

    names = tuple(table.RELEASES) if options.model == ALL else (options.model,)
    given = {"base": options.base, "vision": options.vision}
    if options.dry_run:
        show(names, options.dir, **given)
        return 0
    make_folder(options.dir, "--dir")
    if constants.is_offline_mode():
        for name in names:
            refuse_offline(name, options.dir, **given)
    needs = stock.bytes_to_come(names, options.dir, **given)
    wanted = [name for name in names if not _is_converted(MODELS[name])]
    copies = {MODELS[name]: stock.converted_bytes(options.precision) for name in wanted}
    stock.require_space(needs | copies)
    base = download_hub(table.BASE, options.base)
    vision = download_hub(table.VISION, options.vision)
    for name in names:
        source = table.RELEASES[name]
        for file in source.files:
            fetch(file.name, [mirror.location for mirror in mirrors_of(source)], options.dir)
        if name in wanted:
            convert(name, MODELS[name], options.dir, base, vision, precision=options.precision)
        print(f"{name} is in {MODELS[name]}: python app.py --model {name}")
    return 0


def refuse_offline(model: str, downloads: Path, *, base: str | None, vision: str | None) -> None:
    """Raises ``ModelError`` if the network is switched off and something is missing."""
    if names := stock.missing_files(model, downloads, base=base, vision=vision):
        raise ModelError(
            f"HF_HUB_OFFLINE is set, so nothing is downloaded, but for {model!r} there is still missing: "
            f"{', '.join(names)}. Unset it, or put the files there by hand."
        )


def show(models: tuple[str, ...], downloads: Path, *, base: str | None, vision: str | None) -> None:
    """Print what there is to be fetched, from where, and under which licence; ask nobody."""
    missing = {
        name for model in models for name in stock.missing_files(model, downloads, **_both(base, vision))
    }
    total = 0
    for source in dict.fromkeys(source for model in models for source in table.sources_of(model)):
        mirrors = mirrors_of(source, {table.BASE: base, table.VISION: vision}.get(source))
        print(f"{source.title}  ({source.licence.name}, {source.licence.terms})")
        for mirror in mirrors:
            print(f"  from {mirror.location}" + (f" at {mirror.revision}" if mirror.revision else ""))
        for file in source.files:
            label = file.name if source.kind == "release" else f"{file.name} of the {source.title}"
            state = "missing" if label in missing else "" if not file.required else "here"
            total += file.size or 0
            print(f"  {_size(file.size):>12}  {file.name:<45} {file.holds:<42} {state}".rstrip())
    needs = stock.bytes_to_come(models, downloads, **_both(base, vision))
    print(
        f"about {_size(total)} in all, {_size(sum(needs.values()))} of it to come; a converted model takes",
        end="",
    )
    print(" " + " or ".join(f"{_size(size)} ({name})" for name, size in table.CONVERTED_BYTES.items()))


def _both(base: str | None, vision: str | None) -> dict[str, str | None]:
    return {"base": base, "vision": vision}


def _is_converted(folder: Path) -> bool:
    """Whether the model is there already.

    Raises:
        ModelError: something else is in its place.
    """
    if has_model(folder):
        LOGGER.info("%s is there already and is left as it is", folder)
        return True
    if folder.exists():
        raise ModelError(f"{str(folder)!r} is in the way and holds no model: move it, and try again.")
    return False


def _size(size: int | None) -> str:
    """Bytes in words that people compare."""
    if size is None:
        return "unknown"
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.2f} {unit}"
    return f"{max(size // 1000, 1) if size else 0} kB"
