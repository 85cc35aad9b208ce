"""The random draws of one sampling, and the denoising loop, as plain functions of a UNet and a scheduler.

``pipeline.py`` calls them as its stages. They know latents and conditions; pictures, text and the VAE they do
not know.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.utils.torch_utils import randn_tensor

from ladi.models.unet import mask_to_latent_size, matte_to_latent_size, pose_to_latent_size, unet_input
from ladi.models.vae import sample_moments
from ladi.settings import Switches
from ladi.types import Conditions

Generators = torch.Generator | Sequence[torch.Generator] | None
StepCallback = Callable[[Any, int, Any, dict[str, torch.Tensor]], dict[str, Any] | None]
"""diffusers' ``callback(pipeline, step, timestep, tensors)``; see ``AfterStep`` for what it returns."""
AfterStep = Callable[[int, Any, dict[str, torch.Tensor]], dict[str, Any] | None]
"""(step, timestep, tensors) → tensors to go on with, ``{"interrupt": True}``, or nothing."""


class DrawnLatents(NamedTuple):
    """One sampling's three random draws, in float32 so that a seed means the same at any precision."""

    noise: torch.Tensor
    """(B,L,h,w) standard normal, where denoising starts."""
    garment: torch.Tensor
    """(B,L,h,w) scaled latent of the warped garment."""
    person: torch.Tensor
    """(B,L,h,w) scaled latent of the masked person."""


@dataclass(frozen=True)
class Sampling:
    """How to denoise."""

    steps: int
    guidance: float | Sequence[float]
    """One number, or one for each picture; pictures up to 1 then ride in the guided batch unguided."""
    switches: Switches
    eta: float = 0.0
    """DDIM's noise, where the scheduler knows it."""


def repeat_conditions(conditions: Conditions, times: int) -> Conditions:
    """Every row as many times, one after the other: (B,…) → (B·times,…)."""

    def repeat(value: torch.Tensor) -> torch.Tensor:
        if len(value) == 1:  # a view: the features of one full-size picture alone are a quarter of a gigabyte
            return value.expand(times, *value.shape[1:])
        return value.repeat_interleave(times, dim=0)

    return _map_conditions(conditions, repeat)


def split_conditions(conditions: Conditions) -> list[Conditions]:
    """One row each."""

    def only(row: int) -> Conditions:
        return _map_conditions(conditions, lambda value: value[row : row + 1])

    return [only(row) for row in range(len(conditions.mask))]


def _map_conditions(conditions: Conditions, change: Callable[[torch.Tensor], torch.Tensor]) -> Conditions:
    """Every tensor in them changed."""

    def changed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(changed(part) for part in value)
        return None if value is None else change(value)

    return replace(
        conditions, **{entry.name: changed(getattr(conditions, entry.name)) for entry in fields(conditions)}
    )


def _listed(generator: Generators) -> torch.Generator | list[torch.Generator] | None:
    """Several generators as the list that diffusers insists on."""
    return list(generator) if isinstance(generator, Sequence) else generator


