"""What a garment is taken for by the network, and what follows for a model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ladi.models.kind import KINDS, TURNS, GarmentKind
from ladi.preprocess.category import choose_category
from ladi.preprocess.kind import Judged, judge
from ladi.types import CATEGORIES, AskedCategory, Category

NOTHING = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.float32)
TOPS: list[Category] = ["upper_body"]


def chosen(
    kind: str,
    certainty: float,
    *,
    asked: AskedCategory = "auto",
    trained: list[Category] = TOPS,
    turn: int = 0,
) -> tuple[str, list[str]]:
    category, doubts = choose_category(
        asked, *NOTHING, trained=trained, judged=Judged(kind, certainty, turn, 0.99)
    )
    return category, [f"{doubt.level} {doubt.code}" for doubt in doubts]


@pytest.mark.parametrize("kind", ["trousers", "skirt", "dress"])
def test_what_a_model_does_not_know_is_refused_where_it_is_sure(kind: str) -> None:
    """Prevents jeans from being worn as a vest without a word."""
    assert chosen(kind, 0.95) == ("upper_body", ["error garment_not_offered"])
    assert chosen(kind, 0.6) == ("upper_body", ["warning garment_perhaps_other"])


def test_all_kinds_that_cannot_be_worn_count_together() -> None:
    """Prevents a garment that is a dress or a skirt, but surely no top, from being worn as one."""
    shares = {"top": 0.04, "trousers": 0.01, "skirt": 0.4, "dress": 0.5, "none": 0.05}
    _, [doubt] = choose_category("auto", *NOTHING, trained=TOPS, judged=Judged("dress", 0.5, 0, 0.99, shares))
    assert (doubt.level, doubt.code) == ("error", "garment_not_offered") and "a dress" in doubt.message
    maybe = shares | {"top": 0.3, "dress": 0.45, "skirt": 0.19}
    _, [doubt] = choose_category("auto", *NOTHING, trained=TOPS, judged=Judged("dress", 0.45, 0, 0.99, maybe))
    assert (doubt.level, doubt.code) == ("warning", "garment_perhaps_other")


def test_tops_pass() -> None:
    """Prevents false alarms."""
    assert chosen("top", 0.95) == ("upper_body", [])
    assert chosen("top", 0.7) == ("upper_body", [])
    assert chosen("top", 0.5) == ("upper_body", ["warning garment_unsure"])


def test_what_is_no_garment_is_refused_where_it_is_sure() -> None:
    """Prevents wearing a wall or a bag."""
    assert chosen("none", 0.95) == ("upper_body", ["error garment_none"])
    assert chosen("none", 0.6) == ("upper_body", ["warning garment_unsure"])


def test_a_model_of_all_kinds_takes_each_for_its_own() -> None:
    """Prevents a guess that is not said to be one, and a choice that is not believed."""
    all_kinds = list(CATEGORIES)
    assert chosen("skirt", 0.95, trained=all_kinds) == ("lower_body", [])
    assert chosen("dress", 0.95, trained=all_kinds) == ("dresses", [])
    assert chosen("trousers", 0.5, trained=all_kinds) == ("lower_body", ["warning category_unsure"])
    said = chosen("dress", 0.95, asked="upper_body", trained=all_kinds)
    assert said == ("upper_body", ["warning garment_other_kind"])


@pytest.mark.parametrize(
    ("turn", "words"), [(90, "quarter to the right"), (180, "upside down"), (270, "to the left")]
)
def test_a_garment_that_lies_is_offered_upright(turn: int, words: str) -> None:
    """Prevents sleeves from hanging upwards without a word."""
    _, [doubt] = choose_category("auto", *NOTHING, trained=TOPS, judged=Judged("top", 0.99, turn, 0.97))
    assert (doubt.level, doubt.code, doubt.turn) == ("warning", "garment_turned", turn)
    assert words in doubt.message


class Pointing(GarmentKind):
    """Says "top" where the upper half is the brighter one, and to which side the brighter half is turned."""

    def __init__(self) -> None:
        super().__init__(side=16, widths=(4, 4, 4, 4))
        self.dummy = nn.Parameter(torch.zeros(1))

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        grey, matte = picture[:, :3].mean(1), picture[:, 3]
        assert picture.shape[1:] == (4, 16, 16) and 0 <= matte.min() and matte.max() <= 1
        up = grey[:, :8].mean((1, 2)) - grey[:, 8:].mean((1, 2))
        left = grey[:, :, :8].mean((1, 2)) - grey[:, :, 8:].mean((1, 2))
        kinds = torch.stack([up, -up, -9 + 0 * up, -9 + 0 * up, -9 + 0 * up], 1)
        return 9 * kinds, 9 * torch.stack([up, left, -up, -left], 1)


@pytest.mark.parametrize("turn", TURNS)
def test_the_network_sees_the_garment_alone_and_its_mirror_image(turn: int) -> None:
    """Prevents looking at the surroundings, and a mirror that turns left into right."""
    pixels = np.full((90, 120, 3), 128, np.uint8)
    shirt = np.full((40, 40, 3), 20, np.uint8)
    shirt[:20] = 240
    pixels[30:70, 50:90] = np.rot90(shirt, turn // 90)
    matte = np.zeros((90, 120), np.float32)
    matte[30:70, 50:90] = 1
    seen = judge(Pointing(), pixels, matte)
    assert seen.turn == turn and seen.turn_certainty > 0.9
    assert (seen.kind == "top" and seen.certainty > 0.9) or turn


def test_the_network_at_its_own_size() -> None:
    """Prevents a network that no longer fits what it is shown, or the space that it may take."""
    network = GarmentKind().eval()
    with torch.inference_mode():
        kinds, turns = network(torch.zeros(2, 4, 64, 64))
    assert kinds.shape == (2, len(KINDS)) and turns.shape == (2, len(TURNS))
    assert sum(weights.numel() for weights in network.parameters()) < 250_000
