"""Where training puts its noise."""

from __future__ import annotations

import torch

from ladi.training.diffusion import draw_timesteps
from ladi.training.draws import Draws


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
