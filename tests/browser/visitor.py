"""What a person in front of the page does, as methods: upload, set, press, draw, look."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.tryon.masks import EDITOR
from tests.conftest import ROOT

EXAMPLES = ROOT / "assets/examples"
BEN, CARLA = EXAMPLES / "person-ben.jpg", EXAMPLES / "person-carla.jpg"
STRIPED, CHECKED = EXAMPLES / "garment-striped-tee.jpg", EXAMPLES / "garment-checked-shirt.jpg"
TABS = ("Try on", "Compare", "Batch")

PENDING = "[data-testid=status-tracker].translucent"
"""A part of the page whose answer has been asked for and has not come, in Gradio's own marks."""


class Visitor:
    """One browser page; every address that it asks for is noted."""

    def __init__(self, page: Any, address: str, ready: str = "#try-on-button") -> None:
        self.page = page
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(address)
        page.locator(ready).wait_for()

    def upload(self, *, person: Path | None = None, garment: Path | None = None) -> None:
        """Give pictures, without waiting for what is found in them."""
        for name, file in (("person", person), ("garment", garment)):
            if file is None:
                continue
            remove = self.page.locator(f"#{name}-upload button[aria-label='Clear']")
            if remove.count():
                remove.click()
            self.page.set_input_files(f"#{name}-upload input[type=file]", file)

    def dress(self, person: Path = BEN, garment: Path = STRIPED) -> None:
        """Give both pictures and wait until something is said of both."""
        self.upload(person=person, garment=garment)
        self.looked()

    def looked(self) -> None:
        """Wait until both pictures have been looked at, and nothing is asked any more."""
        for name in ("person", "garment"):
            self.page.locator(f"#found-{name} .note").wait_for()
        self.rest()

    def unfold(self, where: str) -> None:
        """Open a part that is folded away."""
        head = self.page.locator(f"{where} > button.label-wrap, {where} button.label-wrap").first
        if "open" not in (head.get_attribute("class") or "").split():
            head.click()
            self.page.wait_for_timeout(300)

    def rest(self) -> None:
        """Wait until nothing is asked of the server any more, and no part waits for its answer."""
        seen, since, until = len(self.asked), time.monotonic(), time.monotonic() + 60
        while time.monotonic() - since < 0.7:
            self.page.wait_for_timeout(100)
            if len(self.asked) != seen or self.page.locator(PENDING).count():
                seen, since = len(self.asked), time.monotonic()
            assert time.monotonic() < until, "the page did not come to rest within a minute"

    def says(self, where: str, what: str) -> None:
        """Wait until a place says something, whatever stands there meanwhile."""
        self.page.locator(where).get_by_text(what).first.wait_for()

    def is_of_now(self, where: str = "#earlier") -> None:
        """Wait until nothing says that a result is of earlier pictures or settings."""
        self.page.locator(f"{where} p").wait_for(state="detached")
        self.page.locator(where).wait_for(state="attached")

    def set_number(self, label: str, value: float) -> None:
        """A slider, by its number field."""
        field = self.page.get_by_label(f"number input for {label}", exact=True)
        field.fill(str(value))
        field.blur()

    def set_seed(self, seed: int | str) -> None:
        self.unfold("#more-settings")
        self.page.locator("#seed input").fill(str(seed))

    def press_try_on(self) -> None:
        self.page.locator("#try-on-button").click()

    def try_on(self) -> Image.Image:
        """Press the button, wait, and download what came."""
        before = self.shown()
        self.press_try_on()
        self.wait_for_another(before)
        return self.download("#download")

    def shown(self) -> str:
        """The address of the result that is shown; nothing where there is none."""
        picture = self.page.locator("#result img")
        return picture.get_attribute("src") if picture.count() else ""

    def wait_for_another(self, before: str) -> None:
        """Wait for a result that is not this one."""
        self.page.wait_for_function(
            "before => { const one = document.querySelector('#result img');"
            " return one && one.src && one.src !== before; }",
            arg=before,
        )
        self.page.locator("#try-on-button").wait_for()

    def download(self, button: str) -> Image.Image:
        """The picture that a button gives."""
        with self.page.expect_download() as coming:
            self.page.locator(button).click()
        image = Image.open(io.BytesIO(Path(coming.value.path()).read_bytes()))
        image.load()
        return image

    def draw(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """A stroke on the mask, from and to places given as shares of the photo's width and height."""
        self.unfold("#area")
        editor = self.page.locator("#mask-editor")
        editor.scroll_into_view_if_needed()
        box = editor.locator("canvas").first.bounding_box()
        zoom = float(editor.locator(".zoom-number span").inner_text().rstrip("%")) / 100
        width, height = EDITOR[1] * zoom, EDITOR[0] * zoom
        left, top = box["x"] + (box["width"] - width) / 2, box["y"] + (box["height"] - height) / 2
        mouse = self.page.mouse
        mouse.move(left + start[0] * width, top + start[1] * height)
        mouse.down()
        mouse.move(left + end[0] * width, top + end[1] * height, steps=5)
        mouse.up()
        self.rest()

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()
        self.page.wait_for_timeout(300)

    def holds(self, what: str, arg: object = None) -> None:
        """Wait until an expression of JavaScript is true, as it becomes when the page is done."""
        self.page.wait_for_function(what, arg=arg)

    def has_value(self, where: str, value: str) -> None:
        """Wait until a field holds a value."""
        self.holds("([where, value]) => document.querySelector(where)?.value === value", [where, value])

    def is_checked(self, label: str, wanted: bool) -> None:
        """Wait until a box is checked, or is not."""
        self.page.get_by_role("checkbox", name=label, checked=wanted).first.wait_for()

    def width_over(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def changed(one: Image.Image | Path, other: Image.Image) -> np.ndarray:
    """Where two pictures of one size differ (H,W) bool."""
    first = one if isinstance(one, Image.Image) else Image.open(one)
    return (np.asarray(first.convert("RGB")) != np.asarray(other.convert("RGB"))).any(axis=2)
