"""Results in view that match the page's pictures or settings no longer: each says so until it does again.

The browser alone compares (``page.js``): what was asked with at the click, with what would be asked with now.
Nothing is sent for it, nothing waits, and nothing is remembered here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.waiting import PRIVATE, Started


@dataclass(frozen=True)
class Inputs:
    """What the results of a tab are made from, and where it is said that they are of earlier ones."""

    note: gr.HTML
    """From ``earlier_note``."""
    button: str
    """The name of what makes them anew."""
    it: str
    """What is made, in "make it anew"."""
    mark: gr.Textbox
    """Holds the name of the result that is shown and, where one can be shown again, ``#`` and a word for each
    time."""
    pictures: Sequence[Any]
    """Fields; the first may have an area to repaint."""
    settings: Mapping[str, Any]
    """Fields by name."""
    seed_used: Any = None
    """Holds the seed of what is shown: whoever keeps it has changed nothing."""
    area: Sequence[Any] = ()
    """Events after which the area to repaint may be another."""
    axes: Sequence[str] = ()
    """Those of the settings whose values name others, which then count for nothing."""
    ignored: Sequence[Sequence[str]] = field(default_factory=list)
    """Settings that count for nothing, for each of the ways to start; none where it is shorter."""

    @property
    def values(self) -> list[Any]:
        """All fields, as they travel."""
        return [*self.pictures, *self.settings.values()]

    @property
    def used(self) -> Any:
        """Where the seed stands; a mark is none."""
        return self.mark if self.seed_used is None else self.seed_used

    def call(self, what: str, *more: str) -> str:
        """The browser's part of an event; its own arguments come before the fields' values."""
        told = {
            "tab": self.note.elem_id,
            "button": self.button,
            "it": self.it,
            "pictures": len(self.pictures),
            "settings": [*self.settings],
            "area": bool(self.area),
            "axes": [*self.axes],
            "ignored": [[*names] for names in self.ignored],
        }
        passed = ", ".join([json.dumps(told), *more])
        # On a busy machine a setting may change before the page's own script is there; nothing is shown yet.
        return f"(...values) => window.ladi ? window.ladi.{what}({passed}, ...values) : ''"


def earlier_note(name: str) -> gr.HTML:
    """The place of the sentence; ``page.css`` dims what it is about while it says something."""
    return gr.HTML(elem_id=name, elem_classes="earlier", padding=False)


def tell_earlier(inputs: Inputs, starts: Sequence[Started]) -> None:
    """Wire the sentence.

    Args:
        inputs: what counts.
        starts: from ``run_in_line``, in the order of ``inputs.ignored``.
    """
    for number, one in enumerate(starts):
        js = inputs.call("asked", str(number))
        one.asked.then(None, inputs.values, None, js=js, **PRIVATE)
        show_anew(inputs, one.run)
    causes = [*(one.change for one in inputs.values), *inputs.area]
    told = [inputs.used, *inputs.values]
    gr.on(causes, None, told, inputs.note, js=inputs.call("compared"), **PRIVATE)


def show_anew(inputs: Inputs, event: Any) -> None:
    """After an event that may have opened a result: remember what it was made from, and compare."""
    told = [inputs.mark, inputs.used, *inputs.values]
    event.then(None, told, inputs.note, js=inputs.call("opened"), **PRIVATE)
