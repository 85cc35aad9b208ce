"""The settings as components, and how they are kept in the visitor's browser.

One component for each name in ``SETTINGS``, each with a line of plain words. What they are wired to is
``page.py``'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app import words
from app.values import SETTINGS
from ladi.weights.catalog import trained_categories

Fields = dict[str, Any]
"""Components by name."""

CLEAN_CHOICES = [
    ("Remove if needed", "auto"),
    ("Use the picture as it is", "keep"),
    ("Always remove", "embedded"),
]
RULE_CHOICES = [("Whatever the new garment covers", "worn"), ("As in the research data", "published")]
SAMPLER_CHOICES = [
    ("The model's own (DDIM)", ""),
    ("DDIM", "ddim"),
    ("DPM-Solver++", "dpm++"),
    ("UniPC", "unipc"),
    ("Euler", "euler"),
]
SIZE_CHOICES = [
    ("The model's own", ""),
    ("256 × 192", "256x192"),
    ("512 × 384", "512x384"),
    ("768 × 576", "768x576"),
    ("1024 × 768", "1024x768"),
]
RANDOM_SEED = "() => String(Math.floor(Math.random() * 4294967296))"


@dataclass(frozen=True)
class Defaults:
    """Where everything stands when the page opens."""

    steps: int = 30
    guidance: float = 3.0
    models: Sequence[str] = ("mini",)
    """The models to choose from, the first one chosen."""
    notice: str = ""
    """What visitors should know about the model, above everything else."""
    keep_minutes: int = 30
    """How long pictures may lie on the server, as the page says."""

    @property
    def values(self) -> dict[str, Any]:
        """Each setting's start value, by name and in the order of ``SETTINGS``."""
        values: dict[str, Any] = {
            "steps": self.steps,
            "guidance": self.guidance,
            "seed": "",
            "pictures": 1,
            "sampler": "",
            "size": "",
            "emasc": True,
            "pseudo_words": True,
            "warped_garment": True,
            "pose": True,
            "garment_skips": True,
            "cloth_cond_rate": 1.0,
            "category": "auto",
            "clean_garment": "auto",
            "mask_rule": "worn",
            "mask_grow": 0,
            "paste_back": True,
            "fine_detail": True,
            "keep_unchanged": True,
            "feather": 4.0,
            "model": self.models[0],
        }
        return {name: values[name] for name in SETTINGS}


def everyday_fields(start: Defaults) -> Fields:
    """The settings that everybody sees."""
    fields: Fields = {}
    with gr.Row(elem_classes="even"):
        fields["steps"] = gr.Slider(
            1,
            100,
            value=start.steps,
            step=1,
            label="Steps",
            info="How often the picture is refined. More is slower.",
        )
        fields["guidance"] = gr.Slider(
            0,
            30,
            value=start.guidance,
            step=0.1,
            label="Guidance",
            info="How strictly the garment is followed. Up to 1 is fastest.",
        )
    with gr.Row(elem_classes="even"):
        fields["emasc"] = gr.Checkbox(
            value=True,
            label="Keep the photo's fine detail (EMASC)",
            info="Carries hair, hands and edges past the compressed picture.",
        )
        with gr.Column(min_width=200):
            fields["seed"] = gr.Textbox(
                value="",  # not None: a call through the API may then leave it out
                label="Seed",
                info="The same number gives the same picture.",
                max_lines=1,
                placeholder="empty: a new one each time",
                elem_id="seed",
            )
            dice = gr.Button("Roll the dice", size="sm", elem_id="dice")
    dice.click(None, None, fields["seed"], js=RANDOM_SEED, api_visibility="private")
    return fields


