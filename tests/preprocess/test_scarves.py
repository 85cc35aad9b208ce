"""Scarves around necks: whole, and told from skin."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.labels import LIP
from ladi.preprocess.scarves import settle_scarf

SIZE = (256, 192)
SKIN, BLACK, WHITE = (196, 150, 128), (24, 24, 28), (235, 232, 228)


def person(neck: tuple[int, int, int] = SKIN) -> tuple[np.ndarray, np.ndarray]:
    """Labels and picture of somebody in a white coat with a black scarf on the chest."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 128, np.uint8)
    for name, where, colour in (
        ("face", np.s_[30:64, 80:112], SKIN),
        ("neck", np.s_[64:76, 84:108], neck),
        ("coat", np.s_[76:220, 50:142], WHITE),
        ("scarf", np.s_[90:120, 70:122], BLACK),
    ):
        labels[where], image[where] = LIP[name], colour
    rng = np.random.default_rng(0)
    return labels, (image + rng.integers(-4, 5, image.shape)).clip(0, 255).astype(np.uint8)


def test_folds_that_were_taken_for_a_coat_are_scarf() -> None:
    """Prevents: a scarf of which the new garment cuts off what lies on the shoulders."""
    labels, image = person()
    image[80:100, 56:70] = BLACK
    settled = settle_scarf(labels, image, "lip")
    assert (settled[84:98, 60:69] == LIP["scarf"]).all()
    assert (settled[130:, 50:142] == labels[130:, 50:142]).all() and (settled[64:76] == labels[64:76]).all()


def test_what_is_no_skin_is_no_neck() -> None:
    """Prevents: half a scarf, the other half of which is painted as a neck."""
    labels, image = person(neck=(120, 124, 116))
    assert (settle_scarf(labels, image, "lip")[66:74, 86:106] == LIP["scarf"]).all()


def test_between_face_and_scarf_all_is_as_it_was() -> None:
    """Prevents: a square of new skin in the middle of a hood."""
    labels, image = person()
    labels[30:90, 70:80] = labels[30:90, 112:122] = LIP["hair"]
    labels[76:90, 80:112] = LIP["upper_clothes"]
    settled = settle_scarf(labels, image, "lip")
    assert (settled[66:88, 86:106] == LIP["scarf"]).all()


def test_without_a_scarf_nothing_changes() -> None:
    labels, image = person()
    labels[labels == LIP["scarf"]] = LIP["coat"]
    assert settle_scarf(labels, image, "lip") is labels
    few = person()[0]
    few[90:120, 74:122] = LIP["coat"]
    assert np.array_equal(settle_scarf(few, image, "lip"), few), "too little of it to know its colours"


def test_a_collar_below_a_beard_is_no_scarf() -> None:
    """Prevents: a dark triangle with the old collar's edge, kept between a beard and the new neckline."""
    labels, image = person(neck=(70, 60, 52))
    labels[labels == LIP["scarf"]] = LIP["coat"]
    labels[64:68, 84:108] = LIP["neck"]
    labels[68:76, 84:108] = LIP["coat"]
    assert (settle_scarf(labels, image, "lip")[64:68, 84:108] == LIP["neck"]).all()


def test_a_small_persons_scarf_is_told_by_the_face() -> None:
    """Prevents: the scarf of somebody farther away, painted over as a collar would be."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 128, np.uint8)
    for name, where, colour in (
        ("face", np.s_[40:66, 86:106], SKIN),
        ("neck", np.s_[66:80, 88:104], (120, 124, 116)),
        ("coat", np.s_[80:160, 70:122], WHITE),
    ):
        labels[where], image[where] = LIP[name], colour
    assert (settle_scarf(labels, image, "lip")[68:78, 90:102] == LIP["scarf"]).all()


def test_a_long_fold_is_followed_to_its_end() -> None:
    """Prevents: a shawl cut off where it is farther from the neck than a scarf is wide."""
    labels, image = person()
    labels[76:220, 10:182], image[76:220, 10:182] = LIP["coat"], WHITE
    labels[90:120, 70:122], image[90:120, 70:122] = LIP["scarf"], BLACK
    image[94:112, 18:70] = BLACK
    settled = settle_scarf(labels, image, "lip")
    assert (settled[96:110, 21:69] == LIP["scarf"]).all()
    assert (settled[130:] == labels[130:]).all()


def test_beside_its_point_a_shawl_is_not_filled_up_to_a_level_line() -> None:
    """Prevents: a black shawl that is cut off straight, with the black top behind it."""
    labels, image = person()
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    corners = (rows >= 92) & (rows < 140) & (np.abs(columns - 96) < 26)
    labels[corners], image[corners] = LIP["coat"], BLACK
    point = corners & (np.abs(columns - 96) < 26 - (rows - 92) * 0.5)
    labels[point] = LIP["scarf"]
    settled = settle_scarf(labels, image, "lip")
    assert (settled[125:139, 72:80] == LIP["coat"]).all() and (settled[point] == LIP["scarf"]).all()