def draw_latents(conditions: Conditions, scaling_factor: float, generator: Generators = None) -> DrawnLatents:
    """DrawnLatents in the published order: garment, noise, masked person.

    Every draw happens whatever the switches say, so that a seed keeps its noise when a switch is turned.

    Args:
        conditions: one row per picture.
        scaling_factor: the VAE's.
        generator: one for all pictures, or one for each.
    """
    batch, channels, height, width = conditions.garment_moments.shape
    shape = (batch, channels // 2, height, width)
    device = conditions.garment_moments.device
    generators = _listed(generator)

    def draw() -> torch.Tensor:
        return randn_tensor(shape, generator=generators, device=device, dtype=torch.float32)

    garment = sample_moments(conditions.garment_moments.float(), draw()) * scaling_factor  # [B,L,h,w]
    noise = draw()  # [B,L,h,w]
    person = sample_moments(conditions.person_moments.float(), draw()) * scaling_factor  # [B,L,h,w]
    return DrawnLatents(noise, garment, person)


def step_arguments(scheduler: Any, generator: Generators, eta: float) -> dict[str, Any]:
    """Of generator and eta, what this scheduler's ``step`` takes."""
    offered = {"generator": _listed(generator), "eta": eta}
    accepted = inspect.signature(scheduler.step).parameters
    return {name: value for name, value in offered.items() if name in accepted}


def denoise(
    unet: UNet2DConditionModel,
    scheduler: Any,
    conditions: Conditions,
    draws: DrawnLatents,
    sampling: Sampling,
    *,
    generator: Generators = None,
    after_step: AfterStep | None = None,
    tensor_inputs: Sequence[str] = ("latents",),
    progress: Callable[..., AbstractContextManager[Any]],
) -> torch.Tensor:
    """Turns noise into the latent of the dressed person.

    With guidance, the first half of the batch is unconditional: no pose, no garment, the negative prompt;
    mask and masked person stay. Guidance up to 1 needs no such half.

    Args:
        unet: takes the channels of :func:`ladi.models.unet.unet_input`.
        scheduler: any of diffusers'; its state is changed, so it must be this call's own.
        conditions: one row per picture.
        draws: from :func:`draw_latents`.
        sampling: steps, guidance and switches.
        generator: for schedulers that draw at every step.
        after_step: called after every step, and may change the latents and prompt or interrupt.
        tensor_inputs: which of ``latents`` and ``prompt_embeds`` it is given.
        progress: ``progress(total=steps)`` opens a bar with ``update()``, as diffusers' ``progress_bar``
            does.

    Returns:
        Scaled latent (B,L,h,w).
    """
    switches, device, dtype = sampling.switches, draws.noise.device, unet.dtype
    scales = torch.as_tensor(sampling.guidance, dtype=dtype, device=device).reshape(-1, 1, 1, 1).clamp_min(1)
    guided = bool((scales > 1).any())
    size = (draws.noise.shape[-2], draws.noise.shape[-1])
    scheduler.set_timesteps(sampling.steps, device=device)
    extra = step_arguments(scheduler, generator, sampling.eta)

    def with_unconditional(unconditional: torch.Tensor, conditional: torch.Tensor) -> torch.Tensor:
        return torch.cat([unconditional, conditional]) if guided else conditional

    mask = mask_to_latent_size(conditions.mask, size).to(device, dtype)
    pose = pose_to_latent_size(conditions.pose_map, size).to(device, dtype) * switches.pose
    garment = draws.garment.to(dtype) * switches.warped_garment
    person = draws.person.to(dtype)
    text = conditions.prompt_embeds if switches.pseudo_words else conditions.plain_prompt_embeds
    negative = conditions.negative_embeds.to(device, dtype)

    if conditions.warped_matte is not None:
        matte = matte_to_latent_size(conditions.warped_matte, size).to(device, dtype)
        # One tensor, so that whatever leaves the garment out leaves its matte out too.
        garment = torch.cat([garment, matte * switches.warped_garment], dim=1)  # [B,L+1,h,w]
    no_garment = torch.zeros_like(garment)
    masks, people = with_unconditional(mask, mask), with_unconditional(person, person)  # [2B,…] or [B,…]
    poses, garments = (
        with_unconditional(torch.zeros_like(pose), pose),
        with_unconditional(no_garment, garment),
    )
    texts = with_unconditional(negative, text.to(device, dtype))
    seeing_garment = round(switches.cloth_cond_rate * len(scheduler.timesteps))

    latents = draws.noise.to(dtype) * scheduler.init_noise_sigma  # [B,L,h,w]
    with progress(total=len(scheduler.timesteps)) as bar:
        for index, timestep in enumerate(scheduler.timesteps):
            scaled = scheduler.scale_model_input(latents, timestep)
            sample = unet_input(
                with_unconditional(scaled, scaled),
                mask=masks,
                person=people,
                pose=poses,
                garment=garments if index < seeing_garment else torch.zeros_like(garments),
            )  # [2B,3L+19,h,w], one more with a matte
            predicted = unet(sample, timestep, encoder_hidden_states=texts, return_dict=False)[0]
            if guided:
                unconditional, conditional = predicted.chunk(2)
                predicted = unconditional + scales * (conditional - unconditional)
            latents = scheduler.step(predicted, timestep, latents, **extra, return_dict=False)[0].to(dtype)
            bar.update()
            if after_step is None:
                continue
            tensors = {"latents": latents, "prompt_embeds": texts}
            changed = after_step(index, timestep, {name: tensors[name] for name in tensor_inputs}) or {}
            latents, texts = changed.get("latents", latents), changed.get("prompt_embeds", texts)
            if changed.get("interrupt", False):
                break
    return latents
