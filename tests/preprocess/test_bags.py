"""Bags and the coats behind them, told apart by their colours."""

from __future__ import annotations

import numpy as np
import pytest

from ladi.preprocess.bags import settle_bags, sleeves_no_bags, whole_bags
from ladi.preprocess.labels import LIP
from ladi.types import JOINT

SIZE = (256, 192)
RED, BLACK, BLUE, GREEN = (190, 30, 40), (25, 25, 30), (40, 60, 190), (60, 130, 60)


def shares(labels: np.ndarray, doubt: float = 0.3) -> np.ndarray:
    """What a network says that is sure of all labels, but below row 180 takes bags for coats with a doubt."""
    sure = np.zeros((max(LIP.values()) + 1, *SIZE), np.float32)
    np.put_along_axis(sure, labels[None].astype(int), 1, axis=0)
    doubted = (labels == LIP["bag"]) & (np.arange(SIZE[0])[:, None] >= 180)
    sure[LIP["bag"]][doubted], sure[LIP["coat"]][doubted] = 1 - doubt, doubt
    return sure


def scene(bag: tuple[int, int, int], coat: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A bag before a coat; the coat's corner below it is labelled as bag too."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 150.0)
    labels[60:220, 60:130], image[60:220, 60:130] = LIP["coat"], coat
    labels[150:210, 40:90] = LIP["bag"]
    image[150:210, 40:90] = coat
    image[150:180, 40:90] = bag
    image += np.random.default_rng(0).normal(0, 3, image.shape)
    return labels, image.clip(0, 255).astype(np.uint8)


def test_a_coats_corner_taken_for_a_bag_is_coat() -> None:
    """Prevents: a black flap of the old jacket that hangs below a red bag, beside the new blouse."""
    labels, image = scene(RED, BLACK)
    settled = settle_bags(labels, image, shares(labels), "lip")
    assert (settled[184:208, 44:88] == LIP["coat"]).all()
    assert (settled[152:177, 42:88] == LIP["bag"]).all()
    assert (settled[labels != LIP["bag"]] == labels[labels != LIP["bag"]]).all()


def test_what_has_only_the_garments_colours_is_no_bag() -> None:
    """Prevents: the lining of an open coat that stays in the air beside the legs."""
    labels, image = scene(BLACK, BLACK)
    assert not (settle_bags(labels, image, shares(labels, 0.5), "lip") == LIP["bag"]).any()


@pytest.mark.parametrize("case", ["both far", "mostly cloth", "small", "no garment", "sure"])
def test_where_it_is_not_sure_a_bag_stays(case: str) -> None:
    labels, image = scene(RED, BLACK)
    if case == "both far":
        image[180:210, 40:90] = GREEN
    elif case == "mostly cloth":
        image[156:180, 40:90] = BLACK
    elif case == "small":
        labels[labels == LIP["bag"]] = LIP["coat"]
        labels[150:160, 40:50] = LIP["bag"]
    elif case == "no garment":
        labels[labels == LIP["coat"]] = LIP["pants"]
    doubt = 0.0 if case == "sure" else 0.3
    assert settle_bags(labels, image, shares(labels, doubt), "lip") is labels


def test_a_black_bag_before_a_black_coat_stays_where_the_network_is_sure() -> None:
    labels, image = scene(BLACK, BLACK)
    assert settle_bags(labels, image, shares(labels, 0.0), "lip") is labels


def test_it_is_the_same_every_time() -> None:
    labels, image = scene(BLUE, BLACK)
    once, again = (settle_bags(labels, image, shares(labels), "lip") for _ in range(2))
    assert np.array_equal(once, again)


def bent_arm(sleeve: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A coat whose wearer has a hand on the belly, the forearm labelled as a bag: labels, image, joints."""
    labels, image = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), 150, np.uint8)
    labels[60:220, 60:130], image[60:220, 60:130] = LIP["coat"], BLACK
    labels[60:150, 130:146], image[60:150, 130:146] = LIP["coat"], BLACK
    labels[134:152, 96:142], image[134:152, 96:142] = LIP["bag"], sleeve
    joints = np.zeros((18, 3), np.float32)
    for name, point in {
        "right_shoulder": (66, 68),
        "left_shoulder": (132, 68),
        "left_elbow": (138, 143),
        "left_wrist": (92, 143),
        "right_hip": (78, 180),
        "left_hip": (112, 180),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    return labels, image, joints


def test_a_sleeve_along_a_forearm_is_no_bag() -> None:
    """Prevents: half a jacket's sleeve that stays around a bare arm."""
    labels, image, joints = bent_arm((40, 40, 44))
    settled = sleeves_no_bags(labels, image, joints, "lip")
    assert (settled[labels == LIP["bag"]] == LIP["coat"]).all()
    assert (settled[labels != LIP["bag"]] == labels[labels != LIP["bag"]]).all()


@pytest.mark.parametrize("case", ["another colour", "hangs from it", "no arm"])
def test_a_bag_on_an_arm_is_one(case: str) -> None:
    labels, image, joints = bent_arm(RED if case == "another colour" else BLACK)
    if case == "hangs from it":
        labels[134:200, 96:142], image[134:200, 96:142] = LIP["bag"], BLACK
    elif case == "no arm":
        joints[JOINT["left_wrist"]] = 0
    assert sleeves_no_bags(labels, image, joints, "lip") is labels


def cut_bag(below: tuple[int, int, int], coat: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A red bag before a coat, whose lower part is labelled as coat; that has a colour of its own."""
    labels, image = scene(RED, coat)
    labels[180:210, 40:90], image[180:210, 40:90] = LIP["coat"], coat
    image[180:195, 62:90] = below
    return labels, image


@pytest.mark.parametrize("below", [RED, tuple(value * 17 // 20 for value in RED)], ids=["lit", "in shade"])
def test_a_bag_goes_on_where_its_colours_do(below: tuple[int, int, int]) -> None:
    """Prevents: books and bags that are cut in half with the coat behind them."""
    labels, image = cut_bag(below, BLUE)
    whole = whole_bags(labels, image, "lip")
    assert (whole[150:194, 63:89] == LIP["bag"]).all()
    more = whole != labels
    assert not more[:178].any() and not more[197:].any() and not more[:, :60].any() and not more[:, 92:].any()


def test_a_long_strap_is_found_piece_by_piece() -> None:
    """Prevents: a strap that ends in the middle of the chest."""
    labels, image = cut_bag(RED, BLUE)
    labels[100:150, 72:80], image[100:150, 72:80] = LIP["coat"], RED
    whole = whole_bags(labels, image, "lip")
    assert (whole[104:148, 74:78] == LIP["bag"]).all()


@pytest.mark.parametrize("case", ["the coat's colour", "apart", "another colour", "small"])
def test_what_is_not_surely_more_of_a_bag_stays_as_it_was(case: str) -> None:
    labels, image = cut_bag(GREEN if case == "another colour" else RED, RED if "coat" in case else BLUE)
    if case == "apart":
        image[180:188, 40:90] = BLUE
    elif case == "small":
        labels[labels == LIP["bag"]] = LIP["coat"]
        labels[176:180, 60:70] = LIP["bag"]
    assert whole_bags(labels, image, "lip") is labels
