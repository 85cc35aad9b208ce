"""Many try-ons, row by row, into one folder: pictures, and a manifest of what became of every row.

A row that fails says why and does not stop the rest. The manifest is kept up to date, so that a batch which
was interrupted goes on where it stopped: a row whose pictures are there, made from the same two files by the
same model with the same settings, is not computed again. One batch at a time may use a folder.

The manifest's form is ``manifest.py``'s, where rows come from ``pairs.py``'s, and how a picture is made the
engine's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from ladi.batch.archive import pack
from ladi.batch.manifest import MANIFEST, TABLE, Entry, ManifestWriter, read_manifest, unwritable
from ladi.batch.pairing import Row
from ladi.postprocess.png import describe_png, name_pictures, save_png
from ladi.preprocess.given_mask import read_mask
from ladi.preprocess.photo import read_photo
from ladi.records import record, request_of
from ladi.settings import TryOnRequest
from ladi.types import Cancelled, LadiError, PairsError, Result

LOGGER = logging.getLogger(__name__)

UNEXPECTED = "Something unexpected went wrong, and the log says what; try this row again, or other photos."


class TryOnEngine(Protocol):
    """The one method of ``ladi.engine.Engine`` that a batch uses."""

    def try_on(
        self,
        request: TryOnRequest,
        *,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Result:
        """Photos in, photo out."""
        ...


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
    paths: tuple[Path, ...]
    """The pictures, where there are any."""

    @property
    def path(self) -> Path | None:
        """The first picture."""
        return self.paths[0] if self.paths else None


def run_batch(
    rows: Sequence[Row],
    engine: TryOnEngine,
    out: Path,
    *,
    model: str = "mini",
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[RowDone]:
    """Make the pictures of a batch; the work is done while the caller iterates.

    Args:
        rows: from ``ladi.batch.pairs.open_pairs``.
        engine: makes them.
        out: the folder for pictures and manifest, made if need be.
        model: the engine's model, for the record.
        settings: for all rows, by the names of ``ladi.records.request_of``; a row's own come first.
        progress: told the engine's stage and the share done, of the row at work.
        cancelled: asked between all steps; yes ends the batch after news of the row that was at work.

    Yields:
        News of each row, in order, as soon as it is over.

    Raises:
        PairsError: the folder cannot be written; what is wrong with a row is told in its news instead.
    """
    make_folder(out)
    shared, earlier = dict(settings or {}), read_manifest(out)
    entries = [Entry(row.number, *row.names) for row in rows]
    problems = _problems(rows, out, shared)
    book = ManifestWriter(out, model)
    try:
        for index, row in enumerate(rows):
            values = shared | dict(row.values)
            digest = "" if problems[index] else digest_row(row, values, model)
            before = earlier.pop(row.out, None)
            if before is not None and before.digest == digest and _all_there(before, out):
                entry = replace(before, number=row.number, person=row.names[0], garment=row.names[1])
                news = RowDone(row, "skipped", "", 0.0, tuple(out / name for name in before.files))
            else:
                # What is about to be written over is forgotten first: a crash must not leave it in the books.
                book.write(_with_earlier(rows, entries, earlier), at_once=before is not None or not index)
                entry, news = _run_row(
                    row, engine, out, model, values, problems[index], progress=progress, cancelled=cancelled
                )
                entry = replace(entry, digest=digest if entry.status == "done" else "")
            entries[index] = entry
            book.write(_with_earlier(rows, entries, earlier))
            yield news
            if news.status == "cancelled":
                return
    finally:
        book.write(_with_earlier(rows, entries, earlier), at_once=True)


def _all_there(entry: Entry, out: Path) -> bool:
    return all((out / name).is_file() for name in entry.files)


def make_folder(out: Path) -> None:
    """Make the folder of a batch, unless it is there.

    Raises:
        PairsError: it cannot be made or written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise unwritable(out, error) from error


def digest_row(row: Row, values: Mapping[str, Any], model: str) -> str:
    """What identifies a row's work: its files' bytes, all settings that were asked for, model and name.

    Returns:
        Hexadecimal digits, or nothing where a file cannot be read.
    """
    whole = hashlib.blake2b(digest_size=20)
    try:
        for path in filter(None, (row.person, row.garment, row.mask)):
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    except (OSError, ValueError):
        return ""
    asked = {name: value for name, value in values.items() if value is not None}
    whole.update(json.dumps([asked, model, row.out], sort_keys=True).encode())
    return whole.hexdigest()


