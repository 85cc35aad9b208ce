"""The tab "Compare": what varies, a grid side by side, any two pictures in a slider, and exports.

Layout first, wiring last; what happens is in ``handlers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.compare.axes import AXES, MOST_CELLS, offered
from app.compare.handlers import GAINS, MOST_GARMENTS, NO_AXIS, Comparing
from app.earlier import Inputs, earlier_note, tell_earlier
from app.fields import Fields
from app.serving.hosting import gpu, seconds_for
from app.tryon import masks
from app.tryon.editor import ask_editor, layers_reader
from app.values import setting_names
from app.waiting import PRIVATE, Place, Started, forget_refusals, run_in_line
from ladi.settings import Switches, rows_of

AXIS_FIELDS = ("first_axis", "first_values", "second_axis", "second_values")
INTRODUCTION = (
    "One person, many settings, side by side. The pictures are those of “Try on” unless you choose others; "
    "every setting that does not vary is the one there. All pictures start from the same noise."
)


def build_tab() -> Fields:
    """Lay out the tab; returns its components by name."""
    fields: Fields = {}
    gr.Markdown(INTRODUCTION, elem_classes="lead")
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=240):
            fields["person"] = gr.Image(
                label="The person",
                type="filepath",
                format="png",
                image_mode=None,
                height=280,
                sources=["upload", "clipboard"],
                placeholder="Drop a photo here",
                elem_id="compare-person",
            )
        with gr.Column(scale=4, min_width=240):
            fields["garments"] = gr.Gallery(
                label=f"Garments, up to {MOST_GARMENTS}",
                type="filepath",
                columns=4,
                height=280,
                object_fit="contain",
                file_types=["image"],
                sources=["upload", "clipboard"],
                interactive=True,
                buttons=[],
                elem_id="compare-garments",
            )
        with gr.Column(scale=5, min_width=280):
            fields |= _axis("first", "What varies", "emasc")
            fields |= _axis("second", "What else varies (optional)", NO_AXIS)
    with gr.Row():
        fields["button"] = gr.Button("Compare", variant="primary", size="lg", elem_id="compare-button")
        fields["ablation"] = gr.Button("The paper's ablation", size="lg", elem_id="ablation-button")
        fields["cancel"] = gr.Button(
            "Cancel", variant="stop", size="lg", visible=False, elem_id="compare-cancel"
        )
    fields["status"] = gr.HTML(elem_id="compare-status", padding=False)
    fields["earlier"] = earlier_note("compare-earlier")
    with gr.Column(visible=False, elem_id="compare-after") as after:
        fields["grid"] = gr.Gallery(
            label="Side by side: choose a picture to enlarge it",
            columns=4,
            height="auto",
            object_fit="contain",
            interactive=False,
            buttons=["fullscreen"],
            elem_id="compare-grid",
        )
        gr.Markdown("### Two of them, one over the other")
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=240):
                fields["a"] = gr.Dropdown([], label="On the left", elem_id="compare-a")
                fields["b"] = gr.Dropdown([], label="On the right", elem_id="compare-b")
                fields["times"] = gr.Radio(
                    [(f"Differences ×{times}" if times else "Pictures", times) for times in GAINS],
                    value=0,
                    label="The grid shows",
                    info="Differences are from the picture on the left: black where equal.",
                    elem_id="compare-differences",
                )
                with gr.Row():
                    fields["sheet"] = gr.DownloadButton("Download as one picture", elem_id="compare-sheet")
                    fields["table"] = gr.DownloadButton("Download as JSON", elem_id="compare-json")
            with gr.Column(scale=3, min_width=280):
                fields["slider"] = gr.ImageSlider(
                    label="Drag to compare",
                    type="filepath",
                    interactive=False,
                    max_height=560,
                    buttons=["fullscreen"],
                    elem_id="compare-slider",
                )
    fields["after"] = after
    fields["state"] = gr.State(None)
    fields["mark"] = gr.Textbox(value="", visible=False)
    return fields


def _axis(name: str, label: str, value: str) -> Fields:
    """The choice of an axis and of the values that it runs over."""
    choices = [(axis.label, key) for key, axis in AXES.items()]
    if name == "second":
        choices = [("Nothing else", NO_AXIS), *choices]
    every, chosen = offered(value, garments=0, models=()) if value else ([], [])
    with gr.Row(elem_classes="even"):
        axis = gr.Dropdown(choices, value=value, label=label, elem_id=f"{name}-axis")
        values = gr.CheckboxGroup(
            every, value=chosen, label="Values", visible=bool(value), elem_id=f"{name}-values"
        )
    return {f"{name}_axis": axis, f"{name}_values": values}


def connect(page: gr.Blocks, comparing: Comparing, fields: Fields, tryon: Fields, tab: gr.Tab) -> None:
    """All wiring of the tab; ``tryon`` are the other tab's components."""
    tell_earlier(_inputs(fields, tryon), _connect_run(page, comparing, fields, tryon))
    _connect_choices(comparing, fields)
    own = [fields["person"], fields["garments"]]
    tab.select(comparing.take, [tryon["person"], tryon["garment"], *own], own, **PRIVATE)


