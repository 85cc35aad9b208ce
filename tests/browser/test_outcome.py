"""The result on several screens: whole, large where that is asked for, small where it is one of many."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.visitor import Visitor

SEEN_THROUGH = """part => {
  const found = [], view = document.querySelector(part);
  for (let across = 0.02; across < 1; across += 0.08)
    for (let down = 0.02; down < 1; down += 0.08) {
      const there = document.elementFromPoint(across * innerWidth, down * innerHeight);
      if (!view.contains(there)) found.push([across, down, there?.outerHTML.slice(0, 80)]);
    }
  const colour = getComputedStyle(view).backgroundColor;
  return /rgba\\(.*, 0(\\.\\d+)?\\)/.test(colour) ? [...found, colour] : found;
}"""
"""Where something else than the full-screen view would be met, and its colour if one can look through it."""
SIZES = {"laptop": (1366, 768), "phone": (390, 844)}


@pytest.fixture(scope="module", params=SIZES)
def visitor(request: pytest.FixtureRequest, enter: Callable[..., Visitor]) -> Visitor:
    """Somebody with two results, the newer one of two pictures."""
    width, height = SIZES[request.param]
    one = enter(width=width, height=height, touch=request.param == "phone")
    one.dress()
    one.set_number("Steps", 1)
    one.try_on()
    one.unfold("#more-settings")
    one.set_number("Pictures", 2)
    one.try_on()
    one.page.locator("#history .thumbnail-item").nth(1).wait_for()
    one.rest()
    return one


def box(visitor: Visitor, where: str) -> dict[str, float]:
    """Where the first such part is."""
    return visitor.page.locator(where).first.bounding_box()


@pytest.mark.parametrize("strip", ["#history", "#all-results"])
def test_strips_are_small_whole_and_below_their_name(visitor: Visitor, strip: str) -> None:
    """Prevents two earlier results of the size of the new one, and names that cover heads."""
    name, picture = box(visitor, f"{strip} [data-testid=block-label]"), box(visitor, f"{strip} img")
    assert picture["y"] >= name["y"] + name["height"]
    assert 44 <= picture["width"] < 90 and box(visitor, strip)["height"] < 170
    fit = "where => getComputedStyle(document.querySelector(where)).objectFit"
    assert visitor.page.evaluate(fit, f"{strip} img") == "contain"


def test_both_views_are_of_one_height(visitor: Visitor) -> None:
    """Prevents a slider that pushes the buttons below it off a low screen."""
    choices = visitor.page.locator("#view input")
    single = box(visitor, "#result img")["height"]
    choices.nth(1).check()
    visitor.page.wait_for_timeout(500)
    assert abs(box(visitor, "#before-after .slider-wrap")["height"] - single) < 3
    choices.nth(0).check()


@pytest.mark.parametrize(("view", "part"), [(0, "#result"), (1, "#before-after")])
def test_the_full_screen_is_filled(visitor: Visitor, view: int, part: str) -> None:
    """Prevents a picture that is no larger on the full screen than beside the button."""
    page = visitor.page
    page.locator("#view input").nth(view).check()
    page.locator(f"{part} button[aria-label=Fullscreen]").click()
    page.wait_for_timeout(700)
    size = page.viewport_size
    shown = page.evaluate(
        """where => {
          const one = document.querySelector(where), box = one.getBoundingClientRect();
          const zoom = Math.min(box.width / one.naturalWidth, box.height / one.naturalHeight);
          return [one.naturalWidth * zoom, one.naturalHeight * zoom, box.left, box.right];
        }""",
        f"{part} img",
    )
    assert max(shown[0] / size["width"], shown[1] / size["height"]) > 0.97
    assert shown[2] >= -1 and shown[3] <= size["width"] + 1
    assert page.evaluate(SEEN_THROUGH, part) == []
    page.locator(f"{part} button[aria-label*=Exit]").click()
    page.locator(f"{part} button[aria-label=Fullscreen]").wait_for()
    page.locator("#view input").nth(0).check()
