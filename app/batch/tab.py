"""The tab "Batch": a zip in, a table of what becomes of each row, a zip out.

Layout first, wiring last; what happens is in ``handlers.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.batch.handlers import COLUMNS, Batching
from app.fields import Fields
from app.serving.hosting import GPU_LONGEST, gpu
from app.serving.visitors import GPU
from app.values import setting_names

INTRODUCTION = """Many pairs at once. Put your pictures into a **zip file** with either

- two folders, `people` and `garments`: one person wears every garment, one garment is worn by everybody, and
  otherwise files with the same name belong together; or
- a table `pairs.csv` with the columns `person` and `garment`, and if you like `seed`, `steps`, `guidance` and
  the rest.

The settings are those of “Try on”. A row that fails says why, and the others go on."""


def build_tab() -> Fields:
    """Lay out the tab; returns its components by name."""
    fields: Fields = {}
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            gr.Markdown(INTRODUCTION, elem_classes="lead")
        with gr.Column(scale=4, min_width=280):
            fields["file"] = gr.File(
                label="The zip file", file_types=[".zip"], height=140, elem_id="batch-file"
            )
            fields["button"] = gr.Button(
                "Make all pictures", variant="primary", size="lg", elem_id="batch-button"
            )
            fields["cancel"] = gr.Button(
                "Cancel", variant="stop", size="lg", visible=False, elem_id="batch-cancel"
            )
            fields["status"] = gr.HTML(elem_id="batch-status", padding=False)
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
    return fields


def connect(batching: Batching, fields: Fields, tryon: Fields) -> None:
    """All wiring of the tab; ``tryon`` are the components whose settings count."""
    quiet: dict[str, Any] = {"preprocess": False, "api_visibility": "private", "show_progress": "hidden"}

    def compute(visitor: str, upload: Any, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        yield from batching.run(upload, values, visitor=visitor)

    on_gpu = gpu(compute, GPU_LONGEST)

    def run(request: gr.Request, upload: Any, *values: Any) -> Iterator[tuple[Any, ...]]:
        yield from on_gpu(request.session_hash or "", upload, values)

    fields["button"].click(
        run,
        [fields["file"], *(tryon[name] for name in setting_names())],
        [fields[name] for name in Batching.SHOWN],
        concurrency_limit=1,
        concurrency_id=GPU,
        **quiet,
    )

    def stop(request: gr.Request) -> None:
        batching.runs.stop(request.session_hash or "")

    fields["cancel"].click(stop, queue=False, **quiet)
