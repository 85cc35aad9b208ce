"""Two third-party networks for an engine, both off by default: a content filter and a preview decoder.

Each is read from a package, a folder in ``models/`` or the hub's cache, and never downloaded unasked. What
the filter does is ``content.py``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ladi.runtime.content import ContentFilter, FilterChoice, load_filter
from ladi.types import ModelError

if TYPE_CHECKING:
    from ladi.diffusion.pipeline import LadiVtonPipeline

FILTER, PREVIEWS = "safety-checker", "taesd"
ON_HUB = {FILTER: "CompVis/stable-diffusion-safety-checker", PREVIEWS: "madebyollin/taesd"}
"""By the name of their folder in ``models/``."""
STABLE_DIFFUSION_SCALING = 0.18215
"""``scaling_factor`` of the autoencoder whose latents the preview decoder knows."""


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
    content_filter: FilterChoice | None = None,
    fast_previews: bool = False,
) -> Extras:
    """Reads what is asked for.

    Args:
        pipeline: the model that they go with; the filter stays on the CPU, the decoder goes to its device.
        models: the folder that may hold theirs.
        content_filter: what looks at pictures, if anything.
        fast_previews: whether to decode previews with the small decoder; models with latents of their own,
            such as the embedded one, go on without.

    Raises:
        ModelError: one that is asked for is not on this machine.
    """
    decoder: Any = None
    looking: ContentFilter | None = None
    if content_filter is not None:
        looking = load_filter(content_filter, lambda: _find(FILTER, models, "preprocessor_config.json"))
    if fast_previews and pipeline.vae.config.scaling_factor == STABLE_DIFFUSION_SCALING:
        from diffusers import AutoencoderTiny

        tiny: Any = AutoencoderTiny.from_pretrained(_find(PREVIEWS, models), local_files_only=True)
        decoder = tiny.to(pipeline.device, pipeline.unet.dtype).eval()
    return Extras(looking, decoder)


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
