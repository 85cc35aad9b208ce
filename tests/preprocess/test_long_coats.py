"""A coat that is longer than the window is seen to its hem; short jackets and dresses change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.labels import LIP
from ladi.preprocess.long_coats import labels_below_coat, wider_window
from ladi.types import JOINT, Frame

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
    wider = wider_window(frame(), worn("coat"), PHOTO, "lip")
    assert wider is not None
    assert wider.top == 40 and wider.height == 600 and wider.width == 450
    assert wider.left + wider.width / 2 == 300


def test_the_window_stays_in_the_photo() -> None:
    wider = wider_window(frame(), worn("coat"), (520, 600), "lip")
    assert wider is not None and wider.top + wider.height == 520


@pytest.mark.parametrize(
    ("labels", "photo", "changes"),
    [
        pytest.param(worn("coat", 230), PHOTO, {}, id="a short coat"),
        pytest.param(worn("pants"), PHOTO, {}, id="trousers"),
        pytest.param(worn("coat"), (445, 600), {}, id="a photo that ends there too"),
        pytest.param(worn("coat"), PHOTO, {"angle": 20.0}, id="a window that leans"),
    ],
)
def test_otherwise_it_is_as_it_was(
    labels: np.ndarray, photo: tuple[int, int], changes: dict[str, float]
) -> None:
    assert wider_window(frame(**changes), labels, photo, "lip") is None


def seen(coat: str = "coat", legs: tuple[int, int, int] = (30, 40, 90)) -> tuple[np.ndarray, np.ndarray]:
    """A wider window in which a coat ends in row 180, above legs of a colour, and its labels without legs."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 200, np.uint8)
    labels[20:40, 85:105] = LIP["face"]
    labels[50:180, 60:130] = LIP[coat]
    image[20:40, 85:105] = (220, 170, 140)
    image[50:180, 60:130] = (90, 70, 20)
    image[180:250, 65:90] = image[180:250, 100:125] = legs
    return labels, image


def joints() -> np.ndarray:
    points = np.zeros((18, 3), np.float32)
    for side, sign in (("right", -1), ("left", 1)):
        points[JOINT[f"{side}_shoulder"]] = (95 + 25 * sign, 60, 1)
        points[JOINT[f"{side}_hip"]] = (95 + 12 * sign, 120, 1)
    return points


def with_legs(labels: np.ndarray, left: str, right: str) -> np.ndarray:
    result = labels.copy()
    result[180:250, 65:90], result[180:250, 100:125] = LIP[right], LIP[left]
    return result


def told(first: np.ndarray, labels: np.ndarray, image: np.ndarray) -> list[str] | None:
    """What legs and the lower coat are told to be."""
    found = labels_below_coat(first, labels, image, joints(), "lip")
    if found is None:
        return None
    names = {number: name for name, number in LIP.items()}
    return [names[int(found[at])] for at in ((220, 75), (220, 110), (170, 95))]


def test_what_a_coat_hides_is_known_by_what_is_seen_below_it() -> None:
    """Prevents: fog where nobody knows whether there are trousers, a skirt or bare legs."""
    labels, image = seen()
    assert told(worn("coat"), labels, image) is None
    assert told(worn("coat"), with_legs(labels, "pants", "pants"), image) == ["pants", "pants", "coat"]


def test_legs_that_have_nothing_of_the_faces_colour_are_in_trousers() -> None:
    """Prevents: a coat that stays below the new top because jeans were taken for legs."""
    labels, image = seen()
    assert told(worn("coat"), with_legs(labels, "left_leg", "right_leg"), image) == ["pants", "pants", "coat"]
    _, bare = seen(legs=(200, 150, 125))
    assert told(worn("coat"), with_legs(labels, "left_leg", "right_leg"), bare) is None


def test_a_dress_that_ends_on_trousers_is_a_coat() -> None:
    """Prevents: a waistcoat down to the knees left as a skirt over jeans; dresses over tights stay."""
    labels, image = seen("dress")
    trousers = with_legs(labels, "pants", "pants")
    assert told(worn("dress"), trousers, image) == ["pants", "pants", "coat"]
    assert told(worn("dress"), with_legs(labels, "left_leg", "right_leg"), image) is None


def test_nothing_of_a_coats_hem_is_taken_for_trousers() -> None:
    """Prevents: trousers that go on up in the coat's colour."""
    labels, image = seen()
    found = labels_below_coat(worn("coat"), with_legs(labels, "pants", "pants"), image, joints(), "lip")
    assert found is not None
    assert (found[180:183, 70:85] == LIP["coat"]).all() and (found[184:, 70:85][:60] == LIP["pants"]).all()
