"""How soon the page is there, in a headless Chromium: ``python benchmarks/page_load.py --url URL``.

Against a page that is being served. Each visit has an empty cache of its own. *First response* is the first
byte of the document, *DOM loaded* the event of that name, and *button there* the moment when “Try on” is
shown and takes a click, counted from the start of the navigation. Medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

TIMES = """() => {
  const [entry] = performance.getEntriesByType('navigation');
  return [entry.responseStart / 1000, entry.domContentLoadedEventEnd / 1000];
}"""


def main() -> int:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:7860/")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()

    from chromium import ADVICE, find_chromium, launch
    from playwright.sync_api import sync_playwright

    found = find_chromium()
    if found is None:
        print(ADVICE, file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = launch(playwright, found)
        visits = [visit(browser, options.url) for _ in range(options.runs)]
        browser.close()
    print(f"| Seconds until | median of {options.runs} | least | most |\n|:--|--:|--:|--:|")
    for name, seconds in zip(
        ("first response", "DOM loaded", "button there"), zip(*visits, strict=True), strict=True
    ):
        print(f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} |")
    return 0


def visit(browser: Any, url: str) -> tuple[float, float, float]:
    """One visit with an empty cache, in seconds from the start of the navigation."""
    context = browser.new_context(viewport={"width": 1360, "height": 1000})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("#try-on-button").click(trial=True)
    button = time.perf_counter() - started
    page.wait_for_load_state("load")
    first, loaded = page.evaluate(TIMES)
    context.close()
    return first, loaded, button


if __name__ == "__main__":
    sys.exit(main())
