"""The embedded model's second edition in the making: from a first edition's pipeline to the new one.

``python -m ladi train second``; ``assets/mini`` holds one. It keeps the first edition's warp, words and most
of its UNet. New are autoencoder, EMASC and garment skips, and the UNet's first and last convolutions, which
are carried over by linear fits between both editions' latents: training begins with what the first knew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel

from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.models.bending import BendingRefinement
from ladi.models.emasc import EMASC
from ladi.models.garment_skips import GarmentSkips
from ladi.models.lpips import Lpips
from ladi.models.shuffle_vae import ShuffleAutoencoder
from ladi.models.unet import POSE_CHANNELS, CompositeUNet, unet_input_channels
from ladi.training.critic import Critic
from ladi.training.editions import fast_device, run_stages, save_model
from ladi.training.first_edition import EXTRA_STAGES, Workshop
from ladi.training.loop.checkpoints import stage_weights
from ladi.training.loop.stage import LoopOptions, Stage
from ladi.training.samples.bending import add_warp_points
from ladi.training.samples.cache import Cache, to_images, to_masks
from ladi.training.samples.warped import add_warped
from ladi.training.stages import autoencoder, bending, end_to_end, placing
from ladi.types import LAYERS, LadiError
from ladi.weights.lpips import load_lpips

DEFAULTS: dict[str, LoopOptions] = {
    "autoencoder": autoencoder.DEFAULTS,
    "placing": placing.DEFAULTS,
    "bending": bending.DEFAULTS,
    "end_to_end": end_to_end.DEFAULTS,
    "sharpening": end_to_end.SHARPENING,
}
STAGES = tuple(DEFAULTS)
FITTED = 60
"""People on which the two editions' latents are fitted."""

LATENT_CHANNELS = 32
"""Principal components of 8×8 patches; 16, which are usual, lose nearly twice as much."""
SKIP_WIDTH = 64
BELIEF = 3.0
"""Of the gate at the start: what is known is taken to nineteen parts of twenty."""


def build_autoencoder(**changes: Any) -> ShuffleAutoencoder:
    """The second edition's, untrained; ``changes`` replace configured values."""
    told = {"layers": len(LAYERS), "light": True, "head": False}
    sizes = {"latent_channels": LATENT_CHANNELS, "encoder_units": (1, 1, 0), "decoder_units": (4, 3, 2)}
    return ShuffleAutoencoder(**{**sizes, **told, **changes})


@torch.no_grad()
def second_edition(
    first: LadiVtonPipeline, vae: ShuffleAutoencoder, pictures: torch.Tensor, masks: torch.Tensor
) -> LadiVtonPipeline:
    """A pipeline with the new autoencoder and everything that depends on it, ready to be trained end to end.

    Args:
        first: of the first edition; the parts that are kept are shared, not copied.
        vae: trained.
        pictures: (N,3,H,W) in [-1,1], people on which the latents are fitted.
        masks: (N,1,H,W), 1 = repaint.
    """
    shown = torch.cat([pictures, pictures * (1 - masks)])
    new = vae.encoder(shown)[0]
    scaling = float(1 / new[: len(pictures)].std())
    vae.register_to_config(scaling_factor=scaling)
    old = first.vae.encode_with_features(shown)[0].chunk(2, dim=1)[0] * first.vae.config.scaling_factor
    incoming, outgoing = vae.skip_channels
    emasc = EMASC(incoming, outgoing)
    for unit in emasc.conv:
        for parameter in unit[-1].parameters():
            torch.nn.init.zeros_(parameter)
    parts = dict(first.components)
    parts["vae"], parts["emasc"] = vae, emasc
    parts["garment_skips"] = GarmentSkips(incoming, outgoing, (SKIP_WIDTH,) * len(incoming))
    parts["unet"] = carry_over_unet(first.unet, new * scaling, old)
    parts["unet"].grey.copy_((vae.encoder(pictures[:1] * 0)[0] * scaling).mean((2, 3), keepdim=True))
    config: Any = first.config
    kept = {name: config[name] for name in ("default_steps", "default_guidance", "height", "width")}
    return LadiVtonPipeline(**parts, **kept, garment_matte=True)


