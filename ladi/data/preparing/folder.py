"""The folder of a split that is being prepared, and what it says of itself."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladi.data.prepared import MANIFEST
from ladi.data.sample import read_json
from ladi.files import write_json
from ladi.types import SettingError

if TYPE_CHECKING:
    from ladi.data.preparing.pictures import Outcome, PrepareOptions


LAYOUT_VERSION = 1


def start_folder(folder: Path, settings: PrepareOptions, *, anew: bool) -> None:
    """Make a split's folder and note its settings there, before the first picture.

    Raises:
        SettingError: it was prepared with other settings, holds something else, or cannot be made.
    """
    note = folder / MANIFEST
    try:
        if note.is_file() and anew:
            for name in ("people", "garments"):
                shutil.rmtree(folder / name, ignore_errors=True)
            for name in ("paired.csv", "unpaired.csv", MANIFEST):
                (folder / name).unlink(missing_ok=True)
        if folder.is_dir() and not note.is_file() and any(folder.iterdir()):
            raise SettingError(f"{folder} holds something else already: choose another --out or --split.")
        if note.is_file():
            check_unchanged(folder, settings)
        folder.mkdir(parents=True, exist_ok=True)
        # Pairs of an earlier run would be taken for those of this one if it is interrupted.
        for order in ("paired", "unpaired"):
            (folder / f"{order}.csv").unlink(missing_ok=True)
        write_json(note, manifest(settings))
    except OSError as error:
        raise SettingError(
            f"{folder} cannot be written to ({error.strerror}): choose another --out."
        ) from error


def check_unchanged(folder: Path, settings: PrepareOptions) -> None:
    """Refuse to mix pictures of different settings in one folder."""
    content = read_json(folder / MANIFEST)
    before = content.get("settings") if isinstance(content, dict) else None
    now = manifest(settings)["settings"]
    if before == now:
        return
    old = before if isinstance(before, dict) else {}
    changed = [f"{name} {old.get(name)}, now {now[name]}" for name in now if old.get(name) != now[name]]
    raise SettingError(
        f"{folder} was prepared with other settings ({'; '.join(changed)}): give the same ones, another "
        "--out, or --anew to throw it away."
    )


def manifest(settings: PrepareOptions, outcomes: Sequence[Outcome] | None = None) -> dict[str, Any]:
    """What a split's folder says of itself; without outcomes, that it is being prepared."""
    note: dict[str, Any] = {
        "layout": LAYOUT_VERSION,
        "settings": {**asdict(settings), "size": list(settings.size)},
        "finished": outcomes is not None,
    }
    told = sorted(outcomes or (), key=lambda outcome: (outcome.task.kind, outcome.task.name))
    note["failed"] = {
        f"{outcome.task.kind} {outcome.task.source.name}": outcome.failure
        for outcome in told
        if outcome.failure
    }
    note["findings"] = {
        f"{outcome.task.kind} {outcome.task.source.name}": [
            finding["message"] for finding in outcome.findings
        ]
        for outcome in told
        if outcome.findings
    }
    return note
