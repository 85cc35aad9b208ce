"""Bare arms and sleeves, told apart by the hue of the face."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.bare_arms import settle_arms
from ladi.preprocess.labels import LIP

SIZE = (256, 192)
SKIN = (205, 160, 135)
CUFF, FOREARM = (slice(160, 180), slice(40, 60)), (slice(120, 160), slice(40, 60))


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Somebody in a blue top with a long sleeve and a hand: labels and picture."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 180, np.uint8)
    labels[20:60, 80:112], image[20:60, 80:112] = LIP["face"], SKIN
    labels[70:220, 60:132], image[70:220, 60:132] = LIP["upper_clothes"], (40, 60, 160)
    labels[70:180, 40:60], image[70:180, 40:60] = LIP["upper_clothes"], (40, 60, 160)
    labels[180:200, 40:60], image[180:200, 40:60] = LIP["right_arm"], SKIN
    return labels, image


@pytest.mark.parametrize(
    "colour", [(240, 240, 240), (40, 60, 160), (190, 60, 20)], ids=["white", "blue", "rust"]
)
def test_a_cuff_is_no_hand(colour: tuple[int, int, int]) -> None:
    """Prevents: rings of an old sleeve round the wrists of who wears a T-shirt now."""
    labels, image = scene()
    labels[CUFF], image[CUFF] = LIP["right_arm"], colour
    settled = settle_arms(labels, labels, image, "lip")
    assert (settled[CUFF][1:-1, 1:-1] == LIP["upper_clothes"]).all()
    assert (settled[184:200, 41:59] == LIP["right_arm"]).all()


@pytest.mark.parametrize("light", [0.5, 1.2], ids=["dark", "bright"])
def test_skin_in_another_light_stays_skin(light: float) -> None:
    """Prevents: hands that are taken away because they lie in the shade."""
    labels, image = scene()
    image[180:200, 40:60] = np.clip(np.array(SKIN) * light, 0, 255)
    assert (settle_arms(labels, labels, image, "lip") == labels).all()


def test_an_arm_that_mending_took_for_a_sleeve_comes_back() -> None:
    labels, image = scene()
    parsed = labels.copy()
    parsed[FOREARM], image[FOREARM] = LIP["right_arm"], SKIN
    settled = settle_arms(labels, parsed, image, "lip")
    assert (settled[FOREARM][1:-1, 2:-2] == LIP["right_arm"]).all()
    image[FOREARM] = (40, 60, 160)
    assert (settle_arms(labels, parsed, image, "lip") == labels).all()


def test_what_lies_apart_from_a_sleeve_stays() -> None:
    """Prevents: a watch or a tattoo on a bare arm that becomes cloth."""
    labels, image = scene()
    labels[70:200, 40:60], image[70:200, 40:60] = LIP["right_arm"], SKIN
    labels[:, 56:60] = 0
    image[170:176, 42:54] = (20, 20, 20)
    assert (settle_arms(labels, labels, image, "lip") == labels).all()


def test_without_a_face_nothing_changes() -> None:
    labels, image = scene()
    labels[labels == LIP["face"]] = 0
    assert settle_arms(labels, labels, image, "lip") is labels


def test_what_goes_on_from_an_arm_in_its_own_shades_is_arm() -> None:
    """Prevents: elbows of bare arms taken for the top that they lie before, and painted anew beside it."""
    labels, image = scene()
    shaded = (120, 80, 62)
    labels[140:200, 40:60], image[140:200, 40:60] = LIP["right_arm"], shaded
    image[128:140, 40:60] = shaded
    image[90:100, 40:60] = shaded
    settled = settle_arms(labels, labels, image, "lip")
    assert (settled[130:140, 42:58] == LIP["right_arm"]).all()
    assert (settled[90:100, 40:60] == LIP["upper_clothes"]).all(), "a stripe farther up is none"
    image[labels == LIP["upper_clothes"]] = (125, 84, 66)
    assert (settle_arms(labels, labels, image, "lip") == labels).all(), "cloth of the arm's colours stays"
