"""The endpoints that programs call: named, with documented types, and the page's own code behind them.

Gradio derives an endpoint's documentation from components, so each has a set of them that the page never
shows. The docstrings here are what clients, and models through MCP, read.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from app import pictures, words
from app.comparing import Comparing
from app.files import new_folder, write_result
from app.handlers import Handlers, sentences
from app.values import SETTINGS, named, read_mask_file, read_request, read_upload, whole
from ladi.flags import read_size
from ladi.preprocess.frame import to_pixels
from ladi.request import record
from ladi.shelf import trained_categories

Component = Any


class Api:
    """What programs call; one answer each, no reports on the way."""

    def __init__(self, handlers: Handlers, comparing: Comparing) -> None:
        """Share the page's engines."""
        self._handlers = handlers
        self._comparing = comparing

    def try_on(self, person: Any, garment: Any, mask: Any, *values: Any) -> tuple[Any, ...]:
        """Dress the person of one photo in the garment of another picture.

        Everything but the two pictures is optional. The mask, bright where to repaint, takes the place of the
        automatic one. Returns the picture, a line on how it was made, the person with the repainted area
        tinted, the fitted garment, the seed, and all settings as JSON.
        """
        settings = named(values)
        with sentences():
            photo = read_upload(person, "a photo of the person")
            request = read_request(
                photo,
                read_upload(garment, "a picture of the garment"),
                settings,
                read_mask_file(mask, photo.size),
            )
            model = settings["model"] or self._handlers.default_model
            result = self._handlers.engine_for(model).try_on(request)
            made = record(request, result, model=model)
            warped = result.conditions.warped_garment
            return (
                str(write_result(result.images[0], new_folder(), made)),
                words.describe(result),
                pictures.tint_mask(result.person),
                None if warped is None else to_pixels(warped[:1]),
                str(result.seed),
                made,
            )

    def compare(
        self,
        person: Any,
        garments: Any,
        first_axis: str,
        first_values: str,
        second_axis: str,
        second_values: str,
        *values: Any,
    ) -> tuple[Any, ...]:
        """Paint one person with many settings from one preparation and the same noise.

        An axis is garment, emasc, pseudo_words, warped_garment, pose, garment_skips, guidance, steps,
        sampler, seed or model; its values are written with commas between them, such as "on, off" or
        "1, 2, 4". Without a first axis, the paper's ablation is painted. Returns a gallery of pictures with
        captions, all of them on one labelled sheet, and each cell's settings and seconds as JSON.
        """
        with sentences():
            axes = [(first_axis, first_values), (second_axis, second_values)] if first_axis else []
            return self._comparing.compare_at_once(person, garments, axes, values)

    def prepare(
        self, person: Any, category: str, mask_grow: Any, mask_rule: str, size: str, model: str
    ) -> Any:
        """Look at a photo without painting: is there one whole person, and what would be repainted?

        Returns the mask over the photo (white where repainted), the joints, the body's parts, and as JSON the
        findings of the checks, the joints in pixels of the photo, and the category that the mask is for.
        """
        with sentences():
            photo = read_upload(person, "a photo of the person")
            name = model or self._handlers.default_model
            kind = trained_categories(name)[0] if category == "auto" else category
            parts = self._handlers.engine_for(name).prepare_person(
                photo,
                category=kind,
                mask_grow=whole(mask_grow, "mask_grow", 0),
                mask_rule=mask_rule,
                size=read_size(size) if size else None,
            )
            from ladi.preprocess.person import mask_on_photo

            frame = parts.frame
            joints = parts.keypoints.astype(float)
            joints[:, :2] = joints[:, :2] / frame.scale + (frame.left, frame.top)
            joints[parts.keypoints[:, 2] <= 0] = 0
            told = {
                "category": parts.category,
                "findings": [vars(finding) for finding in parts.findings],
                "keypoints": np.round(joints, 2).tolist(),
            }
            white = np.repeat((mask_on_photo(parts) * np.uint8(255))[..., None], 3, axis=2)
            return white, pictures.draw_pose(parts), pictures.draw_parts(parts), told


