"""Where training puts its noise."""

from __future__ import annotations

import copy

import torch

from ladi.training.diffusion import add_noise, draw_timesteps, visited_timesteps
from ladi.training.first_edition_sizes import build_scheduler
from ladi.training.loop.draws import Draws
from ladi.training.stages.tryon import VISITED_STEPS, after_first_answer


def test_without_a_share_every_timestep_is_as_likely() -> None:
    """Prevents: a full-size model trained on other timesteps than the published one."""
    drawn = draw_timesteps(1000, Draws(0, 0, range(2000)))
    assert drawn.min() >= 0 and drawn.max() < 1000
    assert abs(float(drawn.float().mean()) - 499.5) < 25
    assert len(torch.unique(drawn)) > 700


def test_a_share_goes_to_the_timesteps_that_sampling_visits() -> None:
    """Prevents: training hard on timesteps beside those that two trailing steps really visit, 999 and 499."""
    drawn = draw_timesteps(1000, Draws(0, 0, range(2000)), visited=2, share=0.6)
    first, second = (float((drawn == timestep).float().mean()) for timestep in (999, 499))
    assert abs(first - 0.3) < 0.05 and abs(second - 0.3) < 0.05
    assert len(torch.unique(drawn)) > 400


def test_visited_timesteps_are_those_that_the_scheduler_visits() -> None:
    """Prevents: training for a schedule that sampling does not have."""
    for steps in (1, 2, 4):
        scheduler = build_scheduler()
        scheduler.set_timesteps(steps)
        assert scheduler.timesteps.flip(0).tolist() == visited_timesteps(1000, steps).tolist()


def test_the_second_step_trains_on_what_sampling_gives_it() -> None:
    """Prevents: a second step that has only seen noise on real photos, and takes a soft answer for one."""
    scheduler = build_scheduler()
    draws = Draws(0, 0, range(64))
    latent = torch.zeros(64, 8, 4, 3)
    noisy = add_noise(scheduler, latent, draws, visited=VISITED_STEPS, share=1.0)
    second = noisy.timesteps == 499
    assert 0 < int(second.sum()) < 64

    def answer(rows: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        assert torch.equal(rows, second)
        return 0.5 * noise + 1

    seen = after_first_answer(scheduler, noisy, draws, answer)
    sampling = copy.deepcopy(scheduler)
    sampling.set_timesteps(VISITED_STEPS)
    answered = answer(second, noisy.noise[second])
    stepped = sampling.step(answered, sampling.timesteps[0], noisy.noise[second]).prev_sample
    assert torch.allclose(seen[second], stepped, atol=1e-5)
    assert torch.equal(seen[~second], noisy.noise[~second])


def test_some_samples_between_still_follow_the_photo() -> None:
    """Prevents: a network that can no longer sample in any other number of steps."""
    scheduler = build_scheduler()
    draws = Draws(1, 0, range(400))
    noisy = add_noise(scheduler, torch.zeros(400, 8, 2, 2), draws)
    seen = after_first_answer(scheduler, noisy, draws, lambda rows, noise: torch.ones_like(noise))
    changed = (seen != noisy.latent).flatten(1).any(1)
    assert 0.4 < float(changed.float().mean()) < 0.6


def test_the_first_answer_leaves_the_gradients_alone() -> None:
    """Prevents: weights that autocast cast without gradients and uses again in the step that trains, as older
    versions of torch did."""
    layer = torch.nn.Conv2d(8, 8, 1)
    scheduler = build_scheduler()
    draws = Draws(0, 0, range(16))
    with torch.autocast("cpu", torch.bfloat16):
        noisy = add_noise(scheduler, torch.zeros(16, 8, 2, 2), draws, visited=VISITED_STEPS, share=1.0)
        seen = after_first_answer(scheduler, noisy, draws, lambda rows, noise: layer(noise))
        layer(seen).square().mean().backward()
    assert layer.weight.grad is not None and float(layer.weight.grad.abs().sum()) > 0
