"""The page as a whole: narrow, dark, reloaded, by keyboard, for screen readers, and alone with its server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.visitor import TABS, Visitor

EXPLAINED = {
    ("nested-interactive", "Click to Upload"): "Gradio's gallery puts its upload's file field, which is not "
    "shown and which no Tab reaches, into the button that opens it; keys and names work.",
}
"""Findings of axe-core that are left, by rule and accessible name, each with its reason."""

RUN_AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).flatMap(one =>
    one.nodes.map(node => ({rule: one.id, html: node.html.slice(0, 300), why: node.failureSummary})));
}"""


def test_a_phone_never_scrolls_sideways(enter: Callable[..., Visitor]) -> None:
    """Prevents a page whose parts stick out of a phone's screen, or that lacks what the text speaks of."""
    visitor = enter(width=390, height=844)
    # The page grows for a while after it opened, so go to its end until nothing is beneath the bar.
    visitor.page.locator("footer").get_by_text("Use via API").wait_for()
    visitor.page.wait_for_function(
        "() => { scrollTo(0, document.documentElement.scrollHeight);"
        " const box = where => document.querySelector(where).getBoundingClientRect();"
        " return ['#about', 'footer .show-api'].every(where => box(where).bottom <= box('#go').top); }"
    )
    visitor.dress()
    for name in TABS:
        visitor.open_tab(name)
        assert visitor.width_over() <= 0, name


def test_dark_where_the_visitor_wants_it_dark(enter: Callable[..., Visitor]) -> None:
    """Prevents a white page at night, or dark words on a dark page."""
    light = _colours(enter())
    ground, words = _colours(enter(dark=True))
    assert max(ground) < 60 and min(words) > 180
    assert min(light[0]) > 200 and max(light[1]) < 100


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_placeholders_can_be_read(enter: Callable[..., Visitor], dark: bool) -> None:
    """Prevents words in empty fields that axe does not look at, and nobody can see."""
    visitor = enter(dark=dark)
    visitor.unfold("#more-settings")
    words, ground = visitor.page.evaluate(
        "[['::placeholder', 'color'], [null, 'backgroundColor']].map(([part, what]) =>"
        " getComputedStyle(document.querySelector('#seed input'), part)[what].match(/\\d+/g).map(Number))"
    )
    lighter, darker = sorted((_luminance(words), _luminance(ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: list[int]) -> float:
    """As the guidelines for accessible pages reckon it, of red, green and blue."""
    parts = [part / 255 for part in colour[:3]]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colours(visitor: Visitor) -> tuple[list[int], list[int]]:
    """Of the ground and of the heading's words, red, green and blue."""
    return visitor.page.evaluate(
        "[['body', 'backgroundColor'], ['#name h1', 'color']].map(([where, what]) =>"
        " getComputedStyle(document.querySelector(where))[what].match(/\\d+/g).slice(0, 3).map(Number))"
    )


def test_a_reload_keeps_the_settings(enter: Callable[..., Visitor]) -> None:
    """Prevents settings that are lost with the page."""
    visitor = enter()
    visitor.set_number("Steps", 13)
    visitor.set_seed(77)
    visitor.page.get_by_label("Keep the photo's fine detail (EMASC)").uncheck()
    visitor.rest()
    visitor.page.reload()
    visitor.page.locator("#try-on-button").wait_for()
    visitor.unfold("#more-settings")
    visitor.has_value("#seed input", "77")
    visitor.has_value("#steps input[type=number]", "13")
    visitor.is_checked("Keep the photo's fine detail (EMASC)", False)


def test_a_setting_may_change_before_the_pages_own_script_is_there(enter: Callable[..., Visitor]) -> None:
    """Prevents: a part that stays in error for good, on a machine that was busy while the page was opened."""
    visitor = enter()
    visitor.rest()
    visitor.page.evaluate("window.ladi_later = window.ladi; window.ladi = undefined")
    visitor.page.get_by_label("Keep the photo's fine detail (EMASC)").uncheck()
    visitor.page.wait_for_timeout(500)
    visitor.page.evaluate("window.ladi = window.ladi_later")
    visitor.rest()
    assert not visitor.page.locator("#earlier").get_by_text("Error", exact=True).count()


def test_the_tab_key_reaches_uploads_and_button_in_order(enter: Callable[..., Visitor]) -> None:
    """Prevents a page that cannot be used without a mouse, or that jumps about under the Tab key."""
    visitor = enter()
    wanted, reached = ["person-upload", "garment-upload", "try-on-button"], []
    for _ in range(60):
        visitor.page.keyboard.press("Tab")
        place = visitor.page.evaluate(
            "wanted => wanted.find(id => document.activeElement.closest('#' + id))", wanted
        )
        if place and place not in reached:
            reached.append(place)
    assert reached == wanted
    visitor.page.locator("#try-on-button").focus()
    visitor.page.keyboard.press("Enter")
    visitor.says("#refusal .note.problem", "photo of the person")
    visitor.page.get_by_role("tab", name="Try on").focus()
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    visitor.page.locator("#compare-button").wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(enter: Callable[..., Visitor], axe: str, dark: bool) -> None:
    """Prevents parts without a name, words without contrast, and keys that lead nowhere."""
    visitor = enter(dark=dark)
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    visitor.set_number("Steps", 2)
    visitor.says("#earlier", "Made with earlier settings.")
    visitor.page.locator("#how button.label-wrap").click()
    for folded in ("#area", "#found", "#more-settings"):
        visitor.unfold(folded)
    visitor.page.evaluate(axe)
    found: list[Any] = []
    for name in TABS:
        visitor.open_tab(name)
        found += [(name, one) for one in visitor.page.evaluate(RUN_AXE)]
    left = [one for one in found if not _explained(one[1])]
    assert not left, "\n".join(f"{tab}: {one['rule']}: {one['html']}\n{one['why']}" for tab, one in left)


def _explained(one: dict[str, str]) -> bool:
    return any(rule == one["rule"] and f'aria-label="{name}"' in one["html"] for rule, name in EXPLAINED)


def test_no_request_leaves_the_machine(enter: Callable[..., Visitor], address: str) -> None:
    """Prevents fonts, scripts or counting from elsewhere."""
    visitor = enter()
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    for name in TABS:
        visitor.open_tab(name)
    visitor.rest()
    elsewhere = [
        url
        for url in visitor.asked
        if not url.startswith(address) and urlsplit(url).scheme not in ("data", "blob")
    ]
    assert not elsewhere
    assert len(visitor.asked) > 20
