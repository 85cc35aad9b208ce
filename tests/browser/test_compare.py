"""The tab "Compare" in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.browser.visitor import Visitor, changed


def test_the_ablation_is_a_grid_of_eight(enter: Callable[..., Visitor]) -> None:
    """Prevents an ablation that lacks pictures, loses those of "Try on", or repeats one picture."""
    visitor = enter()
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.open_tab("Compare")
    visitor.page.locator("#compare-person img").wait_for()
    visitor.page.locator("#compare-garments img").first.wait_for()
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
