"""One screen on desktop, tablet and phone: the way to a result without scrolling, and what stays in view."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.browser.visitor import BEN, CARLA, CHECKED, STRIPED, TABS, Visitor

SCREENS = {"desktop": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}
BOX = """where => {
  const box = document.querySelector(where)?.getBoundingClientRect();
  const bar = document.querySelector('#go');
  const covered = getComputedStyle(bar).position === 'fixed' && !bar.contains(document.querySelector(where));
  return box && [box.top, box.bottom, covered ? bar.getBoundingClientRect().top : innerHeight];
}"""
"""Where a part is, and where the screen ends for it: on a phone at the bar with the button."""
LISTEN = """() => {
  window.heard = [];
  for (const name of ['person', 'garment']) {
    const part = document.querySelector(`#found-${name}`);
    new MutationObserver(() => window.heard.push(part.textContent))
      .observe(part, {childList: true, subtree: true, characterData: true});
  }
}"""
"""Notes all that is said of the pictures, also what stands there for a moment only."""
STOPWATCH = """() => {
  const status = document.querySelector('#status');
  let pressed = 0;
  document.addEventListener('click', (event) => {
    if (event.target.closest('#try-on-button')) pressed = performance.now();
  }, true);
  new MutationObserver(() => {
    if (!pressed || !status.textContent.includes('ahead of you')) return;
    window.told_after = performance.now() - pressed;
    pressed = 0;
  }).observe(status, {childList: true, subtree: true, characterData: true});
}"""
"""Notes how long after the button was pressed the queue's sentence stood there, in milliseconds."""
TOO_SMALL = """() => {
  const shown = (one) => one.offsetParent && getComputedStyle(one).visibility !== 'hidden'
    && one.getBoundingClientRect().height > 1;
  const large = (one) => {
    const box = one?.getBoundingClientRect();
    return box?.width > 43.5 && box.height > 43.5;
  };
  return [...document.querySelectorAll('button, input, a, [role=tab], [role=button]')]
    .filter((one) => shown(one) && !one.closest('p, li') && !large(one) && !large(one.closest('label')))
    .map((one) => one.outerHTML.slice(0, 160));
}"""
"""What a thumb would miss; words within a sentence, and boxes whose whole line is pressed, are none."""


@pytest.fixture(params=SCREENS)
def visitor(request: pytest.FixtureRequest, enter: Callable[..., Visitor]) -> Iterator[Visitor]:
    """Somebody new on one of the screens."""
    width, height = SCREENS[request.param]
    one = enter(width=width, height=height, touch=request.param == "phone")
    yield one
    one.page.close()


def in_view(visitor: Visitor, where: str) -> bool:
    """Whether a part is on the screen as a whole."""
    box = visitor.page.evaluate(BOX, where)
    return bool(box) and box[0] >= -0.5 and box[1] <= box[2] + 0.5 and box[1] > box[0]


def comes_into_view(visitor: Visitor, *where: str) -> None:
    """Wait until parts are on the screen together, as they are when the page has scrolled."""
    until = time.monotonic() + 10
    while not all(in_view(visitor, one) for one in where):
        assert time.monotonic() < until, where
        visitor.page.wait_for_timeout(50)


def top(visitor: Visitor, where: str) -> float:
    return visitor.page.evaluate(BOX, where)[0]


def test_three_taps_without_scrolling(visitor: Visitor) -> None:
    """Prevents a button out of sight or one that runs away, and a result that has to be looked for."""
    page = visitor.page
    visitor.rest()
    assert in_view(visitor, "#try-on-button")
    place = top(visitor, "#try-on-button")
    page.evaluate(LISTEN)
    for number, name in enumerate(("person", "garment")):
        page.locator(".example-row").nth(number).locator(".gallery-item").first.click()
        # Playwright scrolls about where what it clicks next still moves.
        page.locator(f"#{name}-upload img").first.wait_for()
    visitor.looked()
    heard = page.evaluate("window.heard")
    assert any("Looking at your photo" in one for one in heard)
    assert any("Looking at the garment" in one for one in heard)
    assert in_view(visitor, "#try-on-button")
    assert abs(top(visitor, "#try-on-button") - place) < 1 and page.evaluate("scrollY") == 0
    visitor.press_try_on()
    comes_into_view(visitor, "#cancel-button", "#status")
    visitor.wait_for_another("")
    comes_into_view(visitor, "#result")
    # On a tablet button and result do not fit one screen: the page has moved on, but not past the heading.
    tablet = page.viewport_size["width"] == SCREENS["tablet"][0]
    comes_into_view(visitor, "#outcome-title" if tablet else "#try-on-button")
    visitor.holds("document.activeElement.id === 'try-on-button'")
    assert visitor.width_over() <= 0


