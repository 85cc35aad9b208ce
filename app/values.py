"""What the browser sends → what the engine is asked; wrong values become one sentence.

Values arrive as they were sent (the events switch Gradio's own conversion off), because the original file is
wanted, with its colour profile and orientation, and because the engine's sentences on wrong values are the
same as the command's. Nothing here knows the layout or calls the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder

from ladi.preprocess.given_mask import read_mask
from ladi.preprocess.photo import read_photo
from ladi.settings import read_size, read_switch, request_of
from ladi.types import LadiError, Photo, PhotoError, SettingError, Size, TryOnRequest

SETTINGS = (
    "steps",
    "guidance",
    "seed",
    "pictures",
    "sampler",
    "size",
    "emasc",
    "pseudo_words",
    "warped_garment",
    "pose",
    "garment_skips",
    "cloth_cond_rate",
    "category",
    "clean_garment",
    "mask_rule",
    "mask_grow",
    "paste_back",
    "fine_detail",
    "keep_unchanged",
    "feather",
    "model",
)
"""Every setting of the page, in the order in which they travel."""

SWITCHES = ("emasc", "pseudo_words", "warped_garment", "pose", "garment_skips")
YES_OR_NO = (*SWITCHES, "paste_back", "fine_detail", "keep_unchanged")
UPLOADED = "This picture was not uploaded to this page: please add {what}."


def named(values: tuple[Any, ...]) -> dict[str, Any]:
    """The page's settings by name, from their values in the order of ``SETTINGS``."""
    return dict(zip(SETTINGS, values, strict=True))


def flat_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The page's settings as ``ladi.settings.request_of`` takes them; ranges are the engine's to judge.

    Raises:
        SettingError: something is no number.
    """
    size = values["size"]
    return {
        **{name: whole(values[name], name) for name in ("steps", "seed")},
        "guidance": number(values["guidance"], "guidance"),
        "pictures": whole(values["pictures"], "pictures", 1),
        "sampler": values["sampler"] or None,
        "size": read_size(str(size)) if size else None,
        **{name: read_switch(values[name], name) for name in YES_OR_NO},
        "cloth_cond_rate": number(values["cloth_cond_rate"], "cloth_cond_rate", 1.0),
        **{name: values[name] for name in ("category", "mask_rule", "clean_garment")},
        "mask_grow": whole(values["mask_grow"], "mask_grow", 0),
        "feather": number(values["feather"], "feather", 4.0),
    }


def read_request(
    person: Photo, garment: Photo, values: Mapping[str, Any], mask: np.ndarray | None = None
) -> TryOnRequest:
    """Both photos with the page's settings.

    Args:
        person: decoded.
        garment: decoded.
        values: by the names in ``SETTINGS``.
        mask: drawn by hand, (H,W) at the photo's size.

    Raises:
        SettingError: see ``flat_settings``.
    """
    return request_of(person, garment, flat_settings(values) | {"mask": mask})


def upload_path(upload: Mapping[str, Any] | None, what: str) -> Path:
    """Where an uploaded file lies.

    Args:
        upload: Gradio's record of the file, or None where the field is empty.
        what: the picture's name in the sentence that asks for it.

    Raises:
        PhotoError: nothing was uploaded, or the record names a file that is not an upload.
    """
    path = (upload or {}).get("path")
    if not path:
        raise PhotoError(f"There is no picture yet: please add {what}.")
    # Gradio checks paths only in records that carry its marker, so a hand-made request could name any file of
    # the server.
    if not Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
        raise PhotoError(UPLOADED.format(what=what))
    return Path(path)


def read_upload(upload: Mapping[str, Any] | None, what: str) -> Photo:
    """Decode an uploaded file.

    Raises:
        PhotoError: as ``upload_path``, or the file is not a usable picture.
    """
    return read_photo(upload_path(upload, what))


def read_mask_file(upload: Mapping[str, Any] | None, size: Size) -> np.ndarray | None:
    """A mask from a file, as (H,W) uint8; None where none was sent.

    Raises:
        PhotoError: not a usable picture.
        MaskError: not a mask.
    """
    if not (upload or {}).get("path"):
        return None
    return read_mask(upload_path(upload, "a mask"), size)


def number(value: Any, name: str, default: float | None = None) -> Any:
    """A field's number; empty gives the default."""
    if value is None or value == "":
        return default
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise SettingError(f"{name} must be a number, got {value!r}.") from error


def whole(value: Any, name: str, default: int | None = None) -> Any:
    """A field's whole number; empty gives the default."""
    result = number(value, name, default)
    if result is None:
        return None
    if not math.isfinite(result) or result != int(result):
        raise SettingError(f"{name} must be a whole number, got {value}.")
    return int(result)


def from_record(record: Mapping[str, Any], models: tuple[str, ...], now: Mapping[str, Any]) -> dict[str, Any]:
    """The page's settings as a result's PNG says that it was made.

    Args:
        record: what ``ladi.postprocess.png.read_settings`` found.
        models: what can be chosen here.
        now: the page's settings; they stay where the record says nothing, or nothing that fits.
    """
    # Never by the type of what is there now: a browser sends a slider's 2.0 as 2.
    read: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(("steps", "mask_grow"), int),
        **dict.fromkeys(("guidance", "cloth_cond_rate", "feather"), float),
        **dict.fromkeys(YES_OR_NO, bool),
        "seed": lambda value: str(int(value)),
        "size": lambda value: "" if value is None else f"{int(value[0])}x{int(value[1])}",
        "sampler": lambda value: value or "",
        "model": lambda value: value if value in models else now["model"],
        "pictures": lambda value: 1,
    }
    settings = dict(now)
    for name in SETTINGS:
        if name not in record:
            continue
        try:
            settings[name] = read.get(name, str)(record[name])
        except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
            raise LadiError(
                f"The picture's setting {name!r} cannot be read: set the sliders by hand."
            ) from error
    return settings
