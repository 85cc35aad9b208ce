"""The tab "Try on": person, garment and button, the result beside them, everything else folded away below.

Layout first, wiring last; what happens is in ``looking.py`` and ``handlers.py``. On narrow screens
``page.css`` brings the parts of the left side and the result into one column.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from app.earlier import Inputs, tell_earlier
from app.examples import example_garments, example_people
from app.fields import Defaults, Fields, everyday_fields, further_fields
from app.serving.hosting import gpu, seconds_for
from app.serving.visitors import LOOKERS, PREPARE
from app.tryon.editor import ask_editor, found_fields, layers_reader, mask_fields
from app.tryon.handlers import Handlers
from app.tryon.looking import Looking
from app.tryon.outcome import connect_outcome, outcome_fields, take_sample
from app.values import setting_names
from app.waiting import PRIVATE, Place, Started, run_in_line

LOOKED_AT = ("category", "clean_garment", "use_anyway", "mask_rule", "size", "model")
"""The settings that change what is found in the two pictures."""

CONSENT = (
    "Use a photo of yourself, or one you have permission to use. It is deleted from this server after at "
    "most {minutes} minutes."
)


def build_tab(start: Defaults) -> Fields:
    """Lay out the tab; returns its components by name, the settings among them."""
    fields: Fields = {}
    with gr.Row(equal_height=False, elem_classes="studio"):
        with gr.Column(scale=7, min_width=320, elem_classes="inputs"):
            fields |= _pictures()
            with gr.Column(elem_id="go"):
                fields["button"] = gr.Button("Try on", variant="primary", size="lg", elem_id="try-on-button")
                fields["cancel"] = gr.Button(
                    "Cancel", variant="stop", size="lg", visible=False, elem_id="cancel-button"
                )
                fields["refusal"] = gr.HTML(elem_id="refusal", padding=False)
                # Pressed by the links in what is said: what is folded away is not there to be clicked.
                fields["overrule"] = gr.Button("Use it anyway", visible="hidden", elem_id="overrule")
                for name in ("person", "garment"):
                    fields[f"turn_{name}"] = gr.Button("Turn it", visible="hidden", elem_id=f"turn-{name}")
                fields["degrees"] = gr.Textbox(value="", visible=False)
            gr.Markdown(CONSENT.format(minutes=start.keep_minutes), elem_classes="quiet", elem_id="consent")
            with gr.Column(elem_classes="everyday"):
                fields |= everyday_fields(start)
            with gr.Accordion("Adjust the area to repaint", open=False, elem_id="area"):
                fields |= mask_fields(start)
            with gr.Accordion("What was found in the pictures", open=False, elem_id="found"):
                fields |= found_fields()
            with gr.Accordion("Settings", open=False, elem_id="more-settings"):
                fields |= _more(start)
        with gr.Column(scale=5, min_width=320, elem_classes="outcome", elem_id="outcome"):
            fields |= outcome_fields()
    return fields


def _more(start: Defaults) -> Fields:
    """The settings that are folded away, and what can be done with all of them."""
    fields = further_fields(start)
    fields["explain"] = gr.Checkbox(
        value=True,
        label="Show how it was made",
        info="Every picture takes a little longer.",
        elem_id="explain",
    )
    with gr.Row():
        fields["reset"] = gr.Button("Reset all settings", size="sm", elem_id="reset-settings")
        fields["load"] = gr.UploadButton(
            "Load settings from a result", size="sm", file_types=[".png", ".jpg"], elem_id="load-settings"
        )
    return fields


def _pictures() -> Fields:
    """The two uploads, each with examples and a word on what was found."""
    fields: Fields = {}
    with gr.Row(equal_height=False, elem_classes="pictures"):
        with gr.Column(min_width=150):
            fields["person"] = _upload(
                "1 · Person", "person", "Drop a photo here\nfrom the front, head to hips"
            )
            _examples(example_people(), fields["person"], "Or try one of these people")
            fields["found_person"] = gr.HTML(elem_id="found-person", padding=False)
        with gr.Column(min_width=150):
            fields["garment"] = _upload("2 · Garment", "garment", "Drop a picture here\nof the garment alone")
            _examples(example_garments(), fields["garment"], "Or one of these garments")
            fields["found_garment"] = gr.HTML(elem_id="found-garment", padding=False)
    return fields


def _upload(label: str, name: str, placeholder: str) -> gr.Image:
    """A field for a picture."""
    return gr.Image(
        label=label,
        type="filepath",
        format="png",
        image_mode=None,
        height=340,
        elem_id=f"{name}-upload",
        sources=["upload", "webcam", "clipboard"],
        placeholder=placeholder,
        webcam_options=gr.WebcamOptions(mirror=False),
    )


def _examples(rows: list[list[str]], field: gr.Image, label: str) -> None:
    """Clickable pictures for a field, where there are any."""
    if rows:
        with gr.Column(elem_classes="example-row", min_width=220):
            gr.Examples(rows, field, label=label, examples_per_page=8, api_visibility="private")


def connect(page: gr.Blocks, handlers: Handlers, looking: Looking, fields: Fields, start: Defaults) -> None:
    """All wiring of the tab. The handlers want files and numbers as sent."""
    settings = [fields[name] for name in setting_names()]
    _connect_looking(looking, fields, settings)
    made_from = _inputs(fields)
    tell_earlier(made_from, _connect_run(page, handlers, fields, settings))
    connect_outcome(handlers, fields, settings, made_from, start)


def _inputs(fields: Fields) -> Inputs:
    """What a result depends on: all that ``Handlers.try_on`` does not overlook."""
    return Inputs(
        fields["earlier"],
        "Try on",
        "it",
        fields["mark"],
        [fields["person"], fields["garment"]],
        {name: fields[name] for name in setting_names() if name != "invert_mask"},
        seed_used=fields["seed_used"],
        area=[fields["editor"].change, fields["reset_mask"].click],
    )


def _connect_looking(looking: Looking, fields: Fields, settings: list[Any]) -> None:
    """What happens as soon as a picture is there, or a setting that concerns its preparation changes."""
    layers = layers_reader(fields["editor"])
    mask = [fields[name] for name in ("mask", "token", "strokes")]
    said = [fields[name] for name in ("found_person", "found_garment")]
    pictures = [fields["person"], fields["garment"]]

    def look(person: Any, garment: Any, drawn: Any, token: str, raw: str, *values: Any) -> tuple[Any, ...]:
        return looking.look(person, garment, drawn, token, layers(raw), *values)

    for name, overruled in (("person", []), ("garment", [fields["use_anyway"]])):
        fields[name].change(
            None,
            [fields[name], *overruled],
            [fields[f"found_{name}"], fields["refusal"], *overruled],
            js=f"(picture, ...overruled) => window.ladi.changed({name!r}, picture, ...overruled)",
            **PRIVATE,
        )
    causes = [*(field.change for field in settings), fields["reset_mask"].click]
    gr.on(causes, None, None, fields["refusal"], js="() => ''", **PRIVATE)
    _connect_turning(looking, fields, mask)
    looked = [fields[name] for name in Looking.LOOKED]
    # Whatever shows progress is asked for its value all the time: never the editor (``editor.py``).
    quiet = {**PRIVATE, "concurrency_id": PREPARE, "show_progress_on": said}
    at = ([*pictures, *mask, *settings], looked)
    causes = [
        fields["person"].change,
        fields["garment"].change,
        fields["mask_grow"].release,
        *(fields[name].change for name in LOOKED_AT),
    ]
    ask_editor(partial(gr.on, causes), fields).then(
        look, *at, trigger_mode="always_last", concurrency_limit=LOOKERS, **quiet
    ).then(
        None,
        [*pictures, *said],
        said,
        js="(...values) => window.ladi.still_looking(...values)",
        **PRIVATE,
    )
    overruled = fields["overrule"].click(None, None, fields["use_anyway"], js="() => true", **PRIVATE)
    ask_editor(overruled.then, fields).then(look, *at, **quiet)
    # What is in the editor counts for nothing without a mask that it was shown with.
    fields["reset_mask"].click(
        lambda: (None, "", 0), None, [fields["mask"], fields["token"], fields["mask_grow"]], **PRIVATE
    ).then(look, *at, **quiet)
    fields["paint"].change(None, fields["paint"], None, js="(on) => { window.ladi.paint(on); }", **PRIVATE)


def _connect_turning(looking: Looking, fields: Fields, mask: list[Any]) -> None:
    """What the links "Turn it" do; the browser knows by how much."""
    layers = layers_reader(fields["editor"])

    def turn_person(picture: Any, degrees: str, drawn: Any, token: str, raw: str) -> tuple[str, Any]:
        return looking.turn_person(picture, degrees, drawn, token, layers(raw))

    person, garment, degrees = (fields[name] for name in ("person", "garment", "degrees"))
    asked = ask_editor(fields["turn_person"].click, fields)
    for name, listen, turn, inputs, outputs in (
        ("person", asked.then, turn_person, [person, degrees, *mask], [person, fields["mask"]]),
        ("garment", fields["turn_garment"].click, looking.turn_garment, [garment, degrees], [garment]),
    ):
        listen(
            turn,
            inputs,
            outputs,
            js=f"(picture, _, ...mask) => [picture, window.ladi.turning.{name}, ...mask]",
            concurrency_id=PREPARE,
            **PRIVATE,
        ).failure(None, None, None, js=f"() => {{ window.ladi.not_turned({name!r}); }}", **PRIVATE)


def _connect_run(page: gr.Blocks, handlers: Handlers, fields: Fields, settings: list[Any]) -> list[Started]:
    """What "Try on" starts, and "Cancel" stops."""
    layers = layers_reader(fields["editor"])

    def compute(visitor: str, *sent: Any) -> Iterator[tuple[Any, ...]]:
        yield from handlers.try_on(*sent, visitor=visitor)

    # What runs on a lent GPU runs in a process of its own: only plain values go there.
    on_gpu = gpu(compute, lambda visitor, *sent: seconds_for(sent[-len(setting_names()) :]))

    def run(
        request: gr.Request,
        person: Any,
        garment: Any,
        drawn: Any,
        token: str,
        raw: str,
        explain: bool,
        *values: Any,
    ) -> Iterator[tuple[Any, ...]]:
        visitor = request.session_hash or ""
        yield from on_gpu(visitor, person, garment, drawn, token, layers(raw), explain, *values)

    def stop(request: gr.Request) -> None:
        handlers.stop(request.session_hash or "")

    inputs = [fields[name] for name in ("person", "garment", "mask", "token", "strokes", "explain")]
    sent = [*inputs, *settings]
    chosen = fields["samples"].select(take_sample, None, [fields["person"], fields["garment"]], **PRIVATE)
    place = Place(
        [fields["button"]],
        fields["cancel"],
        fields["status"],
        fields["refusal"],
        emptied=[fields["preview"]],
        view="#outcome",
        seen="#result",
        first=lambda listen: ask_editor(listen, fields),
    )
    return run_in_line(
        page,
        place,
        [(fields["button"].click, run, sent), (chosen.then, run, sent)],
        [fields[name] for name in Handlers.SHOWN],
        stop,
    )
