"""The tab "Compare": what varies, a grid side by side, any two pictures in a slider, and exports.

Layout first, wiring last; what happens is in ``handlers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.compare.axes import AXES, MOST_CELLS
from app.compare.handlers import MOST_GARMENTS, NO_AXIS, Comparing
from app.fields import Fields
from app.serving.hosting import gpu, seconds_for
from app.serving.visitors import GPU
from app.tryon import masks
from app.tryon.tab import layers_reader
from app.values import setting_names

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
            fields |= _axis("second", "And, across (optional)", NO_AXIS)
    with gr.Row():
        fields["button"] = gr.Button("Compare", variant="primary", size="lg", elem_id="compare-button")
        fields["ablation"] = gr.Button("The paper's ablation", size="lg", elem_id="ablation-button")
        fields["cancel"] = gr.Button(
            "Cancel", variant="stop", size="lg", visible=False, elem_id="compare-cancel"
        )
    fields["status"] = gr.HTML(elem_id="compare-status", padding=False)
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
                fields["apart"] = gr.Checkbox(
                    value=False,
                    label="Show differences in the grid",
                    info="From the picture on the left: black where equal, brighter where they differ.",
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
    return fields


def _axis(name: str, label: str, value: str) -> Fields:
    """The choice of an axis and what it runs over."""
    choices = [(axis.label, key) for key, axis in AXES.items()]
    if name == "second":
        choices = [("Nothing else", NO_AXIS), *choices]
    with gr.Row(elem_classes="even"):
        axis = gr.Dropdown(choices, value=value, label=label, elem_id=f"{name}-axis")
        values = gr.Textbox(
            value=AXES[value].values if value else "",
            label="Values",
            info=AXES[value].help if value else "With commas between them.",
            max_lines=1,
            elem_id=f"{name}-values",
        )
    return {f"{name}_axis": axis, f"{name}_values": values}


def connect(comparing: Comparing, fields: Fields, tryon: Fields, tab: gr.Tab) -> None:
    """All wiring of the tab; ``tryon`` are the other tab's components."""
    layers = layers_reader(tryon["editor"])
    quiet: dict[str, Any] = {"preprocess": False, "api_visibility": "private", "show_progress": "hidden"}
    mask = [tryon[name] for name in ("mask", "token", "editor")]
    axes = [fields[name] for name in ("first_axis", "first_values", "second_axis", "second_values")]
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
        raw: Any,
        first: str,
        first_values: str,
        second: str,
        second_values: str,
        *values: Any,
    ) -> Iterator[tuple[Any, ...]]:
        chosen = [(first, first_values), (second, second_values)] if first else []
        noted = masks.note_strokes(drawn, token, layers(raw))
        yield from on_gpu(request.session_hash or "", person, garments, chosen, noted, values)

    def ablation(
        request: gr.Request, person: Any, garments: Any, drawn: Any, token: str, raw: Any, *values: Any
    ) -> Iterator[tuple[Any, ...]]:
        yield from run(request, person, garments, drawn, token, raw, "", "", "", "", *values)

    settings = [tryon[name] for name in setting_names()]
    pictures = [fields["person"], fields["garments"], *mask]
    computing: dict[str, Any] = {**quiet, "concurrency_limit": 1, "concurrency_id": GPU}
    fields["button"].click(run, [*pictures, *axes, *settings], shown, **computing)
    fields["ablation"].click(ablation, [*pictures, *settings], shown, **computing)

    def stop(request: gr.Request) -> None:
        comparing.runs.stop(request.session_hash or "")

    fields["cancel"].click(stop, queue=False, **quiet)
    for name in ("first", "second"):
        fields[f"{name}_axis"].input(_explain, fields[f"{name}_axis"], fields[f"{name}_values"], **quiet)
    gr.on(
        [fields["a"].input, fields["b"].input, fields["apart"].input],
        comparing.pair,
        [fields[name] for name in ("state", "a", "b", "apart")],
        [fields["slider"], fields["grid"]],
        **quiet,
    )
    own = [fields["person"], fields["garments"]]
    tab.select(comparing.take, [tryon["person"], tryon["garment"], *own], own, **quiet)


def _explain(axis: str) -> Any:
    """An axis's own values, and what may be written instead."""
    if axis == NO_AXIS:
        return gr.update(value="", info="With commas between them.")
    return gr.update(value=AXES[axis].values, info=f"{AXES[axis].help[:1].upper()}{AXES[axis].help[1:]}.")
