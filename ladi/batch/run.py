"""Many try-ons, row by row, into one folder: pictures, and a manifest of what became of every row.

```
rows ─► Book ─► jobs, in the order of work ─► make_rows: an engine ─► entries ─► Book ─► news
```

A row that fails says why and does not stop the rest. One batch at a time may use a folder. What an earlier
run has made is ``book.py``'s, how one row is made ``work.py``'s, where rows come from ``pairs.py``'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ladi.batch.archive import pack
from ladi.batch.book import Book, RowDone
from ladi.batch.folder import Folder, folder_of
from ladi.batch.manifest import MANIFEST, TABLE
from ladi.batch.pairing import Row
from ladi.batch.work import Job, TryOnEngine, make_rows
from ladi.runtime.recall import Room
from ladi.types import PairsError


def run_batch(
    rows: Sequence[Row],
    engine: TryOnEngine,
    out: Path | str | Folder,
    *,
    model: str = "mini",
    settings: Mapping[str, Any] | None = None,
    at_once: int = 1,
    room: Room | None = None,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[RowDone]:
    """Make the pictures of a batch; the work is done while the caller iterates.

    Args:
        rows: from ``ladi.batch.pairs.open_pairs``.
        engine: makes them.
        out: the folder for pictures and manifest, made if need be; or a place that fsspec knows; or how to
            write to one.
        model: the engine's model, for the record.
        settings: for all rows, by the names of ``ladi.records.request_of``; a row's own come first.
        at_once: so many rows are at work at a time: one is prepared and one put back while one is painted.
        room: how many prepared photos the engine keeps, by which the rows are put in order.
        progress: told the engine's stage and the share done, of a row at work.
        cancelled: asked between all steps; yes ends the batch after news of what was at work.

    Yields:
        News of each row as soon as it is over: first of those that an earlier run has made, then in the order
        of work (``ladi/batch/order.py``). The manifest keeps the rows' own order.

    Raises:
        PairsError: the folder cannot be written; what is wrong with a row is told in its news instead.
    """
    folder, room = folder_of(out), room or Room()
    folder.make()
    book = Book(rows, folder, model, settings or {})

    def jobs() -> Iterator[Job]:
        # Half of what is kept: the next ones are there before the last ones have gone.
        for job in book.jobs(nearby=room.kept // 2 if at_once > 1 else room.kept):
            book.begin(job)
            yield job

    try:
        yield from book.skipped()
        made = make_rows(
            jobs(),
            engine,
            folder.write,
            at_once=at_once,
            kept=room.kept if at_once > 1 else 0,
            progress=progress,
            cancelled=cancelled,
        )
        for job, entry in made:
            yield book.enter(job, entry)
    finally:
        book.close()


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