def fit_linear_map(given: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The best linear map between two latents (N,C,h,w) and (N,D,h,w): matrix (D,C) and offset (D,)."""
    inputs = given.movedim(1, -1).flatten(0, -2).double()
    outputs = wanted.movedim(1, -1).flatten(0, -2).double()
    ones = torch.ones(len(inputs), 1, dtype=inputs.dtype)
    solution = torch.linalg.lstsq(torch.cat([inputs, ones], dim=1), outputs).solution.float()
    return solution[:-1].T, solution[-1]


def carry_over_unet(unet: UNet2DConditionModel, new: torch.Tensor, old: torch.Tensor) -> CompositeUNet:
    """The first edition's UNet with convolutions for the new latents at both ends.

    Args:
        unet: of the first edition.
        new: (N,L,h,w) scaled latents of some pictures.
        old: (N,L',h,w) those of the first edition.
    """
    before, after = old.shape[1], new.shape[1]
    config = {name: value for name, value in dict(unet.config).items() if not name.startswith("_")}
    config.update(in_channels=unet_input_channels(after, matte=True), out_channels=after)
    grown = CompositeUNet.from_config(config)
    ends = ("conv_in.", "conv_out.")
    middle = {name: value for name, value in unet.state_dict().items() if not name.startswith(ends)}
    grown.load_state_dict({**grown.state_dict(), **middle})
    to_old, offset = fit_linear_map(new, old)
    first, weight = unet.conv_in, grown.conv_in.weight
    weight.zero_()
    grown.conv_in.bias.copy_(first.bias)
    for latent in range(3):  # noisy, person, garment, with the mask before the second and the pose before it
        gap = (0, 1, 1 + POSE_CHANNELS)[latent]
        source = first.weight[:, latent * before + gap : (latent + 1) * before + gap]
        place = slice(latent * after + gap, (latent + 1) * after + gap)
        weight[:, place] = torch.einsum("oihw,ij->ojhw", source, to_old)
        grown.conv_in.bias += torch.einsum("oihw,i->o", source, offset)
    weight[:, after] = first.weight[:, before]
    pose = slice(2 * after + 1, 2 * after + 1 + POSE_CHANNELS)
    weight[:, pose] = first.weight[:, 2 * before + 1 : 2 * before + 1 + POSE_CHANNELS]
    to_new, offset = fit_linear_map(old, new)
    last = unet.conv_out
    grown.conv_out.weight[:after] = torch.einsum("oihw,jo->jihw", last.weight, to_new)
    grown.conv_out.bias[:after] = to_new @ last.bias + offset
    grown.conv_out.weight[after:] = 0
    grown.conv_out.bias[after:] = BELIEF
    return grown


class SecondWorkshop:
    """The second edition as far as it is trained, for one work folder.

    Args:
        work: holds the cache and the stages' checkpoints.
        data: the folder with the shards; only needed where the cache is not built yet.
        init: a model folder: of the first edition, or of the second to train it on.
        street: the folder with the street photos; not needed where they are framed already.
    """

    def __init__(
        self, work: Path, data: Path | None, init: Path, street: Path | None = None, **changes: Any
    ) -> None:
        self.work, self.init = work, init
        self.samples = Workshop(work, data, street=street)  # the first edition's, for its caches alone
        loaded = LadiVtonPipeline.from_pretrained(init)
        self.first = None if loaded.config.garment_matte else loaded
        self.pipeline = None if self.first else loaded
        self.autoencoder = loaded.vae if self.pipeline else build_autoencoder(**changes)
        for stage in STAGES:
            self.load_stage(stage)

    def load_stage(self, stage: str) -> None:
        """Takes over the averaged weights that a stage has reached, if it ever ran."""
        if (weights := stage_weights(self.work / stage)) is not None:
            LOADERS[stage](self, weights)

    def caches(self) -> tuple[Cache, Cache]:
        """The decoded training and validation splits."""
        return self.samples.caches()

    def second_pipeline(self) -> LadiVtonPipeline:
        """The second edition's pipeline, made from the first's where there is none yet."""
        if self.pipeline is None:
            assert self.first is not None
            if stage_weights(self.work / "autoencoder") is None:
                raise LadiError(
                    "stage end_to_end needs autoencoder: run `python -m ladi train second --stage "
                    "autoencoder` first, or start from a second edition with --init"
                )
            train, _ = self.caches()
            pictures, masks = to_images(train["image"][:FITTED]), to_masks(train["mask"][:FITTED])
            self.pipeline = second_edition(self.first, self.autoencoder, pictures, masks)
        return self.pipeline

    def stage(self, name: str, options: LoopOptions) -> Stage:
        """A stage, ready for the loop.

        Raises:
            LadiError: a stage that it needs has not been trained, or LPIPS's weights are missing.
        """
        return BUILDERS[name](self, Given(load_lpips("vgg"), *self.caches(), options))

    def street_cache(self) -> Cache | None:
        """The framed street photos to train on, if there are any."""
        caches = self.samples.street_caches()
        return None if caches is None else caches[0]

    def bending_refinement(self) -> BendingRefinement:
        """The part that bends what the warp has placed, put into the pipeline if it has none yet."""
        pipeline = self.second_pipeline()
        if not isinstance(pipeline.refinement, BendingRefinement):
            pipeline.register_modules(refinement=BendingRefinement())
        return pipeline.refinement

    def export(self, out: Path) -> None:
        """Writes the whole model as the first edition does; what is beside the pipeline is from ``init``."""
        extras: dict[str, Any] = {
            name: kind.from_pretrained(self.init, subfolder=name, torch_dtype=torch.float32)
            for name, kind in EXTRA_STAGES.items()
            if (self.init / name).is_dir()
        }
        save_model(out, self.second_pipeline(), extras)


Weights = dict[str, dict[str, torch.Tensor]]


class Given(NamedTuple):
    """What every stage is built of, beside the workshop; in the order of ``build_stage``'s arguments."""

    lpips: Lpips
    train: Cache
    val: Cache
    options: LoopOptions


def _load_autoencoder(workshop: SecondWorkshop, weights: Weights) -> None:
    workshop.autoencoder.load_state_dict(weights["vae"])
    if workshop.first is not None:
        workshop.pipeline = None  # where it was made of an earlier autoencoder


def _load_end_to_end(workshop: SecondWorkshop, weights: Weights) -> None:
    end_to_end.EndToEndStep(workshop.second_pipeline()).load_state_dict(weights["step"])


LOADERS: dict[str, Callable[[SecondWorkshop, Weights], Any]] = {
    "autoencoder": _load_autoencoder,
    "placing": lambda workshop, weights: workshop.second_pipeline().tps.load_state_dict(weights["tps"]),
    "bending": lambda workshop, weights: workshop.bending_refinement().load_state_dict(weights["refinement"]),
    "end_to_end": _load_end_to_end,
    "sharpening": _load_end_to_end,
}
"""How the weights of a stage's checkpoint are taken over."""


def _build_autoencoder(workshop: SecondWorkshop, given: Given) -> Stage:
    if stage_weights(workshop.work / "autoencoder") is None and workshop.first is not None:
        shown = [to_images(given.train[name][: autoencoder.PATCHED]) for name in ("image", "garment")]
        autoencoder.start_from_patches(workshop.autoencoder, torch.cat(shown))
    return autoencoder.build_stage(workshop.autoencoder, *given)


def _build_placing(workshop: SecondWorkshop, given: Given) -> Stage:
    tps, street = workshop.second_pipeline().tps.requires_grad_(True), workshop.samples.street_caches()
    return placing.build_stage(tps, given.train, given.val, given.options, street=street)


def _build_bending(workshop: SecondWorkshop, given: Given) -> Stage:
    tps = workshop.second_pipeline().tps
    for cache in (given.train, given.val):
        add_warp_points(cache, tps, device=fast_device())
    return bending.build_stage(workshop.bending_refinement(), tps, *given, street=workshop.street_cache())


def _build_end_to_end(workshop: SecondWorkshop, given: Given, *, critic: type[Critic] | None = None) -> Stage:
    pipeline = workshop.second_pipeline()
    for cache in (given.train, given.val):
        add_warped(cache, pipeline.tps, pipeline.refinement, device=fast_device())
    street, made = workshop.street_cache(), None if critic is None else critic()
    return end_to_end.build_stage(pipeline, *given, street=street, critic=made)


BUILDERS: dict[str, Callable[[SecondWorkshop, Given], Stage]] = {
    "autoencoder": _build_autoencoder,
    "placing": _build_placing,
    "bending": _build_bending,
    "end_to_end": _build_end_to_end,
    "sharpening": partial(_build_end_to_end, critic=Critic),
}
"""How a stage is built."""


def train_second(
    work: Path,
    data: Path | None,
    init: Path,
    *,
    stages: tuple[str, ...] = STAGES,
    street: Path | None = None,
    resume: bool = False,
    device: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> SecondWorkshop:
    """Trains the second edition's stages one after the other; arguments as ``train_mini``'s."""
    workshop = SecondWorkshop(work, data, init, street)
    run_stages(workshop, stages, DEFAULTS, resume=resume, device=device, changes=changes)
    return workshop
