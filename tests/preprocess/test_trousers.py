"""Legs that go on into trousers."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.labels import LIP
from ladi.preprocess.trousers import whole_trousers


def leg(above: str = "coat", below: str = "pants") -> np.ndarray:
    """Something worn, below it a bare piece of one leg, below that trousers; the other leg is all in them."""
    labels = np.zeros((256, 192), np.uint8)
    labels[40:150, 60:130] = LIP[above]
    labels[150:240, 70:92] = LIP["left_leg"]
    labels[180:240, 70:92] = LIP[below]
    labels[150:240, 100:122] = LIP["pants"]
    return labels


def test_no_leg_is_bare_between_a_coat_and_trousers() -> None:
    """Prevents: pink trousers torn at the knees, because their thighs were taken for skin."""
    whole = whole_trousers(leg(), "lip")
    assert (whole[150:240, 70:92] == LIP["pants"]).all()
    assert (whole[:150] == leg()[:150]).all()


@pytest.mark.parametrize("above,below", [("dress", "pants"), ("skirt", "pants"), ("coat", "left_shoe")])
def test_legs_below_a_skirt_and_in_shoes_are_bare(above: str, below: str) -> None:
    """Prevents: dresses that are taken away as coats, because boots below them are labelled as trousers."""
    labels = leg(above, below)
    assert whole_trousers(labels, "lip") is labels
