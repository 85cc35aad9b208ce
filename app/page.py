"""The page: what stands where, and below it what calls what. Values are translated in ``handlers.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.examples import example_garments, example_people
from app.handlers import Handlers

GPU = "gpu"
"""Events that compute share this concurrency id, so that one runs at a time."""

DELETE_EVERY, DELETE_AFTER = 300, 1800
"""Seconds: how often uploaded and painted pictures are looked through, and how old one may get."""

CONSENT = "Use a photo of yourself, or one you have permission to use. Pictures are deleted within the hour."
LICENCE = (
    "The embedded model's weights were trained on research data: **CC BY-NC 4.0**, not for commercial use. "
    "The code is Apache-2.0. Method: [LaDI-VTON](https://arxiv.org/abs/2305.13501), Morelli et al., 2023."
)
CATEGORY_CHOICES = [
    ("As it looks", "auto"),
    ("Top", "upper_body"),
    ("Trousers or skirt", "lower_body"),
    ("Dress", "dresses"),
]
CLEAN_CHOICES = [
    ("Remove if needed", "auto"),
    ("Keep the picture as it is", "keep"),
    ("Always remove", "embedded"),
]
RULE_CHOICES = [("Whatever the new garment covers", "worn"), ("As in the research data", "published")]
RANDOM_SEED = "() => String(Math.floor(Math.random() * 4294967296))"

Fields = dict[str, Any]
"""Components by name; inputs are named as the parameters of ``Handlers.try_on``."""


@dataclass(frozen=True)
class Defaults:
    """Where the sliders stand when the page opens."""

    steps: int = 30
    guidance: float = 3.0
    models: Sequence[str] = ("mini",)
    """The models to choose from, the first one chosen."""
    notice: str = ""
    """What visitors should know about the model, above everything else."""


def build_page(handlers: Handlers, defaults: Defaults | None = None) -> gr.Blocks:
    """Lay out the page and connect it.

    Args:
        handlers: what the events call.
        defaults: start values; ``None`` takes those of ``Defaults``.

    Returns:
        The page, with its queue set up; theme and CSS are given to ``launch()``.
    """
    start = defaults or Defaults()
    title = "LaDI-VTON · virtual try-on"
    with gr.Blocks(title=title, delete_cache=(DELETE_EVERY, DELETE_AFTER)) as page:
        with gr.Column(elem_id="masthead"):
            gr.Markdown("# LaDI-VTON\n\nSee a person in a garment: two pictures in, one picture out.")
        if start.notice:
            gr.Markdown(start.notice, elem_id="notice")
        with gr.Row(equal_height=False):
            with gr.Column(scale=7):
                fields = _pictures()
                button = gr.Button("Try on", variant="primary", size="lg", elem_id="try-on-button")
                with gr.Row():
                    _examples(example_people(), fields["person"], "Or try one of these people")
                    _examples(example_garments(), fields["garment"], "Or one of these garments")
                fields |= _settings(start)
                with gr.Accordion("More settings", open=False):
                    fields |= _more_settings(start)
            with gr.Column(scale=5, min_width=320):
                results = _results()
        gr.Markdown(LICENCE, elem_classes="quiet", elem_id="page-foot")
        _connect(handlers, button, fields, results)
    return page.queue(default_concurrency_limit=1, max_size=32)


def _pictures() -> Fields:
    """The two uploads, with a word on each."""
    with gr.Row():
        with gr.Column(min_width=220):
            person = _upload("1 · The person", "person", "Drop a photo here\nfrom the front, head to hip")
            gr.Markdown(CONSENT, elem_classes="quiet", elem_id="consent")
        with gr.Column(min_width=220):
            garment = _upload("2 · The garment", "garment", "Drop a picture here\nof the garment alone")
            gr.Markdown("A shop picture, or your own photo of it.", elem_classes="quiet")
    return {"person": person, "garment": garment}


def _upload(label: str, name: str, placeholder: str) -> gr.Image:
    """A field for a picture."""
    return gr.Image(
        label=label,
        type="filepath",
        format="png",
        image_mode=None,
        height=370,
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


def _settings(start: Defaults) -> Fields:
    """The settings that everybody sees."""
    fields: Fields = {}
    with gr.Row():
        fields["steps"] = gr.Slider(
            1, 100, value=start.steps, step=1, label="Steps", info="More is finer, and slower."
        )
        fields["guidance"] = gr.Slider(
            0,
            30,
            value=start.guidance,
            step=0.1,
            label="Guidance",
            info="How strictly to follow the garment.",
        )
    with gr.Row():
        dice = gr.Button("Random", size="sm")
        fields["seed"] = gr.Textbox(
            value="",  # not None: a call through the API may then leave it out
            label="Seed",
            info="The same number gives the same picture.",
            max_lines=1,
            placeholder="empty: a new one each time",
            buttons=[dice],
            elem_id="seed",
        )
        fields["emasc"] = gr.Checkbox(
            value=True,
            label="Keep fine detail (EMASC)",
            info="Carries the photo's own detail past the compressed picture.",
        )
    dice.click(None, None, fields["seed"], js=RANDOM_SEED, api_visibility="private")
    return fields


def _more_settings(start: Defaults) -> Fields:
    """The settings inside the accordion."""
    fields: Fields = {}
    with gr.Row():
        fields["category"] = gr.Radio(CATEGORY_CHOICES, value="auto", label="Kind of garment")
        fields["clean_garment"] = gr.Radio(CLEAN_CHOICES, value="auto", label="The garment's background")
    with gr.Row():
        fields["mask_rule"] = gr.Radio(RULE_CHOICES, value="worn", label="What is replaced")
        fields["mask_grow"] = gr.Slider(
            -8, 24, value=0, step=1, label="Grow the mask", info="In pixels of the model's picture."
        )
    with gr.Row():
        fields["pseudo_words"] = gr.Checkbox(value=True, label="Describe the garment in pseudo-words")
        fields["warped_garment"] = gr.Checkbox(value=True, label="Show the fitted garment to the model")
        fields["pose"] = gr.Checkbox(value=True, label="Follow the pose")
        fields["garment_skips"] = gr.Checkbox(value=True, label="Keep the garment's pattern (garment skips)")
        fields["paste_back"] = gr.Checkbox(value=True, label="Keep the photo outside the mask")
        fields["keep_unchanged"] = gr.Checkbox(value=True, label="Keep wall and skin that stay the same")
        fields["fine_detail"] = gr.Checkbox(value=True, label="Add the garment's fine detail")
    fields["cloth_cond_rate"] = gr.Slider(
        0, 1, value=1, step=0.05, label="Share of the steps that see the fitted garment"
    )
    fields["model"] = gr.Dropdown(
        list(start.models),
        value=start.models[0],
        label="Model",
        allow_custom_value=True,
        visible=len(start.models) > 1,
    )
    return fields


def _results() -> Fields:
    """What a try-on shows."""
    fields: Fields = {}
    fields["result"] = gr.Image(
        label="3 · The result",
        format="png",
        interactive=False,
        height=520,
        elem_id="result",
        buttons=["download", "fullscreen"],
    )
    fields["details"] = gr.Markdown(elem_id="result-details", elem_classes="quiet")
    with gr.Row():
        for name, label in (("mask", "What is repainted"), ("warped", "The fitted garment")):
            fields[name] = gr.Image(
                label=label,
                format="png",
                interactive=False,
                height=230,
                elem_id=f"{name}-shown",
                buttons=["fullscreen"],
            )
    fields["keep_seed"] = gr.Button("Use again", size="sm")
    fields["seed_used"] = gr.Textbox(
        label="Seed of this picture",
        interactive=False,
        max_lines=1,
        buttons=[fields["keep_seed"]],
        elem_id="seed-used",
    )
    return fields


def _connect(handlers: Handlers, button: gr.Button, fields: Fields, results: Fields) -> None:
    """All wiring that crosses sections. ``preprocess=False``: the handlers want files and numbers as sent."""
    for name in ("person", "garment"):
        fields[name].upload(
            handlers.check_upload,
            fields[name],
            fields[name],
            preprocess=False,
            show_progress="hidden",
            concurrency_limit=4,
            api_visibility="private",
        )
    results["keep_seed"].click(
        None, results["seed_used"], fields["seed"], js="(seed) => seed", api_visibility="private"
    )
    button.click(
        handlers.try_on,
        [fields[name] for name in Handlers.INPUTS],
        [results[name] for name in Handlers.OUTPUTS],
        preprocess=False,
        show_progress_on=results["result"],
        concurrency_limit=1,
        concurrency_id=GPU,
        scroll_to_output=True,
        api_name="try_on",
    )
