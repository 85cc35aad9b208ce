"""The editor of the mask: what it looks like, and how what it sends is read.

What its value means is ``masks.py``'s; nothing is wired here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.utils import get_upload_folder

from app.fields import Defaults, Fields, setting_field
from app.pictures import MASK_OPACITY, MASK_TINT
from app.tryon.masks import EDITOR
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
    return fields


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


def layers_reader(editor: gr.ImageEditor) -> Callable[[Any], dict[str, Any] | None]:
    """What turns the editor's raw value into arrays; the other fields of an event want to stay raw."""

    def read(raw: Any) -> dict[str, Any] | None:
        if not raw:
            return None
        data = raw if isinstance(raw, EditorData) else EditorData.model_validate(raw)
        folder = Path(get_upload_folder()).resolve()
        files = [data.background, data.composite, *(data.layers or [])]
        # Gradio checks the paths only of records that carry its marker, and a hand-made one need not.
        if any(file and not Path(file.path or "").resolve().is_relative_to(folder) for file in files):
            return None
        return editor.preprocess(data)  # type: ignore[return-value]

    return read
