"""The right side of "Try on": what is there before the first result, the work as it goes on, and the result.

Layout first, wiring last; what happens is in ``handlers.py``, and in the browser in ``page.js``.
"""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from app.earlier import Inputs, earlier_note, show_anew
from app.examples import lend, samples
from app.fields import Defaults, Fields
from app.tryon.handlers import Handlers
from app.values import setting_names
from app.waiting import PRIVATE

VIEWS = [("Result", "result"), ("Before / after", "both")]


def outcome_fields() -> Fields:
    """What a try-on shows; ``Handlers.REOPENED`` says which field is what."""
    fields: Fields = {}
    with gr.Row(elem_id="outcome-head"):
        gr.Markdown("## 3 · Result", elem_id="outcome-title")
        fields["earlier"] = earlier_note("earlier")
    fields["status"] = gr.HTML(elem_id="status", padding=False)
    fields |= _sample_fields()
    fields["preview"] = gr.Image(
        label="In progress", show_label=False, interactive=False, visible=False, buttons=[], elem_id="preview"
    )
    with gr.Column(visible=False, elem_id="after") as after:
        fields |= _picture_fields()
        with gr.Row(elem_id="actions"):
            fields["download"] = gr.DownloadButton("Download", variant="primary", elem_id="download")
            fields["jpeg"] = gr.DownloadButton("JPEG", elem_id="download-jpeg")
            fields["copy"] = gr.Button("Copy", elem_id="copy")
            fields["link"] = gr.Button("Link", elem_id="copy-link")
            fields["wear"] = gr.Button("Add garment", elem_id="use-as-person")
        fields["told"] = gr.HTML(elem_id="told", padding=False)
        fields["details"] = gr.Markdown(elem_id="result-details", elem_classes="quiet")
    fields["after"] = after
    fields["history"] = gr.Gallery(
        label="Earlier in this session: tap for picture and settings",
        visible=False,
        columns=8,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="history",
    )
    with gr.Accordion("How it was made", open=False, visible=False, elem_id="how") as how:
        fields["made"] = gr.Gallery(
            label="Step by step",
            columns=3,
            height="auto",
            object_fit="contain",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="made",
        )
        fields["timings"] = gr.Markdown(elem_id="timings")
    fields["how"] = how
    fields["results"] = gr.State(None)  # the result that is shown, see Handlers._show
    fields["remembered"] = gr.State(None)  # the results before it, of which "history" shows small copies
    fields["seed_used"] = gr.Textbox(value="", visible=False)
    fields["mark"] = gr.Textbox(value="", visible=False)
    return fields


def _sample_fields() -> Fields:
    """What is there before the first result: whole triples, each made at a tap."""
    with gr.Column(elem_id="empty"):
        gr.Markdown("Your picture appears here. Or try one of these with one tap:", elem_classes="quiet")
        return {
            "samples": gr.Gallery(
                [(str(one.picture), one.caption) for one in samples()],
                label="Samples",
                show_label=False,
                columns=1,
                height="auto",
                object_fit="contain",
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="samples",
            )
        }


def _picture_fields() -> Fields:
    """The picture alone, over the photo, and beside others of the same run."""
    fields: Fields = {}
    fields["view"] = gr.Radio(
        VIEWS, value="result", label="What is shown", show_label=False, container=False, elem_id="view"
    )
    fields["result"] = gr.Image(
        label="Result",
        show_label=False,
        type="filepath",
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_id="result",
    )
    fields["versus"] = gr.ImageSlider(
        label="Before and after: drag to compare",
        show_label=False,
        type="filepath",
        interactive=False,
        max_height=620,
        buttons=["fullscreen"],
        elem_id="before-after",
    )
    fields["gallery"] = gr.Gallery(
        label="All pictures: choose one",
        visible=False,
        columns=4,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="all-results",
    )
    return fields


def connect_outcome(
    handlers: Handlers, fields: Fields, settings: list[Any], made_from: Inputs, start: Defaults
) -> None:
    """What can be done with a result, and with the settings."""

    def choose(results: Any, event: gr.SelectData) -> tuple[Any, ...]:
        return handlers.choose(results, event.index)

    chosen = [fields[name] for name in Handlers.CHOSEN]
    fields["gallery"].select(choose, fields["results"], chosen, **PRIVATE)
    fields["wear"].click(handlers.wear, fields["result"], fields["person"], **PRIVATE)
    fields["keep_seed"].click(
        None,
        [fields["seed_used"], fields["seed"]],
        fields["seed"],
        js="(used, typed) => used || typed",
        **PRIVATE,
    )
    fields["load"].upload(handlers.load_settings, [fields["load"], *settings], settings, **PRIVATE)
    fields["reset"].click(lambda: tuple(start.values.values()), None, settings, **PRIVATE)
    fields["model"].change(
        handlers.model_defaults,
        fields["model"],
        [fields["steps"], fields["guidance"], fields["category"]],
        **PRIVATE,
    )
    _connect_history(handlers, fields, settings, made_from)
    fields["view"].change(None, fields["view"], None, js="(which) => { window.ladi.view(which); }", **PRIVATE)
    fields["copy"].click(None, None, fields["told"], js="() => window.ladi.copy()", **PRIVATE)
    fields["link"].click(
        None,
        [fields["seed_used"], *settings],
        fields["told"],
        js=f"(seed, ...values) => window.ladi.link({json.dumps(setting_names())}, seed, values)",
        **PRIVATE,
    )


def take_sample(event: gr.SelectData) -> tuple[str, str]:
    """Both pictures of the sample that was tapped."""
    return lend(samples()[event.index])


def _connect_history(handlers: Handlers, fields: Fields, settings: list[Any], made_from: Inputs) -> None:
    """The results of this session, and the way back to one of them."""
    fields["results"].change(
        handlers.remember,
        [fields["results"], fields["remembered"]],
        [fields["remembered"], fields["history"]],
        **PRIVATE,
    )

    def reopen(event: gr.SelectData, remembered: Any, *values: Any) -> tuple[Any, ...]:
        return handlers.reopen(remembered, event.index, *values)

    reopened = fields["history"].select(
        reopen,
        [fields["remembered"], *settings],
        [*(fields[name] for name in Handlers.REOPENED), *settings],
        **PRIVATE,
    )
    show_anew(made_from, reopened)
