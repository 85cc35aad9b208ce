"""What "Batch" does: pictures, or a zip of pairs, to a zip of results, row by row, before the visitor's eyes.

The work is ``ladi/batch/run.py``'s; here it is shown and can be stopped. Nothing here knows the layout.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from app import words
from app.errors import errors_as_status
from app.files import ResultFolder, check_room, new_folder, used_bytes
from app.long_work import Outcome, Runs, Work
from app.values import flat_settings, settings_by_name, upload_path
from ladi.batch.archive import PUBLIC, declared_bytes
from ladi.batch.pairing import Row
from ladi.batch.pairs import open_pairs, open_pictures
from ladi.batch.run import RowDone, run_batch, zip_results
from ladi.types import LadiError, PhotoError

LOGGER = logging.getLogger(__name__)

COLUMNS = ["Row", "What became of it", "Person", "Garment", "Seconds"]
STATUS = {"done": "Done", "failed": "Failed", "cancelled": "Stopped", "skipped": "Done before"}
MOST_SHOWN = 60
RESULTS = ("download", "table", "gallery")

Uploads = Sequence[dict[str, Any]] | None


@contextmanager
def opened(people: Uploads, garments: Uploads, upload: dict[str, Any] | None) -> Iterator[list[Row]]:
    """The rows of a zip, or of pictures one by one; what is copied for it is there meanwhile and no longer.

    Raises:
        LadiError: there is nothing, it is refused, or there is no room for what is in it.
    """
    if not upload and not (people and garments):
        raise PhotoError("Please add at least one person and one garment, or a zip file with pictures.")
    archive = upload_path(upload, "a zip file") if upload else None
    rows: list[Row] = []
    if archive is None:
        wearing, worn = ([upload_path(one, "a picture") for one in some or ()] for some in (people, garments))
        rows = open_pictures(wearing, worn, PUBLIC)
        check_room(sum(path.stat().st_size for path in files_of(rows)))
    else:
        check_room(declared_bytes(archive))
    workspace = new_folder()
    try:
        yield copied(rows, workspace) if archive is None else open_pairs(archive, workspace, limits=PUBLIC)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def files_of(rows: Sequence[Row]) -> list[Path]:
    """The pictures of some rows, each once."""
    return list(dict.fromkeys(path for row in rows for path in (row.person, row.garment)))


def copied(rows: Sequence[Row], folder: Path) -> list[Row]:
    """The same rows with copies of their pictures, which stay as long as the folder.

    Each has a folder of its own: those that a phone takes are all called alike.
    """
    copies = {}
    for number, path in enumerate(files_of(rows)):
        own = folder / str(number)
        own.mkdir()
        copies[path] = Path(shutil.copy(path, own))
    return [replace(row, person=copies[row.person], garment=copies[row.garment]) for row in rows]


class Batching:
    """What the page calls for batches."""

    SHOWN = ("button", "cancel", "status", "table", "download", "gallery", "mark")
    """The order of what ``run`` gives back."""

    def __init__(self, engine_for: Callable[[str], Any], runs: Runs, *, default_model: str = "mini") -> None:
        """Remember where engines come from; see ``Handlers``."""
        self.engine_for = engine_for
        self.runs = runs
        self.default_model = default_model

    def run(
        self,
        people: Uploads,
        garments: Uploads,
        upload: dict[str, Any] | None,
        values: tuple[Any, ...],
        *,
        visitor: str = "",
    ) -> Iterator[tuple[Any, ...]]:
        """Make every pair's picture, and tell of each row when it is over.

        Args:
            people: Gradio's records of photos.
            garments: likewise of garments.
            upload: of a zip, which counts instead of the pictures where there is one.
            values: the settings of "Try on", for rows that say nothing else.
            visitor: who may stop it.

        Yields:
            Values or updates for ``SHOWN``.
        """
        off, on = gr.update(visible=False), gr.update(visible=True)
        yield self._shown(
            button=off, cancel=on, status=words.waiting(), **dict.fromkeys(RESULTS, off), mark=""
        )
        ended: dict[str, Any] = {}
        news: list[RowDone] = []
        with errors_as_status(ended, "a batch"), opened(people, garments, upload) as rows:
            out, settings = new_folder() / "results", settings_by_name(values)
            for report in self.runs.watch(visitor, lambda task: self._work(task, rows, out, settings, news)):
                if not isinstance(report, Outcome):
                    place = f"row {min(len(news) + 1, len(rows))} of {len(rows)}"
                    text = words.progress(report.stage, report.share, report.seconds, place=place)
                    yield self._shown(status=text, table=self._table(rows, news))
            ended.update(self._end(rows, news, out))
        yield self._shown(**({"button": on, "cancel": off} | ended))

    def _work(
        self, task: Work, rows: list[Row], out: Path, settings: dict[str, Any], news: list[RowDone]
    ) -> None:
        """In the thread that works: all rows; ``news`` grows as they are done."""
        model = settings["model"] or self.default_model
        engine = self.engine_for(model)

        def progress(stage: str, share: float) -> None:
            task.progress(stage, (len(news) + share) / len(rows))

        for row in run_batch(
            rows,
            engine,
            ResultFolder(out),
            model=model,
            settings=flat_settings(settings),
            progress=progress,
            cancelled=task.cancelled,
        ):
            news.append(row)

    def _end(self, rows: list[Row], news: list[RowDone], out: Path) -> dict[str, Any]:
        """The table, the pictures and the zip of what was made."""
        made = [row for row in news if row.status in ("done", "skipped")]
        failed = [row for row in news if row.status == "failed"]
        count = f"{len(made)} of {len(rows)} rows done"
        text = f"{count}, {len(failed)} failed: the table says why." if failed else f"{count}."
        shown: dict[str, Any] = {"status": words.hint(text), "table": self._table(rows, news, "Not begun.")}
        if made:
            made.sort(key=lambda one: one.row.number)
            pictures = [(str(row.path), f"Row {row.row.number}") for row in made[:MOST_SHOWN]]
            try:
                check_room(used_bytes(out))
                shown["download"] = gr.update(value=str(zip_results(out)), visible=True)
            except LadiError as error:
                LOGGER.error("results cannot be packed: %s", error)
                shown["status"] = words.hint(f"{text} {words.NO_ZIP}")
            shown["gallery"] = gr.update(value=pictures, visible=True)
            shown["mark"] = secrets.token_hex(8)
        return shown

    @staticmethod
    def _table(rows: list[Row], news: list[RowDone], otherwise: str = "Waiting") -> Any:
        """A line for each row, with ``otherwise`` where nothing is known of it."""
        lines, over = [], {one.row.number: one for one in list(news)}
        for row in rows:
            told = over.get(row.number)
            became = otherwise if told is None else _became(told)
            lines.append([row.number, became, *row.names, "" if told is None else f"{told.seconds:.1f}"])
        return gr.update(value={"headers": COLUMNS, "data": lines}, visible=True)

    def _shown(self, **values: Any) -> tuple[Any, ...]:
        return tuple(values.get(name, gr.skip()) for name in self.SHOWN)


def _became(told: RowDone) -> str:
    """What the table says of a row that is over: why it failed, or what is doubtful about its picture."""
    if told.message:
        return words.in_table(told.message)
    return " ".join([f"{STATUS[told.status]}.", *map(words.in_table, told.notes)])
