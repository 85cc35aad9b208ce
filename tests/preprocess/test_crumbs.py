"""Single pixels of shirt far from the shirt are what lies around them."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.crumbs import without_crumbs
from ladi.preprocess.labels import LIP


def dressed() -> np.ndarray:
    labels = np.zeros((256, 192), np.uint8)
    labels[60:140, 60:130] = LIP["upper_clothes"]
    labels[140:256, 60:130] = LIP["left_leg"]
    return labels


def test_a_crumb_of_a_shirt_on_a_knee_is_knee() -> None:
    """Prevents: a dark square on the knee, where the mask had grown around one pixel."""
    labels = dressed()
    labels[200:203, 90:94] = LIP["dress"]
    mended = without_crumbs(labels, "lip")
    assert (mended[195:210, 85:100] == LIP["left_leg"]).all()
    assert np.array_equal(mended, dressed()), "the shirt itself stays"


def test_larger_pieces_and_what_shows_between_strands_stay() -> None:
    """Prevents: the old shirt between strands of hair, kept as hair."""
    labels = dressed()
    labels[30:60, 70:120] = LIP["hair"]
    labels[40:43, 90:94] = LIP["coat"]
    labels[200:206, 90:96] = LIP["coat"]
    assert np.array_equal(without_crumbs(labels, "lip"), labels)


def test_who_wears_crumbs_alone_keeps_them() -> None:
    labels = np.zeros((256, 192), np.uint8)
    labels[100:103, 90:94] = LIP["upper_clothes"]
    assert without_crumbs(labels, "lip") is labels
