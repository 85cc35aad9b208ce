"""Single pixels of shirt far from the shirt are what lies around them, and no head splinters into it."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.crumbs import without_crumbs, without_splinters
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


def test_a_coat_on_the_person_behind_is_no_garment_of_hers() -> None:
    """Prevents: the hair of someone who stands beside her painted over as wall."""
    labels = dressed()
    labels[60:75, 150:162] = LIP["coat"]
    labels[62:66, 152:156] = LIP["left_arm"]
    assert np.array_equal(without_crumbs(labels, "lip"), dressed())


def test_clothing_near_her_and_what_she_carries_stay() -> None:
    labels = dressed()
    labels[60:75, 133:145] = LIP["coat"]
    labels[100:115, 150:162] = LIP["bag"]
    assert np.array_equal(without_crumbs(labels, "lip"), labels)


def test_splinters_of_hair_in_a_shirt_are_shirt() -> None:
    """Prevents: black specks beside the hair and a ring of it on the chest, left of labels' ragged ends."""
    labels = dressed()
    labels[30:90, 70:100] = LIP["hair"]
    smooth = labels.copy()
    labels[80, 100:106] = labels[86:88, 64:70] = labels[75:80, 110:115] = LIP["hair"]
    mended = without_splinters(labels, "lip")
    assert (mended[80, 103:106] == LIP["upper_clothes"]).all()
    assert (mended[75:80, 110:115] == LIP["upper_clothes"]).all()
    assert ((mended == LIP["hair"]) & (smooth != LIP["hair"])).sum() < 16
    assert (mended[32:88, 72:98] == LIP["hair"]).all()


def test_a_thin_lock_before_the_wall_and_a_neck_stay() -> None:
    labels = dressed()
    labels[20:50, 85:105], labels[50:60, 88:102] = LIP["face"], LIP["neck"]
    labels[10:40, 110:112] = LIP["hair"]
    labels[10:20, 85:112] = LIP["hair"]
    mended = without_splinters(labels, "lip")
    assert np.array_equal(mended[:50], labels[:50])
    assert (mended != labels).sum() <= 6, "no more than its corners"
