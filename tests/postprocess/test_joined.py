"""Painted arms meet the photo's without a line across them."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.postprocess.joined import joined

SIZE = (256, 192)
LIT, SHADED = np.array((0.9, 0.7, 0.6)), np.array((0.7, 0.55, 0.48))


def arm() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """An arm, painted from its shoulder at row 60 down to a hand of the photo's that begins at row 170."""
    painted, photo = np.empty((*SIZE, 3)), np.zeros((*SIZE, 3))
    painted[:] = SHADED
    known, region = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    known[170:200, 40:60] = region[60:170, 40:60] = True
    photo[known] = LIT
    return painted, photo, known, region


def test_where_they_meet_there_is_no_step() -> None:
    """Prevents: a line across the arm where the sleeve ended."""
    painted, photo, known, region = arm()
    met = painted * joined(painted, photo, known, region)
    assert np.allclose(met[169, 50], LIT, atol=0.03)
    tone = met[60:170, 50, 0]
    assert (np.diff(tone) >= -1e-6).all() and np.diff(tone).max() < 0.01
    assert SHADED[0] < tone[0] < 0.85, "far from the hand the arm is mostly as it was painted"


def test_only_painted_arms_change_and_only_where_a_hand_is_seen() -> None:
    painted, photo, known, region = arm()
    gain = joined(painted, photo, known, region)
    assert (gain[~region] == 1).all()
    other = region.copy()
    other[60:120, 120:140] = True
    assert np.allclose(joined(painted, photo, known, other)[60:120, 120:140], 1)
    assert (joined(painted, photo, known & False, region) == 1).all()


@pytest.mark.parametrize("times", [1, 2])
def test_it_is_the_same_at_every_size(times: int) -> None:
    painted, photo, known, region = arm()
    plain = joined(painted, photo, known, region)[100, 50]
    large = joined(
        *(np.kron(one, np.ones((times, times, 1))) for one in (painted, photo)),
        *(np.kron(one, np.ones((times, times), bool)) for one in (known, region)),
    )
    assert np.allclose(large[100 * times, 50 * times], plain, atol=0.03)


def test_a_glove_does_not_blacken_the_arm() -> None:
    painted, photo, known, region = arm()
    gain = joined(painted, photo * 0, known, region)
    assert gain.min() > 0.6


def test_a_coloured_cuff_taken_for_a_hand_does_not_colour_the_arm() -> None:
    painted, photo, known, region = arm()
    gain = joined(painted, np.where(photo > 0, (0.5, 0.5, 0.9), 0), known, region)[region]
    assert (gain.max(axis=1) / gain.min(axis=1)).max() < 1.35
