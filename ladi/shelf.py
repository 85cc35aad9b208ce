"""Which models there are, where they lie, how they are loaded, and on which device.

It reads saved pipelines from this machine's disk and downloads nothing; what is done with a model is
``engine.py``'s.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from ladi.types import ModelError, SettingError

if TYPE_CHECKING:
    from ladi.engine import Engine
    from ladi.models.matting import GarmentMatting
    from ladi.models.parser import HumanParser
    from ladi.pipeline import LadiVtonPipeline

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
HELPERS = MODELS["mini"]
"""Where parser and matting network come from when a model's folder has none of its own."""
DEVICES = ("cuda", "mps", "cpu")


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
        raise ModelError(
            f"The model {model!r} is not on this machine: put its saved pipeline into {_short(folder)}, "
            f"or choose {listed([name for name in MODELS if name != model])}."
        )
    names = installed_models() or list(MODELS)
    reason = "has no model_index.json in its folder" if folder.is_dir() else "is unknown"
    raise ModelError(
        f"The model {model!r} {reason}: choose {listed(names)}, or the folder of a saved pipeline."
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
    return "light" if model in ON_LIGHT_GREY else "white"


def choose_device(name: str | None = None) -> torch.device:
    """The device to compute on; ``None`` takes the best there is.

    Raises:
        SettingError: an unknown or absent device.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        return torch.device(next(device for device in DEVICES if present[device]))
    if name not in DEVICES:
        raise SettingError(f"device must be {listed(DEVICES)}, got {name!r}.")
    if not present[name]:
        raise SettingError(f"There is no {name} device on this machine: leave the device out, or use cpu.")
    return torch.device(name)


def load_networks(
    model: str, device: str | None = None
) -> tuple[LadiVtonPipeline, HumanParser, GarmentMatting]:
    """A model and the two helpers that every model needs, on their device.

    Args:
        model: a name in ``MODELS``, or a folder with a saved pipeline.
        device: see ``choose_device``.

    Raises:
        ModelError: the model is unknown, incomplete or broken.
        SettingError: there is no such device.
    """
    folder, where = find_model(model), choose_device(device)
    # Imported here: the networks' libraries take seconds, and a wrong name should be told at once.
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from ladi.models.matting import GarmentMatting
    from ladi.models.parser import HumanParser
    from ladi.pipeline import LadiVtonPipeline

    # Their bars would stand between our sentences on stderr.
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    # In float32 everywhere: on a CPU without their instructions halves are a hundred times slower, and the
    # embedded model, trained in float32, is too small to need them elsewhere.
    with _loading(folder):
        pipeline = LadiVtonPipeline.from_pretrained(folder, local_files_only=True).to(where)
    helpers = folder if (folder / "parser").is_dir() and (folder / "matting").is_dir() else HELPERS
    with _loading(helpers):
        parser = HumanParser.from_pretrained(helpers, subfolder="parser", local_files_only=True)
        matting = GarmentMatting.from_pretrained(helpers, subfolder="matting", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    LOGGER.info("loaded %s on %s", model, where)
    return pipeline, parser.float().eval().to(where), matting.float().eval().to(where)


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
