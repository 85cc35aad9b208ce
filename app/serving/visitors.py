"""Who waits: a queue of limited length, of which no visitor has more than a share.

Counted is what Gradio's queue holds itself, waiting and running, at the moment when something new comes. So
nothing has to be given back by whoever closes the page, cancels or fails. Only the events that compute count.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import fastapi
import gradio as gr

GPU = "gpu"
"""The concurrency id of the events that compute: one of them runs at a time, and they are what is limited."""

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
        if function is not None and function.concurrency_id == GPU:
            waiting, running = count_events(page)
            visitor = name_visitor(body.session_hash, request, username)
            own = [*waiting, *running].count(visitor) if visitor else 0
            if per_visitor is not None and own >= per_visitor:
                raise fastapi.HTTPException(TOO_MANY_REQUESTS, already_waiting(own))
            if len(waiting) >= most_waiting:
                raise fastapi.HTTPException(TOO_MANY_REQUESTS, busy(len(waiting)))
        return await push(body=body, request=request, username=username)

    queue.push = guarded  # type: ignore[method-assign]


def count_events(page: gr.Blocks) -> tuple[list[str], list[str]]:
    """The visitors of the computing events: of those that wait, and of those that run."""
    queue = page._queue
    waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
    running = [event for job in queue.active_jobs if job is not None for event in job]
    visitors = [
        [
            name_visitor(event.session_hash, event.request, event.username)
            for event in events
            if event.concurrency_id == GPU
        ]
        for events in (waiting, running)
    ]
    return visitors[0], visitors[1]


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
