"""The files of a comparison: each cell with its settings, the sheet, the table, and maps of differences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app import pictures
from app.compare.axes import Planned, RequestKey
from app.files import new_folder, write_picture, write_result
from app.values import flat_settings
from app.words import warnings_of
from ladi.records import values_of
from ladi.settings import TryOnRequest


def write_comparison(
    requests: Mapping[RequestKey, TryOnRequest],
    made: Sequence[tuple[Planned, Any]],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """The files of a comparison, and what the page remembers of it: paths and plain values."""
    folder, cells = new_folder(), []
    shared = flat_settings(settings)
    for varied in (
        "seed",
        "steps",
        "guidance",
        "sampler",
        "pictures",
        *values_of(next(iter(requests.values())).settings.switches),
    ):
        del shared[varied]
    for place, (planned, one) in enumerate(made):
        sampling = asdict(one.cell)
        told = {key: sampling[key] for key in ("seed", "steps", "guidance", "sampler")}
        told |= {
            "model": planned.model,
            "garment": planned.garment + 1,
            **sampling["switches"],
            **planned.request_changes,
        }
        own = folder / f"{place + 1:02}"
        own.mkdir()
        file = str(write_result(one.image, own, shared | told))
        cells.append({"label": planned.label, "file": file, "seconds": round(one.seconds, 3), **told})
    labels = [planned.labels for planned, _ in made]
    # Two axes: the second one's values stand side by side. One: as fits.
    columns = len({label[-1] for label in labels}) if len(labels[0]) > 1 else min(4, len(labels))
    clothes = {garment: request for (garment, _), request in requests.items()}
    inputs = [("Person", next(iter(clothes.values())).person.pixels)]
    inputs += [(f"Garment {place + 1}", clothes[place].garment.pixels) for place in sorted(clothes)]
    drawn = pictures.sheet(
        [one.image for _, one in made],
        [f"{cell['label']}\n{cell['seconds']:.2f} s" for cell in cells],
        columns=columns,
        title="LaDI-VTON · comparison",
        inputs=inputs,
    )
    table = folder / "comparison.json"
    doubts = _doubts(made)
    content = {"settings": shared, "cells": [told_of(cell) for cell in cells], "findings": doubts}
    table.write_text(json.dumps(content, indent=2), encoding="utf-8")
    sheet = str(write_picture(drawn, folder, "comparison"))
    return {"cells": cells, "columns": columns, "sheet": sheet, "table": str(table), "findings": doubts}


def _doubts(made: Sequence[tuple[Planned, Any]]) -> list[str]:
    """What is worth knowing of the pictures, each once; of several garments with the garment's number."""
    several = len({planned.garment for planned, _ in made}) > 1
    doubts: dict[str, None] = {}
    everywhere = set.intersection(*({one.message for one in warnings_of(cell.findings)} for _, cell in made))
    for planned, cell in made:
        for finding in warnings_of(cell.findings):
            own = several and finding.message not in everywhere
            doubts[f"Garment {planned.garment + 1}: {finding.message}" if own else finding.message] = None
    return list(doubts)


def told_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell without where its file lies."""
    return {key: value for key, value in cell.items() if key != "file"}


def write_differences(files: Iterable[str], first: str, times: float) -> list[tuple[str, float]]:
    """For each picture a map of where it differs from the first, and by how much in the mean, of 255.

    Args:
        files: the pictures.
        first: the one that they are compared with.
        times: how much brighter the map is than the difference.
    """
    reference, folder, maps = _pixels(first), new_folder(), []
    for place, file in enumerate(files):
        picture = _pixels(file)
        beside = _at_size_of(picture, reference)
        mean = float(np.abs(picture.astype(np.float32) - beside).mean())
        drawn = pictures.difference(picture, beside, times)
        maps.append((str(write_picture(drawn, folder, f"difference-{place + 1:02}")), mean))
    return maps


def _pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(Path(path)).convert("RGB"))


def _at_size_of(picture: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The reference at a picture's size: photos are pasted back or not, and sizes can be compared."""
    if picture.shape == reference.shape:
        return reference
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(Image.fromarray(reference).resize(size, Image.Resampling.LANCZOS))
