"""An engine that computes elsewhere: the page's calls, sent to replicas, with their reports and their end.

It has the methods of ``ladi.engine.Engine`` that the page uses. A call goes, if it can, to the replica that
remembers the photo; where the replica dies over it, it goes once more to another one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ladi.progress import Progress
from ladi.runtime.recall import digest
from ladi.scale.replica import Answer, Refused, Report
from ladi.settings import TryOnRequest, check_request, choose_sampling
from ladi.types import Cancelled, Garment, ModelError, PersonParts, Photo, Result

if TYPE_CHECKING:
    from ladi.diffusion.compare import Cell, Compared
    from ladi.diffusion.painting import Preview

LOGGER = logging.getLogger(__name__)

POLL = 0.1
"""Seconds between two looks at whether a call is still wanted."""
TRIES = 2
"""So many replicas may die over a call."""

_SALT = secrets.token_bytes(16)
"""Names of photos travel and may be logged; without this, they could be told from the photos."""


class RemoteEngine:
    """A model of which any number of replicas compute."""

    def __init__(self, ray: Any, handle: Any, name: str, defaults: tuple[int, float]) -> None:
        """Remember where the calls go; ``ladi.scale.fleet.Fleet.engine`` is the usual way.

        Args:
            ray: connected.
            handle: of Serve's deployment of ``EngineReplica``.
            name: the model's.
            defaults: its own steps and guidance scale.
        """
        self._ray, self._handle = ray, handle
        self.name = name
        self.defaults = defaults

    def warm_up(self, *, wait: bool = False) -> None:
        """Nothing: replicas do so as they load."""

    def prepare_person(self, photo: Photo, **how: Any) -> PersonParts:
        """As ``Engine.prepare_person``, by the replica that a try-on with this photo will go to."""
        return self._ask(photo, "prepare_person", photo, **how)

    def prepare_garment(self, photo: Photo, **how: Any) -> Garment:
        """As ``Engine.prepare_garment``."""
        return self._ask(photo, "prepare_garment", photo, **how)

    def try_on(
        self,
        request: TryOnRequest,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        preview: Preview | None = None,
        explain: bool = False,
    ) -> Result:
        """As ``Engine.try_on``; after the loss of a replica, ``progress`` begins anew.

        Of the result, the encoder's features stay where they were made, and layers by themselves
        (``cut_outs``) are there for those who watch it, by ``preview``.

        Raises:
            LadiError: as there.
            ModelError: also where replicas die over it, or there are none.
            Cancelled: ``cancelled`` said so; the replica stops at its next step.
        """
        check_request(request)
        calls = {"progress": progress, "cancelled": cancelled, "preview": preview}
        return self._ask(request.person, "try_on", request, calls=calls, explain=explain)

    def compare(
        self,
        requests: Sequence[TryOnRequest],
        cells: Callable[[int, int, float], Sequence[Cell]],
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Compared]:
        """As ``Engine.compare``; the cells are settled here, so that values travel and not a function."""
        for request in requests:
            check_request(request)
        wanted = tuple(cells(*choose_sampling(requests[0].settings, self.defaults)))
        calls = {"progress": progress, "cancelled": cancelled}
        return self._ask(requests[0].person, "compare", list(requests), Settled(wanted), calls=calls)

    def _ask(
        self, photo: Photo, method: str, *arguments: Any, calls: dict[str, Any] | None = None, **named: Any
    ) -> Any:
        """The answer of a replica, of another one where the first dies; raises what the engine does."""
        name = hashlib.blake2b(digest(photo), key=_SALT, digest_size=8).hexdigest()
        work = self._handle.options(stream=True, multiplexed_model_id=name).work
        errors = self._ray.exceptions
        lost = (errors.RayError, self._ray.serve.exceptions.RayServeException)
        calls = calls or {}
        watched = calls.get("preview") is not None
        for _ in range(TRIES):
            try:
                return asyncio.run(
                    _follow(lambda: work.remote(method, name, arguments, named, watched), calls)
                )
            except errors.RayTaskError:  # the engine's own mistake, which it would make again
                raise
            except lost as error:
                LOGGER.warning("an engine was lost: %s", type(error).__name__)
        raise ModelError(
            f"The engine died over this, {TRIES} times: try again, and take a smaller photo if it "
            "happens again."
        )


class Settled:
    """Cells that are known already, in place of the function that makes them."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        """Remember them."""
        self._cells = cells

    def __call__(self, seed: int, steps: int, guidance: float) -> Sequence[Cell]:
        """They have taken the place of all three."""
        return self._cells


async def _follow(send: Callable[[], Any], calls: dict[str, Any]) -> Any:
    """The answer to one call, whose reports are handed on meanwhile.

    Args:
        send: makes the call; gives Serve's response, over which one can iterate.
        calls: ``progress``, ``cancelled`` and ``preview``, each of which may be missing or None.

    Raises:
        LadiError: the answer is a refusal.
        Cancelled: ``cancelled`` says yes.
    """
    response = send()
    progress, cancelled, preview = (calls.get(name) for name in ("progress", "cancelled", "preview"))
    try:
        while True:
            coming = asyncio.ensure_future(response.__anext__())
            while not coming.done():
                await asyncio.wait({coming}, timeout=POLL)
                if cancelled is not None and cancelled():
                    coming.cancel()
                    raise Cancelled("Stopped before it was done; nothing was changed.")
            reply = coming.result()
            if isinstance(reply, Refused):
                raise reply.error
            if isinstance(reply, Answer):
                return reply.value
            assert isinstance(reply, Report)
            if preview is not None and reply.preview is not None:
                preview(reply.preview)
            if progress is not None:
                progress(reply.stage, reply.share)
    except BaseException:
        # In a thread: in the loop, Serve could not wait for a replica that is only being chosen.
        await asyncio.to_thread(response.cancel)
        raise
