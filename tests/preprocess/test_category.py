"""What a garment is taken for, by its outline."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ladi.preprocess.category import choose_category, guess_category
from ladi.types import CATEGORIES

OUTLINES: dict[str, tuple[str, list[list[tuple[int, int]]]]] = {
    "t-shirt": (
        "upper_body",
        [[(60, 40), (90, 30), (110, 30), (140, 40), (180, 90), (150, 105), (145, 230), (55, 230), (50, 105)]],
    ),
    "long sleeves": (
        "upper_body",
        [
            [(65, 40), (90, 30), (110, 30), (135, 40), (135, 190), (65, 190)],
            [(65, 40), (40, 60), (20, 220), (36, 220), (70, 100)],
            [(135, 40), (160, 60), (180, 220), (164, 220), (130, 100)],
        ],
    ),
    "trousers": (
        "lower_body",
        [[(60, 15), (140, 15), (150, 240), (108, 240), (100, 100), (92, 240), (50, 240)]],
    ),
    "shorts": (
        "lower_body",
        [[(45, 60), (155, 60), (175, 180), (108, 180), (100, 120), (92, 180), (25, 180)]],
    ),
    "skirt": ("lower_body", [[(60, 60), (140, 60), (170, 200), (30, 200)]]),
    "dress": ("dresses", [[(75, 10), (125, 10), (120, 90), (150, 245), (50, 245), (80, 90)]]),
}


def drawn(name: str) -> tuple[np.ndarray, np.ndarray]:
    """A garment on white, and its matte."""
    matte = Image.new("L", (200, 256))
    for outline in OUTLINES[name][1]:
        ImageDraw.Draw(matte).polygon(outline, fill=255)
    on = np.asarray(matte) > 0
    return np.where(on[..., None], np.uint8((40, 60, 160)), np.uint8(255)), on.astype(np.float32)


@pytest.mark.parametrize("name", OUTLINES)
def test_a_clear_outline_is_told(name: str) -> None:
    """Prevents a threshold that turns shirts into trousers, whose prompt and mask are then used."""
    assert guess_category(*drawn(name)) == (OUTLINES[name][0], True)


def test_an_unclear_outline_is_said_to_be_unclear() -> None:
    """Prevents certainty about a photo on a carpet, whose outline the matting network has guessed."""
    pixels, matte = drawn("t-shirt")
    carpet = np.random.default_rng(0).integers(0, 255, pixels.shape, dtype=np.uint8)
    assert not guess_category(np.where(matte[..., None] > 0, pixels, carpet), matte).sure
    _, doubts = choose_category("auto", carpet, matte, trained=CATEGORIES)
    assert [doubt.code for doubt in doubts] == ["category_unsure"]
    assert guess_category(pixels, np.zeros_like(matte) + 0.1).category == "upper_body"


def test_a_model_for_tops_takes_everything_for_a_top_and_warns_of_trousers() -> None:
    """Prevents a refusal because of a guess, and trousers on the chest without a word."""
    category, doubts = choose_category("auto", *drawn("trousers"), trained=["upper_body"])
    assert category == "upper_body" and [doubt.code for doubt in doubts] == ["garment_perhaps_other"]
    for name in ("dress", "t-shirt"):
        assert choose_category("auto", *drawn(name), trained=["upper_body"]) == ("upper_body", ())
    assert choose_category("auto", *drawn("dress"), trained=CATEGORIES) == ("dresses", ())
    assert choose_category("upper_body", *drawn("dress"), trained=CATEGORIES) == ("upper_body", ())
