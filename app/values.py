"""What the browser sends → what the engine is asked; wrong values become one sentence.

Values arrive as they were sent (the events switch Gradio's own conversion off), because the original file is
wanted, with its colour profile and orientation, and because the engine's sentences on wrong values are the
same as the command's. Nothing here knows the layout or calls the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder

from ladi.preprocess.given_mask import read_mask
from ladi.preprocess.photo import read_photo
from ladi.records import request_of
from ladi.setting_row import Setting
from ladi.settings import TryOnRequest, settings_table
from ladi.types import LadiError, Photo, PhotoError, Size
from ladi.weights.catalog import trained_categories

PERSON, GARMENT = "a photo of the person", "a picture of the garment"
"""What the sentences call the two uploads."""
SLIDERS = ("steps", "guidance")
"""The settings whose fields show the model's own choice instead of nothing."""
UPLOADED = "This picture was not uploaded to this page: please add {what}."
DELETED = "The server has deleted this picture by now, as promised: please add {what} again."


class DeletedError(PhotoError):
    """An upload that has been deleted by now."""


def setting_names() -> tuple[str, ...]:
    """Every setting of the page, in the order in which they travel."""
    return (*settings_table(), "model")


def settings_by_name(values: tuple[Any, ...]) -> dict[str, Any]:
    """The page's settings by name, from their values in the order of ``setting_names``."""
    return dict(zip(setting_names(), values, strict=True))


def settings_with_drawn_mask(values: tuple[Any, ...]) -> dict[str, Any]:
    """The same for the tabs: masks are drawn there, and a drawn one is never inverted."""
    return settings_by_name(values) | {"invert_mask": False}


def read_value(values: Mapping[str, Any], name: str) -> Any:
    """One of these settings, as the engine takes it; raises SettingError where it cannot be read."""
    return settings_table()[name].read(values[name])


def flat_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """All settings but the model, as ``ladi.records.request_of`` takes them; the engine judges ranges.

    Raises:
        SettingError: one of them cannot be read.
    """
    return {name: read_value(values, name) for name in settings_table()}


def read_request(
    person: Photo, garment: Photo, values: Mapping[str, Any], mask: np.ndarray | None = None
) -> TryOnRequest:
    """Both photos with the page's settings.

    Args:
        person: decoded.
        garment: decoded.
        values: the page's settings by name, as they were sent.
        mask: drawn by hand or read from a file, (H,W) at the photo's size.

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
        DeletedError: it was one.
    """
    if not upload or (isinstance(upload, Mapping) and not upload.get("path")):
        raise PhotoError(f"There is no picture yet: please add {what}.")
    path = upload.get("path") if isinstance(upload, Mapping) else None
    # Gradio checks paths only in records that carry its marker, so a hand-made request could name any file of
    # the server.
    if not isinstance(path, str) or not _is_inside(path, get_upload_folder()):
        raise PhotoError(UPLOADED.format(what=what))
    if not Path(path).is_file():
        raise DeletedError(DELETED.format(what=what))
    return Path(path)


def _is_inside(path: str, folder: str) -> bool:
    """Whether a path leads into a folder; no for what cannot be a path at all."""
    try:
        return Path(path).resolve().is_relative_to(Path(folder).resolve())
    except (OSError, ValueError, RuntimeError):  # a zero byte, a name that is too long, links in a circle
        return False


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
    if not upload or (isinstance(upload, Mapping) and not upload.get("path")):
        return None
    return read_mask(upload_path(upload, "a mask"), size)


def from_record(record: Mapping[str, Any], models: tuple[str, ...], now: Mapping[str, Any]) -> dict[str, Any]:
    """The page's settings as a result's PNG says that it was made.

    Args:
        record: what ``ladi.postprocess.png.read_settings`` found.
        models: what can be chosen here.
        now: the page's settings; they stay where the record says nothing, or nothing that fits.
    """
    settings = dict(now)
    for name, row in settings_table().items():
        if name in record:
            try:
                value = row.read(record[name])
                if value is None and name in SLIDERS:
                    raise ValueError("a result knows how often it was refined")
                settings[name] = field_value(row, value)
            except (LadiError, TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
                raise LadiError(
                    f"The picture's setting {name!r} cannot be read: set the sliders by hand."
                ) from error
    if record.get("model") in models:
        settings["model"] = record["model"]
    if len(trained_categories(settings["model"])) == 1:
        settings["category"] = "auto"  # there is nothing to choose from
    return settings


def field_value(row: Setting, value: Any) -> Any:
    """What the page's field of a setting holds: text where it may be empty, which stands for ``None``."""
    if row.default is not None or row.name in SLIDERS:
        return value
    if value is None:
        return ""
    return "x".join(map(str, value)) if row.kind == "size" else str(value)
