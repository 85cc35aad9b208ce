"""A coat that is longer than the window is seen to its hem; dresses and short jackets change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.labels import LIP
from ladi.preprocess.person import shows_lower, with_long_coat
from ladi.types import Frame

SIZE = (256, 192)
PHOTO = (1024, 600)


def frame(**changes: float) -> Frame:
    return Frame(**{"left": 150.0, "top": 40.0, "width": 300.0, "height": 400.0, "size": SIZE, **changes})


def worn(name: str, end: int = 256) -> np.ndarray:
    labels = np.zeros(SIZE, np.uint8)
    labels[60:end, 50:140] = LIP[name]
    return labels


def test_the_window_grows_around_its_middle_and_keeps_the_head() -> None:
    """Prevents: a coat that hangs out below a new T-shirt."""
    wider = with_long_coat(frame(), worn("coat"), PHOTO, "lip")
    assert wider is not None
    assert wider.top == 40 and wider.height == 600 and wider.width == 450
    assert wider.left + wider.width / 2 == 300


def test_the_window_stays_in_the_photo() -> None:
    wider = with_long_coat(frame(), worn("coat"), (520, 600), "lip")
    assert wider is not None and wider.top + wider.height == 520


@pytest.mark.parametrize(
    ("labels", "photo", "changes"),
    [
        pytest.param(worn("coat", 230), PHOTO, {}, id="a short coat"),
        pytest.param(worn("dress"), PHOTO, {}, id="a dress"),
        pytest.param(worn("pants"), PHOTO, {}, id="trousers"),
        pytest.param(worn("coat"), (445, 600), {}, id="a photo that ends there too"),
        pytest.param(worn("coat"), PHOTO, {"angle": 20.0}, id="a window that leans"),
    ],
)
def test_otherwise_it_is_as_it_was(
    labels: np.ndarray, photo: tuple[int, int], changes: dict[str, float]
) -> None:
    assert with_long_coat(frame(**changes), labels, photo, "lip") is None


def test_what_a_coat_hides_is_known_by_what_is_seen_below_it() -> None:
    """Prevents: fog where nobody knows whether there are trousers, a skirt or bare legs."""
    labels = worn("coat", 200)
    assert not shows_lower(labels, "lip")
    labels[200:240, 60:130] = LIP["pants"]
    assert shows_lower(labels, "lip")
