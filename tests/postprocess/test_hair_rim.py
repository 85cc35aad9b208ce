"""Hair that ends before a new garment: softly, and without what the old one's colour left along it."""

from __future__ import annotations

import numpy as np
import torch

from ladi.postprocess.hair_rim import find_rim, rim_colours, rim_of_hair, rimmed
from ladi.postprocess.layers import Canvas
from ladi.preprocess.boxes import Box
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.labels import LIP
from ladi.types import LAYERS, PersonParts
from tests.postprocess.people import somebody

SIZE = (256, 192)
GARMENT, OTHER = (LAYERS.index(name) for name in ("garment", "other"))
HAIR, COAT, TOP = (170, 110, 60), (10, 10, 12), (240, 240, 240)
CANVAS = Canvas((512, 384), Box(0, 0, *SIZE), SIZE)


def dressed(hair: tuple[int, int] = (60, 110)) -> tuple[PersonParts, np.ndarray, np.ndarray]:
    """Somebody with hair down to row 120 on a black coat, the layers shown, and the photo, enlarged.

    Labels take one row of the coat for hair.
    """
    labels, photo = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), COAT, np.uint8)
    labels[80:220, 40:150] = LIP["coat"]
    labels[20:121, slice(*hair)] = LIP["hair"]
    photo[20:120, slice(*hair)] = HAIR
    mask = labels == LIP["coat"]
    first = np.where(labels == LIP["hair"], OTHER, np.where(mask, GARMENT, LAYERS.index("wall")))
    shown = np.eye(len(LAYERS), dtype=np.float32)[first].transpose(2, 0, 1)
    person = somebody(labels, photo, mask)
    return person, shown, photo.repeat(2, 0).repeat(2, 1)


def test_hair_ends_softly_and_without_the_old_coat() -> None:
    """Prevents: a jagged black line along hair, which a dark coat leaves before a white top."""
    person, shown, photo = dressed()
    rim = find_rim(person, shown, CANVAS)
    assert rim is not None
    large = torch.from_numpy(shown)[None].repeat_interleave(2, 2).repeat_interleave(2, 3)
    shares = rimmed(large, rim, CANVAS)
    assert torch.allclose(shares.sum(1), torch.ones(1, *CANVAS.size))
    down = shares[0, OTHER, 225:255, 170]
    assert (down[1:] <= down[:-1] + 1e-6).all() and ((down > 0.1) & (down < 0.9)).sum() >= 2
    assert (shares[0, OTHER, 60:150, 150:190] == 1).all(), "farther in hair is hair"
    hair = rim_colours(to_tensor(photo), photo, rim, CANVAS)[0]
    top = to_tensor(np.full((*CANVAS.size, 3), TOP, np.uint8))[0]
    seen = hair * shares[0, OTHER] + top * shares[0, GARMENT]
    column = (seen[:, 225:255, 170].mean(0) + 1) * 127.5
    assert column.min() > 80, "a mixture of hair and top, without any black"


def test_only_what_lies_before_the_new_garment_is_repainted() -> None:
    person, _, _ = dressed()
    mask = person.mask[0, 0].numpy() > 0
    rim = rim_of_hair(person.labels, mask, "lip")
    assert rim[119:121, 70:100].all() and not rim[:118, 70:100].any() and not rim[20:76].any()
    assert not rim_of_hair(person.labels, mask & False, "lip").any()


def test_single_locks_stay_as_the_photo_shows_them() -> None:
    """Prevents: locks three pixels wide thickened to a brush, or gone."""
    person, shown, _ = dressed((80, 83))
    assert not rim_of_hair(person.labels, person.mask[0, 0].numpy() > 0, "lip").any()
    assert find_rim(person, shown, CANVAS) is None
