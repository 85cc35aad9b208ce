"""What of a full-size model is on this machine, what is missing, and how much space the rest needs.

It looks at names and sizes only and imports little, so that the page may ask before it opens.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ladi.files import MODELS_FOLDER
from ladi.types import ModelError
from ladi.weights import table
from ladi.weights.fetch import partial_of
from ladi.weights.hub import Found, look_up
from ladi.weights.table import Precision, Source

DOWNLOADS = MODELS_FOLDER / "downloads"
"""Where the paper's files go; hub files stay in the hub's cache."""
SPARE_BYTES = 200_000_000


def missing_files(
    model: str, downloads: Path = DOWNLOADS, *, base: str | None = None, vision: str | None = None
) -> list[str]:
    """The source files that are not on this machine, each with where it belongs.

    Args:
        model: a key of ``table.RELEASES``.
        downloads: where the paper's files lie.
        base: another base, see ``hub.mirrors_of``.
        vision: another vision encoder.
    """
    names: list[str] = []
    for source in table.sources_of(model):
        if source.kind == "release":
            names += [file.name for file in source.files if not (downloads / file.name).is_file()]
            continue
        found = look_up(source, _given(source, base, vision))
        if not isinstance(found, Found):
            names += [f"{name} of the {source.title}" for name in found]
    return names


def require_sources(
    model: str, downloads: Path = DOWNLOADS, *, base: str | None = None, vision: str | None = None
) -> tuple[Found, Found]:
    """Base and vision encoder of a model that has all its files here.

    Raises:
        ModelError: something is missing: one message, with all of it and the command that brings it.
    """
    if names := missing_files(model, downloads, base=base, vision=vision):
        raise ModelError(
            f"For the model {model!r} there is still missing: {', '.join(names)}. Get it by "
            f"`{download_command(model, downloads, base=base, vision=vision)}`."
        )
    founds = [look_up(source, _given(source, base, vision)) for source in (table.BASE, table.VISION)]
    first, second = founds
    assert isinstance(first, Found) and isinstance(second, Found)
    return first, second


def download_command(
    model: str, downloads: Path = DOWNLOADS, *, base: str | None = None, vision: str | None = None
) -> str:
    """What to type for a model's files."""
    words = ["python -m ladi download", model]
    words += [f"--base {base}"] if base else []
    words += [f"--vision {vision}"] if vision else []
    words += [f"--dir {downloads}"] if downloads != DOWNLOADS else []
    return " ".join(words)


def require_space(needs: dict[Path, int]) -> None:
    """Raises ``ModelError`` unless every disk has room for what is to be written on it.

    Args:
        needs: bytes by folder; folders on one disk share it.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size in needs.items():
        place = _existing(folder)
        device = os.stat(place).st_dev
        disks[device] = place, disks.get(device, (place, 0))[1] + size
    for place, size in disks.values():
        free = shutil.disk_usage(place).free
        if size and free < size + SPARE_BYTES:
            raise ModelError(
                f"The disk of {str(place)!r} has {free / 1e9:.1f} GB free, but about {size / 1e9:.1f} GB are "
                f"needed: free some space, or choose another disk with --dir, --out or HF_HOME."
            )


def bytes_to_come(
    models: tuple[str, ...], downloads: Path, *, base: str | None = None, vision: str | None = None
) -> dict[Path, int]:
    """About how many bytes downloading writes, by folder."""
    from huggingface_hub import constants

    release, hub = 0, 0
    for source in dict.fromkeys(source for model in models for source in table.sources_of(model)):
        if source.kind == "release":
            for file in source.files:
                target = downloads / file.name
                if not target.is_file():
                    partial = partial_of(target)
                    release += max((file.size or 0) - (partial.stat().st_size if partial.is_file() else 0), 0)
        else:
            found = look_up(source, _given(source, base, vision))
            lacking = [] if isinstance(found, Found) else found
            hub += sum(file.size or 0 for file in source.files if file.name in lacking)
    return {downloads: release, Path(constants.HF_HUB_CACHE): hub}


def converted_bytes(precision: Precision) -> int:
    """About how many bytes a converted model takes."""
    return table.CONVERTED_BYTES[precision]


def _given(source: Source, base: str | None, vision: str | None) -> str | None:
    return base if source.variable == table.BASE.variable else vision


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    folder = folder.expanduser().absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())
