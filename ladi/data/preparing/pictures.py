"""One of your own pictures made ready, as the app does it, and written where ``prepared.py`` reads it.

Every process has one set of networks, loaded when its first picture needs them. Which pictures there are, and
what becomes of the failed ones, is ``commands/prepare.py``'s.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import ndimage

from ladi.data.prepared import garment_place, person_place
from ladi.files import write_json
from ladi.postprocess.png import save_png
from ladi.preprocess.cleaner import LOCAL_MODELS, GarmentCleaner
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.garment import cut_garment
from ladi.preprocess.person import prepare_person
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.runtime.devices import choose_running
from ladi.runtime.loading import load_helpers
from ladi.types import AskedCategory, Category, Finding, LadiError, ModelError, Photo, SettingError, Size
from ladi.weights.catalog import (
    HELPERS,
    MODELS,
    find_model,
    garment_background,
    mask_scheme,
    read_index,
    trained_categories,
)

LOGGER = logging.getLogger(__name__)

FULL_SIZE: Size = (512, 384)
"""Of the published models, whether or not they are on this machine."""


@dataclass(frozen=True)
class PrepareOptions:
    """What all pictures of a folder are prepared with."""

    model: str
    size: Size
    category: AskedCategory
    garment_background: str


@dataclass(frozen=True)
class Task:
    """One picture to prepare."""

    kind: Literal["person", "garment"]
    name: str
    source: Path
    folder: Path
    """The split's."""
    settings: PrepareOptions
    category: Category = "upper_body"
    """What a person shall wear; a garment's own is found."""
    device: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of it."""

    task: Task
    failure: str | None = None
    category: Category = "upper_body"
    kept: bool = False
    """It had been prepared before."""
    findings: tuple[dict[str, str], ...] = ()
    """Warnings and notes, as plain values."""


class Bench(NamedTuple):
    """The networks of one process."""

    parser: Any
    cleaner: GarmentCleaner
    pose: PoseDetector


def model_folder(model: str) -> Path:
    """Where a model's parser and matting network are looked for; a known model may itself be absent.

    Raises:
        ModelError: neither a known name nor a model's folder.
    """
    try:
        return find_model(model)
    except ModelError:
        if model in MODELS:
            return HELPERS
        raise


def own_size(model: str) -> Size:
    """A model's (height, width); raises as ``model_folder``."""
    folder = model_folder(model)
    if folder == HELPERS and model in MODELS and MODELS[model] != HELPERS:
        return FULL_SIZE
    try:
        index = read_index(folder)
        return int(index["height"]), int(index["width"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The model in {folder} does not say its size: give --size.") from error


def prepare(task: Task) -> Outcome:
    """Make one picture ready and write it, unless that has been done.

    Raises:
        LadiError: what every other picture would meet too: nothing can be written there, or the networks
            cannot be loaded. Whatever is wrong with this picture is told in the outcome.
    """
    try:
        digest = hashlib.blake2b(task.source.read_bytes(), digest_size=16).hexdigest()
        record, place = _record(task)
        if record.get("source") == digest:
            found = tuple(record.get("findings", ()))
            return Outcome(task, category=record["category"], kept=True, findings=found)
        pictures, content, findings = (_person if task.kind == "person" else _garment)(task)
    except (ModelError, SettingError):
        raise  # which every other picture would meet too
    except LadiError as error:
        return Outcome(task, str(error))
    except Exception as error:  # one strange file out of thousands must not end a night's work
        LOGGER.warning("%s", task.source, exc_info=True)
        return Outcome(task, f"It cannot be prepared ({type(error).__name__}: {error}); leave it out.")
    for path, pixels in pictures.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_png(pixels, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    found = tuple({name: str(value) for name, value in asdict(finding).items()} for finding in findings)
    write_json(place, {**content, "findings": found, "source": digest})
    return Outcome(task, category=content["category"], findings=found)


def _record(task: Task) -> tuple[dict[str, Any], Path]:
    """What an earlier run says of this picture, and where; empty unless all its files are there."""
    if task.kind == "person":
        *pictures, place = person_place(task.folder, task.name, task.category)
    else:
        *pictures, place = garment_place(task.folder, task.name)
    if not all(path.is_file() for path in (*pictures, place)):
        return {}, place
    try:
        return dict(json.loads(place.read_text(encoding="utf-8"))), place
    except (ValueError, TypeError):
        return {}, place


def _person(task: Task) -> tuple[dict[Path, Any], dict[str, Any], Sequence[Finding]]:
    bench, settings = _bench(task.settings, task.device), task.settings
    photo = read_photo(task.source)
    parts = prepare_person(
        photo,
        bench.pose.detect(photo.pixels),
        bench.parser,
        category=task.category,
        size=settings.size,
        scheme=mask_scheme(settings.model),
        mask_rule="published",
    )
    place = person_place(task.folder, task.name, task.category)
    content = {
        "keypoints": [[round(float(value), 3) for value in joint] for joint in parts.keypoints],
        "size": list(settings.size),
        "category": task.category,
        "scheme": parts.scheme,
        "parser": parts.parser,
        "window": [parts.frame.left, parts.frame.top, parts.frame.width, parts.frame.height],
        "angle": parts.frame.angle,
    }
    pictures = {place.image: to_pixels(parts.image), place.labels: parts.labels}
    return pictures, content, [*_notes(photo), *parts.findings]


def _garment(task: Task) -> tuple[dict[Path, Any], dict[str, Any], Sequence[Finding]]:
    bench, settings = _bench(task.settings, task.device), task.settings
    photo = read_photo(task.source)
    garment = cut_garment(
        photo,
        bench.cleaner,
        bench.pose,
        category=settings.category,
        clean=settings.garment_background,
        size=settings.size,
        trained=trained_categories(settings.model),
        background=garment_background(settings.model),
    )
    place = garment_place(task.folder, task.name)
    matte = garment.matte[0, 0].numpy()
    # Pale cloth on a pale background leaves holes, which a network would learn to cut out.
    holes = ndimage.binary_fill_holes(matte > 0.5) & (matte <= 0.5)
    mask = np.rint(np.where(holes, 1, matte) * 255).astype(np.uint8)
    content = {
        "category": garment.category,
        "guessed": garment.guessed,
        "cleaned_by": garment.cleaned_by,
        "size": list(settings.size),
    }
    return (
        {place.image: to_pixels(garment.image), place.mask: mask},
        content,
        [*_notes(photo), *garment.findings],
    )


def _notes(photo: Photo) -> list[Finding]:
    return [Finding("warning", "decoded", note) for note in photo.notes]


@cache
def _bench(settings: PrepareOptions, device: str | None) -> Bench:
    """The networks, loaded once in each process."""
    running = choose_running(device, "fp32", large=False)
    parser, matting = load_helpers(model_folder(settings.model))
    cleaner = GarmentCleaner(matting.to(running.device))
    if settings.garment_background in LOCAL_MODELS:
        cleaner.warm_up(wait=True)
    return Bench(parser.to(running.device), cleaner, PoseDetector(workers=1))