def _inputs(fields: Fields, tryon: Fields) -> Inputs:
    """What a comparison depends on: what does not vary, unless a comparison sets it by itself."""
    axes = {name: fields[name] for name in AXIS_FIELDS}
    settings = {name: tryon[name] for name in setting_names() if name not in ("invert_mask", "pictures")}
    return Inputs(
        fields["earlier"],
        "Compare",
        "them",
        fields["mark"],
        [fields["person"], fields["garments"]],
        axes | settings,
        area=[tryon["editor"].change, tryon["reset_mask"].click],
        axes=["first_axis", "second_axis"],
        ignored=[[], [*axes, *(row.name for row in rows_of(Switches))]],
    )


def _connect_run(page: gr.Blocks, comparing: Comparing, fields: Fields, tryon: Fields) -> list[Started]:
    """What both buttons start, and "Cancel" stops."""
    layers = layers_reader(tryon["editor"])
    mask = [tryon[name] for name in ("mask", "token", "strokes")]
    axes = [fields[name] for name in AXIS_FIELDS]
    names = {"first": "a", "second": "b"}
    shown = [fields[names.get(name, name)] for name in Comparing.SHOWN]

    def compute(
        visitor: str, person: Any, garments: Any, chosen: Any, noted: Any, values: tuple[Any, ...]
    ) -> Iterator[tuple[Any, ...]]:
        yield from comparing.compare(person, garments, chosen, values, mask=noted, visitor=visitor)

    on_gpu = gpu(compute, lambda *sent: seconds_for(sent[-1], pictures=MOST_CELLS))

    def run(
        request: gr.Request,
        person: Any,
        garments: Any,
        drawn: Any,
        token: str,
        raw: str,
        first: str,
        first_values: list[str],
        second: str,
        second_values: list[str],
        *values: Any,
    ) -> Iterator[tuple[Any, ...]]:
        # A comma alone is read as no value at all, where nothing would be the axis's own values.
        ticked = [(first, ", ".join(first_values) or ","), (second, ", ".join(second_values) or ",")]
        chosen = ticked if first else []
        noted = masks.note_strokes(drawn, token, layers(raw))
        yield from on_gpu(request.session_hash or "", person, garments, chosen, noted, values)

    def ablation(
        request: gr.Request, person: Any, garments: Any, drawn: Any, token: str, raw: str, *values: Any
    ) -> Iterator[tuple[Any, ...]]:
        yield from run(request, person, garments, drawn, token, raw, "", [], "", [], *values)

    settings = [tryon[name] for name in setting_names()]
    pictures = [fields["person"], fields["garments"], *mask]

    def stop(request: gr.Request) -> None:
        comparing.runs.stop(request.session_hash or "")

    place = Place(
        [fields["button"], fields["ablation"]],
        fields["cancel"],
        fields["status"],
        fields["status"],
        seen="#compare-status",
        first=lambda listen: ask_editor(listen, tryon),
    )
    starts = [
        (fields["button"].click, run, [*pictures, *axes, *settings]),
        (fields["ablation"].click, ablation, [*pictures, *settings]),
    ]
    forget_refusals(fields["status"], [fields["person"], fields["garments"], *axes, *settings])
    return run_in_line(page, place, starts, shown, stop)


def _connect_choices(comparing: Comparing, fields: Fields) -> None:
    """What an axis's values are, and what is shown of a comparison."""

    def offer(axis: str, garments: Any) -> Any:
        if axis == NO_AXIS:
            return gr.update(choices=[], value=[], visible=False)
        every, chosen = offered(axis, garments=len(garments or []), models=comparing.models)
        return gr.update(choices=every, value=chosen, visible=True)

    for name in ("first", "second"):
        axis, values = fields[f"{name}_axis"], fields[f"{name}_values"]
        axis.input(offer, [axis, fields["garments"]], values, **PRIVATE)
        fields["garments"].change(
            lambda axis, garments: offer(axis, garments) if axis == "garment" else gr.skip(),
            [axis, fields["garments"]],
            values,
            **PRIVATE,
        )
    gr.on(
        [fields["a"].input, fields["b"].input, fields["times"].input],
        comparing.pair,
        [fields[name] for name in ("state", "a", "b", "times")],
        [fields["slider"], fields["grid"]],
        **PRIVATE,
    )
