"""The tab "Batch": several people and garments, or a zip, in, a table of what becomes of each row, a zip out.

Layout first, wiring last; what happens is in ``handlers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.batch.handlers import COLUMNS, Batching
from app.earlier import Inputs, earlier_note, tell_earlier
from app.examples import lend, samples
from app.fields import Defaults, Fields, setting_field
from app.serving.hosting import GPU_LONGEST, gpu
from app.values import setting_names
from app.waiting import PRIVATE, Place, forget_refusals, run_in_line
from ladi.settings import settings_table

INTRODUCTION = (
    "Many pairs at once. One person wears every garment, and one garment is worn by everybody. Several of "
    "both are paired by their files' names, and those of one name in the order in which you add them. The "
    "settings are those of “Try on”. A row that fails says why, and the others go on."
)
ZIPPED = (
    "With folders `people` and `garments` in it, or with a table `pairs.csv` that has the columns `person` "
    "and `garment` and, if you like, `mask`, `seed`, `steps`, `guidance` and the rest."
)


def build_tab(start: Defaults) -> Fields:
    """Lay out the tab; returns its components by name, the one setting among them that is for files alone."""
    fields: Fields = {}
    gr.Markdown(INTRODUCTION, elem_classes="lead")
    with gr.Row(equal_height=False):
        for name, label in (("people", "People"), ("garments", "Garments")):
            with gr.Column(min_width=240):
                fields[name] = gr.File(
                    label=label,
                    file_count="multiple",
                    file_types=["image"],
                    height=170,
                    elem_id=f"batch-{name}",
                )
        with gr.Column(min_width=240):
            fields["file"] = gr.File(
                label="Or one zip file", file_types=[".zip"], height=170, elem_id="batch-file"
            )
            gr.Markdown(ZIPPED, elem_classes="quiet")
            fields["invert_mask"] = setting_field(settings_table()["invert_mask"], start)
    with gr.Row():
        fields["button"] = gr.Button(
            "Make all pictures", variant="primary", size="lg", elem_id="batch-button"
        )
        fields["cancel"] = gr.Button(
            "Cancel", variant="stop", size="lg", visible=False, elem_id="batch-cancel"
        )
        fields["sample"] = gr.Button("Fill in a sample", size="lg", elem_id="batch-sample")
    fields["status"] = gr.HTML(elem_id="batch-status", padding=False)
    fields["earlier"] = earlier_note("batch-earlier")
    fields["download"] = gr.DownloadButton(
        "Download the results", variant="primary", visible=False, elem_id="batch-download"
    )
    fields["table"] = gr.Dataframe(
        headers=COLUMNS,
        interactive=False,
        visible=False,
        wrap=True,
        label="Row by row",
        elem_id="batch-table",
    )
    fields["gallery"] = gr.Gallery(
        label="The results",
        columns=5,
        height="auto",
        visible=False,
        interactive=False,
        buttons=["fullscreen"],
        elem_id="batch-results",
    )
    fields["mark"] = gr.Textbox(value="", visible=False)
    return fields


def connect(page: gr.Blocks, batching: Batching, fields: Fields, tryon: Fields) -> None:
    """All wiring of the tab; ``tryon`` are the components whose settings count."""

    def compute(
        visitor: str, people: Any, garments: Any, upload: Any, values: tuple[Any, ...]
    ) -> Iterator[tuple[Any, ...]]:
        yield from batching.run(people, garments, upload, values, visitor=visitor)

    on_gpu = gpu(compute, GPU_LONGEST)

    def run(
        request: gr.Request, people: Any, garments: Any, upload: Any, *values: Any
    ) -> Iterator[tuple[Any, ...]]:
        yield from on_gpu(request.session_hash or "", people, garments, upload, values)

    def stop(request: gr.Request) -> None:
        batching.runs.stop(request.session_hash or "")

    pictures = [fields[name] for name in ("people", "garments", "file")]
    settings = {name: tryon[name] for name in setting_names()}
    inputs = [*pictures, *settings.values()]
    place = Place(
        [fields["button"]], fields["cancel"], fields["status"], fields["status"], seen="#batch-status"
    )
    shown = [fields[name] for name in Batching.SHOWN]
    starts = run_in_line(page, place, [(fields["button"].click, run, inputs)], shown, stop)
    made_from = Inputs(fields["earlier"], "Make all pictures", "them", fields["mark"], pictures, settings)
    tell_earlier(made_from, starts)
    forget_refusals(fields["status"], inputs)
    fields["sample"].click(fill_sample, None, [fields["people"], fields["garments"]], **PRIVATE)


def fill_sample() -> tuple[list[str], list[str]]:
    """Everybody of the samples, and one garment for all of them."""
    lent = [lend(sample) for sample in samples()]
    return [person for person, _ in lent], [garment for _, garment in lent[:1]]
