"""The light on bare arms: round, darker towards the body, turned at the elbow, from where the light comes."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.arm_light import light_on_arm
from ladi.postprocess.tubes import aside_of
from tests.postprocess.test_tubes import SIZE, arm_of


def across(side: str, light: float, row: int = 150) -> np.ndarray:
    """The light on a forearm from its inner to its outer edge, (N,)."""
    tube = arm_of(side)
    inside = tube.depth[row] < 1
    order = np.argsort(aside_of(tube)[row][inside])
    return light_on_arm(tube, 0.2, light)[row][inside][order]


def test_an_arm_is_round_and_darkest_beside_the_body() -> None:
    """Prevents: arms like cardboard, as medians of real arms were marked to be, and both edges of a pipe."""
    for side in ("left", "right"):
        light = across(side, 0.0)
        inner, middle, outer = light[2], light[len(light) // 2], light[-4]
        assert inner < outer - 0.05 < middle and outer > 0.8 * middle
        assert light.max() > 1.1 * inner


@pytest.mark.parametrize(("side", "outside"), [("right", -1.0), ("left", 1.0)])
def test_an_arm_is_lightest_where_the_light_comes_from(side: str, outside: float) -> None:
    """Prevents: two arms lit each from its own side."""
    towards, away = across(side, outside), across(side, -outside)
    half = len(towards) // 2
    assert towards[half:].mean() > towards[:half].mean() + 0.1
    assert away[half:].mean() < away[:half].mean()
    assert int(towards.argmax()) > int(across(side, 0.0).argmax()) > int(away.argmax())
    assert min(towards.min(), away.min()) > 0.5


def test_both_arms_are_alike_in_light_from_the_front() -> None:
    assert np.allclose(across("left", 0.0), across("right", 0.0), atol=0.02)


def test_an_elbow_is_seen_on_an_arm() -> None:
    """Prevents: arms of one tone from sleeve to wrist, as of wax."""
    tube = arm_of("left")
    light, aside = light_on_arm(tube, 0.0, 0.0), aside_of(tube)
    rows = [float(light[row][(np.abs(aside[row] + 0.4) < 0.3)].mean()) for row in range(96, 166, 4)]
    elbow = (124 - 96) // 4
    assert min(rows[elbow - 1 : elbow + 2]) < min(rows[0], rows[-1]) - 0.03


def test_skin_is_darker_right_below_a_sleeve() -> None:
    tube = arm_of("left")
    bare, sleeved = (light_on_arm(tube, end, 0.0) for end in (0.0, 0.3))
    below = (tube.depth < 1) & (tube.along > 0.31) & (tube.along < 0.35)
    assert (sleeved[below] < 0.95 * bare[below]).all()
    assert sleeved.shape == SIZE and np.isfinite(sleeved).all()
