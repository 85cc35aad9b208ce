"""From prepared person and garment to painted pictures: conditions, sampling, decoding.

It knows tensors and settings: photos are prepared, the pipeline is guarded and the result is put back into
the photo elsewhere (``engine.py``, ``postprocess/``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from ladi.diffusion.hanging import levels_of
from ladi.diffusion.samplers import make_sampler
from ladi.preprocess.frame import to_pixels
from ladi.progress import Stages
from ladi.settings import SamplingNumbers, Settings, picture_seed
from ladi.types import Conditions, Garment, PersonParts

if TYPE_CHECKING:
    from ladi.diffusion.pipeline import LadiVtonPipeline, Recalling

Preview = Callable[[np.ndarray], None]
"""Called with the first picture as it stands, (h,w,3) uint8 at the model's size."""

PREVIEW_EVERY = 5
"""Steps between two previews: decoding costs about as much as a step."""

DECODED_AT_ONCE = 2
"""Pictures between two questions whether to stop: decoding one takes as long as several steps."""


class Painted(NamedTuple):
    """What :func:`paint` gives back, before any of it is in the photo."""

    pictures: torch.Tensor
    """(B,3,H,W) in [-1,1], on the CPU."""
    layers: torch.Tensor | None
    """(B,K,H,W) probabilities of ``ladi.types.LAYERS``, on the CPU, from models that tell."""
    conditions: Conditions
    without_emasc: torch.Tensor | None
    """(1,3,H,W) in [-1,1], the first picture without EMASC, where it was asked for and EMASC was on."""


def encode(
    pipeline: LadiVtonPipeline, person: PersonParts, garment: Garment, recall: Recalling
) -> Conditions:
    """What both mean to the networks; ``recall`` is ``LadiVtonPipeline.encode_conditions``'s."""
    return pipeline.encode_conditions(
        person.image,
        person.mask,
        person.pose_map,
        garment.image,
        garment_matte=garment.matte,
        category=person.category,
        recall=recall,
        levels=levels_of(person) if pipeline.config.garment_matte else None,
    )


@torch.no_grad()
def paint(
    pipeline: LadiVtonPipeline,
    person: PersonParts,
    garment: Garment,
    *,
    settings: Settings,
    numbers: SamplingNumbers,
    stages: Stages,
    recall: Recalling,
    preview: Preview | None = None,
    preview_decoder: Any = None,
    explain: bool = False,
) -> Painted:
    """Sample pictures.

    Args:
        pipeline: nobody else's meanwhile.
        person: prepared.
        garment: prepared.
        settings: number of pictures, sampler and switches.
        numbers: seed, steps and guidance, from ``choose_sampling``.
        stages: timings and progress; may raise to stop.
        recall: as in ``encode``.
        preview: called every few steps.
        preview_decoder: a small decoder for previews, in place of the pipeline's.
        explain: also decode without EMASC.
    """
    from ladi.diffusion.sampling import Sampling, repeat_conditions

    count, switches = settings.pictures, settings.switches
    seed, steps, guidance = numbers
    with stages("conditions"):
        conditions = encode(pipeline, person, garment, recall)
    # On the CPU, so that a seed means the same picture on every device.
    generators = [torch.Generator("cpu").manual_seed(picture_seed(seed, index)) for index in range(count)]

    def after_step(_: Any, step: int, __: Any, tensors: dict[str, torch.Tensor]) -> None:
        stages.within("denoise", (step + 1) / steps)
        if preview is not None and (step + 1) % PREVIEW_EVERY == 0 and step + 1 < steps:
            latents = tensors["latents"][:1]
            if preview_decoder is None:
                preview(to_pixels(pipeline.decode(latents, conditions, switches)))
            else:
                preview(to_pixels(preview_decoder.decode(latents).sample))

    with stages("denoise"):
        repeated = repeat_conditions(conditions, count)
        latents = pipeline.denoise(
            repeated,
            pipeline.prepare_latents(repeated, generators),
            Sampling(steps=steps, guidance=guidance, switches=switches),
            generator=generators,
            callback=after_step,
            scheduler=make_sampler(settings.sampler, pipeline.scheduler),
        )
    with stages("decode"):
        pictures: list[torch.Tensor] = []
        layers: list[torch.Tensor] = []
        for rows in latents.split(DECODED_AT_ONCE):
            stages.within("decode", len(pictures) * DECODED_AT_ONCE / count)
            picture, told = pipeline.decode_with_layers(
                rows, repeat_conditions(conditions, len(rows)), switches
            )
            pictures.append(picture.clamp(-1, 1).cpu())
            layers += [] if told is None else [told.cpu()]
        plain = None
        if explain and switches.emasc:
            off = replace(switches, emasc=False)
            plain = pipeline.decode(latents[:1], conditions, off).clamp(-1, 1).cpu()
    return Painted(torch.cat(pictures), torch.cat(layers) if layers else None, conditions, plain)
