"""What "Try on" does: page values in, engine calls, page values out; expected errors become sentences.

Nothing here knows the layout, and nothing is remembered between two calls but which of a visitor's work is to
be stopped. What happens before the click is ``looking.py``'s.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app import pictures, words
from app.errors import errors_as_messages, errors_as_status
from app.fields import category_choices, sampling_fields
from app.files import new_folder, write_jpeg, write_photo, write_picture, write_result, write_small
from app.long_work import Outcome, Runs, Work
from app.serving.visitors import take_ticket
from app.tryon import masks
from app.values import (
    GARMENT,
    PERSON,
    from_record,
    read_request,
    read_upload,
    read_value,
    setting_names,
    settings_by_name,
    settings_with_drawn_mask,
    upload_path,
)
from ladi.postprocess.png import read_settings
from ladi.preprocess.frame import to_pixels
from ladi.records import record
from ladi.settings import TryOnRequest, picture_seed
from ladi.types import Layer, Result
from ladi.weights.catalog import trained_categories

REMEMBERED = 8
"""Results of a session that can be looked at again, as long as their files are there."""


class Handlers:
    """What the page's events call."""

    CHOSEN = ("result", "versus", "download", "jpeg", "seed_used")
    """The order of what ``choose`` gives back."""
    REOPENED = ("results", *CHOSEN, "gallery", "details", "made", "timings", "after", "how", "mark", "told")
    """The order of what ``reopen`` gives back before the settings. ``results`` is all that is known of one
    result, as it stays in the page's state; ``after`` is the part of the page that shows it, ``how`` the one
    with its steps, ``made``; ``mark`` names what is shown, for ``earlier.py``; ``told`` says what "Copy" and
    "Link" have done."""
    SHOWN = ("button", "cancel", "status", "refusal", "preview", *REOPENED)
    """The order of what ``try_on`` gives back."""

    def __init__(
        self,
        engine_for: Callable[[str], Any],
        *,
        default_model: str = "mini",
        models: tuple[str, ...] = (),
        at_once: int = 1,
    ) -> None:
        """Remember where engines come from.

        Args:
            engine_for: gives the engine of a model by name, waiting for it to be loaded; raises ModelError.
            default_model: the model to use when a caller names none.
            models: what can be chosen; the default one alone unless given.
            at_once: how many requests may be at work; more than one where engines compute elsewhere.
        """
        self.engine_for = engine_for
        self.default_model = default_model
        self.models = models or (default_model,)
        self.at_once = at_once
        self.runs = Runs(take_ticket, threads=at_once)

    # Painting.

    def try_on(
        self,
        person: dict[str, Any] | None,
        garment: dict[str, Any] | None,
        drawn: masks.DrawnMask | None,
        token: str,
        layers: dict[str, Any] | None,
        explain: bool,
        *values: Any,
        visitor: str = "",
    ) -> Iterator[tuple[Any, ...]]:
        """Dress the person, and show how far it is on the way; arguments as in ``Looking.look``.

        Yields:
            Values or updates for ``SHOWN``; an error is shown where the progress was.
        """
        settings = settings_with_drawn_mask(values)
        off, on = gr.update(visible=False), gr.update(visible=True)
        yield self._shown(button=off, cancel=on, status=words.waiting(), refusal="", told="")
        ended: dict[str, Any] = {}
        with errors_as_status(ended, "a try-on"):
            mask = masks.note_strokes(drawn, token, layers)
            for report in self._paint(person, garment, mask, bool(explain), settings, visitor):
                if isinstance(report, Outcome):
                    ended.update(report.value)
                else:
                    steps = read_value(settings, "steps")
                    text = words.progress(report.stage, report.share, report.seconds, steps)
                    fresh = {}
                    if report.preview is not None:
                        fresh["preview"] = gr.update(value=report.preview, visible=True)
                    yield self._shown(status=text, **fresh)
        idle = {
            "button": gr.update(visible=True),
            "cancel": gr.update(visible=False),
            "preview": gr.update(value=None, visible=False),
        }
        # What was refused stands below the button, beside what it concerns.
        yield self._shown(**(idle | ended | {"status": "", "refusal": ended.get("status", "")}))

    def _paint(
        self,
        person: Any,
        garment: Any,
        drawn: masks.DrawnMask | None,
        explain: bool,
        settings: Mapping[str, Any],
        visitor: str,
    ) -> Iterator[Any]:
        """The reports of one try-on, and what the page shows of it."""
        photo = read_upload(person, PERSON)
        cloth = read_upload(garment, GARMENT)
        request = read_request(photo, cloth, settings, masks.mask_for_photo(drawn, photo))
        model = settings["model"] or self.default_model

        def work(task: Work) -> dict[str, Any]:
            engine = self.engine_for(model)
            result = engine.try_on(
                request,
                progress=task.progress,
                cancelled=task.cancelled,
                preview=task.preview,
                explain=explain,
            )
            return self._show(request, result, model, task)

        yield from self.runs.watch(visitor, work)

    def _show(self, request: TryOnRequest, result: Result, model: str, task: Work) -> dict[str, Any]:
        """Everything that the page shows of a result; large pictures take seconds each to be written."""
        folder = new_folder()
        records = [record(request, result, model=model, picture=index) for index in range(len(result.images))]
        told = list(zip(result.images, records, strict=True))
        # Without pasting back, the picture is the model's window and is compared with the same window.
        before = result.person.photo.pixels if request.settings.paste_back else to_pixels(result.person.image)
        results = {
            "before": str(write_photo(before, folder)),
            "files": [str(write_result(pixels, folder, one)) for pixels, one in task.while_wanted(told)],
            "jpegs": [str(write_jpeg(pixels, folder, one)) for pixels, one in task.while_wanted(told)],
            "name": secrets.token_hex(8),
            "small": str(write_small(result.images[0], folder, "small")),
            "seed": result.seed,
            "details": words.describe(result, guessed_of=len(trained_categories(model))),
            "made": [
                (str(write_picture(pixels, folder, f"part-{number:02}")), caption)
                for number, (caption, pixels) in enumerate(explained(result))
            ],
            "timings": words.timings_table(result.timings),
        }
        return {"status": "", **self._open(results)}

    def _open(self, results: dict[str, Any]) -> dict[str, Any]:
        """Values for the fields that show a result, whether new or of before."""
        several = len(results["files"]) > 1
        return {
            **dict(zip(self.CHOSEN, self.choose(results, 0), strict=True)),
            "gallery": gr.update(
                value=results["files"] if several else None, visible=several, selected_index=None
            ),
            **{name: results[name] for name in ("details", "made", "timings")},
            "after": gr.update(visible=True),
            "results": results,
            "how": gr.update(visible=True),
            "mark": f"{results['name']}#{secrets.token_hex(4)}",
            "told": "",
        }

    def _shown(self, **values: Any) -> tuple[Any, ...]:
        return tuple(values.get(name, gr.skip()) for name in self.SHOWN)

    def stop(self, visitor: str) -> None:
        """Stop what this visitor has running, within a step."""
        self.runs.stop(visitor)

    # After painting.

    def choose(self, results: dict[str, Any] | None, index: int) -> tuple[Any, ...]:
        """Show another of several pictures; values for ``CHOSEN``."""
        if not results or index >= len(results["files"]):
            return tuple(gr.skip() for _ in self.CHOSEN)
        file, jpeg = results["files"][index], results["jpegs"][index]
        seed = picture_seed(results["seed"], index)
        return file, (results["before"], file), gr.update(value=file), gr.update(value=jpeg), str(seed)

    def wear(self, shown: dict[str, Any] | None) -> str | None:
        """The picture that is shown, to be the next person photo."""
        with errors_as_messages():
            return str(upload_path(shown, "a result")) if shown else None

    def remember(
        self, results: dict[str, Any] | None, history: list[dict[str, Any]] | None
    ) -> tuple[Any, Any]:
        """A new result put before those of before, of which the last few stay; and what the strip shows."""
        history = history or []
        if not results or results in history:
            return gr.skip(), gr.skip()
        history = [results, *history][:REMEMBERED]
        small = [one["small"] for one in history]
        return history, gr.update(value=small, visible=len(small) > 1, selected_index=None)

    def reopen(self, history: list[dict[str, Any]] | None, index: int, *values: Any) -> tuple[Any, ...]:
        """An earlier result with its settings, or a sentence where its files are deleted by now."""
        nothing = tuple(gr.skip() for _ in (*self.REOPENED, *setting_names()))
        if not history or index >= len(history):
            return nothing
        results = history[index]
        if not all(Path(path).is_file() for path in (results["before"], *results["files"])):
            gr.Info("This picture has been deleted from the server by now, as promised.", title="Gone")
            return nothing
        with errors_as_messages():
            settings = from_record(read_settings(results["files"][0]), self.models, settings_by_name(values))
        opened = self._open(results)
        return (*(opened[name] for name in self.REOPENED), *(settings[name] for name in setting_names()))

    def load_settings(self, upload: dict[str, Any] | None, *values: Any) -> tuple[Any, ...]:
        """The settings that a result's PNG carries, for every field, or a sentence."""
        if not upload:
            return tuple(gr.skip() for _ in setting_names())
        with errors_as_messages():
            found = read_settings(upload_path(upload, "a result"))
            settings = from_record(found, self.models, settings_by_name(values))
        gr.Info("The settings are those of the picture now.", title="Settings loaded")
        return tuple(settings[name] for name in setting_names())

    def model_defaults(self, model: str | None) -> tuple[Any, Any, Any]:
        """Steps, guidance and the kinds of garment of a model that was just chosen."""
        with errors_as_messages():
            name = model or self.default_model
            told = sampling_fields(*self.engine_for(name).defaults)
            kinds = gr.update(choices=category_choices(name), value="auto")
            return gr.update(**told["steps"]), gr.update(**told["guidance"]), kinds


