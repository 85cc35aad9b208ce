"""A batch on a cluster: the same rows, the same files and the same manifest as ``ladi/batch/run.py`` makes.

```
rows ─► Book ─► groups that share pictures ─► Pool: engines on many machines ─► entries ─► Book ─► news
                                                  └─ Pantry: each person, each garment once ─┘
```

This process reads the photos and, unless they go to a place that all machines know, writes the results; the
machines of the cluster see neither folder.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ladi.batch.book import Book, RowDone
from ladi.batch.folder import Folder, folder_of
from ladi.batch.manifest import Entry
from ladi.batch.order import cut_in_groups
from ladi.batch.pairing import Row
from ladi.batch.work import Job, PhotoFiles, make_row
from ladi.runtime.recall import BATCH_ROOM
from ladi.scale.cluster import Share, check_room, count_engines, share_of
from ladi.scale.pantry import Pantry, Shared
from ladi.scale.pool import IN_HAND, Lost, Pool
from ladi.scale.worker import Load, RowWorker
from ladi.settings import TryOnRequest
from ladi.types import PairsError, Result

GROUP = 16
"""Rows that stay together, at most."""
FILES_BYTES = 200_000_000
"""Of the photos' files, in Ray's store."""


@dataclass(frozen=True)
class Engines:
    """How a cluster's engines are loaded, and how many there are."""

    load: Load
    """Must be known by its name on all machines."""
    count: int | None = None
    """As many as the cluster holds, unless given."""
    cpus: float = 1.0
    """Cores of each, where there are no GPUs."""


class Files:
    """Files in Ray's store, each put there once as long as it is among the last."""

    def __init__(self, ray: Any, most: int = FILES_BYTES) -> None:
        """Start with none."""
        self._ray, self._most = ray, most
        self._kept: OrderedDict[Path, tuple[Any, int]] = OrderedDict()

    def reference(self, path: Path) -> Any:
        """Of what is in a file."""
        if path not in self._kept:
            content = b""
            with suppress(OSError):  # gone since it was looked for: an empty file is refused by name
                content = path.read_bytes()
            self._kept[path] = self._ray.put(content), len(content)
            while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(path)
        return self._kept[path][0]


def run_on_cluster(
    rows: Sequence[Row],
    ray: Any,
    engines: Engines,
    out: Path | str,
    *,
    model: str = "mini",
    settings: Mapping[str, Any] | None = None,
    told: Callable[[str], None] = lambda words: None,
) -> Iterator[RowDone]:
    """Make the pictures of a batch; arguments, news and errors beyond these are ``run_batch``'s.

    Args:
        rows: from ``ladi.batch.pairs.open_pairs``.
        ray: connected to the cluster.
        engines: what makes them.
        out: the folder for pictures and manifest.
        model: the engines' model, for the record.
        settings: for all rows; a row's own come first.
        told: given a sentence about the cluster at the begin and at the end.

    Raises:
        SettingError: the cluster has no room for a single engine.
        LadiError: the engine cannot be loaded, or the folder not be written.
    """
    folder = folder_of(out)
    folder.make()
    book = Book(rows, folder, model, settings or {})
    try:
        yield from book.skipped()
        jobs = list(book.jobs(nearby=BATCH_ROOM.kept // 2))
        for job in jobs:
            book.begin(job)
        for job, entry in _made(jobs, ray, engines, folder, told):
            yield book.enter(job, entry)
    finally:
        book.close()


def _made(
    jobs: Sequence[Job], ray: Any, engines: Engines, folder: Folder, told: Callable[[str], None]
) -> Iterator[tuple[Job, Any]]:
    """All rows with their entries: those that need no engine first."""
    photos, able = PhotoFiles(), []
    for job in jobs:
        if job.problem or not all(_readable(path) for path in _paths(job)):
            yield job, make_row(job, _Nobody(), folder.write, photos)
        else:
            able.append(job)
    if not able:
        return
    share = share_of(ray, engines.cpus)
    check_room(ray, share)
    fit = count_engines(ray, share, engines.count)
    machines = sum(node["Alive"] for node in ray.nodes())
    told(f"{fit} engine{'s' * (fit != 1)} on {machines} machine{'s' * (machines != 1)}")
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=True
    )
    pantry = ray.remote(Pantry).options(num_cpus=0, scheduling_strategy=here).remote()
    files = Files(ray)
    create = partial(_create, ray, engines.load, folder, pantry, share)

    def send(actor: Any, job: Job) -> Any:
        return actor.make.remote(job, *(files.reference(path) for path in _paths(job)))

    pool: Pool[Job] = Pool(ray, create, send, lambda: count_engines(ray, share, engines.count))
    pairs = [(job.row.person, job.row.garment) for job in able]
    groups = cut_in_groups(range(len(able)), pairs, GROUP)
    for job, result in pool.run([[able[place] for place in group] for group in groups]):
        if isinstance(result, Lost):
            yield job, make_row(replace(job, problem=result.reason), _Nobody(), folder.write, photos)
            continue
        entry, pictures = result
        try:
            for name, content in pictures:
                folder.write(name, content)
        except PairsError as error:
            entry = Entry(
                entry.number, entry.person, entry.garment, "failed", str(error), seconds=entry.seconds
            )
        yield job, entry
    with suppress(ray.exceptions.RayError):
        made, shared = ray.get(pantry.counts.remote(), timeout=10)
        told(f"{made} pictures prepared, {shared} times handed on between engines")


def _create(ray: Any, load: Load, folder: Folder, pantry: Any, share: Share) -> Any:
    """The actor of an engine."""
    options = {"num_cpus": share.cpus, "num_gpus": share.gpus, "max_concurrency": IN_HAND, "max_restarts": 0}
    worker = ray.remote(RowWorker).options(**options, scheduling_strategy="SPREAD")
    return worker.remote(load, folder, Shared(pantry))


def _paths(job: Job) -> list[Path]:
    return [path for path in (job.row.person, job.row.garment, job.row.mask) if path is not None]


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except (OSError, ValueError):
        return False


class _Nobody:
    """An engine for rows that fail before they come to one."""

    def try_on(self, request: TryOnRequest, **more: Any) -> Result:
        """Raises PairsError."""
        raise PairsError("One of its files could not be read: run the batch again.")
