"""The page as a whole: masthead, tabs, foot. What stands in a tab is its own file's.

Gradio keeps no state of a visitor here but the mask that their editor shows and where the files of their
last few results lie; both end with the session.
"""

from __future__ import annotations

import gradio as gr

from app.api import add_endpoints
from app.batch import tab as batch_tab
from app.batch.handlers import Batching
from app.compare import tab as compare_tab
from app.compare.handlers import Comparing
from app.fields import Defaults, keep_in_browser
from app.serving.visitors import GPU
from app.tryon import tab as tryon_tab
from app.tryon.handlers import Handlers
from app.tryon.looking import Looking
from app.waiting import PRIVATE
from ladi.preprocess.category import PLURALS
from ladi.setting_row import listed
from ladi.weights.catalog import EMBEDDED, trained_categories

TITLE = "LaDI-VTON · virtual try-on"
MASTHEAD = "# LaDI-VTON\n\nSee how it looks on you: two photos in, one out."
ABOUT = """
- **Your pictures** are worked on by this server alone. They lie in its memory and in a folder of its own for
  at most {minutes} minutes and are then deleted; the log knows sizes and times only. Your settings stay in
  your browser.
- **What it is**: a picture of how a garment might look. It says nothing about size or fit. Every result is
  marked as made with a generative model.
- **How it works**: [LaDI-VTON](https://arxiv.org/abs/2305.13501) (Morelli et al., ACM Multimedia 2023): pose
  and parsing find the body, a thin-plate spline bends the garment to it, and latent diffusion paints it.
- **For programs**: the link “Use via API” at the foot of the page lists `/try_on`, `/prepare` and `/compare`.
"""
FULL = """
- **The full model** paints 512 × 384 pixels and wants a GPU. Whoever serves this page can have it by
  `python -m ladi download vitonhd`, 10 GB, and then `python app.py --model vitonhd`.
"""
MODEL_NAMES = {
    "mini": "**Preview model**, 256 × 192",
    "vitonhd": "**LaDI-VTON**, VITON-HD weights, 512 × 384",
    "dresscode": "**LaDI-VTON**, Dress Code weights, 512 × 384",
}
WAY_TO_FULL = " · [run the full model](#about)"
LICENCE = "**CC BY-NC 4.0**: research only, not for commercial use"


def build_page(handlers: Handlers, defaults: Defaults | None = None) -> gr.Blocks:
    """Lay out the page and connect it.

    Args:
        handlers: what "Try on" calls; the other tabs share its engines and its visitors.
        defaults: start values; ``None`` takes those of ``Defaults``.

    Returns:
        The page, with its queue set up; theme and CSS are given to ``launch()``.
    """
    start = defaults or Defaults()
    looking = Looking(handlers.engine_for, default_model=handlers.default_model, at_once=handlers.at_once)
    comparing = Comparing(
        handlers.engine_for, handlers.runs, default_model=handlers.default_model, models=handlers.models
    )
    batching = Batching(handlers.engine_for, handlers.runs, default_model=handlers.default_model)
    with gr.Blocks(title=TITLE) as page:
        with gr.Row(elem_id="masthead", equal_height=True):
            gr.Markdown(MASTHEAD, elem_id="name")
            gr.Markdown(_model_line(start.models[0]), elem_id="model-line")
        if start.notice:
            gr.Markdown(start.notice, elem_id="notice")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Try on", id="tryon"):
                tryon = tryon_tab.build_tab(start)
            with gr.Tab("Compare", id="compare") as compare:
                compared = compare_tab.build_tab()
            with gr.Tab("Batch", id="batch"):
                batch = batch_tab.build_tab(start)
                tryon["invert_mask"] = batch["invert_mask"]
        with gr.Accordion("About this page: privacy, licence, method, API", open=False, elem_id="about"):
            gr.Markdown(
                ABOUT.format(minutes=start.keep_minutes) + (FULL if start.models[0] == EMBEDDED else "")
            )
        tryon_tab.connect(page, handlers, looking, tryon, start)
        compare_tab.connect(page, comparing, compared, tryon, compare)
        batch_tab.connect(page, batching, batch, tryon)
        add_endpoints(handlers, comparing, start.values, gpu=GPU)
        keep_in_browser(page, tryon)
        page.load(None, None, None, js="() => { window.ladi.open_tab(); }", **PRIVATE)

        def leave(request: gr.Request) -> None:
            handlers.stop(request.session_hash or "")

        page.unload(leave)
    return page.queue(default_concurrency_limit=1, max_size=32, api_open=False)


def _model_line(model: str) -> str:
    """What paints, what it can dress, and under which licence: always visible, also before the upload."""
    if model not in MODEL_NAMES:
        return f"Model `{model}` · look up its licence before you use the pictures"
    kinds = [PLURALS[kind] for kind in trained_categories(model)]
    dresses = f"for {listed(kinds)}{' only' if len(kinds) == 1 else ''}"
    more = WAY_TO_FULL if model == EMBEDDED else ""
    return f"{MODEL_NAMES[model]} · {dresses}{more} · {LICENCE}"
