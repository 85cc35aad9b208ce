"""Hands and bags before a new garment: their edges are the photo's, not the labels'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ladi.postprocess.front_rim import find_front_rims, front_colours, rim_of_front, with_front
from ladi.postprocess.layers import Canvas
from ladi.preprocess.boxes import Box
from ladi.preprocess.frame import to_tensor
from ladi.preprocess.labels import LIP
from ladi.types import LAYERS, PersonParts
from tests.postprocess.people import somebody

SIZE = (256, 192)
WALL, SKIN, GARMENT, OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
COAT, TOP = (10, 10, 12), (240, 240, 240)
CANVAS = Canvas((512, 384), Box(0, 0, *SIZE), SIZE)
SEEN = (slice(140, 170), slice(80, 110))
"""Where the photo shows what is before a coat; its label is a pixel larger."""


def dressed(name: str, colour: tuple[int, int, int]) -> tuple[PersonParts, np.ndarray, np.ndarray]:
    labels, photo = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), COAT, np.uint8)
    labels[80:220, 40:150] = LIP["coat"]
    labels[139:171, 79:111] = LIP[name]
    photo[SEEN] = colour
    mask = labels == LIP["coat"]
    layer = SKIN if name == "left_arm" else OTHER
    first = np.where(labels == LIP[name], layer, np.where(mask, GARMENT, WALL))
    person = somebody(labels, photo, mask)
    shown = np.eye(len(LAYERS), dtype=np.float32)[first].transpose(2, 0, 1)
    return person, shown, photo.repeat(2, 0).repeat(2, 1)


@pytest.mark.parametrize(
    ("name", "layer", "colour"), [("left_arm", SKIN, (224, 172, 140)), ("bag", OTHER, (190, 30, 40))]
)
def test_no_rim_of_the_old_sleeve_stays(name: str, layer: int, colour: tuple[int, int, int]) -> None:
    """Prevents: a dark, jagged line of a coat around hands and bags."""
    person, shown, photo = dressed(name, colour)
    [rim] = find_front_rims(person, shown, photo, CANVAS)
    large = torch.from_numpy(shown)[None].repeat_interleave(2, 2).repeat_interleave(2, 3)
    shares = with_front(large, [rim], CANVAS)
    assert rim.layer == layer
    assert torch.allclose(shares.sum(1), torch.ones(1, *CANVAS.size))
    colours = {
        number: to_tensor(np.full((*CANVAS.size, 3), colour, np.uint8)) for number in range(len(LAYERS))
    }
    colours[GARMENT] = to_tensor(np.full((*CANVAS.size, 3), TOP, np.uint8))
    front_colours(colours, to_tensor(photo), [rim], CANVAS)
    seen = sum(colours[number][0] * shares[0, number] for number in range(len(LAYERS)))
    assert isinstance(seen, torch.Tensor)
    around = ((seen + 1) * 127.5)[:, 270:350, 150:230]
    assert (around - torch.tensor(COAT)[:, None, None]).abs().amax(0).min() > 60, "no coat is seen"
    whole = ((seen + 1) * 127.5)[:, 284:336, 164:216]
    assert (whole - torch.tensor(colour)[:, None, None]).abs().max() < 3, "and nothing of it is lost"


def test_only_edges_before_what_is_taken_away_are_drawn() -> None:
    person, shown, photo = dressed("bag", (190, 30, 40))
    mask = person.mask[0, 0].numpy() > 0
    rim = rim_of_front(person.labels, mask, "lip")
    assert rim[139].any() and not rim[141:169, 81:109].any() and not (rim & mask).any()
    assert not rim_of_front(person.labels, mask & False, "lip").any()
    assert find_front_rims(replace(person, by_hand=True), shown, photo, CANVAS) == []


def test_a_hand_has_no_edge_before_its_own_painted_arm() -> None:
    """Prevents: the old cuff's edge as a bracelet, where the photo's hand begins."""
    person, shown, photo = dressed("left_arm", (224, 172, 140))
    shown[:, :139] = np.eye(len(LAYERS), dtype=np.float32)[SKIN][:, None, None]
    [rim] = find_front_rims(person, shown, photo, CANVAS)
    assert not rim.zone[:278].any() and rim.zone[282:].any()
