"""What happens before the click on "Try on": both pictures are looked at as soon as they are there.

The person is found, the garment cut out and the mask shown, which may then be corrected by hand; whatever is
wrong is said beside the picture that it is wrong with. Nothing is painted here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app import pictures, words
from app.errors import errors_as_messages
from app.files import new_folder, write_turned
from app.long_work import Crew
from app.serving.visitors import LOOKERS
from app.tryon import masks
from app.values import GARMENT, PERSON, read_upload, read_value, settings_by_name
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.turning import turn_photo
from ladi.runtime.recall import digest
from ladi.types import Category, Garment, LadiError, PersonParts, Photo
from ladi.weights.catalog import trained_categories

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What is known before anything is painted."""

    person: PersonParts | None = None
    garment: Garment | None = None
    person_problem: LadiError | None = None
    garment_problem: LadiError | None = None


class Looking:
    """What the page calls when a picture or a setting that concerns its preparation changes."""

    LOOKED = (
        "editor",
        "token",
        "mask",
        "found_person",
        "joints",
        "parts",
        "cleaned",
        "found_garment",
    )
    """The order of what ``look`` gives back."""

    def __init__(
        self, engine_for: Callable[[str], Any], *, default_model: str = "mini", at_once: int = 1
    ) -> None:
        """Remember where engines come from; see ``Handlers``."""
        self.engine_for = engine_for
        self.default_model = default_model
        self._crew = Crew(max(LOOKERS, at_once))

    def look(
        self,
        person: dict[str, Any] | None,
        garment: dict[str, Any] | None,
        drawn: masks.DrawnMask | None,
        token: str,
        layers: dict[str, Any] | None,
        *values: Any,
    ) -> tuple[Any, ...]:
        """Find everything in both pictures that can be found, and keep a mask that was corrected by hand.

        Args:
            person: Gradio's record of the photo, or None.
            garment: likewise.
            drawn: what the editor was last given.
            token: which of the editor's values ``layers`` belong to.
            layers: the editor's value as arrays.
            values: the settings in the order of ``setting_names``.

        Returns:
            Values or updates for ``LOOKED``.
        """
        return self._crew.run(lambda: self._look(person, garment, drawn, token, layers, values))

    def turn_garment(self, upload: dict[str, Any] | None, degrees: str) -> str:
        """The file of the garment turned to the right, to take the place of the one that was uploaded.

        Args:
            upload: Gradio's record of it.
            degrees: a multiple of 90.
        """
        with errors_as_messages():
            return self._crew.run(lambda: _turned(read_upload(upload, GARMENT), degrees))

    def turn_person(
        self,
        upload: dict[str, Any] | None,
        degrees: str,
        drawn: masks.DrawnMask | None,
        token: str,
        layers: dict[str, Any] | None,
    ) -> tuple[str, Any]:
        """The same for the photo, and the mask that was corrected on it; further arguments as in ``look``."""

        def turn() -> tuple[str, Any]:
            photo, noted = read_upload(upload, PERSON), masks.note_strokes(drawn, token, layers)
            file = _turned(photo, degrees)
            if noted is None or not noted.edited or noted.photo != digest(photo):
                return file, gr.skip()
            return file, masks.turned(noted, photo, int(degrees))

        with errors_as_messages():
            return self._crew.run(turn)

    def _look(
        self, person: Any, garment: Any, drawn: masks.DrawnMask | None, token: str, layers: Any, values: Any
    ) -> tuple[Any, ...]:
        """The same, in one of the threads that compute."""
        settings, grow = settings_by_name(values), 0
        try:
            grow = read_value(settings, "mask_grow")
            seen = self._see(person, garment, settings)
        except LadiError as error:
            seen = Look(person_problem=error)
        except Exception:  # the visitor is told, and the log has the rest
            LOGGER.exception("a look at the pictures failed")
            seen = Look(person_problem=LadiError(words.UNEXPECTED))
        shown = self._show_garment(seen, settings["model"] or self.default_model)
        noted = masks.note_strokes(drawn, token, layers)
        shown |= self._show_person(seen, noted, token, grow)
        return tuple(shown[name] for name in self.LOOKED)

    def _see(self, person: Any, garment: Any, settings: Mapping[str, Any]) -> Look:
        """Prepare what is there; each picture's problem is its own."""
        seen = Look()
        if not person and not garment:
            return seen
        model = settings["model"] or self.default_model
        engine = self.engine_for(model)
        size = read_value(settings, "size")
        category: Category = trained_categories(model)[0]
        if settings["category"] != "auto":
            category = settings["category"]
        if garment:
            try:
                found = engine.prepare_garment(
                    read_upload(garment, GARMENT),
                    category=settings["category"],
                    clean=settings["clean_garment"],
                    size=size,
                    use_anyway=read_value(settings, "use_anyway"),
                    turn=read_value(settings, "turn"),
                )
                seen, category = replace(seen, garment=found), found.category
            except LadiError as error:
                seen = replace(seen, garment_problem=error)
        if person:
            try:
                parts = engine.prepare_person(
                    read_upload(person, PERSON),
                    category=category,
                    mask_grow=read_value(settings, "mask_grow"),
                    mask_rule=settings["mask_rule"],
                    size=size,  # not turned: strokes are drawn on the photo as it was uploaded
                )
                seen = replace(seen, person=parts)
            except LadiError as error:
                seen = replace(seen, person_problem=error)
        return seen

    def _show_garment(self, seen: Look, model: str) -> dict[str, Any]:
        """The garment cut out, and what it is taken for."""
        if seen.garment is None:
            said = words.said(words.refusal(seen.garment_problem)) if seen.garment_problem else ""
            return {"cleaned": None, "found_garment": said}
        good = words.garment_words(seen.garment, len(trained_categories(model)))
        said = words.findings_list(words.warnings_of(seen.garment.findings), good, "garment")
        return {"cleaned": to_pixels(seen.garment.image), "found_garment": said}

    def _show_person(
        self, seen: Look, drawn: masks.DrawnMask | None, token: str, grow: int
    ) -> dict[str, Any]:
        """Findings, joints and parts, and the editor with the automatic or the corrected mask.

        Args:
            seen: what was found.
            drawn: the record, strokes included, of whichever photo was there.
            token: of what the browser shows.
            grow: model pixels.
        """
        person = seen.person
        if person is None:
            said = words.said(words.refusal(seen.person_problem)) if seen.person_problem else ""
            # The mask stays: it is there again when the photo is.
            gone = {"editor": None, "token": "", "mask": drawn, "joints": None, "parts": None}
            return gone | {"found_person": said}
        shown: dict[str, Any] = {
            "found_person": words.findings_list(
                words.warnings_of(person.findings), words.GOOD_PHOTO, "person"
            ),
            "joints": pictures.draw_pose(person),
            "parts": pictures.draw_parts(person),
        }
        if drawn is not None and drawn.edited and drawn.photo == digest(person.photo):
            new = masks.adapted(drawn, person, grow)
        else:
            new = masks.automatic(person, grow)
            if drawn is not None and (drawn.photo, drawn.frame, drawn.shown) == (
                new.photo,
                new.frame,
                new.shown,
            ):
                new = replace(new, token=drawn.token)
        editor = gr.skip() if new.token == token else masks.editor_value(person.photo, new)
        return shown | {"editor": editor, "token": new.token, "mask": new}


def _turned(photo: Photo, degrees: str) -> str:
    return str(write_turned(turn_photo(photo, int(degrees)), new_folder()))
