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
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        slider_color="*primary_500",
        slider_color_dark="*primary_400",
        checkbox_background_color_selected="*primary_500",
        checkbox_border_color_selected="*primary_500",
    )


CSS = """
.gradio-container { width: 100% !important; max-width: 1280px !important; margin: 0 auto !important; }
#masthead { align-items: flex-end; padding: 16px 2px 2px; gap: 8px 24px; }
#name h1 {
  font-family: 'Montserrat', sans-serif; font-weight: 700; letter-spacing: -0.02em;
  font-size: 2.1rem; line-height: 1.15; margin: 0 0 2px;
}
#name p { color: var(--body-text-color-subdued); font-size: 1.05rem; margin: 0; }
#model-line { flex-grow: 0 !important; min-width: min(100%, 520px) !important; text-align: right; }
#model-line p { color: var(--body-text-color-subdued); font-size: 0.84rem; margin: 0; }
.quiet, .quiet p { color: var(--body-text-color-subdued); font-size: 0.86rem; line-height: 1.45; margin: 0; }
.quiet h3 { margin: 6px 0 2px; font-size: 1.05rem; color: var(--body-text-color); }
.lead, .lead p, .lead li { font-size: 0.98rem; line-height: 1.5; color: var(--body-text-color-subdued); }
.lead strong, .lead code { color: var(--body-text-color); }
.hint { color: var(--body-text-color-subdued); font-size: 0.9rem; margin: 4px 0; }
.note { border-radius: 10px; padding: 9px 13px; font-size: 0.92rem; line-height: 1.45; margin: 4px 0; }
.note ul { margin: 3px 0 0; padding-left: 18px; }
.note.good { background: #e6f1e6; color: #1e4d2b; }
.note.caution { background: #fbf0d9; color: #5c3f06; }
.note.problem { background: #fbe3dc; color: #7a1f0a; border-left: 4px solid #b44d2b; }
.dark .note.good { background: #15301d; color: #bfe3c7; }
.dark .note.caution { background: #3a2c0c; color: #f3dca4; }
.dark .note.problem { background: #451a10; color: #ffd2c4; }
.empty {
  border: 1.5px dashed var(--border-color-primary); border-radius: 14px; padding: 72px 28px;
  text-align: center; color: var(--body-text-color-subdued);
}
.empty p { margin: 4px 0; }
.progress {
  height: 10px; border-radius: 6px; background: var(--neutral-200); overflow: hidden; margin: 10px 0 6px;
}
.dark .progress { background: var(--neutral-700); }
.progress .bar { height: 100%; border-radius: 6px; background: var(--primary-500); transition: width 0.25s; }
.progress-text { font-size: 0.95rem; margin: 0 0 8px; color: var(--body-text-color); }
#try-on-button, #cancel-button, #compare-button, #ablation-button, #compare-cancel,
#batch-button, #batch-cancel {
  min-height: 54px; font-size: 1.08rem; letter-spacing: 0.01em;
}
.example-row .gallery { gap: 7px; }
.example-row .gallery-item, .example-row .gallery-item .container {
  border-radius: 8px; width: 62px; min-width: 0; height: 82px; overflow: hidden;
}
.example-row .gallery-item img { object-fit: cover; width: 100%; height: 100%; }
.even > * { min-width: min(100%, 200px) !important; }
.even > .form { flex-wrap: wrap; }
.even > .form > * { flex: 1 1 180px; min-width: min(100%, 180px) !important; }
#found-person, #found-garment, #status, #compare-status, #batch-status,
#found-person > *, #found-garment > *, #status > *, #compare-status > *, #batch-status > * {
  padding: 0 !important;
}
#about { margin-top: 14px; }
#made .grid-wrap, #compare-grid .grid-wrap, #batch-results .grid-wrap { max-height: none; overflow: visible; }
#made .gallery-item, #compare-grid .gallery-item, #batch-results .gallery-item { height: auto; }
#compare-grid .grid-container, #batch-results .grid-container {
  grid-template-columns: repeat(var(--grid-cols), minmax(0, 310px)) !important; justify-content: center;
}
#made .thumbnail-item, #compare-grid .thumbnail-item, #batch-results .thumbnail-item {
  display: flex; flex-direction: column; aspect-ratio: auto; height: 100%;
}
#made .thumbnail-item > img, #compare-grid .thumbnail-item > img, #batch-results .thumbnail-item > img {
  height: auto; aspect-ratio: 3 / 4; width: 100%; flex: 0 0 auto;
}
#made .caption-label, #compare-grid .caption-label, #batch-results .caption-label {
  position: static; max-width: 100%; max-height: none; width: 100%; border: 0; border-radius: 0;
  background: none; color: var(--body-text-color); white-space: normal; text-align: left;
  overflow: visible; padding: 6px 8px 8px; font-size: 0.84rem; line-height: 1.35;
}
@media (min-width: 1000px) { .outcome { position: sticky; top: 12px; align-self: flex-start; } }
@media (max-width: 640px) {
  #name h1 { font-size: 1.6rem; }
  #model-line { text-align: left; }
  #compare-grid .grid-container, #made .grid-container, #batch-results .grid-container {
    grid-template-columns: repeat(2, minmax(0, 1fr)) !important;
  }
}
@media (prefers-reduced-motion: reduce) { .progress .bar { transition: none; } }
"""

NAMES = """() => {
  const named = (part, name) => { if (name && part.ariaLabel !== name) part.ariaLabel = name; };
  const words = (part) => part.innerText.replace(/\\s+/g, ' ').trim();
  const name_all = () => {
    document.querySelectorAll('.example-row').forEach((row) => {
      const label = words(row.querySelector('.label') || row);
      row.querySelectorAll('.gallery-item').forEach((item, index) => named(item, `${label}: ${index + 1}`));
    });
    document.querySelectorAll('button.upload-container, button.thumbnail-item')
      .forEach((part) => named(part, words(part)));
    document.querySelectorAll('.image-container button:has(> .image-frame)').forEach((part) => {
      named(part, words(part.closest('.block').querySelector('[data-testid="block-label"]') || part));
    });
  };
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; name_all(); }, 200);
  }).observe(document.body, {childList: true, subtree: true});
  name_all();
}"""
"""Names for screen readers, where Gradio gives a button none, or one that is not what stands on it."""
