"""Work that waits for its turn, as visitors see it: what is said at once, while it waits, and after Cancel.

A click is answered by an event that needs no queue, so that the progress stands there before the work has
begun; while others are ahead, a timer asks every second how many. What is computed is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app import words
from app.serving.visitors import GPU, count_ahead, withdraw

EVERY = 1.0
"""Seconds between two looks at the queue."""
PRIVATE: dict[str, Any] = {"preprocess": False, "api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class Place:
    """Where some work is shown."""

    buttons: Sequence[gr.Button]
    """What starts it; away while it runs."""
    cancel: gr.Button
    status: gr.HTML
    """Progress and the queue's sentence."""
    said: gr.HTML
    """Refusals, and that it was stopped; may be ``status`` itself."""
    emptied: Sequence[Any] = ()
    """What is hidden while it runs, such as a preview of the work before."""
    view: str = ""
    """The selector of what to scroll to on narrow screens."""
    seen: str = ""
    """What should be in view at the end."""
    first: Callable[[Callable[..., Any]], Any] | None = None
    """What the browser does before the work is sent, given the event to listen to; gives back its own."""

    @property
    def names(self) -> tuple[str, str, str, str]:
        """The selectors of button, Cancel, status and refusals."""
        parts = (self.buttons[0], self.cancel, self.status, self.said)
        button, cancel, status, said = (f"#{part.elem_id}" for part in parts)
        return button, cancel, status, said

    @property
    def started(self) -> str:
        """The browser's part when the work is asked for."""
        button, cancel, status, _ = self.names
        return _call("started", button, cancel, status, self.view or status)

    @property
    def ended(self) -> str:
        """Its part when it is over."""
        button, cancel, status, said = self.names
        return _call("ended", button, cancel, said, self.view or status, self.seen or status)


@dataclass(frozen=True)
class Started:
    """One way to start some work, as Gradio's events to go on from."""

    asked: Any
    """It has been asked for, with the values that the work gets."""
    run: Any
    """It is over, however it ended."""


def _call(name: str, *selectors: str) -> str:
    return f"() => {{ window.ladi.{name}({', '.join(map(repr, selectors))}); }}"


def forget_refusals(said: gr.HTML, causes: Sequence[Any]) -> None:
    """Take a refusal away, and nothing else that stands in its place, when what may have caused it changes.

    Args:
        said: where it stands.
        causes: fields whose values the refused work was given.
    """
    events = [field.change for field in causes]
    gr.on(events, None, said, said, js="(said) => window.ladi.without_refusal(said)", **PRIVATE)


def run_in_line(
    page: gr.Blocks,
    place: Place,
    starts: Sequence[tuple[Any, Callable[..., Any], Sequence[Any]]],
    outputs: Sequence[Any],
    stop: Callable[[gr.Request], Any],
) -> list[Started]:
    """Wire work that waits for its turn.

    Args:
        page: whose queue it is.
        place: where it is shown.
        starts: each an event to listen to, such as ``button.click`` or ``event.then``, the work, and its
            inputs.
        outputs: what the work gives back.
        stop: stops a visitor's work that runs already.

    Returns:
        For each of the starts, the events to go on from.
    """
    timer = gr.Timer(EVERY, active=False)
    apart = place.said is not place.status
    shown = [*place.buttons, place.cancel, place.status, *([place.said] if apart else []), *place.emptied]

    def states(working: bool, status: str, said: str) -> list[Any]:
        """Values for ``shown``."""
        sentences = [status, said] if apart else [status or said]
        hidden = [gr.update(visible=False)] * len(place.emptied)
        buttons = [gr.update(visible=not working)] * len(place.buttons)
        return [*buttons, gr.update(visible=working), *sentences, *hidden]

    def announce() -> list[Any]:
        return [*states(True, words.waiting(count_ahead(page)), ""), gr.Timer(active=True)]

    def tell(request: gr.Request) -> tuple[Any, Any]:
        ahead = count_ahead(page, request.session_hash or "")
        return (gr.skip(), gr.Timer(active=False)) if ahead is None else (words.waiting(ahead), gr.skip())

    async def stopped(request: gr.Request) -> list[Any]:
        if await withdraw(page, request.session_hash or ""):
            return [*states(False, "", words.hint(words.STOPPED)), gr.Timer(active=False)]
        stop(request)  # what runs says itself how it ended, and what it has done until then
        return [gr.skip()] * (len(shown) + 1)

    def turned_away() -> list[Any]:
        return [*states(False, "", ""), gr.Timer(active=False)]

    runs = []
    for listen, work, inputs in starts:
        said = listen(announce, None, [*shown, timer], queue=False, **PRIVATE)
        said.then(None, None, None, js=place.started, **PRIVATE)
        ready = place.first(said.then) if place.first else said
        run = ready.then(
            work, list(inputs), list(outputs), concurrency_limit=1, concurrency_id=GPU, **PRIVATE
        )
        run.failure(turned_away, None, [*shown, timer], queue=False, **PRIVATE)
        run.then(None, None, None, js=place.ended, **PRIVATE)
        runs.append(Started(said, run))
    timer.tick(tell, None, [place.status, timer], queue=False, **PRIVATE)
    place.cancel.click(stopped, None, [*shown, timer], queue=False, **PRIVATE)
    return runs
