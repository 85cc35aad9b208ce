"""Which models there are, where they lie, what they were trained on, and how they are loaded.

It reads saved pipelines from this machine's disk and downloads nothing; where a model computes is
``devices.py``'s choice, and what is done with it ``engine.py``'s.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ladi.devices import Running, place
from ladi.types import CATEGORIES, Category, LabelScheme, ModelError

if TYPE_CHECKING:
    from ladi.engine import Engine
    from ladi.models.matting import GarmentMatting
    from ladi.pipeline import LadiVtonPipeline
    from ladi.preprocess.parsing import ParsingNetwork

LOGGER = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
MODELS = {
    "mini": ROOT / "assets" / "mini",
    "vitonhd": ROOT / "models" / "vitonhd",
    "dresscode": ROOT / "models" / "dresscode",
}
"""Where each model that has a name lies, as a saved pipeline."""
ON_LIGHT_GREY = frozenset({"vitonhd"})
"""The models whose training garments lie on light grey; those of the others lie on white."""
TRAINED_ON_TOPS = frozenset({"mini", "vitonhd"})
"""The models that have seen nothing else."""
MASKED_AS_IN_DRESS_CODE = frozenset({"dresscode"})
"""The models trained with Dress Code's mask rule; the others know VITON-HD's."""
EMBEDDED = "mini"
"""The model that comes with the project."""
HELPERS = MODELS[EMBEDDED]
"""Where parser and matting network come from when a model's folder has none of its own."""
SEGFORMER = ROOT / "models" / "segformer"
"""A parser of others, see ``preprocess/segformer.py``; where this folder is missing, the hub's cache may
have it."""
LARGE_BYTES = 1_000_000_000
"""A saved pipeline with more weights than this is a full-size one; half precision pays there."""


class Shelf:
    """Engines by model name, each loaded once, when it is first asked for."""

    def __init__(self, names: Sequence[str], load: Callable[[str], Engine]) -> None:
        """Offer some models.

        Args:
            names: what may be asked for; others are refused, so that no visitor can have a folder loaded.
            load: makes the engine of a name.
        """
        self._names = tuple(names)
        self._load = load
        self._engines: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Engine:
        """The engine of a model; waits while it loads.

        Raises:
            ModelError: not one of the names, or it cannot be loaded.
        """
        if name not in self._names:
            raise ModelError(f"There is no model {name!r} here: choose {listed(self._names)}.")
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._load(name)
            return self._engines[name]


def find_model(model: str) -> Path:
    """The folder of a model, by name or path.

    Raises:
        ModelError: there is no such model, or its folder holds none.
    """
    folder = MODELS.get(model, Path(model).expanduser())
    if (folder / "model_index.json").is_file():
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
    return [name for name, folder in MODELS.items() if (folder / "model_index.json").is_file()]


def sampling_defaults(folder: Path) -> tuple[int, float]:
    """Steps and guidance that a saved pipeline was made for, without loading it.

    Raises:
        ModelError: the folder's index cannot be read.
    """
    with _loading(folder):
        index = json.loads((folder / "model_index.json").read_text())
        return int(index["default_steps"]), float(index["default_guidance"])


def garment_background(model: str) -> Literal["light", "white"]:
    """What the garments of a model's training lay on."""
    return "light" if _named(model) in ON_LIGHT_GREY else "white"


def trained_categories(model: str) -> tuple[Category, ...]:
    """What a model was trained to paint; all there is for a folder of unknown origin."""
    return ("upper_body",) if _named(model) in TRAINED_ON_TOPS else CATEGORIES


def mask_scheme(model: str) -> LabelScheme:
    """The labels, and with them the mask rule, of a model's training."""
    return "dresscode" if _named(model) in MASKED_AS_IN_DRESS_CODE else "lip"


def is_large(model: str) -> bool:
    """Whether a model is a full-size one, by the weights in its folder; raises as ``find_model``."""
    return sum(file.stat().st_size for file in find_model(model).glob("*/*.safetensors")) > LARGE_BYTES


def _named(model: str) -> str:
    """A model's name, also where it was asked for by the path of its folder."""
    path = Path(model).expanduser().resolve()
    return next((name for name, folder in MODELS.items() if folder.resolve() == path), model)


def load_networks(model: str, running: Running) -> tuple[LadiVtonPipeline, ParsingNetwork, GarmentMatting]:
    """A model and the two helpers that every model needs, on their device.

    Args:
        model: a name in ``MODELS``, or a folder with a saved pipeline.
        running: see ``ladi.devices.choose_running``.

    Raises:
        ModelError: the model is unknown, incomplete or broken.
    """
    folder = find_model(model)
    # Imported here: the networks' libraries take seconds, and a wrong name should be told at once.
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from ladi.pipeline import LadiVtonPipeline

    # Their bars would stand between our sentences on stderr.
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    with _loading(folder):
        pipeline = LadiVtonPipeline.from_pretrained(folder, local_files_only=True, dtype=running.dtype)
        place(pipeline, running)
    parser, matting = load_helpers(folder)
    pipeline.set_progress_bar_config(disable=True)
    LOGGER.info("loaded %s: %s", model, running.words)
    return pipeline, parser.to(running.device), matting.to(running.device)


def load_helpers(folder: Path) -> tuple[ParsingNetwork, GarmentMatting]:
    """The parser and the matting network of a model's folder, else those that stand in for them; in float32.

    Raises:
        ModelError: one of them is incomplete or broken.
    """
    from ladi.models.matting import GarmentMatting

    helpers = folder if (folder / "matting").is_dir() else HELPERS
    with _loading(helpers):
        matting = GarmentMatting.from_pretrained(helpers, subfolder="matting", local_files_only=True)
    return _load_parser(folder).float().eval(), matting.float().eval()


def _load_parser(folder: Path) -> ParsingNetwork:
    """The model's own parser, else SegFormer where its weights are here, else the embedded model's."""
    from ladi.models.parser import HumanParser
    from ladi.preprocess.segformer import find_segformer, load_segformer

    own = (folder / "parser").is_dir()
    segformer = None if own else find_segformer(SEGFORMER)
    if segformer is not None:
        with _loading(segformer):
            return load_segformer(segformer)
    helpers = folder if own else HELPERS
    with _loading(helpers):
        return HumanParser.from_pretrained(helpers, subfolder="parser", local_files_only=True)


@contextmanager
def _loading(folder: Path) -> Iterator[None]:
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


def listed(names: Sequence[str] | dict[str, Any]) -> str:
    """``a, b or c``."""
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _short(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)
