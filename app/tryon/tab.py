"""The tab "Try on": person → garment → result, with the mask to correct on the way.

Layout first, wiring last; what happens is in ``looking.py`` and ``handlers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.examples import example_garments, example_people
from app.fields import Defaults, Fields, everyday_fields, further_fields
from app.serving.hosting import gpu, seconds_for
from app.serving.visitors import GPU
from app.tryon.editor import found_fields, layers_reader
from app.tryon.handlers import Handlers
from app.tryon.looking import Looking
from app.values import setting_names

PREPARE = "prepare"
LOOKED_AT = ("category", "clean_garment", "use_anyway", "mask_rule", "size", "model")
"""The settings that change what is found in the two pictures."""

CONSENT = (
    "Use a photo of yourself, or one you have permission to use. It is deleted from this server after at "
    "most {minutes} minutes."
)
EMPTY = (
    '<div class="empty"><p><strong>Your picture appears here.</strong></p>'
    "<p>Add a photo of a person and a picture of a garment, then press “Try on”.</p></div>"
)


def build_tab(start: Defaults) -> Fields:
    """Lay out the tab; returns its components by name, the settings among them."""
    fields: Fields = {}
    with gr.Row(equal_height=False, elem_classes="studio"):
        with gr.Column(scale=7, min_width=320):
            fields |= _pictures(start)
            fields |= found_fields(start)
            fields["button"] = gr.Button("Try on", variant="primary", size="lg", elem_id="try-on-button")
            fields["cancel"] = gr.Button(
                "Cancel", variant="stop", size="lg", visible=False, elem_id="cancel-button"
            )
            fields |= everyday_fields(start)
            with gr.Accordion("More settings", open=False, elem_id="more-settings"):
                fields |= further_fields(start)
                fields["explain"] = gr.Checkbox(
                    value=True,
                    label="Show how it was made",
                    info="Costs one more decoding.",
                    elem_id="explain",
                )
                with gr.Row():
                    fields["reset"] = gr.Button("Reset all settings", size="sm", elem_id="reset-settings")
                    fields["load"] = gr.UploadButton(
                        "Load settings from a result", size="sm", file_types=[".png"], elem_id="load-settings"
                    )
        with gr.Column(scale=5, min_width=320, elem_classes="outcome"):
            fields |= _results()
    return fields


def _pictures(start: Defaults) -> Fields:
    """The two uploads, each with a word, examples and what was found."""
    fields: Fields = {}
    with gr.Row(equal_height=False):
        with gr.Column(min_width=240):
            fields["person"] = _upload(
                "1 · The person", "person", "Drop a photo here\nfrom the front, head to hip"
            )
            gr.Markdown(CONSENT.format(minutes=start.keep_minutes), elem_classes="quiet", elem_id="consent")
            _examples(example_people(), fields["person"], "Or try one of these people")
            fields["found_person"] = gr.HTML(elem_id="found-person", padding=False)
        with gr.Column(min_width=240):
            fields["garment"] = _upload(
                "2 · The garment", "garment", "Drop a picture here\nof the garment alone"
            )
            gr.Markdown("A shop picture, or your own photo of it.", elem_classes="quiet")
            _examples(example_garments(), fields["garment"], "Or one of these garments")
            fields["found_garment"] = gr.HTML(elem_id="found-garment", padding=False)
            fields["cleaned"] = gr.Image(
                label="The garment, as it is used",
                format="png",
                interactive=False,
                height=180,
                visible=False,
                buttons=[],
                elem_id="cleaned",
            )
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


def _results() -> Fields:
    """What a try-on shows."""
    fields: Fields = {}
    fields["status"] = gr.HTML(EMPTY, elem_id="status", padding=False)
    fields["preview"] = gr.Image(
        label="On the way", interactive=False, visible=False, height=420, buttons=[], elem_id="preview"
    )
    fields["result"] = gr.ImageSlider(
        label="3 · The result: drag to compare with the photo",
        type="filepath",
        interactive=False,
        visible=False,
        max_height=620,
        buttons=["fullscreen"],
        elem_id="result",
    )
    fields["gallery"] = gr.Gallery(
        label="All pictures: choose one",
        visible=False,
        columns=4,
        height=150,
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="all-results",
    )
    with gr.Column(visible=False, elem_id="after") as after:
        with gr.Row():
            fields["download"] = gr.DownloadButton("Download", variant="primary", elem_id="download")
            fields["wear"] = gr.Button("Use as the next photo", elem_id="use-as-person")
        fields["details"] = gr.Markdown(elem_id="result-details", elem_classes="quiet")
        with gr.Row(elem_classes="even"):
            fields["seed_used"] = gr.Textbox(
                label="Seed of this picture", interactive=False, max_lines=1, elem_id="seed-used"
            )
            fields["keep_seed"] = gr.Button("Use this seed again", size="sm", elem_id="keep-seed")
    fields["after"] = after
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
    fields["results"] = gr.State(None)
    return fields


def connect(handlers: Handlers, looking: Looking, fields: Fields, start: Defaults) -> None:
    """All wiring of the tab. ``preprocess=False``: the handlers want files and numbers as sent."""
    layers = layers_reader(fields["editor"])
    settings = [fields[name] for name in setting_names()]
    mask = [fields[name] for name in ("mask", "token", "editor")]
    private: dict[str, Any] = {"preprocess": False, "api_visibility": "private"}
    quiet: dict[str, Any] = {**private, "show_progress": "hidden"}

    def look(person: Any, garment: Any, drawn: Any, token: str, raw: Any, *values: Any) -> tuple[Any, ...]:
        return looking.look(person, garment, drawn, token, layers(raw), *values)

    looked = [fields[name] for name in Looking.LOOKED]
    inputs = [fields["person"], fields["garment"], *mask, *settings]
    gr.on(
        [
            fields["person"].change,
            fields["garment"].change,
            fields["mask_grow"].release,
            *(fields[name].change for name in LOOKED_AT),
        ],
        look,
        inputs,
        looked,
        trigger_mode="always_last",
        concurrency_limit=2,
        concurrency_id=PREPARE,
        **quiet,
    )
    fields["reset_mask"].click(
        lambda: (None, "", 0), None, [fields["mask"], fields["token"], fields["mask_grow"]], **quiet
    ).then(look, inputs, looked, concurrency_id=PREPARE, **quiet)

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
        raw: Any,
        explain: bool,
        *values: Any,
    ) -> Iterator[tuple[Any, ...]]:
        visitor = request.session_hash or ""
        yield from on_gpu(visitor, person, garment, drawn, token, layers(raw), explain, *values)

    fields["button"].click(
        run,
        [fields["person"], fields["garment"], *mask, fields["explain"], *settings],
        [fields[name] for name in Handlers.SHOWN],
        concurrency_limit=1,
        concurrency_id=GPU,
        scroll_to_output=True,
        **quiet,
    )

    def stop(request: gr.Request) -> None:
        handlers.stop(request.session_hash or "")

    fields["cancel"].click(stop, queue=False, **quiet)
    _connect_afterwards(handlers, fields, settings, start, quiet)


def _connect_afterwards(
    handlers: Handlers, fields: Fields, settings: list[Any], start: Defaults, quiet: dict[str, Any]
) -> None:
    """What can be done with a result, and with the settings."""

    def choose(results: Any, event: gr.SelectData) -> tuple[Any, Any, Any]:
        return handlers.choose(results, event.index)

    fields["gallery"].select(
        choose, fields["results"], [fields["result"], fields["download"], fields["seed_used"]], **quiet
    )
    fields["wear"].click(handlers.wear, fields["result"], fields["person"], **quiet)
    fields["keep_seed"].click(None, fields["seed_used"], fields["seed"], js="(seed) => seed", **quiet)
    fields["load"].upload(handlers.load_settings, [fields["load"], *settings], settings, **quiet)
    fields["reset"].click(lambda: tuple(start.values.values()), None, settings, **quiet)
    fields["model"].change(
        handlers.model_defaults,
        fields["model"],
        [fields["steps"], fields["guidance"], fields["category"]],
        **quiet,
    )
