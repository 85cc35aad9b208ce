"""Who waits: a queue of limited length, of which no visitor has more than a share.

Counted is what Gradio's queue holds, waiting and running, and what is still being computed for those who have
left: Gradio forgets a cancelled event at once, its work ends a step later. So nothing has to be given back by
whoever closes the page, cancels or fails. Of programs nothing is kept once they are answered.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import fastapi
import gradio as gr
from gradio.context import LocalContext
from gradio.queueing import Event
from gradio.server_messages import ProcessCompletedMessage
from gradio.state_holder import StateHolder

from app.long_work import Ticket

GPU = "gpu"
"""The concurrency id of the events that paint: as many run at a time as there are engines."""
LOOK = "look"
"""That of programs' looks at photos, which are as limited."""
PREPARE, LOOKERS = "prepare", 2
"""That of the page's own looks, and how many run at a time beside one engine."""
COMPUTING = (GPU, LOOK)
OTHERS = 8
"""So many times more of all other events, which are short, may wait: the page looks at each new picture."""

_at_work: set[Event] = set()
"""What is being computed, or waits for its thread, for all pages of this process."""

TOO_MANY_REQUESTS = 429
"""For 503, Gradio's page has words of its own; with this status it shows ours."""


def guard_queue(page: gr.Blocks, *, most_waiting: int, per_visitor: int | None) -> None:
    """Limit what may wait in a page's queue; whoever comes too much is told so in a sentence.

    Args:
        page: its ``queue()`` has been called, and must not be called again.
        most_waiting: requests of all visitors that may wait.
        per_visitor: requests of one visitor that may wait or run; ``None`` for any number.
    """
    queue = page._queue  # Gradio offers no hook there
    push = queue.push

    async def guarded(body: Any, request: fastapi.Request, username: str | None) -> Any:
        function = page.fns.get(body.fn_index)
        if function is not None:
            computing = function.concurrency_id in COMPUTING
            share = 1 if computing else OTHERS
            waiting, running = count_events(page, computing=computing)
            visitor = name_visitor(body.session_hash, request, username)
            own = waiting[visitor] + running[visitor] if visitor else 0
            if per_visitor is not None and own >= share * per_visitor:
                raise fastapi.HTTPException(TOO_MANY_REQUESTS, already_waiting(own))
            if waiting.total() >= share * most_waiting:
                raise fastapi.HTTPException(TOO_MANY_REQUESTS, busy(waiting.total()))
        return await push(body=body, request=request, username=username)

    queue.push = guarded  # type: ignore[method-assign]


def let_through(page: gr.Blocks, engines: int) -> None:
    """Have as many events compute at once as there are engines for; all others wait in the queue.

    Args:
        page: its ``queue()`` has been called, and must not be called again.
        engines: may be told anew at any time.
    """
    limits = {GPU: engines, LOOK: engines, PREPARE: max(LOOKERS, engines)}
    for function in page.fns.values():
        if function.concurrency_id in limits:
            function.concurrency_limit = limits[function.concurrency_id]
    for name, waiting in page._queue.event_queue_per_concurrency_id.items():  # there since it is served
        waiting.concurrency_limit = limits.get(name, waiting.concurrency_limit)


def forget_callers(page: gr.Blocks) -> None:
    """Let go of what Gradio keeps of a program's call as soon as its answer is there.

    A call without a session of its own is given one, named as its event: a copy of the page's settings, of
    0.4 MB, that nobody can come back to.

    Args:
        page: its ``queue()`` has been called, and must not be called again.
    """
    process = page._queue.process_events

    async def processed(events: list[Event], *more: Any, **named: Any) -> None:
        try:
            await process(events, *more, **named)
        finally:
            sessions = page.state_holder  # there since the page is served
            for event in events:
                if event.session_hash == event._id:
                    with sessions.lock:
                        _forget(sessions, event._id)

    page._queue.process_events = processed  # type: ignore[method-assign]


def forget_leavers(page: gr.Blocks, seconds: float) -> int:
    """Let go of the sessions of pages that have been closed; how many that were.

    Gradio empties such a session after an hour, but keeps the rest of it until there are too many.

    Args:
        page: one that may not be served yet.
        seconds: for how long a session stays that nothing was asked in; who comes back sooner finds it.
    """
    sessions = getattr(page, "state_holder", None)
    if sessions is None:
        return 0
    last = datetime.now() - timedelta(seconds=seconds)
    with sessions.lock:
        left = [
            name
            for name, session in sessions.session_data.items()
            if session.is_closed and sessions.time_last_used.get(name, last) <= last
        ]
        for name in left:
            _forget(sessions, name)
    return len(left)


