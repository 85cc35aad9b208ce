"""Hair on a garment: the old garment between its strands goes."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.labels import LIP
from ladi.preprocess.strands import shares_of_hair, uncover_cloth

SIZE = (256, 192)
BLONDE, DARK = (210, 180, 120), (22, 20, 28)
GAP, HALF = slice(78, 81), slice(84, 87)


def scene(hair: tuple[int, int, int], coat: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Hair that ends along a straight line on a coat: labels and picture.

    The coat shows in a gap above the line, and beside that both are mixed.
    """
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 128.0)
    labels[100:240, 40:150], image[100:240, 40:150] = LIP["coat"], coat
    labels[30:120, 60:130], image[30:120, 60:130] = LIP["hair"], hair
    image[115:120, GAP] = coat
    image[115:120, HALF] = np.add(hair, coat) / 2
    image += np.random.default_rng(0).normal(0, 2, image.shape)
    return labels, image.clip(0, 255).astype(np.uint8)


def test_a_gap_is_no_hair_and_a_mixture_is_in_part() -> None:
    labels, image = scene(BLONDE, DARK)
    share = shares_of_hair(image, labels == LIP["hair"], labels == LIP["coat"])
    assert share is not None
    assert share[118:120, 79].max() < 0.25 and share[117:119, 100:120].min() > 0.9
    assert share[118:120, 85] == pytest.approx(0.5, abs=0.15)
    assert share[40:110, 65:125].min() == 1


def test_nothing_of_the_garment_is_hair() -> None:
    """Prevents: crumbs of an old jacket's flowers and buttons on a new T-shirt, beside dark hair."""
    labels, image = scene(DARK, BLONDE)
    image[120:125, 110:113] = DARK
    share = shares_of_hair(image, labels == LIP["hair"], labels == LIP["coat"])
    assert share is not None and share[labels != LIP["hair"]].max() == 0


@pytest.mark.parametrize("times", [1, 3])
def test_it_is_the_same_at_any_size(times: int) -> None:
    labels, image = (array.repeat(times, 0).repeat(times, 1) for array in scene(BLONDE, DARK))
    share = shares_of_hair(image, labels == LIP["hair"], labels == LIP["coat"])
    assert share is not None
    assert share[118 * times, 110 * times] > 0.9
    assert share[119 * times + times // 2, 79 * times + times // 2] < 0.2


def test_labels_count_where_hair_and_coat_look_alike() -> None:
    """Prevents: holes in dark hair that lies on a dark coat."""
    labels, image = scene((34, 30, 34), DARK)
    hair = labels == LIP["hair"]
    share = shares_of_hair(image, hair, labels == LIP["coat"])
    assert share is not None and (share == hair).all()
    assert (uncover_cloth(labels, image, "lip") == labels).all()


def test_threads_of_labelled_hair_along_the_cloth_are_none() -> None:
    """Prevents: dark dashes on a white blouse where labels of dark hair on a dark coat are ragged."""
    labels, image = scene((34, 30, 34), DARK)
    labels[121:123, 130:140] = labels[120:128, 80:82] = LIP["hair"]
    cleaned = uncover_cloth(labels, image, "lip")
    assert (cleaned[121:123, 134:140] == LIP["coat"]).all() and (cleaned[124:128, 80:82] == LIP["coat"]).all()
    assert (cleaned[30:120, 60:130] == LIP["hair"]).all()


def test_the_rim_through_which_the_coat_shows_is_the_coats() -> None:
    labels, image = scene(BLONDE, DARK)
    uncovered = uncover_cloth(labels, image, "lip")
    assert (uncovered[117:120, GAP] == LIP["coat"]).all() and (uncovered[117:120, 85] == LIP["coat"]).all()
    assert (uncovered[:112] == labels[:112]).all() and (uncovered[116:119, 100:125] == LIP["hair"]).all()


def test_without_hair_on_a_garment_nothing_is_found() -> None:
    labels, image = scene(BLONDE, DARK)
    labels[labels == LIP["coat"]] = 0
    assert shares_of_hair(image, labels == LIP["hair"], labels == LIP["coat"]) is None
    assert uncover_cloth(labels, image, "lip") is labels
