"""Painted wall and skin take the photo's tone."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.light import match_light

H, W = 128, 96


@pytest.fixture
def scene() -> dict[str, np.ndarray]:
    """A grey wall that the network paints white, kept on the left; a dark garment in the middle."""
    photo = np.full((H, W, 3), 0.4, np.float32)
    generated = np.full((H, W, 3), 0.7, np.float32)
    generated[:, 40:60] = (-0.8, -0.5, -0.5)
    kept = np.zeros((H, W), bool)
    kept[:, :24] = True
    return {"generated": generated, "photo": photo, "kept": kept}


def test_the_painted_wall_takes_the_real_ones_tone(scene) -> None:
    """Prevents: a white glow around the new garment before a grey wall."""
    change = match_light(**scene)
    np.testing.assert_allclose(change[64, 28:36], -0.3, atol=0.05)


def test_other_colours_are_left_alone(scene) -> None:
    """Prevents: a garment that is darkened because the wall is."""
    assert np.abs(match_light(**scene)[64, 48:54]).max() < 0.02
    white = scene["generated"].copy()
    white[:, 40:60] = 0.7
    garment = np.zeros((H, W), np.float32)
    garment[:, 40:60] = 1
    assert not match_light(white, scene["photo"], scene["kept"], garment)[:, 40:60].any()


def test_far_away_and_without_anything_kept_nothing_changes(scene) -> None:
    assert not match_light(**scene | {"kept": np.zeros((H, W), bool)}).any()
    near, far = (np.abs(match_light(**scene)[64, column]).max() for column in (26, 94))
    assert far < near
