"""Other samplers than the model's own: the same noise levels, and nothing drawn at random."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ladi.diffusion.samplers import CLASSES, make_sampler
from ladi.settings import settings_table
from ladi.types import SettingError
from tests.toy import toy_pipeline


@pytest.fixture(scope="module")
def own() -> Any:
    return toy_pipeline().scheduler


def sample(scheduler: Any, steps: int, chance: int) -> torch.Tensor:
    """Denoise with a network that always sees the same noise."""
    torch.manual_seed(chance)
    scheduler.set_timesteps(steps)
    noise = torch.linspace(-1, 1, 16).reshape(1, 1, 4, 4)
    latents = noise * scheduler.init_noise_sigma
    for step in scheduler.timesteps:
        latents = scheduler.step(noise, step, latents).prev_sample
    return latents


@pytest.mark.parametrize("name", CLASSES)
def test_a_sampler_has_the_models_noise_levels(name: str, own: Any) -> None:
    """Prevents a sampler with diffusers' own defaults, which paints grey or glaring pictures."""
    made = make_sampler(name, own)
    assert type(made).__name__ == CLASSES[name]
    torch.testing.assert_close(made.alphas_cumprod, own.alphas_cumprod)
    assert made.config.prediction_type == own.config.prediction_type


@pytest.mark.parametrize("name", [None, *CLASSES])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_seed_means_one_picture(name: str | None, steps: int, own: Any) -> None:
    """Prevents samplers that draw at random, and numbers that run away at a single step."""
    first, second = (sample(make_sampler(name, own), steps, chance) for chance in (0, 1))
    assert torch.equal(first, second) and torch.isfinite(first).all()


def test_the_models_own_is_a_copy(own: Any) -> None:
    """Prevents one request's steps from changing another's that runs at the same time."""
    own.set_timesteps(5)
    made = make_sampler(None, own)
    made.set_timesteps(2)
    assert made is not own and type(made) is type(own) and len(own.timesteps) == 5


def test_an_unknown_sampler_is_a_sentence(own: Any) -> None:
    """Prevents any of diffusers' names, or an error without words, by way of a setting."""
    settings_table()["sampler"].check(None)
    with pytest.raises(SettingError, match="sampler must be ddim, dpm\\+\\+, unipc or euler, got 'DDIM'"):
        make_sampler("DDIM", own)