LAYER_CAPTIONS: dict[Layer, str] = {
    "wall": "Layer: the wall. Where the photo shows the same, its own pixels stay.",
    "skin": "Layer: skin.",
    "garment": "Layer: the new garment.",
    "other": "Layer: hair, other clothes and what else is in front.",
}


def explained(result: Result) -> list[tuple[str, np.ndarray]]:
    """How a picture was made, step by step: a sentence and (h,w,3) uint8 each."""
    person, conditions = result.person, result.conditions
    steps: list[tuple[str, Any]] = [
        ("Pose: the joints that were found. Blue is the person's right side.", pictures.draw_pose(person)),
        ("Parsing: what each part of the body was taken for.", pictures.draw_parts(person)),
        ("Mask: what is repainted.", pictures.tint_mask(person)),
        ("Masked person: what the model sees of the person.", person.masked_image),
        ("Garment: cut out and laid on the model's background.", result.garment.image),
        ("Warped garment: bent to the body by a thin-plate spline.", conditions.coarse_garment),
        ("Refined garment: the warp after the refinement network.", conditions.warped_garment),
        ("Without EMASC: decoded without the photo's own detail.", result.without_emasc),
        ("As painted: the model's picture before it is put back.", result.generated[:1]),
    ]
    if result.cut_outs is not None:
        steps += [(LAYER_CAPTIONS[layer], pixels) for layer, pixels in result.cut_outs().items()]
    return [
        (caption, picture if isinstance(picture, np.ndarray) else to_pixels(picture))
        for caption, picture in steps
        if picture is not None
    ]
