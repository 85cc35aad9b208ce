"""What stands where, and has the focus, while pictures are chosen and made."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.test_screens import SCREENS, comes_into_view
from tests.browser.visitor import Visitor


def test_a_tablet_has_both_pictures_side_by_side(enter: Callable[..., Visitor]) -> None:
    """Prevents a title that breaks, and a garment that is looked for below the person."""
    width, height = SCREENS["tablet"]
    page = enter(width=width, height=height).page
    person, garment = (page.locator(f"#{name}-upload").bounding_box() for name in ("person", "garment"))
    assert abs(person["y"] - garment["y"]) < 1 and abs(person["width"] - garment["width"]) < 2
    assert garment["x"] >= person["x"] + person["width"]
    lines = """() => {
      const title = document.querySelector('#name h1') ?? document.querySelector('#name');
      const all = document.createRange();
      all.selectNodeContents(title);
      return new Set([...all.getClientRects()].map((one) => Math.round(one.bottom / 12))).size;
    }"""
    assert page.evaluate(lines) == 1


def test_who_stops_is_told_where_the_eye_is(enter: Callable[..., Visitor]) -> None:
    """Prevents a phone that shows nothing of what became of the picture, and a focus that is lost."""
    width, height = SCREENS["phone"]
    visitor = enter(width=width, height=height, touch=True)
    visitor.dress()
    visitor.set_number("Steps", 20)
    visitor.page.locator("#try-on-button").focus()
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_text("of 20").first.wait_for()
    for _ in range(3):  # also when the next report has come
        assert visitor.page.evaluate("document.activeElement.id") == "cancel-button"
        visitor.page.wait_for_timeout(100)
    visitor.page.keyboard.press("Enter")
    visitor.page.locator("#refusal").get_by_text("Stopped.").wait_for()
    comes_into_view(visitor, "#refusal p")
    visitor.holds("document.activeElement.id === 'try-on-button'")


def test_the_mask_has_no_bin(enter: Callable[..., Visitor]) -> None:
    """Prevents a button that takes the photo away with the mask."""
    visitor = enter()
    visitor.dress()
    visitor.unfold("#area")
    editor = visitor.page.locator("#mask-editor")
    editor.locator("button[aria-label='Undo']").wait_for()
    names = editor.locator("button:visible").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label') ?? one.textContent)"
    )
    assert "Undo" in names and not [name for name in names if "lear" in name or "rash" in name]
    assert editor.locator("button[aria-label^='Clear']").count()  # it is there, and hidden
