"""Long hair over a garment: what has the garment's colours is no hair."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.hair import settle_hair
from ladi.preprocess.labels import LIP

SIZE = (256, 192)


def scene(hair_colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Somebody in a dark coat, a piece of which is labelled as hair: labels and picture."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 180, np.uint8)
    noise = np.random.default_rng(0).integers(0, 12, (*SIZE, 3)).astype(np.uint8)
    labels[20:120, 70:122], image[20:120, 70:122] = LIP["hair"], hair_colour
    labels[30:70, 84:108], image[30:70, 84:108] = LIP["face"], (220, 180, 160)
    labels[100:220, 50:142], image[100:220, 50:142] = LIP["coat"], (20, 20, 30)
    labels[100:125, 72:96] = LIP["hair"]
    image[100:125, 72:80] = hair_colour
    return labels, np.clip(image + noise, 0, 255).astype(np.uint8)


def test_a_piece_of_the_coat_among_the_hair_is_coat() -> None:
    """Prevents: dark patches of an old coat on a new blouse, beside blonde hair."""
    labels, image = scene((200, 170, 110))
    settled = settle_hair(labels, image, "lip")
    assert (settled[106:122, 84:94] == LIP["coat"]).all()
    assert (settled[106:122, 73:78] == LIP["hair"]).all() and (settled[20:95] == labels[20:95]).all()


def test_hair_of_the_coats_colour_stays_hair() -> None:
    labels, image = scene((24, 22, 30))
    assert (settle_hair(labels, image, "lip") == labels).all()


def test_without_hair_or_garment_nothing_changes() -> None:
    labels, image = scene((200, 170, 110))
    for name in ("hair", "coat", "face"):
        without = np.where(labels == LIP[name], 0, labels)
        assert settle_hair(without, image, "lip") is without
