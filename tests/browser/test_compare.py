"""The tab "Compare" in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.browser.visitor import Visitor, changed

LISTEN = """() => {
  window.heard = [];
  const status = document.querySelector('#compare-status');
  new MutationObserver(() => {
    const told = status.textContent.match(/picture (\\d) of 8/);
    if (told) window.heard.push(told[1]);
  }).observe(status, {childList: true, subtree: true, characterData: true});
}"""
"""Notes which of the eight pictures is said to be at work."""


def test_the_ablation_is_a_grid_of_eight(enter: Callable[..., Visitor]) -> None:
    """Prevents an ablation that lacks pictures, loses those of "Try on", or repeats one picture.

    Also a long wait without a word on how far it is, and differences that are not where they are said to be.
    """
    visitor = enter()
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.open_tab("Compare")
    visitor.page.locator("#compare-person img").wait_for()
    visitor.page.locator("#compare-garments img").first.wait_for()
    visitor.page.evaluate(LISTEN)
    visitor.page.locator("#ablation-button").click()
    visitor.page.locator("#compare-grid img").nth(7).wait_for(timeout=60_000)
    cells = visitor.page.locator("#compare-grid .thumbnail-item")
    assert cells.count() == 8
    labels = [cells.nth(index).inner_text().strip() for index in range(8)]
    assert len(set(labels)) == 8 and all(labels)
    sources = visitor.page.locator("#compare-grid img").evaluate_all("all => all.map(one => one.src)")
    assert len(set(sources)) == 8
    sheet = visitor.download("#compare-sheet")
    assert sheet.size[0] > 400 and np.asarray(sheet).std() > 10
    assert visitor.page.locator("#compare-slider img").count() >= 2
    assert not changed(sheet, visitor.download("#compare-sheet")).any()
    heard = [int(one) for one in visitor.page.evaluate("window.heard")]
    assert heard == sorted(heard) and heard[0] < 8 and set(heard) <= set(range(1, 9))

    visitor.page.locator("#compare-differences").get_by_label("Differences ×16").check()
    first = visitor.page.locator("#compare-grid img").first
    visitor.page.wait_for_function(
        "src => document.querySelector('#compare-grid img')?.src !== src", arg=sources[0]
    )
    visitor.page.locator("#compare-grid").get_by_text("of 255").nth(7).wait_for()
    told = [cells.nth(index).inner_text() for index in range(8)]
    means = [float(re.search(r"differs by ([\d.]+) of 255", one)[1]) for one in told]  # type: ignore[index]
    assert means[0] == 0 and min(means[1:]) > 0
    assert pixels_of(visitor, first).max() == 0 and pixels_of(visitor, cells.nth(1).locator("img")).max() > 60


def pixels_of(visitor: Visitor, image: Any) -> np.ndarray:
    """A picture of the page as the server has it, (H,W,3) uint8."""
    answer = visitor.page.request.get(image.get_attribute("src"))
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))
