"""How the page looks: colours, fonts and the few rules of CSS that Gradio's options cannot express.

It does not lay anything out (``page.py`` does), and it asks nothing of any other server: the fonts are
Gradio's own copies.
"""

from __future__ import annotations

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
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        slider_color="*primary_500",
        slider_color_dark="*primary_400",
        checkbox_background_color_selected="*primary_500",
        checkbox_border_color_selected="*primary_500",
    )


CSS = """
.gradio-container { width: 100% !important; max-width: 1240px !important; margin: 0 auto !important; }
#masthead { padding: 18px 2px 4px; }
#masthead h1 {
  font-family: 'Montserrat', sans-serif; font-weight: 700; letter-spacing: -0.02em;
}
#masthead h1 { font-size: 2.1rem; line-height: 1.15; margin: 0 0 2px; }
#masthead p { color: var(--body-text-color-subdued); font-size: 1.05rem; margin: 0; }
.quiet, .quiet p { color: var(--body-text-color-subdued); font-size: 0.86rem; line-height: 1.4; margin: 0; }
#try-on-button { min-height: 54px; font-size: 1.12rem; letter-spacing: 0.01em; }
#result-details { min-height: 1.5em; }
#result-details p, #result-details li { font-size: 0.92rem; }
.example-row .gallery { gap: 7px; }
.example-row .gallery-item, .example-row .gallery-item .container {
  border-radius: 8px; width: 68px; min-width: 0; height: 90px; overflow: hidden;
}
.example-row .gallery-item img { object-fit: cover; width: 100%; height: 100%; }
#page-foot { border-top: 1px solid var(--border-color-primary); margin-top: 10px; padding-top: 12px; }
@media (max-width: 640px) { #masthead h1 { font-size: 1.6rem; } }
"""