def _forget(sessions: StateHolder, name: str) -> None:
    """Drop one session, if it is there; the lock is the caller's."""
    sessions.session_data.pop(name, None)
    sessions.time_last_used.pop(name, None)


def count_events(page: gr.Blocks, *, computing: bool = True) -> tuple[Counter[str], Counter[str]]:
    """How many events each visitor has: of those that wait, and of those that run.

    Args:
        page: with its queue.
        computing: those that compute, else all others.
    """

    def count(events: Iterable[Event]) -> Counter[str]:
        return Counter(
            name_visitor(event.session_hash, event.request, event.username)
            for event in events
            if (event.concurrency_id in COMPUTING) == computing
        )

    waiting, running = _events(page)
    return count(waiting), count(running)


def count_ahead(page: gr.Blocks, session: str | None = None) -> int | None:
    """How many computing events come before one.

    Args:
        page: whose queue it is.
        session: of the page that waits; ``None`` for one that has not asked yet.

    Returns:
        ``None`` where nothing of this session waits.
    """
    waiting, running = ([one for one in events if one.concurrency_id == GPU] for events in _events(page))
    if session is None:
        return len(waiting) + len(running)
    sessions = [event.session_hash for event in waiting]
    return len(running) + sessions.index(session) if session in sessions else None


async def withdraw(page: gr.Blocks, session: str) -> bool:
    """Take what a page has waiting out of the queue, answered with nothing; whether there was anything.

    Args:
        page: whose queue it is.
        session: of the page that does not want to wait any more.
    """
    queue = page._queue
    waiting = _events(page)[0]
    own = [event for event in waiting if event.session_hash == session and event.concurrency_id == GPU]
    for event in own:
        await queue.remove_from_queue(event._id)
        nothing = {
            "data": [gr.skip()] * len(event.fn.outputs),
            "is_generating": False,
            "changed_state_ids": [],
        }
        queue.pending_messages_per_session[session].put_nowait(
            ProcessCompletedMessage(output=nothing, success=True, event_id=event._id)
        )
    return bool(own)


def _events(page: gr.Blocks) -> tuple[list[Event], set[Event]]:
    """Those that wait, in their order, and those that run, also where nobody waits for them any more."""
    queue = page._queue
    waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
    running = {event for job in queue.active_jobs if job is not None for event in job}
    running |= {event for event in list(_at_work) if page.fns.get(event.fn._id) is event.fn}
    return waiting, running


def take_ticket() -> Ticket:
    """For whoever asks in this thread: counted until the work is over, wanted while Gradio waits for it.

    Without an event, as in a direct call, the work is wanted by whoever calls, and not counted.
    """
    page, name = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    event = None if page is None or name is None else page._queue.event_ids_to_events.get(name)
    if page is None or event is None:
        return Ticket()
    queue = page._queue

    def wanted() -> bool:
        # A cancelled event is no longer active, and one whose page or connection has gone is not alive.
        return event.alive and any(event in job for job in list(queue.active_jobs) if job is not None)

    _at_work.add(event)
    return Ticket(wanted, lambda: _at_work.discard(event))


def name_visitor(session: str | None, request: fastapi.Request, username: str | None) -> str:
    """What one visitor is known by.

    The name that they logged in with; else their address on the internet (of an IPv6 address the part that
    one household has); else, in a local network and behind a proxy where addresses tell nothing, the page
    that they have open. Calls without any of these have no name: scripts behind a proxy, and all calls by
    MCP, which Gradio makes itself, in one session for everybody.
    """
    if username:
        return f"user {username}"
    page = "" if request.headers.get("x-gradio-user") == "mcp" else session or ""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return page
    if not address.is_global:
        return page
    household = ipaddress.ip_network((address, 64 if address.version == 6 else 32), strict=False)
    return str(household.network_address)


def already_waiting(own: int) -> str:
    """The sentence for a visitor with too many requests."""
    pictures = "a picture" if own == 1 else f"{own} pictures"
    one = "it" if own == 1 else "one"
    return f"You already have {pictures} in the making: wait for {one} to finish, or cancel it."


def busy(waiting: int) -> str:
    """The sentence for a full queue."""
    people = "Someone is" if waiting == 1 else f"{waiting} others are"
    return f"This page is busy: {people} waiting already. Please try again in a few minutes."