def add_endpoints(handlers: Handlers, comparing: Comparing, defaults: dict[str, Any], *, gpu: str) -> None:
    """Register ``/try_on``, ``/prepare`` and ``/compare`` inside the page's Blocks.

    Args:
        handlers: the page's own.
        comparing: likewise.
        defaults: each setting's start value.
        gpu: the concurrency id of whatever computes.
    """
    api = Api(handlers, comparing)
    with gr.Column(visible=False):
        person = gr.Image(label="Photo of the person", type="filepath")
        garment = gr.Image(label="Picture of the garment", type="filepath")
        mask = gr.Image(label="Mask, bright = repaint; optional", type="filepath")
        fields = {name: _field(name, defaults[name]) for name in SETTINGS}
        trigger = gr.Button()
        trigger.click(
            api.try_on,
            [person, garment, mask, *fields.values()],
            [
                gr.Image(label="Result, a PNG with its settings", format="png", type="filepath"),
                gr.Markdown(label="How it was made"),
                gr.Image(label="What is repainted", format="png"),
                gr.Image(label="The fitted garment", format="png"),
                gr.Textbox(label="Seed"),
                gr.JSON(label="Settings"),
            ],
            preprocess=False,
            concurrency_limit=1,
            concurrency_id=gpu,
            api_name="try_on",
        )
        trigger.click(
            api.prepare,
            [person, *(fields[name] for name in ("category", "mask_grow", "mask_rule", "size", "model"))],
            [
                gr.Image(label="Mask, white = repaint", format="png"),
                gr.Image(label="Pose", format="png"),
                gr.Image(label="Parts of the body", format="png"),
                gr.JSON(label="Findings, joints and category"),
            ],
            preprocess=False,
            concurrency_limit=2,
            concurrency_id="prepare",
            api_name="prepare",
        )
        trigger.click(
            api.compare,
            [
                person,
                gr.Gallery(label="Garments, one or several", type="filepath", interactive=True),
                gr.Textbox(value="", label="First axis; none for the paper's ablation"),
                gr.Textbox(value="", label="Its values; its own unless given"),
                gr.Textbox(value="", label="Second axis; optional"),
                gr.Textbox(value="", label="Its values; its own unless given"),
                *fields.values(),
            ],
            [
                gr.Gallery(label="Pictures with captions"),
                gr.File(label="All of them on one sheet"),
                gr.JSON(label="Cells"),
            ],
            preprocess=False,
            concurrency_limit=1,
            concurrency_id=gpu,
            api_name="compare",
        )


LABELS = {
    "steps": "Steps, 1 to 100; the model's own unless given",
    "guidance": "Guidance, 0 to 30; the model's own unless given",
    "seed": "Seed, 0 to 4294967295; drawn unless given",
    "pictures": "Pictures, 1 to 8; the first is returned",
    "sampler": "Sampler: ddim, dpm++, unipc or euler; the model's own unless given",
    "size": "Size of the network's picture, such as 512x384; the model's own unless given",
    "emasc": "EMASC: the photo's own detail into the decoder",
    "pseudo_words": "Pseudo-words: describe the garment to the text encoder",
    "warped_garment": "Warped garment: show the fitted garment to the UNet",
    "pose": "Pose: show the joints to the UNet",
    "garment_skips": "Garment skips: the garment's pattern into the decoder",
    "cloth_cond_rate": "Share of the steps that see the warped garment, 0 to 1",
    "category": "Kind of garment: auto, upper_body, lower_body or dresses",
    "clean_garment": "The garment's background: auto, keep, embedded or a local rembg model",
    "mask_rule": "What is replaced: worn or published",
    "mask_grow": "Grow the mask, -64 to 64 model pixels",
    "paste_back": "Keep the photo outside the mask",
    "fine_detail": "Add the garment's fine detail in large photos",
    "keep_unchanged": "Keep wall and skin that stay the same",
    "feather": "Soft edge inside the mask, 0 to 32 model pixels",
    "model": "Model; the page's own unless given",
}
"""What each setting means, for programs."""


def _field(name: str, value: Any) -> Component:
    """A component of the type that a setting has, for the documentation."""
    if isinstance(value, bool):
        return gr.Checkbox(value=value, label=LABELS[name])
    if isinstance(value, int | float):
        return gr.Number(value=value, label=LABELS[name])
    return gr.Textbox(value=value, label=LABELS[name])
