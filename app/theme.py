"""How the page looks: colours and fonts here, rules in two CSS files, the browser's own work in ``page.js``.

It does not lay anything out (the tabs do), and it asks nothing of any other server: the fonts are Gradio's
own copies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

INK = gr.themes.Color(
    name="ink",
    c50="#faf8f5",
    c100="#f3efe9",
    c200="#e6dfd5",
    c300="#d3c9bb",
    c400="#a89c8c",
    c500="#7d7266",
    c600="#5d544b",
    c700="#453e37",
    c800="#2b2723",
    c900="#1d1a18",
    c950="#131110",
)
CLAY = gr.themes.Color(
    name="clay",
    c50="#fdf4f0",
    c100="#fae4da",
    c200="#f4c8b6",
    c300="#eca588",
    c400="#e07f5b",
    c500="#cf613b",
    c600="#b44d2b",
    c700="#933d23",
    c800="#773320",
    c900="#622d1e",
    c950="#35150d",
)


def build_theme() -> gr.themes.Base:
    """Warm neutrals, one accent colour, geometric headings; both light and dark."""
    theme = gr.themes.Base(
        primary_hue=CLAY,
        secondary_hue=CLAY,
        neutral_hue=INK,
        radius_size=gr.themes.sizes.radius_lg,
        # Only these two of Gradio's font files hold the whole Latin alphabet in both weights and look well
        # together. Montserrat is listed so that its files are served; the headings ask for it by name below.
        font=[
            gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)),
            gr.themes.Font("system-ui"),
            gr.themes.LocalFont("Montserrat", weights=(400, 700)),
            gr.themes.Font("sans-serif"),
        ],
        font_mono=[gr.themes.Font("ui-monospace"), gr.themes.Font("monospace")],
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_800",
        block_label_background_fill="*neutral_100",
        block_label_background_fill_dark="*neutral_800",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_weight="600",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        button_primary_background_fill="*neutral_900",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_300",
        slider_color="*primary_500",
        slider_color_dark="*primary_400",
        checkbox_background_color_selected="*primary_500",
        checkbox_border_color_selected="*primary_500",
    )


STYLE, AROUND, SCRIPT = (Path(__file__).with_name(name) for name in ("page.css", "around.css", "page.js"))


def looks() -> dict[str, Any]:
    """Theme, rules and script, as Gradio's ``launch()`` wants them."""
    return {
        "theme": build_theme(),
        "css_paths": [STYLE],
        "head": f"<style>\n{AROUND.read_text('utf-8')}</style>",
        "js": SCRIPT.read_text("utf-8"),
    }
