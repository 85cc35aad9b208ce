"""Page values in, engine call, page values out; expected errors become sentences on the page.

Nothing here knows the layout, and nothing is remembered between two calls: every visitor's pictures live in
the call alone. Values arrive as the browser sent them (the events switch Gradio's own conversion off),
because the original file is wanted, with its colour profile and orientation, and because the engine's
sentences on wrong values are the same as the command's.
"""

from __future__ import annotations

import html
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from ladi.preprocess.frame import to_pixels
from ladi.preprocess.photo import read_photo
from ladi.request import DECODED
from ladi.types import (
    AskedCategory,
    Category,
    LadiError,
    MaskRule,
    PersonParts,
    Photo,
    PhotoError,
    Result,
    SettingError,
    Settings,
    Switches,
    TryOnRequest,
)

LOGGER = logging.getLogger(__name__)

STAGES = {
    "load": "Getting the model ready",
    "person": "Finding the person",
    "garment": "Cutting out the garment",
    "conditions": "Fitting the garment to the body",
    "denoise": "Painting",
    "decode": "Developing the picture",
    "paste": "Putting it back into the photo",
}
"""What the progress bar says at each of the engine's stages."""

KINDS: dict[Category, str] = {"upper_body": "top", "lower_body": "trousers or skirt", "dresses": "dress"}
"""How the details line calls a category."""

UNEXPECTED = "Something went wrong on the server, and its log says what: please try again, or another photo."
MESSAGE_SECONDS = 20
SHOWN_BY_BROWSERS = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif"})
MASK_TINT = np.array([207, 97, 59], dtype=np.float32)
MASK_OPACITY = 0.6


class TryOnEngine(Protocol):
    """The one method of ``ladi.engine.Engine`` that the page uses."""

    def try_on(
        self, request: TryOnRequest, *, progress: Callable[[str, float], None] | None = None
    ) -> Result:
        """Photos in, photo out."""
        ...


