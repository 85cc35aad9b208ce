"""The settings as components, and how they are kept in the visitor's browser.

One component for each row of the table of settings, made from it. What they are wired to is the tabs'
business.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.values import field_value
from ladi.setting_row import Setting
from ladi.settings import GROUPS, settings_table
from ladi.weights.catalog import trained_categories

Fields = dict[str, Any]
"""Components by name."""

PER_LINE = 4
NOTES = {
    "parts": "Switch one off to see what it does. None changes the random noise.",
    "detail": "Each keeps something else: the garment's pattern while it is painted, and its threads in "
    "large photos; of your photo, what would be painted as it was, and all that is outside the area. Hair, "
    "hands and edges are EMASC's, above.",
}
"""What is said below a group's heading."""


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
        """Each setting's start value, by name and in the order in which they travel."""
        own = {"steps": self.steps, "guidance": self.guidance}
        values = {
            name: own.get(name, field_value(row, row.default)) for name, row in settings_table().items()
        }
        return values | {"model": self.models[0]}


def everyday_fields(start: Defaults) -> Fields:
    """The settings that everybody sees, in one line."""
    special: dict[str, dict[str, Any]] = sampling_fields(start.steps, start.guidance)
    special["emasc"] = {"info": "Keeps hair, hands and edges as sharp as in the photo."}
    with gr.Row(elem_classes="even"):
        rows = [row for row in settings_table().values() if row.group == "everyday"]
        return {row.name: setting_field(row, start, **special.get(row.name, {})) for row in rows}


def sampling_fields(steps: int, guidance: float) -> dict[str, dict[str, Any]]:
    """What sliders show for a model with these defaults: value, end and words."""
    enough = f"{steps} {'is' if steps == 1 else 'are'} enough for this model; more is slower."
    return {
        "steps": {"value": steps, "maximum": min(100, max(20, 2 * steps)), "info": enough},
        "guidance": {
            "value": guidance,
            "maximum": max(5, 2 * guidance),
            "info": "How strictly the garment is followed.",
        },
    }


def further_fields(start: Defaults) -> Fields:
    """The settings that are folded away."""
    fields: Fields = {}
    for group in ("replaced", "parts", "detail", "result"):
        gr.Markdown(f"#### {GROUPS[group]}\n\n{NOTES.get(group, '')}")
        fields |= group_fields(group, start)
    fields["model"] = gr.Dropdown(
        list(start.models),
        value=start.models[0],
        label="Model",
        info="Which weights paint.",
        allow_custom_value=True,
        visible=len(start.models) > 1,
    )
    return fields


def group_fields(group: str, start: Defaults) -> Fields:
    """The settings of a group, four to a line, what is switched on or off last."""
    fields: Fields = {}
    rows = [row for row in settings_table().values() if row.group == group]
    for switches in (False, True):
        own = [row for row in rows if (row.kind == "switch") == switches]
        for first in range(0, len(own), PER_LINE):
            with gr.Row(elem_classes="even"):
                for row in own[first : first + PER_LINE]:
                    fields |= (
                        seed_fields(row, start)
                        if row.name == "seed"
                        else {row.name: setting_field(row, start)}
                    )
    return fields


def seed_fields(row: Setting, start: Defaults) -> Fields:
    """The seed, and below it the way to keep the one that was drawn."""
    with gr.Column(min_width=180, elem_id="seed-and-keep"):
        seed = setting_field(row, start)
        keep = gr.Button("Keep the last seed", size="sm", elem_id="keep-seed")
    return {"seed": seed, "keep_seed": keep}


def setting_field(row: Setting, start: Defaults, **special: Any) -> Any:
    """The component of one setting, with its words; ``special`` is what is not as the table says."""
    value = start.values[row.name]
    meaning = row.meaning[:1].upper() + row.meaning[1:] + "."
    words: dict[str, Any] = {"value": value, "label": row.label, "info": meaning, "elem_id": row.name}
    words |= {name: one for name, one in special.items() if name != "maximum"}
    if row.kind == "switch":
        return gr.Checkbox(**words)
    if row.choices:
        choices = [(name, value) for value, name in row.choices.items()]
        if row.name == "category":
            choices = category_choices(start.models[0])
        if row.default is None:
            return gr.Dropdown([("The model's own", ""), *choices], **words)
        return gr.Radio(choices, **words)
    if value == "":
        return gr.Textbox(**words, max_lines=1, placeholder=f"empty: {row.unless}")
    low, high = row.shown or row.ends
    return gr.Slider(low, special.get("maximum", high), step=row.step, **words)


KEEP = "(...values) => values"
RESTORE = "(saved, ...current) => window.ladi.settings({names}, saved, current)"


def keep_in_browser(page: gr.Blocks, fields: Fields) -> None:
    """Settings survive a reload; nothing of it is sent to the server, and no picture is kept."""
    kept = [fields[name] for name in settings_table()]
    # Not a secret: it only keeps what a browser has stored readable after the server has been started anew.
    store = gr.BrowserState(None, storage_key="ladi-vton-settings-2", secret="ladi-vton")
    gr.on(
        [field.change for field in kept],
        None,
        kept,
        store,
        js=KEEP.replace("=> values", "=> [values]"),
        show_progress="hidden",
        api_visibility="private",
    )
    restore = RESTORE.format(names=json.dumps([*settings_table()]))
    page.load(None, [store, *kept], kept, js=restore, show_progress="hidden", api_visibility="private")


def category_choices(model: str) -> list[tuple[str, str]]:
    """What can be chosen as the kind of garment: only what a model was trained for."""
    names, known = settings_table()["category"].choices, trained_categories(model)
    kinds = [(names[kind], str(kind)) for kind in known]
    return [(names["auto"], "auto"), *kinds] if len(known) > 1 else [(kinds[0][0], "auto")]
