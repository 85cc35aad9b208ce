"""Sleeves that take their cloth from along the garment's own, as far as the arm goes."""

from __future__ import annotations

import numpy as np
import torch

from ladi.postprocess.straight_sleeves import StraightSleeve, straight_sleeves, with_sleeves
from ladi.postprocess.tubes import SLEEVE
from ladi.types import JOINT, Garment
from tests.postprocess.test_tubes import SIZE, arm_of, joints

_ROWS, _COLUMNS = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j]


def warp() -> torch.Tensor:
    """(1,H,W,2), from where each pixel is, half as far from the middle."""
    return torch.from_numpy(np.stack([_COLUMNS, _ROWS], axis=-1).astype(np.float32) / 2)[None]


def shirt(sleeve: float, *, striped: bool = True) -> Garment:
    image = torch.zeros(1, 3, *SIZE)
    if striped:
        image[:, :, ::4] = image[:, :, 1::4] = 0.8
    return Garment(image, torch.ones(1, 1, *SIZE), sleeve=sleeve)


def sleeve_region() -> np.ndarray:
    tube = arm_of("left")
    return (tube.depth <= SLEEVE) & (tube.along < 1)


def one_straight(laid: np.ndarray) -> StraightSleeve:
    made = straight_sleeves(warp(), laid.astype(np.float32), sleeve_region(), joints(), shirt(1.0))
    [sleeve] = [one for one in made if one.share.any()]
    return sleeve


def test_cloth_that_ends_at_the_elbow_is_stretched_to_the_wrist() -> None:
    """Prevents: sleeves whose lower half is patched together from pieces of the upper one."""
    tube, region = arm_of("left"), sleeve_region()
    told = region & (tube.along < 0.6)
    sleeve = one_straight(told)
    rows = sleeve.grid[0, ..., 1].numpy()
    given = warp()[0, ..., 1].numpy()
    farthest = given[told].max()
    end = region & (tube.along > 0.95)
    assert np.abs(rows[end].mean() - farthest) < 0.04
    assert given[end].mean() > farthest + 0.1, "where the warp itself would have taken it from"
    middle = region & (tube.depth < 0.2)
    places = [rows[middle & (np.abs(tube.along - at) < 0.04)].mean() for at in (0.2, 0.4, 0.6, 0.8)]
    assert (np.diff(places) > 0.02).all(), "in order from the shoulder to the wrist"


def test_cloth_that_is_too_slim_is_stretched_to_both_edges() -> None:
    tube, region = arm_of("left"), sleeve_region()
    columns = np.mgrid[: SIZE[0], : SIZE[1]][1]
    middle = tube.line[:, 0].mean()
    told = region & (columns < middle)
    sleeve = one_straight(told)
    taken, given = sleeve.grid[0, ..., 0].numpy(), warp()[0, ..., 0].numpy()
    inner = region & (tube.along > 0.1) & (tube.along < 0.9)
    assert taken[inner].max() < given[told].max() + 0.02 and taken[inner].min() > given[told].min() - 0.02


def test_a_sleeve_that_the_warp_covers_is_left_where_it_is() -> None:
    """Prevents: a seam at the shoulder of a sleeve whose stripes lay rightly."""
    tube, region = arm_of("left"), sleeve_region()
    assert straight_sleeves(warp(), region.astype(np.float32), region, joints(), shirt(1.0)) == ()
    without_cuff = (region & (tube.along < 0.84)).astype(np.float32)
    [sleeve] = straight_sleeves(warp(), without_cuff, region, joints(), shirt(1.0))
    assert sleeve.share.any(), "its end is missing"


def test_only_sleeves_are_changed_and_only_long_ones() -> None:
    region = sleeve_region()
    sleeve = one_straight(region & (arm_of("left").along < 0.6))
    both = with_sleeves(warp(), (sleeve,), SIZE)
    changed = (both - warp()).abs().amax(-1)[0].numpy() > 1e-6
    assert changed.any() and not changed[~region].any()
    assert straight_sleeves(warp(), region.astype(np.float32), region, joints(), shirt(0.05)) == ()
    assert (
        straight_sleeves(warp(), region.astype(np.float32), region, joints(), shirt(1.0, striped=False)) == ()
    )
    nobody = joints()
    nobody[[JOINT["left_elbow"], JOINT["right_elbow"]]] = 0
    assert straight_sleeves(warp(), region.astype(np.float32), region, nobody, shirt(1.0)) == ()


def test_an_enlarged_sleeve_has_a_clear_edge() -> None:
    """Prevents: a fringe of cloth from places between the sleeve's and the body's."""
    region = sleeve_region()
    sleeve = one_straight(region & (arm_of("left").along < 0.6))
    size = (2 * SIZE[0], 2 * SIZE[1])
    plain = with_sleeves(warp(), (), SIZE)
    assert plain is not None and torch.equal(plain, warp())
    large = torch.nn.functional.interpolate(warp().movedim(-1, 1), size, mode="bilinear").movedim(1, -1)
    both = with_sleeves(large, (sleeve,), size)
    changed = (both - large).abs().amax(-1)[0].numpy() > 1e-6
    grown = np.kron(region, np.ones((2, 2))) > 0
    assert changed.sum() < 1.1 * grown.sum()


def test_an_arm_that_tells_nothing_has_the_other_ones_sleeve() -> None:
    """Prevents: one sleeve with its pattern and folds beside one of fog."""
    tubes = [arm_of(side) for side in ("left", "right")]
    regions = [(tube.depth <= SLEEVE) & (tube.along < 1) for tube in tubes]
    laid = (regions[0] & (tubes[0].along < 0.8)).astype(np.float32)
    left, right = straight_sleeves(warp(), laid, regions[0] | regions[1], joints(), shirt(1.0))
    taken = [
        sleeve.grid[0].numpy()[region & (tube.depth < 0.2) & (np.abs(tube.along - 0.5) < 0.05)].mean(axis=0)
        for sleeve, region, tube in zip((left, right), regions, tubes, strict=True)
    ]
    assert np.abs(taken[0] - taken[1]).max() < 0.03, "the same cloth on both"
    assert right.share.numpy()[0, 0][regions[1] & (tubes[1].along > 0.2)].min() == 1
    [only] = straight_sleeves(
        warp(), regions[0].astype(np.float32), regions[0] | regions[1], joints(), shirt(1.0)
    )
    assert not only.share.numpy()[0, 0][regions[0]].any(), "one that lies rightly stays"
    nothing = np.zeros_like(laid)
    assert straight_sleeves(warp(), nothing, regions[0] | regions[1], joints(), shirt(1.0)) == ()
