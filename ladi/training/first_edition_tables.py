"""The first edition's stages, as tables: what each needs, trains, computes beforehand and is built by.

Their order is that of ``DEFAULTS``; parts and data are the workshop's (``first_edition.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.lining import GarmentLining
from ladi.models.matting import GarmentMatting
from ladi.models.parser import LAST_LAYER, HumanParser
from ladi.models.sleeves import SleeveLength
from ladi.training.editions import fast_device
from ladi.training.loop.stage import LoopOptions, Stage
from ladi.training.samples.cache import Cache
from ladi.training.samples.latents import (
    VARIED_NAMES,
    add_latents,
    add_predicted,
    latent_scale,
)
from ladi.training.samples.warped import add_warped
from ladi.training.stages import (
    emasc,
    garment_skips,
    lining,
    matting,
    parser,
    refinement,
    sleeves,
    tryon,
    vae,
    warp,
)

DEFAULTS: dict[str, LoopOptions] = {
    "vae": vae.DEFAULTS,
    "warp": warp.DEFAULTS,
    "refinement": refinement.DEFAULTS,
    "emasc": emasc.DEFAULTS,
    "tryon": tryon.DEFAULTS,
    "garment_skips": garment_skips.DEFAULTS,
    "parser": parser.DEFAULTS,
    "matting": matting.DEFAULTS,
    "sleeves": sleeves.DEFAULTS,
    "lining": lining.DEFAULTS,
}
STAGES = tuple(DEFAULTS)
"""In the order in which they need each other."""

NEEDS: dict[str, tuple[str, ...]] = {
    "refinement": ("warp",),
    "emasc": ("vae",),
    "tryon": ("vae", "warp", "refinement"),
    "garment_skips": ("vae", "warp", "refinement", "emasc", "tryon"),
    "lining": ("warp",),
}
TRAINED_TOGETHER = ("unet", "inversion_adapter", "vision_encoder", "text_encoder")
PIPELINE_STAGES: dict[str, tuple[str, ...]] = {
    "vae": ("vae",),
    "warp": ("tps",),
    "refinement": ("refinement",),
    "emasc": ("emasc",),
    "tryon": TRAINED_TOGETHER,
    "garment_skips": ("garment_skips",),
}
SHARED_STAGES = ("warp",)
"""Whose parts the second edition has too; from a model of it the first takes these, parser and matting."""
EXTRA_STAGES = dict(parser=HumanParser, matting=GarmentMatting, sleeves=SleeveLength, lining=GarmentLining)
"""Networks beside the pipeline, each in a folder of its own in the model."""


State = dict[str, torch.Tensor]


def as_it_is(module: Any, weights: State) -> None:
    """A stage's module with weights of its own shape."""
    module.load_state_dict(weights)


def _with_more_labels(network: Any, weights: State) -> None:
    """A parser that was trained before bags were a label knows one fewer."""
    before = HumanParser(labels=len(weights[f"network.{LAST_LAYER}.bias"]))
    before.load_state_dict(weights)
    network.start_from(before)


START: dict[str, Callable[[Any, State], None]] = {"parser": _with_more_labels}
"""How a stage's module takes over weights, where it does not take them as they are."""

STEPS: dict[str, Callable[[LadiVtonPipeline], dict[str, nn.Module]]] = {
    "vae": lambda pipeline: {"vae": vae.AutoencoderStep(pipeline.vae)},
    "tryon": lambda pipeline: {"tryon": tryon.TryOnStep(pipeline)},
    "garment_skips": lambda pipeline: {
        "step": garment_skips.DecodeStep(pipeline.vae, pipeline.emasc, pipeline.garment_skips)
    },
}
"""What is in a stage's checkpoint, where that is not the bare parts of ``PIPELINE_STAGES``."""


def _latents(
    pipeline: LadiVtonPipeline, training: Cache, validation: Cache, options: LoopOptions
) -> torch.device:
    device = fast_device()
    for cache in (training, validation):
        add_warped(cache, pipeline.tps, pipeline.refinement, device=device)
        add_latents(cache, pipeline.vae, device=device, precision=options.precision)
    pipeline.vae.register_to_config(scaling_factor=latent_scale(training))
    return device


def _for_tryon(pipeline: LadiVtonPipeline, training: Cache, validation: Cache, options: LoopOptions) -> None:
    device = _latents(pipeline, training, validation, options)
    parser.add_found_silhouettes(training)
    add_latents(training, pipeline.vae, device=device, precision=options.precision, names=VARIED_NAMES)


def _for_garment_skips(
    pipeline: LadiVtonPipeline, training: Cache, validation: Cache, options: LoopOptions
) -> None:
    device = _latents(pipeline, training, validation, options)
    for cache in (training, validation):
        add_predicted(cache, pipeline, device=device)


def _for_parser(pipeline: LadiVtonPipeline, training: Cache, validation: Cache, options: LoopOptions) -> None:
    for cache in (training, validation):
        parser.add_found_silhouettes(cache)


COMPUTED: dict[str, Callable[[LadiVtonPipeline, Cache, Cache, LoopOptions], None]] = {
    "tryon": _for_tryon,
    "garment_skips": _for_garment_skips,
    "parser": _for_parser,
}
"""What a stage adds to the training and validation splits before it is built."""

BUILDERS: dict[str, Callable[..., Stage]] = {
    "vae": lambda workshop, *given: vae.build_stage(workshop.pipeline.vae, *given),
    "warp": lambda workshop, *given: warp.build_stage(workshop.pipeline.tps, *given),
    "refinement": lambda workshop, *given: refinement.build_stage(
        workshop.pipeline.refinement, workshop.pipeline.tps, *given
    ),
    "emasc": lambda workshop, *given: emasc.build_stage(
        workshop.pipeline.emasc, workshop.pipeline.vae, *given
    ),
    "tryon": lambda workshop, *given: tryon.build_stage(workshop.pipeline, *given, trained=TRAINED_TOGETHER),
    "garment_skips": lambda workshop, *given: garment_skips.build_stage(
        workshop.pipeline.garment_skips, workshop.pipeline.vae, workshop.pipeline.emasc, *given
    ),
    "parser": lambda workshop, *given: parser.build_stage(
        workshop.extras["parser"], *given, street=workshop.street_caches()
    ),
    "matting": lambda workshop, *given: matting.build_stage(
        workshop.extras["matting"], *given, floors=workshop.floor_pictures()
    ),
    "sleeves": lambda workshop, *given: sleeves.build_stage(workshop.extras["sleeves"], *given),
    "lining": lambda workshop, *given: lining.build_stage(
        workshop.extras["lining"], workshop.pipeline.tps, *given
    ),
}
"""How a stage is built of a workshop, its training and validation splits and its options."""
