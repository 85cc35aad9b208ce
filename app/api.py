"""The endpoints that programs call: named, with documented types, and the page's own code behind them.

Gradio derives an endpoint's documentation from components, so each has a set of them that the page never
shows. The docstrings here are what clients, and models through MCP, read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np

from app import pictures, words
from app.compare.handlers import Comparing
from app.errors import errors_as_messages
from app.files import new_folder, write_result
from app.long_work import Runs, Work
from app.serving.visitors import LOOK, take_ticket
from app.tryon.handlers import Handlers
from app.values import (
    GARMENT,
    PERSON,
    read_mask_file,
    read_request,
    read_upload,
    setting_names,
    settings_by_name,
)
from ladi.preprocess.frame import to_photo, to_pixels
from ladi.records import record
from ladi.settings import settings_table
from ladi.types import PersonParts, Result
from ladi.weights.catalog import trained_categories

Component = Any


class Api:
    """What programs call; one answer each, no reports on the way."""

    def __init__(self, handlers: Handlers, comparing: Comparing) -> None:
        """Share the page's engines."""
        self._handlers = handlers
        self._comparing = comparing
        self._looks = Runs(take_ticket, threads=handlers.at_once)

    def try_on(self, person: Any, garment: Any, mask: Any, *values: Any) -> tuple[Any, ...]:
        """Dress the person of one photo in the garment of another picture.

        Everything but the two pictures is optional. The mask, bright where to repaint, takes the place of the
        automatic one. Returns the picture, a line on how it was made, the person with the repainted area
        tinted, the fitted garment, the seed, and all settings as JSON.
        """
        settings = settings_by_name(values)
        with errors_as_messages():
            photo = read_upload(person, PERSON)
            request = read_request(
                photo,
                read_upload(garment, GARMENT),
                settings,
                read_mask_file(mask, photo.size),
            )
            model = settings["model"] or self._handlers.default_model

            def work(task: Work) -> tuple[Result, np.ndarray, np.ndarray | None]:
                engine = self._handlers.engine_for(model)
                result = engine.try_on(request, progress=task.progress, cancelled=task.cancelled)
                warped = result.conditions.warped_garment
                # Here, and not below: tensors are computed with in the threads that are there for it.
                tinted = pictures.tint_mask(result.person)
                return result, tinted, None if warped is None else to_pixels(warped[:1])

            result, tinted, warped = self._handlers.runs.result(None, work)
            made = record(request, result, model=model)
            return (
                str(write_result(result.images[0], new_folder(), made)),
                words.describe(result),
                tinted,
                warped,
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

        An axis is garment, emasc, pseudo_words, warped_garment, pose, garment_skips, steps, guidance, seed,
        sampler, size, feather, mask_rule or model; its values are written with commas between them, such as
        "on, off" or "1, 2, 4". Without a first axis, the paper's ablation is painted. Returns a gallery of
        pictures with captions, all of them on one labelled sheet, and each cell's settings and seconds as
        JSON.
        """
        with errors_as_messages():
            axes = [(first_axis, first_values), (second_axis, second_values)] if first_axis else []
            return self._comparing.compare_at_once(person, garments, axes, values)

    def prepare(
        self, person: Any, category: str, mask_grow: Any, mask_rule: str, size: str, model: str
    ) -> Any:
        """Look at a photo without painting: is there one whole person, and what would be repainted?

        Returns the mask over the photo (white where repainted), the joints, the body's parts, and as JSON the
        findings of the checks, the joints in pixels of the photo, and the category that the mask is for.
        """
        with errors_as_messages():
            photo = read_upload(person, PERSON)
            name = model or self._handlers.default_model
            rows = settings_table()
            kind = trained_categories(name)[0] if category == "auto" else category
            how: dict[str, Any] = {
                "category": kind,
                "mask_grow": rows["mask_grow"].read(mask_grow),
                "mask_rule": mask_rule,
                "size": rows["size"].read(size),
            }

            def work(_: Work) -> tuple[Any, ...]:
                return explain_person(self._handlers.engine_for(name).prepare_person(photo, **how))

            return self._looks.result(None, work)


def explain_person(parts: PersonParts) -> tuple[Any, ...]:
    """What ``prepare`` answers: the mask over the photo, joints, parts, and what is told of them."""
    from ladi.preprocess.person import mask_on_photo

    frame = parts.frame
    joints = parts.keypoints.astype(float)
    joints[:, :2] = to_photo(joints[:, :2], frame)
    joints[parts.keypoints[:, 2] <= 0] = 0
    told = {
        "category": parts.category,
        "findings": [vars(finding) for finding in parts.findings],
        "keypoints": np.round(joints, 2).tolist(),
    }
    white = mask_on_photo(parts) * np.uint8(255)
    return np.stack([white] * 3, axis=-1), pictures.draw_pose(parts), pictures.draw_parts(parts), told


def add_endpoints(handlers: Handlers, comparing: Comparing, defaults: dict[str, Any], *, gpu: str) -> None:
    """Register ``/try_on``, ``/prepare`` and ``/compare`` inside the page's Blocks.

    Args:
        handlers: the page's own.
        comparing: likewise.
        defaults: each setting's start value.
        gpu: the concurrency id of whatever computes.
    """
    api = Api(handlers, comparing)
    # Without a default for the mask, clients would insist on one.
    optional = {"mask": None, **dict.fromkeys(("first_axis", "first_values"), "")}
    optional |= {**dict.fromkeys(("second_axis", "second_values"), ""), **defaults}
    prepared = ("category", "mask_grow", "mask_rule", "size", "model")
    axes = ("first_axis", "first_values", "second_axis", "second_values")
    with gr.Column(visible=False):
        person, garment, mask = (
            gr.Image(label=label_of(name), type="filepath") for name in ("person", "garment", "mask")
        )
        fields = {name: _field(name, defaults[name]) for name in setting_names()}
        trigger = gr.Button()
        trigger.click(
            documented(api.try_on, ("person", "garment", "mask", *setting_names()), optional),
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
            documented(api.prepare, ("person", *prepared), optional),
            [person, *(fields[name] for name in prepared)],
            [
                gr.Image(label="Mask, white = repaint", format="png"),
                gr.Image(label="Pose", format="png"),
                gr.Image(label="Parts of the body", format="png"),
                gr.JSON(label="Findings, joints and category"),
            ],
            preprocess=False,
            concurrency_limit=1,
            concurrency_id=LOOK,
            api_name="prepare",
        )
        trigger.click(
            documented(api.compare, ("person", "garments", *axes, *setting_names()), optional),
            [
                person,
                gr.Gallery(label=LABELS["garments"], type="filepath", interactive=True),
                *(gr.Textbox(value="", label=label_of(name)) for name in axes),
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


def documented(
    function: Callable[..., Any], names: Sequence[str], defaults: Mapping[str, Any]
) -> Callable[..., Any]:
    """A function whose parameters have names and words, for clients and for models that call by MCP.

    Args:
        function: takes them by position.
        names: of all its parameters.
        defaults: of those that may be left out.
    """

    def named_function(*values: Any) -> Any:
        return function(*values)

    kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    named_function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind, default=defaults.get(name, empty)) for name in names]
    )
    named_function.__name__ = function.__name__
    lines = "\n".join(f"    {name}: {label_of(name)}" for name in names)
    named_function.__doc__ = f"{inspect.getdoc(function)}\n\nArgs:\n{lines}"
    return named_function


LABELS = {
    "person": "Photo of the person, from the front, head to hip",
    "garment": "Picture of the garment alone",
    "mask": "Mask over the photo, bright where to repaint; the automatic one unless given",
    "garments": "Pictures of garments, one or several",
    "first_axis": "What varies, such as emasc or steps; none for the paper's ablation",
    "first_values": "Its values with commas between them; its own unless given",
    "second_axis": "What else varies; nothing unless given",
    "second_values": "Its values with commas between them; its own unless given",
    "model": "Model; the page's own unless given",
}
"""What each parameter that is no setting means, for programs."""


def label_of(name: str) -> str:
    """What a parameter means, for programs."""
    row = settings_table().get(name)
    return LABELS[name] if row is None else f"{row.label}: {row.explained}"


def _field(name: str, value: Any) -> Component:
    """A component of the type that a setting has, for the documentation."""
    if isinstance(value, bool):
        return gr.Checkbox(value=value, label=label_of(name))
    if isinstance(value, int | float):
        return gr.Number(value=value, label=label_of(name))
    return gr.Textbox(value=value, label=label_of(name))
