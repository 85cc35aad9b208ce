"""What a painted picture shows, where the decoder does not say it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.models.parser import HumanParser
from ladi.postprocess.seen import layer_of_labels, layers_of, layers_seen
from ladi.preprocess.labels import LIP
from ladi.types import LAYERS, Conditions, Frame, Garment, PersonParts, Photo
from tests.toy import toy_segformer

SIZE = (64, 48)


@pytest.fixture
def person() -> PersonParts:
    image = torch.rand(1, 3, *SIZE) * 2 - 1
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 10:40, 10:40] = 1
    return PersonParts(
        Photo(np.zeros((*SIZE, 3), np.uint8)),
        Frame(0, 0, SIZE[1], SIZE[0], SIZE),
        image,
        mask,
        torch.zeros(1, 18, *SIZE),
        np.zeros((18, 3), np.float32),
        np.zeros(SIZE, np.uint8),
    )


def test_every_label_has_its_layer() -> None:
    """Prevents: trousers taken for the new top, or a new skirt for something else."""
    upper, lower = layer_of_labels("upper_body"), layer_of_labels("lower_body")
    assert LAYERS[upper[LIP["coat"]]] == "garment" and LAYERS[upper[LIP["pants"]]] == "other"
    assert LAYERS[lower[LIP["pants"]]] == "garment" and LAYERS[lower[LIP["upper_clothes"]]] == "other"
    for table in (upper, lower):
        assert LAYERS[table[LIP["background"]]] == "wall" and LAYERS[table[LIP["neck"]]] == "skin"
        assert LAYERS[table[LIP["bag"]]] == "other"


@pytest.mark.parametrize("kind", ["embedded", "segformer"])
def test_either_parser_tells_layers(person: PersonParts, kind: str) -> None:
    torch.manual_seed(0)
    parser = HumanParser(64, 64, widths=(8, 8)).eval() if kind == "embedded" else toy_segformer()
    pictures = torch.rand(2, 3, *SIZE) * 2 - 1
    layers = layers_seen(parser, pictures, person)
    assert layers.shape == (2, len(LAYERS), *SIZE)
    assert torch.allclose(layers.sum(1), torch.ones(2, *SIZE), atol=1e-4)


def test_outside_the_mask_the_photo_is_looked_at(person: PersonParts) -> None:
    """Prevents: an edge judged by what the network painted where nobody will see it."""
    torch.manual_seed(0)
    parser = HumanParser(64, 64, widths=(8, 8)).eval()
    one = torch.zeros(1, 3, *SIZE)
    other = torch.where(person.mask > 0, one, torch.ones_like(one))
    assert torch.equal(layers_seen(parser, one, person), layers_seen(parser, other, person))


def test_what_the_decoder_told_is_taken(person: PersonParts) -> None:
    told = torch.rand(1, 4, *SIZE).softmax(1)
    nothing = torch.zeros(1)
    conditions = Conditions(person.mask, person.pose_map, nothing, (), nothing, (), nothing, nothing, nothing)
    garment = Garment(torch.zeros(1, 3, *SIZE), torch.ones(1, 1, *SIZE))
    given = {"person": person, "garment": garment, "conditions": conditions}
    assert layers_of(toy_segformer(), torch.zeros(1, 3, *SIZE), told, **given) is told
