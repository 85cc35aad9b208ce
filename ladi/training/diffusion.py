"""What every stage that trains on noise shares: drawing latents, adding noise, and what must be predicted."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ladi.models.vae import sample_moments
from ladi.training.loop.draws import Draws


class Noisy(NamedTuple):
    """Latents with noise, as the denoiser sees them in training."""

    latent: torch.Tensor
    """(B,L,h,w)."""
    timesteps: torch.Tensor
    """(B,)."""
    target: torch.Tensor
    """(B,L,h,w): what the network should predict."""
    noise: torch.Tensor
    """(B,L,h,w): what was added."""


def drawn_latent(moments: torch.Tensor, draws: Draws, scaling: float) -> torch.Tensor:
    """Moments (B,2L,h,w) → scaled latents (B,L,h,w), each with its sample's own noise."""
    channels, height, width = moments.shape[1] // 2, *moments.shape[2:]
    return sample_moments(moments, draws.normal((channels, height, width)).to(moments)) * scaling


def add_noise(
    scheduler: Any, latent: torch.Tensor, draws: Draws, *, visited: int = 0, share: float = 0.0
) -> Noisy:
    """Noise at a timestep of each sample's own.

    Args:
        scheduler: knows how much noise a timestep means, and what is to be predicted.
        latent: (B,L,h,w), scaled.
        draws: of the samples.
        visited: as in ``draw_timesteps``.
        share: likewise.
    """
    length = scheduler.config.num_train_timesteps
    timesteps = draw_timesteps(length, draws, visited=visited, share=share).to(latent.device)
    noise = draws.normal(latent.shape[1:]).to(latent)
    return Noisy(
        scheduler.add_noise(latent, noise, timesteps),
        timesteps,
        target_of(scheduler, latent, noise, timesteps),
        noise,
    )


def draw_timesteps(length: int, draws: Draws, *, visited: int = 0, share: float = 0.0) -> torch.Tensor:
    """Timesteps (B,) in [0, length), uniform but for a share of them.

    Args:
        length: of the scheduler.
        draws: of the samples.
        visited: that share is taken from the timesteps that a sampling of so many trailing steps visits.
        share: 0 to 1; with 0, as published, all are uniform.
    """
    anywhere = draws.integers(length)
    if not visited or not share:
        return anywhere
    chosen = visited_timesteps(length, visited)[draws.integers(visited)]
    return torch.where(draws.chance(share), chosen, anywhere)


def visited_timesteps(length: int, steps: int) -> torch.Tensor:
    """The timesteps of a trailing schedule's steps, lowest first: (steps,) in [0, ``length``)."""
    return torch.arange(1, steps + 1) * length // steps - 1


def target_of(
    scheduler: Any, latent: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor
) -> torch.Tensor:
    """What the network should predict: noise, velocity or the latent, as the scheduler is configured."""
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return noise
    return scheduler.get_velocity(latent, noise, timesteps) if kind == "v_prediction" else latent
