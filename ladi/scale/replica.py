"""One engine as a replica of Ray Serve: a call brings its pictures, reports stream back, then the answer.

```
page: RemoteEngine ─► router ─► EngineReplica.work ─► a thread: Engine.try_on
        ▲                            │ progress, previews, then the answer
        └────────────────────────────┘ and, the other way, "stop" between two steps
```

Requests and answers are values in memory; no file is written here, and nothing is logged of a picture. It
imports no Ray: Serve wraps this class where it is deployed.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ladi.runtime.recall import Room
from ladi.types import LadiError, Result

KEPT = 16
"""People, and as many garments, that a replica remembers, for ``ladi.runtime.recall.SECONDS``."""
EVERY = 0.1
"""Seconds between two reports: more would only keep the network busy."""

Load = Callable[[Room], Any]
"""Loads an engine that keeps so much."""


@dataclass(frozen=True)
class Report:
    """How far a call is."""

    stage: str
    share: float
    """Of the whole work."""
    preview: np.ndarray | None = None
    """(h,w,3) uint8, the newest one, where there is one that was not sent yet."""


@dataclass(frozen=True)
class Answer:
    """What came of a call."""

    value: Any


@dataclass(frozen=True)
class Refused:
    """What the caller can mend. It travels as a value: as an exception, Ray would add a traceback."""

    error: LadiError


class Reporting:
    """The engine's ``progress``, ``preview`` and ``cancelled`` while one call is computed."""

    def __init__(self, tell: Callable[[Report], None]) -> None:
        """Start with nothing told.

        Args:
            tell: called in the thread that computes, at most every ``EVERY`` seconds.
        """
        self._tell = tell
        self._stop = threading.Event()
        self._preview: np.ndarray | None = None
        self._last = -EVERY

    def progress(self, stage: str, share: float) -> None:
        """Tell how far the work is, unless that was told just now."""
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._tell(Report(stage, share, self._preview))
            self._last, self._preview = now, None

    def preview(self, picture: np.ndarray) -> None:
        """Keep a preview for the next report."""
        self._preview = picture

    def cancelled(self) -> bool:
        """Whether the caller does not want it any more."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the work at its next step."""
        self._stop.set()


class EngineReplica:
    """An engine behind one method, whose calls Serve routes."""

    def __init__(self, load: Load) -> None:
        """Load the engine; what is wrong with it is told to whoever calls.

        Args:
            load: must be known by its name on all machines.
        """
        self._problem: LadiError | None = None
        try:
            self._engine = load(Room(KEPT))
        except LadiError as error:  # raised here, Serve would load it again and again
            self._problem = error
        # One, and always the same: each thread that calls the networks keeps helpers and memory of its own.
        self._crew = ThreadPoolExecutor(1, "compute")
        # By this list Serve knows where a photo is remembered; of what is remembered it holds the name alone.
        multiplexed = importlib.import_module("ray.serve").multiplexed
        self._remember = multiplexed(max_num_models_per_replica=2 * KEPT)(_itself)

    def problem(self) -> LadiError | None:
        """What is wrong with the engine, if anything."""
        return self._problem

    async def work(
        self, method: str, remembered: str, arguments: Sequence[Any], named: Mapping[str, Any], watched: bool
    ) -> AsyncIterator[Report | Answer | Refused]:
        """Have the engine do something.

        Args:
            method: the engine's.
            remembered: the name under which its next call should come back to this replica.
            arguments: of the method.
            named: likewise.
            watched: the caller wants previews, and a result's layers by themselves.

        Yields:
            Reports, and at the end one ``Answer`` or ``Refused``. Whoever stops listening stops the work.

        Raises:
            Exception: what the engine raises without meaning to.
        """
        if self._problem is not None:
            yield Refused(self._problem)
            return
        await self._remember(remembered)
        loop = asyncio.get_running_loop()
        reports: asyncio.Queue[Report | None] = asyncio.Queue()

        def tell(what: Report | None) -> None:
            with suppress(RuntimeError):  # the loop has ended with the replica
                loop.call_soon_threadsafe(reports.put_nowait, what)

        reporting = Reporting(tell)
        more: dict[str, Any] = {}
        if method in ("try_on", "compare"):
            more = {"progress": reporting.progress, "cancelled": reporting.cancelled}
        if method == "try_on" and watched:
            more["preview"] = reporting.preview

        def compute() -> Any:
            made = getattr(self._engine, method)(*arguments, **named, **more)
            return packed(made, layers=watched) if isinstance(made, Result) else made

        done = self._crew.submit(compute)
        done.add_done_callback(lambda _: tell(None))
        try:
            while (what := await reports.get()) is not None:
                yield what
            try:
                yield Answer(done.result())
            except LadiError as error:
                yield Refused(error)
        finally:
            # Also where the caller has cancelled, or is gone.
            reporting.stop()
            done.cancel()


def packed(result: Result, *, layers: bool) -> Result:
    """What of a result travels: half of it are features that nobody looks at.

    Args:
        result: as the engine made it.
        layers: whoever asked looks at its layers. They are made here: that takes a third of a try-on with the
            embedded model, and where the result goes, all engines' results come together.
    """
    conditions = replace(result.conditions, person_features=(), garment_features=())
    cut = result.cut_outs if layers else None
    return replace(result, conditions=conditions, cut_outs=cut and partial(dict, cut()))


async def _itself(name: str) -> str:
    """What Serve keeps of a photo that is remembered: its name."""
    return name