def further_fields(start: Defaults) -> Fields:
    """The settings that are folded away."""
    fields: Fields = {}
    gr.Markdown("#### What is replaced")
    with gr.Row(elem_classes="even"):
        fields["category"] = gr.Radio(
            category_choices(start.models[0]),
            value="auto",
            label="Kind of garment",
            info="Only what the model was trained for.",
        )
        fields["mask_rule"] = gr.Radio(
            RULE_CHOICES,
            value="worn",
            label="Worn clothes",
            info="Which of them make room for the new garment.",
        )
        fields["clean_garment"] = gr.Radio(
            CLEAN_CHOICES,
            value="auto",
            label="The garment's background",
            info="Whether to cut the garment out.",
        )
    gr.Markdown(
        "#### Parts of the method\n\nSwitch one off to see what it does. None changes the random noise."
    )
    with gr.Row(elem_classes="even"):
        fields["warped_garment"] = gr.Checkbox(
            value=True, label="Warped garment", info="Shows the model the garment bent to the body."
        )
        fields["pseudo_words"] = gr.Checkbox(
            value=True, label="Pseudo-words", info="Describes the garment to the model in words of its own."
        )
        fields["pose"] = gr.Checkbox(value=True, label="Pose", info="Tells the model where the joints are.")
        fields["garment_skips"] = gr.Checkbox(
            value=True, label="Garment skips", info="Keeps prints and stripes. Not part of the paper."
        )
    with gr.Row(elem_classes="even"):
        fields["cloth_cond_rate"] = gr.Slider(
            0,
            1,
            value=1.0,
            step=0.05,
            label="Share of the steps that see the garment",
            info="From the first step on; the rest paint without it.",
        )
        fields["sampler"] = gr.Dropdown(
            SAMPLER_CHOICES, value="", label="Sampler", info="The recipe by which noise becomes a picture."
        )
    gr.Markdown("#### The result")
    with gr.Row(elem_classes="even"):
        fields["pictures"] = gr.Slider(
            1, 8, value=1, step=1, label="Pictures", info="Several, each with the next seed."
        )
        fields["feather"] = gr.Slider(
            0, 32, value=4.0, step=0.5, label="Soft edge", info="Where painted and original pixels meet."
        )
        fields["size"] = gr.Dropdown(
            SIZE_CHOICES,
            value="",
            label="Painted size",
            info="Other sizes than the model's own are untested.",
        )
    with gr.Row(elem_classes="even"):
        fields["paste_back"] = gr.Checkbox(
            value=True, label="Keep the photo outside the mask", info="Face, hands and wall stay as they are."
        )
        fields["keep_unchanged"] = gr.Checkbox(
            value=True, label="Keep wall and skin that stay the same", info="Also inside the mask."
        )
        fields["fine_detail"] = gr.Checkbox(
            value=True,
            label="Add the garment's fine detail",
            info="In photos larger than the model's picture.",
        )
    fields["model"] = gr.Dropdown(
        list(start.models),
        value=start.models[0],
        label="Model",
        info="Which weights paint.",
        allow_custom_value=True,
        visible=len(start.models) > 1,
    )
    return fields


KEEP = "(...values) => values"
RESTORE = """(saved, ...current) => {
  const fits = Array.isArray(saved) && saved.length === current.length
    && saved.every((value, index) => typeof value === typeof current[index]);
  return fits ? saved : current;
}"""


def keep_in_browser(page: gr.Blocks, fields: Fields) -> None:
    """Settings survive a reload; nothing of it is sent to the server, and no picture is kept."""
    kept = [fields[name] for name in SETTINGS if name != "model"]
    # Not a secret: it only keeps what a browser has stored readable after the server has been started anew.
    store = gr.BrowserState(None, storage_key="ladi-vton-settings-1", secret="ladi-vton")
    gr.on(
        [field.change for field in kept],
        None,
        kept,
        store,
        js=KEEP.replace("=> values", "=> [values]"),
        show_progress="hidden",
        api_visibility="private",
    )
    page.load(None, [store, *kept], kept, js=RESTORE, show_progress="hidden", api_visibility="private")


def category_choices(model: str) -> list[tuple[str, str]]:
    """What can be chosen as the kind of garment: only what a model was trained for."""
    known = trained_categories(model)
    names = [(words.KIND_CHOICES[kind], str(kind)) for kind in known]
    return [("As it looks", "auto"), *names] if len(known) > 1 else [(names[0][0], "auto")]
