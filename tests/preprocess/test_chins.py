"""Chins and the collars below them, told apart by their colours."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.chins import settle_chin
from ladi.preprocess.labels import LIP

SIZE = (256, 192)
SKIN, SCARF, BEARD = (205, 160, 135), (40, 45, 60), (70, 50, 40)


def scene(scarf: tuple[int, int, int] = SCARF) -> tuple[np.ndarray, np.ndarray]:
    """A face above a scarf, whose first three rows are labelled as face."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 150.0)
    labels[30:83, 80:112], image[30:80, 80:112] = LIP["face"], SKIN
    labels[83:200, 60:130], image[80:200, 60:130] = LIP["upper_clothes"], scarf
    image += np.random.default_rng(0).normal(0, 3, image.shape)
    return labels, image.clip(0, 255).astype(np.uint8)


def test_a_scarfs_edge_is_not_kept_with_the_face() -> None:
    """Prevents: a chin with a black rim above a new blouse."""
    labels, image = scene()
    settled = settle_chin(labels, image, "lip")
    assert (settled[80:83, 82:110] == LIP["upper_clothes"]).all()
    assert (settled[:79] == labels[:79]).all()


@pytest.mark.parametrize("case", ["beard", "skin-coloured scarf", "no scarf", "all dark"])
def test_a_face_that_ends_where_it_is_labelled_stays(case: str) -> None:
    labels, image = scene(SKIN if case == "skin-coloured scarf" else SCARF)
    if case == "beard":
        image[60:83, 80:112] = BEARD
    elif case == "no scarf":
        labels[labels == LIP["upper_clothes"]] = 0
    elif case == "all dark":
        labels[30:83, 80:112] = 0
        labels[77:83, 80:112] = LIP["face"]
    assert settle_chin(labels, image, "lip") is labels


def test_slivers_of_hair_below_a_chin_are_the_scarfs() -> None:
    """Prevents: black crumbs along a chin, where a dark scarf's edge was labelled as hair."""
    labels, image = scene()
    labels[83:85, 84:108] = LIP["hair"]
    labels[60:120, 70:80] = LIP["hair"]
    settled = settle_chin(labels, image, "lip")
    assert (settled[83:85, 84:108] == LIP["upper_clothes"]).all()
    assert (settled[60:120, 72:78] == LIP["hair"]).all(), "a lock beside the face is one"


def test_a_beard_below_a_chin_stays() -> None:
    labels, image = scene()
    labels[83:92, 84:108], image[83:92, 84:108] = LIP["hair"], BEARD
    assert (settle_chin(labels, image, "lip")[83:92, 86:106] == LIP["hair"]).all()
