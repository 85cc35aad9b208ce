"""One row of a batch made by an engine: two files in, pictures and the manifest's entry out.

Several rows may be at work at once: while the networks paint one, the next is prepared and the last is put
back into its photo and saved. What has been made before is not known here, nor where the results go.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from ladi.batch.ctrl_c import ctrl_c_told
from ladi.batch.manifest import Entry
from ladi.batch.pairing import Row
from ladi.postprocess.png import describe_png, encode_png, name_pictures
from ladi.preprocess.given_mask import read_mask
from ladi.preprocess.photo import MAX_PIXELS, read_photo
from ladi.records import record, request_of
from ladi.runtime.recall import Recall, bytes_of
from ladi.settings import TryOnRequest
from ladi.types import Cancelled, LadiError, PairsError, Photo, Result

LOGGER = logging.getLogger(__name__)

UNEXPECTED = "Something unexpected went wrong, and the log says what; try this row again, or other photos."

Save = Callable[[str, bytes], None]
"""Takes a file's name and what is in it."""


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
class Job:
    """A row that is to be made."""

    index: int
    """Of the row in its batch, from 0."""
    row: Row
    model: str
    """Its name, for the record."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """All settings that were asked for."""
    problem: str = ""
    """Why it cannot be made, where that is known already."""


class PhotoFiles:
    """Photos by their files, of which the last few stay decoded; and how many are at work at a time.

    A row takes many times the memory of its photo: three of a phone's may be at work at once, not so three of
    the largest.
    """

    def __init__(self, kept: int = 0, most: float = MAX_PIXELS) -> None:
        """Start with none.

        Args:
            kept: how many stay.
            most: pixels of people's photos at work at a time; one is in any case.
        """
        self._most, self._at_work, self._changed = most, 0, threading.Condition()
        self._photos: Recall[Photo] = Recall(kept=max(kept, 1), weigh=bytes_of, most=200e6)
        self._kept = kept

    def read(self, path: Path) -> Photo:
        """The photo; raises as ``read_photo``."""
        if not self._kept:
            return read_photo(path)
        try:
            key = self._key(path)
        except (OSError, ValueError):
            return read_photo(path)  # which says what is wrong
        return self._photos.get(key, lambda: read_photo(path))

    @contextmanager
    def at_work(self, photo: Photo) -> Iterator[None]:
        """Wait until there is room for a row with this person."""
        pixels = photo.size[0] * photo.size[1]
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work or self._at_work + pixels <= self._most)
            self._at_work += pixels
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= pixels
                self._changed.notify_all()

    def _key(self, path: Path) -> Hashable:
        """What a file is known by, unless it is written anew."""
        about = path.stat()
        return path, about.st_mtime_ns, about.st_size


def make_row(
    job: Job,
    engine: TryOnEngine,
    save: Save,
    photos: PhotoFiles,
    *,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Entry:
    """One row, whatever comes of it: its pictures are saved, and the manifest's entry says the rest."""
    started = time.monotonic()
    row, entry = job.row, Entry(job.row.number, *job.row.names)
    try:
        if cancelled is not None and cancelled():
            raise Cancelled("The batch was cancelled.")
        if job.problem:
            raise PairsError(job.problem)
        person = photos.read(row.person)
        mask = None if row.mask is None else read_mask(row.mask, person.size)
        request = request_of(person, photos.read(row.garment), {**job.values, "mask": mask})
        with photos.at_work(person):
            result = engine.try_on(request, progress=progress, cancelled=cancelled)
            files = tuple(path.name for path in name_pictures(Path(row.out), len(result.images)))
            records = [record(request, result, model=job.model, picture=index) for index in range(len(files))]
            for pixels, name, made in zip(result.images, files, records, strict=True):
                save(name, encode_png(pixels, describe_png(made)))
        notes = tuple(finding.message for finding in result.findings)
        entry = replace(entry, status="done", notes=notes, files=files, settings=records[0])
    except Cancelled as error:
        entry = replace(entry, status="cancelled", message=str(error))
    except LadiError as error:
        entry = replace(entry, status="failed", message=str(error))
    except Exception:  # one row's surprise is not the others' end
        LOGGER.exception("row %d failed", row.number)
        entry = replace(entry, status="failed", message=UNEXPECTED)
    assert entry.status != "waiting"
    return replace(entry, seconds=round(time.monotonic() - started, 3))


def make_rows(
    jobs: Iterable[Job],
    engine: TryOnEngine,
    save: Save,
    *,
    at_once: int = 1,
    kept: int = 0,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[Job, Entry]]:
    """Make rows, and give each back as soon as it is over.

    Args:
        jobs: taken one by one, when there is room for the next.
        engine: makes them; with several at once, from several threads.
        save: likewise.
        at_once: so many rows are at work at a time; one alone is made in this thread.
        kept: decoded photos that stay.
        progress: told the engine's stage and the share done, of a row at work.
        cancelled: asked between all steps; after a yes, no further job is taken.
    """
    photos, stop = PhotoFiles(kept), threading.Event()

    def stopped() -> bool:
        return stop.is_set() or (cancelled is not None and cancelled())

    def make(job: Job) -> Entry:
        return make_row(job, engine, save, photos, progress=progress, cancelled=stopped)

    waiting = iter(jobs)
    if at_once == 1:
        for job in waiting:
            entry = make(job)
            yield job, entry
            if entry.status == "cancelled":
                return
        return
    over: SimpleQueue[tuple[Job, Entry] | BaseException] = SimpleQueue()

    def work(job: Job) -> None:
        try:
            over.put((job, make(job)))
        except BaseException as error:
            over.put(error)

    def take() -> tuple[Job, Entry]:
        made = over.get()
        if isinstance(made, BaseException):
            raise made
        return made

    with ctrl_c_told(lambda: over.put(KeyboardInterrupt())):
        pool, at_work = ThreadPoolExecutor(at_once, thread_name_prefix="row"), 0
        try:
            while True:
                for job in islice(waiting, 0 if stopped() else at_once - at_work):
                    pool.submit(work, job)
                    at_work += 1
                if not at_work:
                    return
                yield take()
                at_work -= 1
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
            while not over.empty():  # somebody who has seen enough may have pressed Ctrl-C as well
                if isinstance(left := over.get(), KeyboardInterrupt):
                    raise left
