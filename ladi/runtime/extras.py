"""Two third-party networks for an engine, both off by default: a content filter and a preview decoder.

Each is read from a folder in ``models/`` or from the hub's cache, and never downloaded unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ladi.types import ContentError, ModelError

if TYPE_CHECKING:
    from ladi.diffusion.pipeline import LadiVtonPipeline

FILTER, PREVIEWS = "safety-checker", "taesd"
ON_HUB = {FILTER: "CompVis/stable-diffusion-safety-checker", PREVIEWS: "madebyollin/taesd"}
"""By the name of their folder in ``models/``."""
STABLE_DIFFUSION_SCALING = 0.18215
"""``scaling_factor`` of the autoencoder whose latents the preview decoder knows."""


class ContentFilter:
    """Stable Diffusion's safety checker, which refuses with a sentence instead of painting black.

    Args:
        checker: diffusers' ``StableDiffusionSafetyChecker``.
        processor: what its pictures are prepared by.
    """

    def __init__(self, checker: Any, processor: Any) -> None:
        self._checker = checker
        self._processor = processor

    @torch.no_grad()
    def check(self, pictures: Sequence[np.ndarray]) -> None:
        """Looks at (H,W,3) uint8 pictures.

        Raises:
            ContentError: one of them shows what the filter is there for, as far as it can tell.
        """
        pixels = self._processor(images=list(pictures), return_tensors="pt").pixel_values
        # Given copies to black out, which are not used.
        copies = [np.zeros((1, 1, 3), np.float32) for _ in pictures]
        _, found = self._checker(clip_input=pixels.to(self._checker.device), images=copies)
        if any(found):
            raise ContentError(
                "The content filter took the result for nudity and kept it back: try another photo, garment "
                "or seed; it errs now and then."
            )


@dataclass(frozen=True)
class Extras:
    """What an engine uses beside its model."""

    content_filter: ContentFilter | None = None
    preview_decoder: Any = None
    """diffusers' ``AutoencoderTiny``: a small, fast decoder of Stable Diffusion's latents."""


def load_extras(
    pipeline: LadiVtonPipeline,
    *,
    models: Path,
    content_filter: bool = False,
    fast_previews: bool = False,
) -> Extras:
    """Reads what is asked for.

    Args:
        pipeline: the model that they go with; the filter stays on the CPU, the decoder goes to its device.
        models: the folder that may hold theirs.
        content_filter: whether to look at results.
        fast_previews: whether to decode previews with the small decoder; models with latents of their own,
            such as the embedded one, go on without.

    Raises:
        ModelError: one that is asked for is not on this machine.
    """
    checker = decoder = None
    if content_filter:
        folder = _find(FILTER, models, "preprocessor_config.json")
        from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
        from transformers import CLIPImageProcessorPil

        network = StableDiffusionSafetyChecker.from_pretrained(folder, local_files_only=True)
        checker = ContentFilter(
            network.eval(), CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
        )
    if fast_previews and pipeline.vae.config.scaling_factor == STABLE_DIFFUSION_SCALING:
        from diffusers import AutoencoderTiny

        tiny: Any = AutoencoderTiny.from_pretrained(_find(PREVIEWS, models), local_files_only=True)
        decoder = tiny.to(pipeline.device, pipeline.unet.dtype).eval()
    return Extras(checker, decoder)


def _find(name: str, models: Path, marker: str = "config.json") -> Path:
    """The folder with a network's files."""
    if (models / name / marker).is_file():
        return models / name
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(ON_HUB[name], marker)
    if isinstance(cached, str):
        return Path(cached).parent
    raise ModelError(
        f"{ON_HUB[name]} is not on this machine: get it by `hf download {ON_HUB[name]} --local-dir "
        f"models/{name}`, or leave it switched off."
    )