def _run_row(
    row: Row,
    engine: TryOnEngine,
    out: Path,
    model: str,
    values: Mapping[str, Any],
    problem: str,
    *,
    progress: Callable[[str, float], None] | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[Entry, RowDone]:
    """One row, whatever comes of it: the manifest's entry and the news."""
    started = time.monotonic()
    entry = Entry(row.number, *row.names)
    paths: list[Path] = []
    try:
        if cancelled is not None and cancelled():
            raise Cancelled("The batch was cancelled.")
        if problem:
            raise PairsError(problem)
        person = read_photo(row.person)
        mask = None if row.mask is None else read_mask(row.mask, person.size)
        request = request_of(person, read_photo(row.garment), {**values, "mask": mask})
        result = engine.try_on(request, progress=progress, cancelled=cancelled)
        paths = name_pictures(out / row.out, len(result.images))
        records = [record(request, result, model=model, picture=index) for index in range(len(paths))]
        for pixels, path, made in zip(result.images, paths, records, strict=True):
            save_png(pixels, path, describe_png(made))
        notes = tuple(finding.message for finding in result.findings)
        files = tuple(path.name for path in paths)
        entry = replace(entry, status="done", notes=notes, files=files, settings=records[0])
    except Cancelled as error:
        entry = replace(entry, status="cancelled", message=str(error))
    except LadiError as error:
        entry = replace(entry, status="failed", message=str(error))
    except Exception:  # one row's surprise is not the others' end
        LOGGER.exception("row %d failed", row.number)
        entry = replace(entry, status="failed", message=UNEXPECTED)
    seconds = round(time.monotonic() - started, 3)
    assert entry.status != "waiting"
    made_paths = tuple(paths) if entry.status == "done" else ()
    return replace(entry, seconds=seconds), RowDone(row, entry.status, entry.message, seconds, made_paths)


def _problems(rows: Sequence[Row], out: Path, shared: Mapping[str, Any]) -> list[str]:
    """For each row, why it must not be run: its own problem, or a file that it would write over."""
    targets = []
    for row in rows:
        pictures = row.values.get("pictures", shared.get("pictures", 1))
        # A wild number is refused by the engine; until then it must not become a long list.
        targets.append(
            [path.name.lower() for path in name_pictures(out / row.out, min(max(pictures, 1), 99))]
        )
    written = Counter(name for names in targets for name in set(names))
    inputs = {
        path.name.lower()
        for row in rows
        for path in (row.person, row.garment)
        if path.exists() and path.parent.resolve() == out.resolve()
    }
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


def _with_earlier(rows: Sequence[Row], entries: Sequence[Entry], earlier: Mapping[str, Entry]) -> list[Entry]:
    """The manifest's entries, in which rows that still wait keep what an earlier run has made of them.

    Otherwise, a run that is interrupted before it reaches them would forget their pictures.
    """
    return [
        replace(earlier[row.out], number=row.number)
        if entry.status == "waiting" and row.out in earlier
        else entry
        for row, entry in zip(rows, entries, strict=True)
    ]


def zip_results(folder: Path, archive: Path | None = None) -> Path:
    """Pack a batch's pictures and its manifest for download.

    Args:
        folder: what ``run_batch`` has written to, also while it is at work.
        archive: the zip file; beside the folder, with its name, unless given.

    Raises:
        PairsError: it cannot be written, or no batch has written to this folder.
    """
    if not (folder / MANIFEST).is_file():
        raise PairsError(f"The folder {folder.name!r} holds no batch: run one first.")
    told = json.loads((folder / MANIFEST).read_text("utf-8"))["rows"]
    pictures = [folder / Path(name).name for entry in told for name in entry["files"]]
    files = [path for path in dict.fromkeys(pictures) if path.is_file()]
    return pack(
        [folder / MANIFEST, folder / TABLE, *files], archive or folder.with_name(f"{folder.name}.zip")
    )
