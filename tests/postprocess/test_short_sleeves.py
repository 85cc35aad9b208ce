"""Short sleeves that lie along the arms in them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.postprocess.short_sleeves import short_sleeves
from ladi.postprocess.sleeve_ends import SleeveEnd
from ladi.postprocess.tubes import arm_joints
from ladi.preprocess.limbs import Limbs
from ladi.preprocess.sleeve_corners import sleeve_corners
from ladi.types import Garment
from tests.postprocess.test_cloth import identity
from tests.postprocess.test_tubes import SIZE, arm_of, joints
from tests.preprocess.test_sleeve_corners import shirt

END = 0.4


def ends() -> tuple[SleeveEnd, ...]:
    limbs = Limbs(joints(), np.ones(SIZE, bool))
    arms = [arm_joints(joints(), side, limbs) for side in ("left", "right")]
    return tuple(SleeveEnd(arm, END, 1.4) for arm in arms if arm is not None)


STANDS_OFF = shirt(outer=(4, 58), inner=(14, 86), armpit=(52, 84))


def garment(sleeve: float = END, matte: np.ndarray = STANDS_OFF) -> Garment:
    return Garment(torch.zeros(1, 3, *SIZE), torch.from_numpy(matte)[None, None], sleeve=sleeve)


def moved() -> torch.Tensor:
    """A warp that lays the shirt's shoulders near the arms', and its body between these: (1,H,W,2)."""
    return identity(SIZE) * 1.45 - torch.tensor([0.0, 0.1])


def test_a_sleeves_end_is_taken_from_its_own_end() -> None:
    """Prevents: hems and bands of sleeves that are lost, because a warp lays them beside the arm."""
    sleeves = short_sleeves(moved(), garment(), ends())
    assert len(sleeves) == 2
    left_of_picture = next(one for one in sleeves if one.share[..., :96].sum() > one.share[..., 96:].sum())
    corners = sleeve_corners(STANDS_OFF)[0]
    assert corners is not None
    tube = arm_of("right")
    at_end = (np.abs(tube.along - END) < 0.02) & (tube.depth < 0.8)
    taken = left_of_picture.grid[0].numpy()[at_end]
    run = corners.outer - corners.inner
    beside = (taken - corners.inner) @ np.array([run[1], -run[0]]) / np.hypot(*run)
    assert np.abs(beside).max() < 0.08, "on the line between its corners"
    given = moved()[0].numpy()[at_end]
    assert np.abs(given - taken).max() > 0.1, "which is not where the warp takes it from"


def test_the_body_stays_as_the_warp_lays_it() -> None:
    body = np.zeros(SIZE, bool)
    body[80:200, 76:116] = True
    for one in short_sleeves(moved(), garment(), ends()):
        assert 0 <= float(one.share.min()) and float(one.share.max()) == 1
        assert not one.share[0, 0].numpy()[body].any()


@pytest.mark.parametrize("sleeve", [None, 0.9])
def test_other_sleeves_are_not_turned(sleeve: float | None) -> None:
    assert short_sleeves(moved(), garment(sleeve), ends()) == ()  # type: ignore[arg-type]
    assert short_sleeves(moved(), garment(), ()) == ()


def test_a_sleeve_that_ends_there_by_itself_is_not_turned() -> None:
    """Prevents: laced ends of wide sleeves that hang as the warp lays them, taken from elsewhere."""
    assert short_sleeves(moved(), garment(matte=shirt()), ends()) == ()


def test_nothing_is_turned_where_the_warp_lays_no_shoulder() -> None:
    assert short_sleeves(identity(SIZE) / 8, garment(), ends()) == ()
