"""How far it is to a first result, in a headless Chromium: ``python benchmarks/page_steps.py --url URL``.

Against a page that is being served: one person and one garment of the examples are chosen, and "Try on" is
pressed, on three sizes of screen. Told are the clicks, where the button stands before and after the pictures
are there, by how many pixels one has to scroll to it and from there to the whole result, and how soon after
the click something changes in what is seen. With ``--shots FOLDER`` it also takes pictures of each stage.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

SCREENS = {"desktop": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
LOOKED = """name => {
  const said = document.querySelector(`#found-${name}`)?.innerText.trim() ?? '';
  return said !== '' && !said.startsWith('Looking');
}"""
OUT_OF_VIEW = """where => {
  const all = [...document.querySelectorAll(where)].map(one => one.getBoundingClientRect());
  const box = all.find(one => one.height > 0);
  if (!box) return null;
  if (box.top >= 0 && box.bottom <= innerHeight) return 0;
  const tall = box.height > innerHeight;
  return Math.round(box.top < 0 || tall ? box.top : box.bottom - innerHeight);
}"""
"""By how much one has to scroll to see a part whole, or from its top where it is taller than the screen."""


def main() -> int:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:7860/")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()

    from chromium import ADVICE, find_chromium, launch
    from playwright.sync_api import sync_playwright

    found = find_chromium()
    if found is None:
        print(ADVICE, file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = launch(playwright, found)
        told = {name: visit(browser, options.url, name, options.shots) for name in SCREENS}
        browser.close()
    print(f"| | {' | '.join(told)} |\n|:--|{'--:|' * len(told)}")
    for what in next(iter(told.values())):
        print(f"| {what} | {' | '.join(str(one[what]) for one in told.values())} |")
    return 0


def visit(browser: Any, url: str, screen: str, shots: Path | None) -> dict[str, Any]:
    """One visit from the empty page to the result."""
    width, height = SCREENS[screen]
    page = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=screen == "phone"
    ).new_page()
    page.set_default_timeout(60_000)
    clicks = 0

    def shoot(stage: str) -> None:
        if shots is not None:
            page.screenshot(path=shots / f"{screen}-{stage}.png")

    def button() -> int:
        top = "document.querySelector('#try-on-button').getBoundingClientRect().top"
        return round(page.evaluate(f"{top} + scrollY"))

    page.goto(url)
    page.locator("#try-on-button").wait_for()
    page.wait_for_timeout(1000)
    shoot("1-empty")
    told: dict[str, Any] = {"button from the top, empty": button()}
    for number, name in enumerate(("person", "garment")):
        page.evaluate("window.scrollTo(0, 0)")
        page.locator(".example-row").nth(number).locator(".gallery-item").first.click()
        clicks += 1
        page.wait_for_function(LOOKED, arg=name)
        page.wait_for_timeout(1500)
        told[f"… with the {name}"] = button()
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(300)
    shoot("2-both")
    told["scrolled to the button"] = abs(page.evaluate(OUT_OF_VIEW, "#try-on-button"))
    page.locator("#try-on-button").scroll_into_view_if_needed()
    page.locator("#try-on-button").click()
    clicks += 1
    told["progress in view after, s"] = _until_progress(page)
    shoot("3-running")
    page.locator("#download").wait_for()
    page.locator("#try-on-button").wait_for()
    page.wait_for_timeout(1500)
    shoot("4-result")
    told["scrolled to the whole result"] = abs(page.evaluate(OUT_OF_VIEW, "#result"))
    told["clicks"] = clicks
    if shots is not None:
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=shots / f"{screen}-5-whole.png", full_page=True)
    page.context.close()
    return told


def _until_progress(page: Any) -> str:
    """Seconds from the click until the progress is seen without scrolling."""
    pressed = time.monotonic()
    while time.monotonic() - pressed < 3:
        if page.evaluate(OUT_OF_VIEW, "#status .progress") == 0:
            return f"{time.monotonic() - pressed:.1f}"
    return "never"


if __name__ == "__main__":
    sys.exit(main())
