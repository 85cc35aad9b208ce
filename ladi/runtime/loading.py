"""How a model and its helpers are read from this machine's disk.

It downloads nothing. Which models there are is ``ladi/weights/catalog.py``'s, where they compute
``devices.py``'s choice.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ladi.files import MODELS_FOLDER
from ladi.runtime.configuration import check_configuration
from ladi.runtime.devices import Running, place
from ladi.weights.catalog import HELPERS, find_model, readable

if TYPE_CHECKING:
    from ladi.diffusion.pipeline import LadiVtonPipeline
    from ladi.models.lining import GarmentLining
    from ladi.models.matting import GarmentMatting
    from ladi.models.sleeves import SleeveLength
    from ladi.preprocess.parsing import ParsingNetwork


LOGGER = logging.getLogger(__name__)

SEGFORMER = MODELS_FOLDER / "segformer"
"""A third-party parser, see ``preprocess/segformer.py``; where this folder is missing, the hub's cache may
have it."""


LARGE_BYTES = 1_000_000_000
"""A saved pipeline with more weights than this is a full-size one; half precision pays there."""


def is_large(model: str) -> bool:
    """Whether a model is a full-size one, by the weights in its folder; raises as ``find_model``."""
    return sum(file.stat().st_size for file in find_model(model).glob("*/*.safetensors")) > LARGE_BYTES


def load_networks(model: str, running: Running) -> tuple[LadiVtonPipeline, ParsingNetwork, GarmentMatting]:
    """A model and the two helpers that every model needs, on their device.

    Args:
        model: a name in ``MODELS``, or a folder with a saved pipeline.
        running: see ``ladi.runtime.devices.choose_running``.

    Raises:
        ModelError: the model is unknown, incomplete or broken.
    """
    folder = find_model(model)
    check_configuration(folder)
    # Imported here: the networks' libraries take seconds, and a wrong name should be told at once.
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    from ladi.diffusion.pipeline import LadiVtonPipeline

    # Their bars would stand between our sentences on stderr.
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    with readable(folder):
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
    with readable(helpers):
        matting = GarmentMatting.from_pretrained(helpers, subfolder="matting", local_files_only=True)
    return _load_parser(folder).float().eval(), matting.float().eval()


class GarmentNetworks(NamedTuple):
    """Small networks that measure a garment after the matting network has cut it out; each may be missing."""

    sleeves: SleeveLength | None = None
    """How long its sleeves are; without it arms are left as they were painted."""
    lining: GarmentLining | None = None
    """What of its picture is behind the neck; without it all of it is laid before it."""


def load_garment_networks(*, lining: bool) -> GarmentNetworks:
    """Those whose weights are on this machine.

    Args:
        lining: whether the model is one whose garments lose what is behind the neck.

    Raises:
        ModelError: one of them is broken.
    """
    from ladi.models.lining import GarmentLining
    from ladi.models.sleeves import SleeveLength

    return GarmentNetworks(
        _load_garment_network(SleeveLength, "sleeves"),
        _load_garment_network(GarmentLining, "lining") if lining else None,
    )


def _load_garment_network(network: Any, name: str) -> Any:
    """One of them; None where its weights are not here."""
    if not (HELPERS / name).is_dir():
        return None
    with readable(HELPERS):
        loaded = network.from_pretrained(HELPERS, subfolder=name, local_files_only=True)
    return loaded.float().eval()


def _load_parser(folder: Path) -> ParsingNetwork:
    """The model's own parser, else SegFormer where its weights are here, else the embedded model's."""
    from ladi.models.parser import HumanParser
    from ladi.preprocess.segformer import find_segformer, load_segformer

    own = (folder / "parser").is_dir()
    segformer = None if own else find_segformer(SEGFORMER)
    if segformer is not None:
        with readable(segformer):
            return load_segformer(segformer)
    helpers = folder if own else HELPERS
    with readable(helpers):
        return HumanParser.from_pretrained(helpers, subfolder="parser", local_files_only=True)