class Handlers:
    """What the page's events call."""

    INPUTS = (
        "person",
        "garment",
        "steps",
        "guidance",
        "seed",
        "emasc",
        "category",
        "clean_garment",
        "mask_rule",
        "mask_grow",
        "pseudo_words",
        "warped_garment",
        "pose",
        "garment_skips",
        "cloth_cond_rate",
        "paste_back",
        "fine_detail",
        "keep_unchanged",
        "model",
    )
    """The names and order of what ``try_on`` takes from the page."""

    OUTPUTS = ("result", "details", "mask", "warped", "seed_used")
    """The order of what it gives back."""

    def __init__(self, engine_for: Callable[[str], TryOnEngine], *, default_model: str = "mini") -> None:
        """Remember where engines come from.

        Args:
            engine_for: gives the engine of a model by name, waiting for it to be loaded; raises ModelError.
            default_model: the model to use when a caller names none.
        """
        self._engine_for = engine_for
        self._default_model = default_model

    def try_on(
        self,
        person: dict[str, Any] | None,
        garment: dict[str, Any] | None,
        steps: float | None,
        guidance: float | None,
        seed: float | str | None,
        emasc: bool,
        category: str,
        clean_garment: str,
        mask_rule: str,
        mask_grow: float,
        pseudo_words: bool,
        warped_garment: bool,
        pose: bool,
        garment_skips: bool,
        cloth_cond_rate: float,
        paste_back: bool,
        fine_detail: bool,
        keep_unchanged: bool,
        model: str | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (Gradio recognises the default value)
    ) -> tuple[np.ndarray, str, np.ndarray, np.ndarray | None, int]:
        """Dress the person of one photo in the garment of another.

        Returns the picture, a line on how it was made, the person with the repainted area tinted, the fitted
        garment and the seed.
        """
        with sentences():
            progress(0.0, desc=STAGES["load"])
            switches = Switches(
                emasc=bool(emasc),
                pseudo_words=bool(pseudo_words),
                warped_garment=bool(warped_garment),
                pose=bool(pose),
                garment_skips=bool(garment_skips),
                cloth_cond_rate=_number(cloth_cond_rate, "cloth_cond_rate", 1.0),
            )
            settings = Settings(
                steps=_whole(steps, "steps"),
                guidance=_number(guidance, "guidance"),
                seed=_whole(seed, "seed"),
                switches=switches,
                paste_back=bool(paste_back),
                fine_detail=bool(fine_detail),
                keep_unchanged=bool(keep_unchanged),
            )
            request = TryOnRequest(
                person=read_upload(person, "a photo of the person"),
                garment=read_upload(garment, "a picture of the garment"),
                category=cast(AskedCategory, category),
                settings=settings,
                mask_grow=_whole(mask_grow, "mask_grow", 0),
                mask_rule=cast(MaskRule, mask_rule),
                clean_garment=clean_garment,
            )
            engine = self._engine_for(model or self._default_model)
            result = engine.try_on(
                request, progress=lambda stage, done: progress(done, desc=STAGES.get(stage, stage))
            )
        for finding in result.findings:
            if finding.code != DECODED:
                gr.Warning(_plain(finding.message), title="Worth knowing")
        warped = result.conditions.warped_garment
        return (
            result.images[0],
            describe(result),
            tint_mask(result.person),
            None if warped is None else to_pixels(warped[:1]),
            result.seed,
        )

    def check_upload(self, upload: dict[str, Any] | None) -> Any:
        """Say at once what is wrong with a file, and show formats that browsers cannot, such as HEIC.

        Returns None (which empties the field) for a file that is no usable picture, the decoded picture where
        the browser could not show the file, and otherwise leaves the field alone.
        """
        if upload is None:
            return gr.skip()
        try:
            photo = read_upload(upload, "a picture")
        except LadiError as error:
            gr.Warning(_plain(str(error)), title="Not a usable picture")
            return None
        shown = Path(upload["path"]).suffix.lower() in SHOWN_BY_BROWSERS
        return gr.skip() if shown else photo.pixels


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what goes wrong inside into a message on the page; a traceback goes to the log alone."""
    try:
        yield
    except LadiError as error:
        LOGGER.info("refused: %s", error)
        raise gr.Error(
            _plain(str(error)), title="Not yet", duration=MESSAGE_SECONDS, print_exception=False
        ) from error
    except Exception as error:  # the last fence before the visitor
        LOGGER.exception("a try-on failed")
        raise gr.Error(UNEXPECTED, title="Sorry", duration=MESSAGE_SECONDS, print_exception=False) from error


def read_upload(upload: dict[str, Any] | None, what: str) -> Photo:
    """Decode an uploaded file.

    Args:
        upload: Gradio's record of the file, or None where the field is empty.
        what: the picture's name in the sentence that asks for it.

    Raises:
        PhotoError: nothing was uploaded, or the file is not a usable picture.
    """
    path = (upload or {}).get("path")
    if not path:
        raise PhotoError(f"There is no picture yet: please add {what}.")
    # Gradio checks paths only in records that carry its marker, so a hand-made request could name any file of
    # the server.
    if not Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
        raise PhotoError(f"This picture was not uploaded to this page: please add {what}.")
    return read_photo(path)


def tint_mask(person: PersonParts) -> np.ndarray:
    """The person as the model sees them, (h,w,3) uint8, with everything that is repainted in colour."""
    pixels = to_pixels(person.image).astype(np.float32)
    weight = MASK_OPACITY * person.mask[0, 0].cpu().numpy()[..., None]
    return np.rint(pixels * (1 - weight) + MASK_TINT * weight).astype(np.uint8)


def describe(result: Result) -> str:
    """How the picture was made, in Markdown: one line, and below it what is worth knowing."""
    seconds = sum(result.timings.values())
    kind = KINDS[result.person.category] + (" (guessed)" if result.garment.guessed else "")
    made = f"{kind} · {result.person.parser} parser"
    lines = [f"{result.steps} steps · guidance {result.guidance:g} · {seconds:.1f} s · {made}"]
    lines += [f"- {_plain(finding.message)}" for finding in result.findings]
    return "\n".join([lines[0], "", *lines[1:]])


def _number(value: Any, name: str, default: float | None = None) -> Any:
    """A field's number; empty gives the default."""
    if value is None or value == "":
        return default
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise SettingError(f"{name} must be a number, got {value!r}.") from error


def _whole(value: Any, name: str, default: int | None = None) -> Any:
    """A field's whole number; empty gives the default."""
    number = _number(value, name, default)
    if number is None:
        return None
    if not math.isfinite(number) or number != int(number):
        raise SettingError(f"{name} must be a whole number, got {value}.")
    return int(number)


def _plain(sentence: str) -> str:
    """A sentence with its angle brackets as text, since messages are shown as HTML and may quote visitors."""
    return html.escape(sentence, quote=False)
