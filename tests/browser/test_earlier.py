"""Results that stay in view when what they were made from changes: they say so, and take it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.browser.visitor import CARLA, CHECKED, STRIPED, Visitor, changed

OF_SETTINGS, OF_PICTURES = "Made with earlier settings.", "Made with earlier pictures."
PRESS = "Press “Try on” to make it anew."
DIMMED = "getComputedStyle(document.querySelector('#result img')).opacity < 1"


@pytest.fixture(scope="module")
def dressed(enter: Callable[..., Visitor]) -> Iterator[Visitor]:
    """Somebody with a result in one step, at night."""
    visitor = enter(dark=True)
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    visitor.rest()
    yield visitor
    visitor.page.close()


@pytest.fixture
def visitor(dressed: Visitor) -> Visitor:
    """The same, whose result is of now."""
    dressed.is_of_now()
    return dressed


def test_another_setting_marks_the_result_until_it_is_put_back(visitor: Visitor) -> None:
    """Prevents settings beside a result that was made with others, without a word."""
    page, result, asked = visitor.page, visitor.download("#download"), len(visitor.asked)
    assert page.locator("#earlier[aria-live=polite]").count() == 1 and not page.evaluate(DIMMED)
    for change, back in (
        (lambda: visitor.set_number("Steps", 2), lambda: visitor.set_number("Steps", 1)),
        (lambda: visitor.set_seed(6), lambda: visitor.set_seed("")),
        (lambda: page.locator("#pose input").uncheck(), lambda: page.locator("#pose input").check()),
    ):
        change()
        visitor.says("#earlier", OF_SETTINGS)
        visitor.says("#earlier", PRESS)
        assert page.evaluate(DIMMED)
        back()
        visitor.is_of_now()
        assert not page.evaluate(DIMMED)
    assert [url for url in visitor.asked[asked:] if "/queue/" in url or "/run/" in url] == []
    page.locator("#keep-seed").click()
    visitor.rest()
    visitor.is_of_now()  # the seed that was drawn gives the same picture again
    visitor.set_seed("")
    visitor.set_number("Steps", 2)
    visitor.says("#earlier", OF_SETTINGS)
    assert not changed(result, visitor.download("#download")).any()
    visitor.set_number("Steps", 1)


def test_other_pictures_mark_it_until_they_are_back(visitor: Visitor) -> None:
    """Prevents a result beside a garment that it does not show, and a mark that only a new one removes."""
    visitor.upload(garment=CHECKED)
    visitor.says("#earlier", OF_PICTURES)
    visitor.looked()
    visitor.upload(garment=STRIPED)
    visitor.looked()
    visitor.is_of_now()
    visitor.page.locator("#garment-upload button[aria-label='Remove Image']").click()
    visitor.says("#earlier", OF_PICTURES)
    assert PRESS not in visitor.page.locator("#earlier").inner_text()  # it would be refused
    visitor.upload(garment=STRIPED)
    visitor.looked()
    visitor.is_of_now()


def test_another_area_marks_it(visitor: Visitor) -> None:
    """Prevents a corrected area beside a result that was made with the automatic one."""
    visitor.draw((0.36, 0.9), (0.64, 0.9))
    visitor.says("#earlier", OF_SETTINGS)
    visitor.try_on()
    visitor.is_of_now()
    visitor.page.locator("#reset-mask").click()
    visitor.says("#earlier", OF_SETTINGS)
    visitor.try_on()
    visitor.is_of_now()


def test_what_changes_while_it_is_made_counts(visitor: Visitor) -> None:
    """Prevents a result that is taken for one of settings which were chosen after the click."""
    visitor.set_number("Steps", 20)
    before = visitor.shown()
    visitor.press_try_on()
    visitor.page.get_by_text("of 20").first.wait_for()
    assert "Press" not in visitor.page.locator("#earlier").inner_text()  # it has been pressed
    visitor.set_number("Steps", 1)
    visitor.wait_for_another(before)
    visitor.says("#earlier", OF_SETTINGS)
    visitor.set_number("Steps", 20)
    visitor.is_of_now()
    visitor.set_number("Steps", 1)
    visitor.try_on()


def test_a_result_of_before_brings_its_settings_along(visitor: Visitor) -> None:
    """Prevents a mark on a result whose own settings have just been put back."""
    first = visitor.shown()
    visitor.set_number("Steps", 3)
    visitor.set_seed(4)
    visitor.try_on()
    visitor.rest()
    visitor.page.locator("#history .thumbnail-item").nth(1).click()
    visitor.holds("src => document.querySelector('#result img').src === src", first)
    visitor.has_value("#steps input[type=number]", "1")
    visitor.rest()
    visitor.is_of_now()
    assert visitor.page.locator("#category input:checked").count() == 1
    visitor.set_number("Steps", 3)
    visitor.says("#earlier", OF_SETTINGS)
    visitor.set_number("Steps", 1)
    visitor.is_of_now()


def test_compare_and_batch_say_it_too(enter: Callable[..., Visitor]) -> None:
    """Prevents grids and tables of results beside settings that they were not made with."""
    visitor = enter()
    page = visitor.page
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.open_tab("Compare")
    page.locator("#compare-garments img").first.wait_for()
    page.locator("#compare-button").click()
    page.locator("#compare-grid img").nth(1).wait_for()
    visitor.open_tab("Batch")
    page.locator("#batch-sample").click()
    visitor.rest()
    page.locator("#batch-button").click()
    visitor.says("#batch-status", "3 of 3 rows done.")

    def set_on_first_tab(change: Callable[[], None]) -> None:
        visitor.open_tab("Try on")
        change()
        visitor.open_tab("Compare")

    emasc = page.get_by_label("Keep the photo's fine detail (EMASC)")
    set_on_first_tab(emasc.uncheck)
    visitor.rest()
    visitor.is_of_now("#compare-earlier")  # it varies here, whatever is set there
    set_on_first_tab(lambda: visitor.set_number("Steps", 2))
    visitor.says("#compare-earlier", f"{OF_SETTINGS} Press “Compare” to make them anew.")
    visitor.open_tab("Batch")
    visitor.says("#batch-earlier", f"{OF_SETTINGS} Press “Make all pictures” to make them anew.")
    set_on_first_tab(lambda: visitor.set_number("Steps", 1))
    visitor.is_of_now("#compare-earlier")
    value = page.locator("#first-values input").first
    value.uncheck()
    visitor.says("#compare-earlier", OF_SETTINGS)
    value.check()
    visitor.is_of_now("#compare-earlier")
    page.set_input_files("#compare-garments input[type=file]", CHECKED)
    visitor.says("#compare-earlier", OF_PICTURES)

    visitor.open_tab("Batch")
    visitor.says("#batch-earlier", OF_SETTINGS)  # EMASC is what does not vary here
    page.locator("#batch-garments button[aria-label='Clear']").click()
    visitor.says("#batch-earlier", OF_PICTURES)
    page.locator("#batch-button").click()
    visitor.says("#batch-status .note.problem", "add at least one person")
    visitor.is_of_now("#batch-earlier")


def test_on_a_phone_it_stands_with_its_picture(enter: Callable[..., Visitor]) -> None:
    """Prevents a sentence that is too wide, or that shifts what the thumb is about to press."""
    visitor = enter(width=390, height=844, touch=True)
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    visitor.upload(person=CARLA)
    visitor.says("#earlier", OF_PICTURES)
    top, bottom = visitor.page.evaluate(
        "['#earlier p', '#result'].map(where => document.querySelector(where).getBoundingClientRect())"
        ".flatMap((box, index) => index ? [box.top] : [box.bottom])"
    )
    assert 0 <= bottom - top < 120 and visitor.width_over() <= 0
