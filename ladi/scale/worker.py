"""One engine of a cluster, at work on rows that are sent to it with their pictures.

A row's files come as bytes, since the machine need not see the folder that they lie in; they are written
under their own names, by which messages speak of them, for no longer than it takes to decode them.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from ladi.batch.folder import Folder
from ladi.batch.manifest import Entry
from ladi.batch.work import Job, PhotoFiles, TryOnEngine, make_row
from ladi.runtime.recall import BATCH_ROOM, Elsewhere, Room

LOGGER = logging.getLogger(__name__)

Load = Callable[[Room], TryOnEngine]
"""Loads an engine that keeps so much."""
Pictures = list[tuple[str, bytes]]
"""Names and contents of files."""


class SentFiles(PhotoFiles):
    """Photos that lie in folders named after their contents, wherever and whenever those were made."""

    def _key(self, path: Path) -> Hashable:
        return path.parts[-2:]


class RowWorker:
    """Makes rows; an actor, several of whose calls run at once."""

    def __init__(self, load: Load, folder: Folder, elsewhere: Elsewhere | None = None) -> None:
        """Remember what to load; ``start`` does it, so that what is wrong with it is told.

        Args:
            load: the engine.
            folder: where the results go.
            elsewhere: where preparations are shared, if anywhere.
        """
        self._load, self._folder = load, folder
        self._room = replace(BATCH_ROOM, elsewhere=elsewhere)
        self._photos = SentFiles(BATCH_ROOM.kept)
        self._engine: TryOnEngine | None = None

    def start(self) -> None:
        """Load the engine.

        Raises:
            LadiError: it cannot be loaded.
        """
        self._engine = self._load(self._room)

    def make(self, job: Job, *contents: bytes) -> tuple[Entry, Pictures]:
        """Make one row.

        Args:
            job: what to make.
            contents: of the files of person and garment, and of the mask where there is one.

        Returns:
            The manifest's entry; and the pictures, unless they have been written where they belong.
        """
        assert self._engine is not None
        pictures: Pictures = []

        def collect(name: str, content: bytes) -> None:
            pictures.append((name, content))

        save = self._folder.write if self._folder.shared else collect
        paths = [path for path in (job.row.person, job.row.garment, job.row.mask) if path is not None]
        with tempfile.TemporaryDirectory(prefix="ladi-row-") as here:
            placed = []
            for path, content in zip(paths, contents, strict=True):
                own = Path(here) / hashlib.blake2b(content, digest_size=16).hexdigest()
                own.mkdir(exist_ok=True)
                (own / path.name).write_bytes(content)
                placed.append(own / path.name)
            mask = placed[2] if len(placed) > 2 else None
            row = replace(job.row, person=placed[0], garment=placed[1], mask=mask)
            entry = make_row(replace(job, row=row), self._engine, save, self._photos)
        return entry, pictures


def load_engine(room: Room, *, model: str, running: dict[str, object], warm_up: bool = False) -> TryOnEngine:
    """What the command loads: the model, and rembg where a row asks for one of its networks."""
    from ladi.engine import Engine

    engine = Engine.load(model, room=room, **running)  # type: ignore[arg-type]
    if warm_up:
        engine.warm_up(wait=True)
    return engine