def test_a_refusal_stands_beside_the_button_until_its_cause_is_gone(visitor: Visitor) -> None:
    """Prevents an error off the screen, and one that stays when a picture has come."""
    visitor.press_try_on()
    visitor.page.locator("#refusal .note.problem").wait_for()
    comes_into_view(visitor, "#refusal .note", "#try-on-button")
    visitor.upload(garment=STRIPED)
    visitor.page.locator("#refusal .note").wait_for(state="detached")


def test_other_tabs_take_their_refusals_back_too(enter: Callable[..., Visitor]) -> None:
    """Prevents “add a photo” beside the photo that was added, and words on what was made from being lost."""
    visitor = enter()
    page = visitor.page
    visitor.open_tab("Compare")
    page.locator("#compare-button").click()
    visitor.says("#compare-status .note.problem", "add a photo of the person")
    page.set_input_files("#compare-person input[type=file]", BEN)
    page.locator("#compare-status .note").wait_for(state="detached")
    visitor.open_tab("Batch")
    page.locator("#batch-button").click()
    visitor.says("#batch-status .note.problem", "add at least one person")
    page.locator("#batch-sample").click()
    page.locator("#batch-status .note").wait_for(state="detached")
    visitor.open_tab("Try on")
    visitor.set_number("Steps", 1)
    visitor.open_tab("Batch")
    page.locator("#batch-button").click()
    visitor.says("#batch-status", "3 of 3 rows done.")
    page.locator("#batch-garments button[aria-label='Clear']").click()
    visitor.rest()
    visitor.says("#batch-status", "3 of 3 rows done.")


def test_a_thumb_finds_everything_on_a_phone(enter: Callable[..., Visitor]) -> None:
    """Prevents buttons, folds, sliders and fields of less than 44 pixels."""
    visitor = enter(width=390, height=844, touch=True)
    visitor.dress()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    for folded in ("#how", "#area", "#found", "#more-settings", "#about"):
        visitor.unfold(folded)
    for name in TABS:
        visitor.open_tab(name)
        if name == "Batch":
            visitor.page.locator("#batch-sample").click()
        visitor.rest()
        assert visitor.page.evaluate(TOO_SMALL) == [], name
        assert visitor.width_over() <= 0, name


def test_a_refused_garment_is_used_anyway_at_a_tap(enter: Callable[..., Visitor]) -> None:
    """Prevents a dead end where the checks are wrong, and an exception made for the next garment too."""
    visitor = enter()
    page = visitor.page
    visitor.upload(person=BEN, garment=CARLA)
    page.locator("#found-garment a").click()
    page.locator("#found-garment .note.caution").wait_for()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    visitor.upload(garment=BEN)
    page.locator("#found-garment .note.problem").wait_for()


def test_a_swipe_over_the_mask_scrolls_and_paints_nothing(enter: Callable[..., Visitor]) -> None:
    """Prevents a thumb that wants to scroll from changing the mask for good."""
    visitor = enter(width=390, height=844, touch=True)
    visitor.dress()
    for unfold in (False, True):
        if unfold:
            visitor.unfold("#area")
            visitor.page.wait_for_timeout(800)
        where = "#mask-editor" if unfold else "#area"
        visitor.page.evaluate(
            "where => document.querySelector(where).scrollIntoView({block: 'center'})", where
        )
        box = visitor.page.locator(where).bounding_box()
        before = visitor.page.evaluate("scrollY")
        swipe(visitor, box["x"] + box["width"] / 2, min(box["y"] + box["height"] / 2, 600), 200)
        assert before > 200 and before - visitor.page.evaluate("scrollY") > 60
    assert visitor.page.locator("#mask-editor button[aria-label='Undo']").is_disabled()
    visitor.page.locator("#paint input").check()
    visitor.page.evaluate("document.querySelector('#mask-editor').scrollIntoView({block: 'center'})")
    box = visitor.page.locator("#mask-editor canvas").first.bounding_box()
    before = visitor.page.evaluate("scrollY")
    swipe(visitor, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 60)
    assert visitor.page.evaluate("scrollY") == before
    visitor.page.locator("#mask-editor button[aria-label='Undo']:enabled").wait_for()


