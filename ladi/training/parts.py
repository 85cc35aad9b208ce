"""A full-size model's parts, wherever they come from: trained here, a saved model, the base, or nothing yet.

A stage asks for the parts that it needs, so that the warp is trained without eight gigabytes of others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModel
from transformers.utils import logging as transformers_logging

from ladi.models.emasc import EMASC
from ladi.models.garment_skips import GarmentSkips
from ladi.models.inversion_adapter import InversionAdapter
from ladi.models.refinement import RefinementUNet
from ladi.models.tps import ThinPlateSplineWarp
from ladi.models.unet import extend_input_channels
from ladi.models.vae import EmascAutoencoderKL
from ladi.training.loop.checkpoints import CHECKPOINT, stage_weights
from ladi.types import LadiError, ModelError, Size
from ladi.weights import hub, table
from ladi.weights.catalog import find_model, read_index, sampling_defaults
from ladi.weights.networks import PSEUDO_WORDS, PUBLISHED, Recipe
from ladi.weights.table import Part, SourceFile

LOGGER = logging.getLogger(__name__)

BASE_UNET = (
    SourceFile(("unet/config.json",), "sizes of the UNet", 1_000),
    SourceFile(
        ("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin"),
        "9-channel inpainting UNet",
        3_463_700_000,
        (Part("unet"),),
    ),
)
"""What training needs of the base beyond what a converted model does."""
BASE_NETWORKS = ("vae", "text_encoder", "unet")

TRAINED_BY = {
    "tps": ("warp",),
    "refinement": ("refinement",),
    "emasc": ("emasc",),
    "inversion_adapter": ("tryon", "inversion_adapter"),
    "unet": ("tryon",),
}
"""The stages that train a part, the last word first."""


class Parts:
    """Loads parts by their names in the pipeline, in float32, on the CPU, each time anew.

    Args:
        work: folder of the stages' checkpoints.
        init: a saved pipeline to start from, by name or folder; comes before the base.
        base: hub id or folder of the inpainting base; ``None`` tries the table's places.
        vision: the same for the vision encoder.
        recipe: sizes of what is new.
    """

    def __init__(
        self,
        work: Path,
        *,
        init: str | None = None,
        base: str | None = None,
        vision: str | None = None,
        recipe: Recipe = PUBLISHED,
    ) -> None:
        self.work, self.base, self.vision, self.recipe = work, base, vision, recipe
        self.init = find_model(init) if init is not None else None
        # Their bars would stand between our lines.
        diffusers_logging.disable_progress_bar()
        transformers_logging.disable_progress_bar()

    @cached_property
    def size(self) -> Size:
        """Height and width of the model's pictures."""
        if self.init is None:
            return self.recipe.size
        index = read_index(self.init)
        return int(index["height"]), int(index["width"])

    @property
    def sampling(self) -> tuple[int, float]:
        """Steps and guidance of the model."""
        if self.init is None:
            return self.recipe.steps, self.recipe.guidance
        return sampling_defaults(self.init)

    def trained(self, stage: str) -> bool:
        """Whether a stage has left weights here."""
        return (self.work / stage / CHECKPOINT).is_file()

    def network(self, name: str, *, without: Sequence[str] = ()) -> Any:
        """A part with the best weights there are.

        Args:
            name: in the pipeline.
            without: stages whose results must not be used, because they are about to run.
        """
        stages = [stage for stage in TRAINED_BY.get(name, ()) if stage not in without and self.trained(stage)]
        network = self._untrained(name)
        if stages:
            weights = stage_weights(self.work / stages[0])
            assert weights is not None
            if name == "unet":
                extend_input_channels(network, weights[name]["conv_in.weight"].shape[1])
            network.load_state_dict(weights[name])
        return network

    def plain_unet(self) -> Any:
        """The base's inpainting UNet with its own channels.

        Raises:
            LadiError: the base does not have one.
        """
        unet = self._from_base("unet", UNet2DConditionModel)
        plain = 2 * unet.config.out_channels + 1
        if unet.config.in_channels != plain:
            raise LadiError(
                f"The base's UNet takes {unet.config.in_channels} channels, but stage inversion_adapter "
                f"trains on an inpainting UNet with {plain}: name another base with --base."
            )
        return unet

    def garment_skips(self) -> Any:
        """The embedded model's addition, where the model to start from has it; it is not trained here."""
        if self.init is None or not read_index(self.init).get("garment_skips", [None])[0]:
            return None
        return _load(GarmentSkips, self.init, "garment_skips")

    def tokenizer(self) -> Any:
        """The text encoder's tokenizer."""
        return CLIPTokenizer.from_pretrained(self._folder("tokenizer"))

    def scheduler(self) -> Any:
        """The noise schedule that the UNet is trained with."""
        if self.init is not None:
            return DDIMScheduler.from_pretrained(self.init, subfolder="scheduler")
        return DDIMScheduler.from_config(dict(self.recipe.scheduler))

    def _untrained(self, name: str) -> Any:
        """A part as ``init`` or the base has it, or new."""
        classes: dict[str, Any] = {
            "vae": EmascAutoencoderKL,
            "text_encoder": CLIPTextModel,
            "unet": UNet2DConditionModel,
            "vision_encoder": CLIPVisionModel,
            "tps": ThinPlateSplineWarp,
            "refinement": RefinementUNet,
            "emasc": EMASC,
            "inversion_adapter": InversionAdapter,
        }
        if self.init is not None:
            return _load(classes[name], self.init, name)
        if name in BASE_NETWORKS:
            return self._from_base(name, classes[name])
        if name == "vision_encoder":
            return _load(CLIPVisionModel, _root(hub.download(table.VISION, self.vision)), None)
        build: dict[str, Callable[[], nn.Module]] = {
            "tps": lambda: ThinPlateSplineWarp(**self.recipe.tps),
            "refinement": lambda: RefinementUNet(**self.recipe.refinement),
            "emasc": self._new_emasc,
            "inversion_adapter": self._new_adapter,
        }
        return build[name]()

    def _new_emasc(self) -> nn.Module:
        incoming, outgoing = self._from_base("vae", EmascAutoencoderKL).skip_channels
        return EMASC(incoming, outgoing)

    def _new_adapter(self) -> nn.Module:
        widths: dict[str, Any] = {
            "hidden_size": self.recipe.vision_encoder["hidden_size"],
            "word_dim": self.recipe.text_encoder["hidden_size"],
            "num_words": PSEUDO_WORDS,
        }
        return InversionAdapter(**{**widths, **self.recipe.inversion_adapter})

    def _from_base(self, name: str, kind: Any) -> Any:
        return _load(kind, self._base_folder(name), name)

    def _folder(self, name: str) -> Path:
        """The folder of one of the base's parts."""
        return (self.init or self._base_folder(name)) / name

    def _base_folder(self, name: str) -> Path:
        """The base's folder, with the files of one part in it."""
        files = (*(file for file in table.BASE.files if not file.name.startswith("unet/")), *BASE_UNET)
        source = replace(table.BASE, files=tuple(file for file in files if file.name.startswith(f"{name}/")))
        return _root(hub.download(source, self.base))


def _root(found: hub.Found) -> Path:
    """The folder in which a source's files lie under their names."""
    name, path = next(iter(found.files.items()))
    return path.parents[len(Path(name).parts) - 1]


def _load(kind: Any, folder: Path, subfolder: str | None) -> Any:
    """A network from a folder, in float32.

    Raises:
        ModelError: it is incomplete or damaged.
    """
    place = {"subfolder": subfolder} if subfolder else {}
    try:
        network, told = kind.from_pretrained(
            folder, local_files_only=True, torch_dtype=torch.float32, output_loading_info=True, **place
        )
    except Exception as error:  # whichever library reads the broken file has its own kind of error
        LOGGER.debug("loading failed", exc_info=True)
        raise ModelError(
            f"The {subfolder or 'vision encoder'} in {folder} is incomplete or damaged "
            f"({type(error).__name__}): get it again."
        ) from error
    # The libraries fill what a file lacks with random numbers, and say so in a warning.
    if lacking := sorted([*told["missing_keys"], *(str(key) for key in told["mismatched_keys"])]):
        raise ModelError(
            f"The {subfolder or 'vision encoder'} in {folder} lacks {lacking[0]!r} and so does not fit its "
            f"configuration: get the weights that belong to it."
        )
    return network.float()
