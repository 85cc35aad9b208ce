"""The refinement that bends: a flow, nothing repainted."""

from __future__ import annotations

import pytest
import torch

from ladi.diffusion.conditioning import warp_garment
from ladi.diffusion.warping import bend_grid, continued, sample_garment
from ladi.models.bending import BendingRefinement
from ladi.models.tps import ThinPlateSplineWarp

SIZE = (64, 48)


@pytest.fixture
def network() -> BendingRefinement:
    torch.manual_seed(0)
    return BendingRefinement(height=64, width=48, widths=(8, 8), units=1).eval()


def _given(size: tuple[int, int] = SIZE) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    height, width = size
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return {
        "garment": torch.rand(2, 3, *size, generator=generator) * 2 - 1,
        "matte": torch.ones(2, 1, *size),
        "masked_person": torch.rand(2, 3, *size, generator=generator) * 2 - 1,
        "pose_map": torch.rand(2, 18, *size, generator=generator),
        "grid": torch.stack([x, y], dim=-1).expand(2, -1, -1, -1),
    }


@torch.no_grad()
def test_untrained_it_leaves_the_spline_alone(network) -> None:
    given = _given()
    assert torch.equal(bend_grid(network, **given), given["grid"])


@torch.no_grad()
def test_a_flow_of_one_unit_moves_everything_by_that(network) -> None:
    """Prevents: a flow in other units than the grid's, or applied in y for x."""
    network.heads[-1][1].bias[0] = 1.0
    given = _given()
    moved = bend_grid(network, **given) - given["grid"]
    assert torch.allclose(moved[..., 0], torch.tensor(0.05 * network.config.passes), atol=1e-5)
    assert moved[..., 1].abs().max() < 1e-6


@torch.no_grad()
def test_larger_pictures_bend_alike(network) -> None:
    """Prevents: a network that is shown other sizes than it learnt."""
    for head in network.heads:
        torch.nn.init.normal_(head[1].weight, std=0.3)
    smooth = {name: _smooth(value) for name, value in _given().items() if name != "grid"}
    larger = {
        name: torch.nn.functional.interpolate(value, scale_factor=2.0, mode="bilinear")
        for name, value in smooth.items()
    }
    small, large = (_given(size)["grid"] for size in (SIZE, (128, 96)))
    bent = bend_grid(network, **smooth, grid=small) - small
    alike = bend_grid(network, **larger, grid=large) - large
    shrunk = torch.nn.functional.avg_pool2d(alike.movedim(-1, 1), 2).movedim(1, -1)
    assert bent.abs().mean() > 1e-4
    assert (shrunk - bent).abs().mean() < 0.2 * bent.abs().mean()


def _smooth(picture: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(picture, 9, 1, 4, count_include_pad=False)


@torch.no_grad()
def test_warped_with_it_the_garment_is_only_moved(network) -> None:
    """Prevents: colours that are not the garment's own, and a grid that says other than what was done."""
    tps = ThinPlateSplineWarp(height=64, width=64, widths=(8, 8), regression_widths=(8, 8, 8, 8)).eval()
    for head in network.heads:
        torch.nn.init.normal_(head[1].weight, std=0.3)
    given = _given()
    parts = (given["garment"], given["masked_person"], given["pose_map"])
    warped = warp_garment(tps, network, *parts, given["matte"])
    own = continued(given["garment"], given["matte"])
    assert torch.allclose(warped.refined, sample_garment(own, warped.grid))
    assert not torch.allclose(warped.refined, warped.coarse)
    with pytest.raises(ValueError, match="needs the garment's matte"):
        warp_garment(tps, network, *parts)


def test_a_white_wall_leaves_no_rim() -> None:
    """Prevents: white lines around dark cloth on a dark wall."""
    garment, matte = torch.ones(1, 3, 64, 48), torch.zeros(1, 1, 64, 48)
    garment[..., 20:40, 10:30], matte[..., 20:40, 10:30] = -0.8, 1.0
    garment[..., 20, 10:30], matte[..., 20, 10:30] = 0.1, 0.5  # half wall, half cloth
    own = continued(garment, matte)
    assert torch.allclose(own[..., 18:40, 10:30], torch.tensor(-0.8), atol=1e-5)
    assert torch.equal(own[..., :10, :], garment[..., :10, :])
