"""Which models there are, where they lie, and what they were trained on.

It looks at saved pipelines on this machine's disk and downloads nothing; they are loaded by
``ladi/runtime/loading.py``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ladi.files import EMBEDDED_MODEL, MODELS_FOLDER, ROOT
from ladi.setting_row import listed
from ladi.types import (
    CATEGORIES,
    AskedCategory,
    Background,
    Category,
    LabelScheme,
    ModelError,
)

LOGGER = logging.getLogger(__name__)

MODELS = {
    "mini": EMBEDDED_MODEL,
    "vitonhd": MODELS_FOLDER / "vitonhd",
    "dresscode": MODELS_FOLDER / "dresscode",
}
"""Where each model that has a name lies, as a saved pipeline."""
ON_LIGHT_GREY = frozenset({"vitonhd"})
"""The models whose training garments lie on light grey; those of the others lie on white."""
TRAINED_ON_TOPS = frozenset({"mini", "vitonhd"})
"""The models that have seen nothing else."""
MASKED_AS_IN_DRESS_CODE = frozenset({"dresscode"})
"""The models trained with Dress Code's mask rule; the others know VITON-HD's."""
INDEX = "model_index.json"
"""What makes a folder a saved pipeline."""
NUMBERS = ("default_steps", "default_guidance", "height", "width")
"""What it says beside the names of its parts."""
EMBEDDED = "mini"
"""The model that comes with the project."""
HELPERS = MODELS[EMBEDDED]
"""Where parser and matting network come from when a model's folder has none of its own."""


def find_model(model: str) -> Path:
    """The folder of a model, by name or path.

    Raises:
        ModelError: there is no such model, or its folder holds none.
    """
    folder = MODELS.get(model, Path(model).expanduser())
    if has_model(folder):
        return folder
    if model in MODELS:
        raise ModelError(_how_to_get(model, folder))
    names = installed_models() or list(MODELS)
    reason = "has no model_index.json in its folder" if folder.is_dir() else "is unknown"
    raise ModelError(
        f"The model {model!r} {reason}: choose {listed(names)}, or the folder of a saved pipeline."
    )


def model_to_open(model: str) -> tuple[str, str]:
    """The model that the page opens on, and what to say there if it is not the one asked for.

    Args:
        model: a name in ``MODELS``, or a folder. A known model that is absent gives way to the embedded one.

    Raises:
        ModelError: there is no such model, or its folder holds none.
    """
    try:
        find_model(model)
    except ModelError as error:
        if model not in MODELS or model == EMBEDDED:
            raise
        return EMBEDDED, f"{error} Until then this page runs on the embedded model."
    return model, ""


def _how_to_get(model: str, folder: Path) -> str:
    """One message for a known model that is absent: all that is missing, and the command that brings it."""
    others = listed([name for name in installed_models() if name != model] or list(MODELS))
    place = f"put its saved pipeline into {_short(folder)}, or choose {others}."
    if model == EMBEDDED:
        return f"The model {model!r} is not on this machine: {place}"
    from ladi.weights.stock import missing_files

    missing = ", ".join(missing_files(model)) or "only its conversion"
    return (
        f"The model {model!r} is not on this machine. Missing: {missing}. "
        f"Get it by `python -m ladi download {model}`, {place}"
    )


def installed_models() -> list[str]:
    """The names in ``MODELS`` whose folders hold a pipeline."""
    return [name for name, folder in MODELS.items() if has_model(folder)]


def sampling_defaults(folder: Path) -> tuple[int, float]:
    """Steps and guidance that a saved pipeline was made for, without loading it.

    Raises:
        ModelError: the folder's index cannot be read.
    """
    index = read_index(folder)
    with readable(folder):
        return int(index["default_steps"]), float(index["default_guidance"])


def has_model(folder: Path) -> bool:
    """Whether a folder holds a saved pipeline."""
    return (folder / INDEX).is_file()


def read_index(folder: Path) -> dict[str, Any]:
    """A saved pipeline's index; raises ModelError where it cannot be read."""
    with readable(folder):
        return dict(json.loads((folder / INDEX).read_text()))


def garment_background(model: str) -> Background:
    """What the garments of a model's training lay on."""
    return "light" if _named(model) in ON_LIGHT_GREY else "white"


def trained_categories(model: str) -> tuple[Category, ...]:
    """What a model was trained to paint; all there is for a folder of unknown origin."""
    return ("upper_body",) if _named(model) in TRAINED_ON_TOPS else CATEGORIES


def mask_scheme(model: str) -> LabelScheme:
    """The labels, and with them the mask rule, of a model's training."""
    return "dresscode" if _named(model) in MASKED_AS_IN_DRESS_CODE else "lip"


def _named(model: str) -> str:
    """A model's name, also where it was asked for by the path of its folder."""
    path = Path(model).expanduser().resolve()
    return next((name for name, folder in MODELS.items() if folder.resolve() == path), model)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Say in one sentence what any loader's complaint comes down to."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # whichever library reads the broken file has its own kind of error
        LOGGER.debug("loading failed", exc_info=True)
        raise ModelError(
            f"The model in {_short(folder)} is incomplete or damaged ({type(error).__name__}): copy it again."
        ) from error


def _short(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)


def check_category(category: AskedCategory, *, model: str) -> None:
    """Refuse what a model was not trained for.

    Raises:
        ModelError: naming the models that were.
    """
    if category == "auto" or category in trained_categories(model):
        return
    able = [name for name in MODELS if category in trained_categories(name)]
    raise ModelError(
        f"The model {model!r} was not trained for {category}: choose the model {listed(able)}, "
        f"or category {listed(trained_categories(model))}."
    )
