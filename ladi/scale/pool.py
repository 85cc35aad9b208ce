"""The engines of a cluster, what each has in hand, and what becomes of that when one dies.

Rows come in groups that share pictures; a group stays with one engine as far as that goes. An engine is given
few rows at a time, so that little is lost with it and little lies in Ray's store. The rows that an engine had
in hand when it died run again, each alone on an engine, so that the one that has killed it is known when it
does so again; that one is given up.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ladi.types import LadiError, ModelError

LOGGER = logging.getLogger(__name__)

IN_HAND = 3
"""Rows that an engine has at a time: one is prepared, one painted, one put back and saved."""
DEADLY = 2
"""So many engines may die over a row."""
LOADS_TRIED = 3
"""So many engines one after the other may die while they load."""
PATIENCE = 300.0
"""Seconds for which a cluster without any machine for an engine is waited for."""
LOOK_EVERY = 5.0
"""Seconds after which it is looked whether the cluster has grown or shrunk."""

Task = TypeVar("Task")


@dataclass
class Worker(Generic[Task]):
    """One engine, and what it has to do."""

    actor: Any
    starting: Any
    """The reference that is ready once the engine is loaded; nothing from then on."""
    group: deque[Task] = field(default_factory=deque)
    """Rows that are kept for it."""
    running: dict[Any, Task] = field(default_factory=dict)
    """By the reference to what will come of them."""
    alone: bool = False
    """It is to run suspects, one at a time."""


@dataclass(frozen=True)
class Lost:
    """What comes of a row that no engine survives."""

    reason: str


class Pool(Generic[Task]):
    """Engines that work through groups of rows."""

    def __init__(
        self,
        ray: Any,
        create: Callable[[], Any],
        send: Callable[[Any, Task], Any],
        count: Callable[[], int],
    ) -> None:
        """Start with no engine.

        Args:
            ray: connected.
            create: makes the actor of an engine, which has a method ``start``.
            send: has an actor work on a row; gives back the reference to the result.
            count: how many engines there are to be at the moment.
        """
        self._ray, self._create, self._send, self._count = ray, create, send, count
        self._workers: list[Worker[Task]] = []
        self._groups: deque[deque[Task]] = deque()
        self._suspects: deque[Task] = deque()
        self._deaths: Counter[int] = Counter()
        self._failed_loads = 0
        self._looked = -LOOK_EVERY
        self._wanted = 0

    def run(self, groups: Sequence[Sequence[Task]]) -> Iterator[tuple[Task, Any]]:
        """Work through all groups; each row comes back once, with its result or ``Lost``.

        Raises:
            LadiError: the engine cannot be loaded, or there is no machine for it any more.
        """
        self._groups.extend(deque(group) for group in groups)
        try:
            while self._hand_out():
                waiting = [
                    one for worker in self._workers for one in (worker.starting, *worker.running) if one
                ]
                if not waiting:
                    time.sleep(0.2)
                    continue
                for ready in self._ray.wait(waiting, timeout=LOOK_EVERY)[0]:
                    yield from self._over(ready)
        finally:
            for worker in self._workers:
                self._ray.kill(worker.actor)
            self._workers.clear()

    def _hand_out(self) -> bool:
        """Give every engine its share; whether anything is left to wait for."""
        left = bool(self._groups or self._suspects)
        left = left or any(worker.group or worker.running for worker in self._workers)
        if left:
            self._grow()
        if self._suspects and not any(worker.alone for worker in self._workers) and self._workers:
            min(self._workers, key=lambda one: len(one.running)).alone = True
        for worker in self._workers:
            if worker.starting is None:
                self._fill(worker)
        return left

    def _fill(self, worker: Worker[Task]) -> None:
        if worker.alone:
            if worker.running:
                return
            if self._suspects:
                self._give(worker, self._suspects.popleft())
                return
            worker.alone = False
        while len(worker.running) < IN_HAND:
            if not worker.group:
                if not self._groups:
                    return
                worker.group = self._groups.popleft()
            self._give(worker, worker.group.popleft())

    def _give(self, worker: Worker[Task], task: Task) -> None:
        worker.running[self._send(worker.actor, task)] = task

    def _grow(self) -> None:
        """Start engines where there are to be more, as far as there is work for them."""
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._wanted, self._looked = self._count(), time.monotonic()
        idle = sum(1 for worker in self._workers if not worker.group and not worker.running)
        work = len(self._groups) + len(self._suspects)
        while len(self._workers) < self._wanted and idle < work:
            actor = self._create()
            self._workers.append(Worker(actor, actor.start.remote()))
            idle += 1

    def _over(self, ready: Any) -> Iterator[tuple[Task, Any]]:
        """A reference is ready: an engine is loaded, a row is over, or one of the two has failed."""
        found = next((one for one in self._workers if ready == one.starting or ready in one.running), None)
        if found is None:
            return  # its engine died, and has been seen to
        errors = self._ray.exceptions
        try:
            result = self._ray.get(ready)
        except errors.RayTaskError as error:
            # Ray's own says it with a traceback.
            raise (error.cause if isinstance(error.cause, LadiError) else error) from None
        except errors.ObjectLostError:  # the result, on its way here
            self._suspects.append(found.running.pop(ready))
            return
        except errors.RayError as error:
            LOGGER.warning("an engine was lost: %s", str(error).partition("\n")[0])
            yield from self._bury(found)
            return
        if ready == found.starting:
            found.starting, self._failed_loads = None, 0
        else:
            yield found.running.pop(ready), result

    def _bury(self, worker: Worker[Task]) -> Iterator[tuple[Task, Any]]:
        """Take an engine that died out of the pool; what it had goes to others, unless that has killed it.

        Raises:
            ModelError: one engine after the other dies while it loads.
        """
        self._workers.remove(worker)
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(worker.actor)  # where it was only out of reach
        self._looked = -LOOK_EVERY
        if worker.group:
            self._groups.appendleft(worker.group)
        if worker.starting is not None:
            self._failed_loads += 1
            if self._failed_loads >= LOADS_TRIED:
                raise ModelError(
                    f"{LOADS_TRIED} engines died while they loaded: give each more memory, or look into "
                    "Ray's logs."
                )
        for task in worker.running.values():
            self._deaths[id(task)] += 1
            if worker.alone and self._deaths[id(task)] >= DEADLY:
                yield (
                    task,
                    Lost(
                        f"The engine died over this row, {DEADLY} times: try other photos, or a smaller one."
                    ),
                )
            else:
                self._suspects.append(task)
