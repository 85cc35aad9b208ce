"""What became of every row of a batch, as JSON for programs and as a table for people.

It knows nothing of how rows are run, and it holds names of files, never the folders that they came from.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ladi.batch.folder import Folder
from ladi.files import as_json

MANIFEST, TABLE = "manifest.json", "manifest.csv"
WRITING_SHARE = 0.05
"""Of a batch's time, at most so much goes into writing its manifest."""

FORMULA = ("=", "+", "-", "@")
"""What a cell begins with that a spreadsheet computes."""

Status = Literal["waiting", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Entry:
    """What the manifest says of a row; of plain values only."""

    number: int
    person: str
    garment: str
    status: Status = "waiting"
    message: str = ""
    """Why it failed."""
    notes: tuple[str, ...] = ()
    """What is worth knowing about the pictures."""
    files: tuple[str, ...] = ()
    seconds: float = 0.0
    settings: Mapping[str, Any] | None = None
    """Of the first picture, as ``ladi.settings.record`` has them."""
    digest: str = ""
    """Of everything that went into it; see ``ladi.batch.book.digest_row``."""


def read_manifest(folder: Folder) -> dict[str, Entry]:
    """What an earlier run has finished, by the first file; nothing where there is no manifest of ours."""
    try:
        told = json.loads(folder.read(MANIFEST))["rows"]
        entries = [
            Entry(**{**one, "notes": tuple(one["notes"]), "files": tuple(one["files"])}) for one in told
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {
        entry.files[0]: entry for entry in entries if entry.status == "done" and entry.digest and entry.files
    }


class ManifestWriter:
    """Writes the manifest again and again; so seldom, for thousands of rows, that it takes little time."""

    def __init__(self, folder: Folder, model: str) -> None:
        """Remember where to write, and which model to name."""
        self._folder, self._model = folder, model
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Whether enough time has passed since it was written last."""
        return time.monotonic() >= self._next

    def write(self, entries: Sequence[Entry], *, at_once: bool = False) -> None:
        """Write it, unless the last time is so little ago that writing would take more than its share.

        Raises:
            PairsError: the folder cannot be written to.
        """
        started = time.monotonic()
        if at_once or self.due:
            write_manifest(self._folder, self._model, entries)
            done = time.monotonic()
            self._next = done + (done - started) / WRITING_SHARE


def write_manifest(folder: Folder, model: str, entries: Sequence[Entry]) -> None:
    """Both forms of the manifest; each appears whole or not at all."""
    told = {"model": model, "rows": [asdict(entry) for entry in entries]}
    table = io.StringIO()
    columns = ["number", "person", "garment", "status", "message", "files", "seconds", "notes"]
    made = ["category", "seed", "steps", "guidance"]
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([*columns, *made])
    for entry in entries:
        cells = asdict(entry) | {"files": " | ".join(entry.files), "notes": " ".join(entry.notes)}
        settings = entry.settings or {}
        told_row = [*(cells[name] for name in columns), *(settings.get(name, "") for name in made)]
        writer.writerow([plain_cell(cell) for cell in told_row])
    folder.write(MANIFEST, as_json(told).encode())
    # With a mark at the start, by which spreadsheets know UTF-8.
    folder.write(TABLE, ("\ufeff" + table.getvalue()).encode())


def plain_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, whatever somebody has called a file."""
    if isinstance(value, str) and value.lstrip().startswith(FORMULA):
        return f"'{value}"
    return value