def swipe(visitor: Visitor, x: float, y: float, down: float) -> None:
    """A finger that moves down, as the browser gets it from the screen."""
    browser = visitor.page.context.new_cdp_session(visitor.page)
    browser.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        point = {"x": x, "y": y + down * step / 10}
        browser.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        visitor.page.wait_for_timeout(16)
    browser.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    visitor.page.wait_for_timeout(400)


def test_who_waits_is_told_and_may_leave(enter: Callable[..., Visitor]) -> None:
    """Prevents a click that nothing follows while another visitor's picture is painted."""
    first, second = enter(), enter()
    for visitor in (first, second):
        visitor.dress()
        visitor.set_number("Steps", 20)
    first.unfold("#more-settings")
    first.set_number("Pictures", 4)  # long enough to be still at work whatever the machine
    first.press_try_on()
    first.page.get_by_text("of 20").first.wait_for()
    second.page.evaluate(STOPWATCH)
    seconds = []
    for _ in range(3):  # the quickest counts: this machine may do other work at any moment
        second.press_try_on()
        second.page.get_by_text("Waiting: 1 ahead of you.").wait_for()
        seconds.append(second.page.evaluate("window.told_after") / 1000)
        second.page.locator("#cancel-button").click()
        second.page.locator("#refusal").get_by_text("Stopped.").wait_for()
        second.page.locator("#try-on-button").wait_for()
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1
    assert first.page.locator("#cancel-button").is_visible()  # still at work
    second.press_try_on()
    second.page.get_by_text("Waiting: 1 ahead of you.").wait_for()
    first.page.locator("#cancel-button").click()
    second.page.get_by_text("of 20").first.wait_for()  # its turn has come, and the sentence has gone
    second.page.locator("#cancel-button").click()
    second.page.locator("#refusal").get_by_text("Stopped.").wait_for()


def test_a_sample_a_choice_of_views_and_what_was_before(enter: Callable[..., Visitor]) -> None:
    """Prevents samples that fill fields only, views that need a mouse, an old result taken for the new."""
    visitor = enter()
    page = visitor.page
    page.locator("#samples .thumbnail-item").first.click()
    visitor.wait_for_another("")
    first = visitor.shown()
    visitor.rest()
    visitor.is_of_now()
    page.locator("#result").wait_for()
    page.locator("#before-after").wait_for(state="hidden")
    for place, shown, hidden in ((1, "#before-after", "#result"), (0, "#result", "#before-after")):
        page.locator("#view input").nth(place).focus()
        page.keyboard.press("Space")
        page.locator(shown).wait_for()
        page.locator(hidden).wait_for(state="hidden")

    visitor.upload(garment=CHECKED)
    visitor.says("#earlier", "Made with earlier pictures.")
    visitor.looked()
    visitor.set_number("Steps", 1)
    visitor.try_on()
    visitor.is_of_now()
    page.locator("#history .thumbnail-item").nth(1).click()
    page.wait_for_function("src => document.querySelector('#result img').src === src", arg=first)
    visitor.says("#earlier", "Made with earlier pictures.")
    visitor.has_value("#steps input[type=number]", "2")


def test_a_link_opens_a_tab_and_carries_settings(enter: Callable[..., Visitor]) -> None:
    """Prevents addresses that show something else to whoever gets them."""
    visitor = enter(at="?steps=7&emasc=false&seed=11&guidance=much&unknown=1")
    page = visitor.page
    visitor.has_value("#steps input[type=number]", "7")
    visitor.is_checked("Keep the photo's fine detail (EMASC)", False)
    assert page.get_by_label("number input for Guidance", exact=True).input_value() == "1"
    visitor.unfold("#more-settings")
    visitor.has_value("#seed input", "11")
    other = enter(at="?tab=compare", ready="#compare-button")
    other.open_tab("Batch")
    other.page.wait_for_function("location.search === '?tab=batch'")
