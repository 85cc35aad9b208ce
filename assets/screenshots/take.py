"""Take the README's screenshots of a served page: ``python assets/screenshots/take.py --url URL``.

Every tab, with results of our own example pictures, on a desktop and on a phone, light and dark, as
``TAB-DEVICE-LIGHT.png`` in this folder with 256 colours or, where that is too large, fewer.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
DEVICES = {"desktop": (1360, 900), "phone": (390, 844)}
MOST_BYTES = 300_000
PERSON, GARMENT = EXAMPLES / "person-ben.jpg", EXAMPLES / "garment-striped-tee.jpg"
BATCH = ("person-ben.jpg", "person-carla.jpg"), ("garment-striped-tee.jpg",)
WAIT = 180_000
"""Milliseconds for the slowest thing, the ablation."""


def main() -> int:
    """Take all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:7860/")
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()

    sys.path.insert(0, str(HERE.parents[1]))
    from playwright.sync_api import sync_playwright

    from benchmarks.chromium import ADVICE, find_chromium, launch

    found = find_chromium()
    if found is None:
        print(ADVICE, file=sys.stderr)
        return 2
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch(playwright, found)
        pairs = write_batch(Path(folder) / "pairs.zip")
        for device, (width, height) in DEVICES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            context.set_default_timeout(WAIT)
            page = context.new_page()
            page.goto(options.url)
            for tab, fill in (("tryon", fill_tryon), ("compare", fill_compare), ("batch", fill_batch)):
                fill(page, pairs)
                page.wait_for_timeout(1500)
                for light in ("light", "dark"):
                    show(page, dark=light == "dark")
                    picture = page.screenshot(full_page=True, animations="disabled")
                    write_small(picture, options.out / f"{tab}-{device}-{light}.png")
            context.close()
        browser.close()
    return 0


def fill_tryon(page: Any, pairs: Path) -> None:
    """Both pictures, and the result of them."""
    page.locator("#try-on-button").wait_for()
    for name, file in (("person", PERSON), ("garment", GARMENT)):
        page.set_input_files(f"#{name}-upload input[type=file]", file)
        page.locator(f"#found-{name} .note").wait_for()
    page.locator("#more-settings button.label-wrap").click()
    page.locator("#seed input").fill("5")
    page.locator("#more-settings button.label-wrap").click()
    page.wait_for_timeout(3000)
    page.locator("#try-on-button").click()
    page.locator("#download").wait_for()
    page.locator("#how button.label-wrap").click()


def fill_compare(page: Any, pairs: Path) -> None:
    """The paper's ablation."""
    page.get_by_role("tab", name="Compare").click()
    page.locator("#compare-person img").wait_for()
    page.locator("#compare-garments img").first.wait_for()
    page.locator("#ablation-button").click()
    page.locator("#compare-grid img").nth(7).wait_for()


def fill_batch(page: Any, pairs: Path) -> None:
    """Two rows."""
    page.get_by_role("tab", name="Batch").click()
    page.set_input_files("#batch-file input[type=file]", pairs)
    page.wait_for_timeout(1500)
    page.locator("#batch-button").click()
    page.locator("#batch-download").wait_for()


def write_batch(path: Path) -> Path:
    """A zip file of people and garments."""
    with zipfile.ZipFile(path, "w") as archive:
        for folder, names in zip(("people", "garments"), BATCH, strict=True):
            for name in names:
                archive.write(EXAMPLES / name, f"{folder}/{name}")
    return path


def show(page: Any, *, dark: bool) -> None:
    """Light or dark, with the results that are there: Gradio marks it by a class of the body."""
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    page.evaluate("window.scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)


def write_small(png: bytes, path: Path) -> None:
    """Write a screenshot with a palette, as small as is needed."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 160, 96, 64, 40, 24):
        palette = picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        palette.save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            break
    print(f"{path.name}: {picture.width} × {picture.height}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
