"""The editor of the mask: what it looks like, how it is asked for its value, and how that is read.

Gradio asks parts of the page for their values at each sign of progress of anything, if they were ever an
input or an output of an event on the server, and this one draws and sends three pictures then: more than ten
megabytes for one click on "Try on". So the browser alone asks it, and puts what it says into a hidden field.
What its value means is ``masks.py``'s.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.utils import get_upload_folder

from app.fields import Defaults, Fields, setting_field
from app.pictures import MASK_OPACITY, MASK_TINT
from app.tryon.masks import EDITOR
from app.waiting import PRIVATE
from ladi.settings import settings_table

BRUSH = f"rgba({MASK_TINT[0]}, {MASK_TINT[1]}, {MASK_TINT[2]}, {MASK_OPACITY})"


def mask_fields(start: Defaults) -> Fields:
    """The mask over the photo, to be corrected."""
    fields: Fields = {}
    gr.Markdown(
        "Everything in colour is repainted. Paint to add, erase to keep; what you change stays when you try "
        "other garments.",
        elem_classes="quiet",
    )
    fields["paint"] = gr.Checkbox(
        value=False,
        label="Paint with the finger",
        info="While this is off, a finger scrolls the page.",
        elem_id="paint",
    )
    fields["editor"] = gr.ImageEditor(
        label="Area to repaint",
        type="numpy",
        format="png",
        sources=(),
        transforms=(),
        layers=False,
        canvas_size=(EDITOR[1], EDITOR[0]),
        fixed_canvas=True,
        interactive=True,
        brush=gr.Brush(default_size=24, colors=[BRUSH], default_color=BRUSH, color_mode="fixed"),
        eraser=gr.Eraser(default_size=24),
        height=440,
        elem_id="mask-editor",
        buttons=["fullscreen"],
    )
    with gr.Row(elem_classes="even"):
        fields["mask_grow"] = setting_field(settings_table()["mask_grow"], start)
        fields["reset_mask"] = gr.Button("Reset to the automatic area", size="sm", elem_id="reset-mask")
    fields["mask"] = gr.State(None)  # a masks.DrawnMask, not pixels
    fields["token"] = gr.Textbox(value="", visible=False)
    fields["strokes"] = gr.Textbox(value="", visible=False)
    return fields


def ask_editor(listen: Callable[..., Any], fields: Fields) -> Any:
    """Have the browser put what the editor holds into ``strokes``, before an event that wants it.

    Args:
        listen: to an event, such as ``button.click`` or ``event.then``.
        fields: of this module.

    Returns:
        Gradio's event, to go on from.
    """
    js = "(value) => (value ? JSON.stringify(value) : '')"
    return listen(None, fields["editor"], fields["strokes"], js=js, **PRIVATE)


def found_fields() -> Fields:
    """What the pictures were taken for: the garment as it is used, joints and parts of the body."""
    fields: Fields = {}
    with gr.Row():
        for name, label in (
            ("cleaned", "Garment, as it is used"),
            ("joints", "Pose"),
            ("parts", "Parts of the body"),
        ):
            fields[name] = gr.Image(
                label=label,
                format="png",
                interactive=False,
                height=260,
                min_width=140,
                buttons=["fullscreen"],
                elem_id=f"{name}-shown" if name != "cleaned" else name,
            )
    return fields


def layers_reader(editor: gr.ImageEditor) -> Callable[[str], dict[str, Any] | None]:
    """What turns ``strokes`` into arrays; None where there is nothing, or no editor's value."""

    def read(raw: str) -> dict[str, Any] | None:
        try:
            data = EditorData.model_validate(json.loads(raw)) if raw else None
        except (ValueError, RecursionError):
            return None
        if data is None:
            return None
        folder = Path(get_upload_folder()).resolve()
        files = [data.background, data.composite, *(data.layers or [])]
        # Gradio checks the paths only of records that carry its marker, and a hand-made one need not.
        if any(file and not Path(file.path or "").resolve().is_relative_to(folder) for file in files):
            return None
        return editor.preprocess(data)  # type: ignore[return-value]

    return read
