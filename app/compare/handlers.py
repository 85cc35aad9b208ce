"""What "Compare" does: a plan of cells to the engine, and a grid, differences and exports back.

Photos are prepared and noise is drawn once; cells share every step that they can (``diffusion/compare.py``).
Nothing here knows the layout.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import gradio as gr

from app import words
from app.compare.axes import Planned, RequestKey, plan, plan_ablation, read_values
from app.compare.files import told_of, write_comparison, write_differences
from app.errors import errors_as_status
from app.long_work import Outcome, Runs, Work
from app.tryon import masks
from app.values import (
    PERSON,
    DeletedError,
    flat_settings,
    read_request,
    read_upload,
    settings_by_name,
    settings_with_drawn_mask,
    upload_path,
)
from ladi.records import request_of
from ladi.settings import Switches, TryOnRequest
from ladi.types import Photo, PhotoError, SettingError

NO_AXIS = ""
MOST_GARMENTS = 8
GAINS = (0, 1, 4, 16)
"""How much brighter than they are differences can be shown; 0 stands for the pictures themselves."""


class Comparing:
    """What the page calls for comparisons."""

    SHOWN = (
        "button",
        "ablation",
        "cancel",
        "status",
        "grid",
        "first",
        "second",
        "slider",
        "sheet",
        "table",
        "after",
        "state",
        "times",
        "mark",
    )
    """The order of what ``compare`` gives back."""

    def __init__(
        self,
        engine_for: Callable[[str], Any],
        runs: Runs,
        *,
        default_model: str = "mini",
        models: tuple[str, ...] = (),
    ) -> None:
        """Remember where engines come from; see ``Handlers``."""
        self.engine_for = engine_for
        self.runs = runs
        self.default_model = default_model
        self.models = models or (default_model,)

    def compare(
        self,
        person: dict[str, Any] | None,
        garments: list[dict[str, Any]] | None,
        axes: Sequence[tuple[str, str]],
        values: tuple[Any, ...],
        *,
        mask: masks.DrawnMask | None = None,
        visitor: str = "",
    ) -> Iterator[tuple[Any, ...]]:
        """Paint every cell, and show how far it is on the way.

        Args:
            person: Gradio's record of the photo.
            garments: the gallery's records.
            axes: names of ``AXES`` with what is written beside each; none for the paper's ablation.
            values: all other settings, in the order of ``setting_names``.
            mask: what the editor of "Try on" shows; used where it was drawn on this very photo.
            visitor: who may stop it.

        Yields:
            Values or updates for ``SHOWN``.
        """
        off, on = gr.update(visible=False), gr.update(visible=True)
        yield self._shown(button=off, ablation=off, cancel=on, status=words.waiting())
        ended: dict[str, Any] = {}
        with errors_as_status(ended, "a comparison"):
            settings = settings_with_drawn_mask(values)
            requests, cells = self._ask(person, garments, axes, settings, mask)
            for report in self.runs.watch(visitor, lambda task: self._run(task, requests, cells)):
                if isinstance(report, Outcome):
                    ended.update(self._show(write_comparison(requests, report.value, settings)))
                else:
                    place = f"picture {min(int(report.share * len(cells)) + 1, len(cells))} of {len(cells)}"
                    text = words.progress(report.stage, report.share, report.seconds, place=place)
                    yield self._shown(status=text)
        yield self._shown(**({"button": on, "ablation": on, "cancel": off} | ended))

    def compare_at_once(
        self, person: Any, garments: Any, axes: Sequence[tuple[str, str]], values: tuple[Any, ...]
    ) -> tuple[list[tuple[str, str]], str, list[dict[str, Any]]]:
        """The same for programs: pictures with captions, the sheet's file, and the cells."""
        settings = settings_by_name(values)
        requests, cells = self._ask(person, garments, axes, settings, None)
        made = self.runs.result(None, lambda task: self._run(task, requests, cells))
        state = write_comparison(requests, made, settings)
        pictures = [(cell["file"], cell["label"]) for cell in state["cells"]]
        return pictures, state["sheet"], [told_of(cell) for cell in state["cells"]]

    def _ask(
        self,
        person: Any,
        garments: Any,
        axes: Sequence[tuple[str, str]],
        settings: Mapping[str, Any],
        mask: masks.DrawnMask | None,
    ) -> tuple[dict[RequestKey, TryOnRequest], list[Planned]]:
        """A request for each ``request_key`` of the cells, and the cells."""
        photo, clothes = self._read(person, garments)
        base = read_request(photo, clothes[0], settings, masks.mask_for_photo(mask, photo))
        cells = self._plan(
            axes, settings["model"] or self.default_model, len(clothes), base.settings.switches
        )
        flat = flat_settings(settings) | {"mask": base.mask}
        requests = {
            cell.request_key: request_of(photo, clothes[cell.garment], flat | dict(cell.request_changes))
            for cell in cells
        }
        return requests, cells

    def _read(self, person: Any, garments: Any) -> tuple[Photo, list[Photo]]:
        """The photo, and one or more garments."""
        photo = read_upload(person, PERSON)
        records = [entry.get("image", entry) for entry in garments or []]
        if not records:
            raise PhotoError("There is no garment yet: please add one picture or several.")
        if len(records) > MOST_GARMENTS:
            raise SettingError(f"{len(records)} garments are too many: at most {MOST_GARMENTS} are compared.")
        return photo, [read_upload(record, "a picture of a garment") for record in records]

    def _plan(
        self, axes: Sequence[tuple[str, str]], model: str, garments: int, switches: Switches
    ) -> list[Planned]:
        """The cells that were asked for."""
        chosen = [(name, text) for name, text in axes if name != NO_AXIS]
        if not chosen:
            return plan_ablation(model)
        read = [
            (name, read_values(name, text, garments=garments, models=self.models)) for name, text in chosen
        ]
        return plan(read, model=model, switches=switches)

    def _run(
        self, task: Work, requests: Mapping[RequestKey, TryOnRequest], cells: Sequence[Planned]
    ) -> list[tuple[Planned, Any]]:
        """Every cell's picture, in order; one comparison for each model."""
        from ladi.diffusion.compare import Cell

        made: dict[int, Any] = {}
        models = list(dict.fromkeys(cell.model for cell in cells))
        for turn, model in enumerate(models):
            own = [index for index, cell in enumerate(cells) if cell.model == model]
            used = list(dict.fromkeys(cells[index].request_key for index in own))

            def wanted(
                seed: int, steps: int, guidance: float, own: list[int] = own, used: list[RequestKey] = used
            ) -> list[Cell]:
                start = {
                    "seed": seed,
                    "steps": steps,
                    "guidance": guidance,
                    "sampler": requests[used[0]].settings.sampler,
                }
                return [
                    Cell(
                        label=str(index),
                        **(start | dict(cells[index].sampling_changes)),
                        switches=cells[index].switches,
                        request_index=used.index(cells[index].request_key),
                    )
                    for index in own
                ]

            def progress(stage: str, share: float, turn: int = turn) -> None:
                task.progress(stage, (turn + share) / len(models))

            compared = self.engine_for(model).compare(
                [requests[key] for key in used],
                wanted,
                progress=progress,
                cancelled=task.cancelled,
            )
            made |= {int(one.cell.label): one for one in compared}
        return [(cells[index], made[index]) for index in range(len(cells))]

    def _show(self, state: dict[str, Any]) -> dict[str, Any]:
        """Grid, choices and exports."""
        cells = state["cells"]
        labels = [cell["label"] for cell in cells]
        total = sum(cell["seconds"] for cell in cells)
        seeds = sorted({cell["seed"] for cell in cells})
        seed = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
        done = words.hint(f"{len(cells)} pictures, {seed}, {total:.1f} s of painting in all.")
        return {
            "status": done + words.doubts(state["findings"]),
            "grid": self._grid(state),
            "first": gr.update(choices=labels, value=labels[0]),
            "second": gr.update(choices=labels, value=labels[-1]),
            "slider": (cells[0]["file"], cells[-1]["file"]),
            "sheet": gr.update(value=state["sheet"], interactive=True),
            "table": gr.update(value=state["table"], interactive=True),
            "after": gr.update(visible=True),
            "state": state,
            "times": 0,
            "mark": secrets.token_hex(8),
        }

    @staticmethod
    def _grid(state: Mapping[str, Any], maps: Sequence[tuple[str, float]] = ()) -> Any:
        """The gallery with its captions: pictures, or maps of differences with their mean."""
        cells = state["cells"]
        shown = [
            (cell["file"], f"{cell['label']} · seed {cell['seed']} · {cell['seconds']:.2f} s")
            for cell in cells
        ]
        if maps:
            shown = [
                (file, f"{cell['label']} · differs by {mean:.2f} of 255")
                for cell, (file, mean) in zip(cells, maps, strict=True)
            ]
        return gr.update(value=shown, columns=state["columns"], selected_index=None)

    def pair(self, state: dict[str, Any] | None, first: str, second: str, times: Any) -> tuple[Any, Any]:
        """Two cells in the slider, and the grid as pictures or as differences from the first of them.

        Args:
            state: what the page remembers.
            first: a cell's label.
            second: another's.
            times: how much brighter than they are differences are shown; 0 for the pictures themselves.
        """
        if not state:
            return gr.skip(), gr.skip()
        files = {cell["label"]: cell["file"] for cell in state["cells"]}
        if first not in files or second not in files or times not in GAINS:
            return gr.skip(), gr.skip()
        slider = (files[first], files[second])
        maps = write_differences(files.values(), files[first], times) if times else ()
        return slider, self._grid(state, maps)

    @staticmethod
    def take(person: Any, garment: Any, own_person: Any, own_garments: Any) -> tuple[Any, Any]:
        """The pictures of "Try on", where they are there and nothing else was chosen here yet."""
        path, cloth = gr.skip(), gr.skip()
        with suppress(DeletedError):
            path = path if own_person or not person else str(upload_path(person, "a photo"))
        with suppress(DeletedError):
            cloth = cloth if own_garments or not garment else [str(upload_path(garment, "a garment"))]
        return path, cloth

    def _shown(self, **values: Any) -> tuple[Any, ...]:
        return tuple(values.get(name, gr.skip()) for name in self.SHOWN)
