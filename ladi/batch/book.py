"""The books of a batch: what an earlier run has made, what is left to do, and the manifest of both.

The manifest is kept up to date, so that a batch which was interrupted goes on where it stopped: a row whose
pictures are there, made from the same two files by the same model with the same settings, is not made again.
How rows are made is not known here.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ladi.batch.folder import Folder
from ladi.batch.manifest import Entry, ManifestWriter, read_manifest
from ladi.batch.order import order_of_work
from ladi.batch.pairing import Row
from ladi.batch.work import Job
from ladi.postprocess.png import name_pictures


@dataclass(frozen=True)
class RowDone:
    """News of one row."""

    row: Row
    status: Literal["done", "skipped", "failed", "cancelled"]
    """``skipped``: an earlier run has made it, from the same files and settings."""
    message: str
    """Why it failed, in a sentence; else empty."""
    seconds: float
    """Of this run."""
    paths: tuple[Path | str, ...]
    """The pictures, where there are any."""
    notes: tuple[str, ...] = ()
    """What is worth knowing about them, in sentences."""

    @property
    def path(self) -> Path | str | None:
        """The first picture."""
        return self.paths[0] if self.paths else None


class Book:
    """What becomes of every row of one batch."""

    def __init__(self, rows: Sequence[Row], out: Folder, model: str, settings: Mapping[str, Any]) -> None:
        """Compare the rows with what an earlier run has left.

        Args:
            rows: all of them.
            out: where pictures and manifest go; it is there.
            model: which makes them.
            settings: for all rows; a row's own come first.
        """
        self._rows, self._out = rows, out
        problems = find_problems(rows, out, settings)
        self._jobs = [
            Job(index, row, model, dict(settings) | dict(row.values), problem)
            for index, (row, problem) in enumerate(zip(rows, problems, strict=True))
        ]
        files = _FileDigests()
        self._digests = [
            "" if job.problem else digest_row(job.row, job.values, model, files) for job in self._jobs
        ]
        self._earlier = read_manifest(out)
        self._entries = [Entry(row.number, *row.names) for row in rows]
        self._writer = ManifestWriter(out, model)
        self._begun = False

    def skipped(self) -> Iterator[RowDone]:
        """News of what an earlier run has made, in the rows' order."""
        for index, row in enumerate(self._rows):
            before = self._earlier.get(row.out)
            if before is None or before.digest != self._digests[index]:
                continue
            if not all(self._out.has(name) for name in before.files):
                continue
            del self._earlier[row.out]
            person, garment = row.names
            self._entries[index] = replace(before, number=row.number, person=person, garment=garment)
            self._write()
            yield self._news(row, self._entries[index], "skipped")

    def jobs(self, nearby: int) -> Iterator[Job]:
        """What is left, in the order of work; see ``order_of_work``."""
        left = [job for job in self._jobs if self._entries[job.index].status == "waiting"]
        for place in order_of_work([(job.row.person, job.row.garment) for job in left], nearby):
            yield left[place]

    def begin(self, job: Job) -> None:
        """Forget what is about to be written over: a crash must not leave it in the books."""
        before = self._earlier.pop(job.row.out, None)
        self._write(at_once=before is not None or not self._begun)
        self._begun = True

    def enter(self, job: Job, entry: Entry) -> RowDone:
        """Write down what became of a row, and tell it."""
        assert entry.status != "waiting"
        self._entries[job.index] = replace(
            entry, digest=self._digests[job.index] if entry.status == "done" else ""
        )
        self._write()
        return self._news(job.row, entry, entry.status)

    def close(self) -> None:
        """Write the manifest a last time."""
        self._write(at_once=True)

    def _news(
        self, row: Row, entry: Entry, status: Literal["done", "skipped", "failed", "cancelled"]
    ) -> RowDone:
        paths = tuple(self._out.named(name) for name in entry.files)
        seconds = 0.0 if status == "skipped" else entry.seconds
        return RowDone(row, status, entry.message, seconds, paths, entry.notes)

    def _write(self, *, at_once: bool = False) -> None:
        """Bring the manifest up to date, in which rows that still wait keep what an earlier run has made.

        Otherwise, a run that is interrupted before it reaches them would forget their pictures.
        """
        if at_once or self._writer.due:
            entries = [
                replace(self._earlier[row.out], number=row.number)
                if entry.status == "waiting" and row.out in self._earlier
                else entry
                for row, entry in zip(self._rows, self._entries, strict=True)
            ]
            self._writer.write(entries, at_once=True)


class _FileDigests(dict[Path, bytes]):
    """What is in each file, which is read once however many rows name it."""

    def __missing__(self, path: Path) -> bytes:
        with path.open("rb") as file:
            self[path] = hashlib.file_digest(file, "sha256").digest()
        return self[path]


def digest_row(row: Row, values: Mapping[str, Any], model: str, files: Mapping[Path, bytes]) -> str:
    """What identifies a row's work: its files' bytes, all settings that were asked for, model and name.

    Returns:
        Hexadecimal digits, or nothing where a file cannot be read.
    """
    whole = hashlib.blake2b(digest_size=20)
    try:
        for path in filter(None, (row.person, row.garment, row.mask)):
            whole.update(files[path])
    except (OSError, ValueError):
        return ""
    asked = {name: value for name, value in values.items() if value is not None}
    whole.update(json.dumps([asked, model, row.out], sort_keys=True).encode())
    return whole.hexdigest()


def find_problems(rows: Sequence[Row], out: Folder, shared: Mapping[str, Any]) -> list[str]:
    """For each row, why it must not be made: its own problem, or a file that it would write over."""
    targets = []
    for row in rows:
        pictures = row.values.get("pictures", shared.get("pictures", 1))
        # A wild number is refused by the engine; until then it must not become a long list.
        named = name_pictures(Path(row.out), min(max(pictures, 1), 99))
        targets.append([path.name.lower() for path in named])
    written = Counter(name for names in targets for name in set(names))
    photos = {path for row in rows for path in (row.person, row.garment, row.mask) if path is not None}
    inputs = {path.name.lower() for path in photos if out.holds(path)}
    problems = []
    for row, names in zip(rows, targets, strict=True):
        problem = row.problem
        if any(name in inputs for name in names):
            problem = (
                problem or f"“{row.out}” would replace one of the photos: choose another folder or name."
            )
        if any(written[name] > 1 for name in names):
            problem = problem or f"Another row also writes “{row.out}”: give it another name."
        problems.append(problem)
    return problems
