"""Labels that agree where colours do, and what is left alone."""

from __future__ import annotations

import numpy as np

from ladi.preprocess.coherent import GROUPS, agree, likeliest, where_sure
from ladi.preprocess.labels import LIP

SIZE = (96, 72)
GREEN, BLUE, WALL = (70, 120, 60), (40, 50, 110), (220, 215, 205)


def picture() -> np.ndarray:
    """A green coat over blue trousers before a wall, with a little noise."""
    image = np.full((*SIZE, 3), WALL, float)
    image[10:60, 20:52], image[60:, 24:48] = GREEN, BLUE
    image += np.random.default_rng(0).normal(0, 3, image.shape)
    return image.clip(0, 255).astype(np.uint8)


def said(**places: tuple[slice, slice]) -> np.ndarray:
    """What a network says that is sure of the wall and nearly sure of the rest: (C,H,W)."""
    shares = np.full((len(LIP), *SIZE), 1e-3, np.float32)
    shares[LIP["background"]] = 1
    for name, place in places.items():
        shares[:, *place] = 1e-3
        shares[LIP[name], *place] = 0.9
    return shares


COAT, TROUSERS, DOUBTED = np.s_[10:60, 20:52], np.s_[60:, 24:48], np.s_[54:60, 20:52]


def labels_of(shares: np.ndarray, **more: float) -> np.ndarray:
    return likeliest(agree(shares, picture(), **more), shares)


def test_a_coats_hem_that_is_doubted_is_coat() -> None:
    """Prevents: a strip of the old coat below the new hem, labelled trousers by a network of two minds."""
    shares = said(coat=COAT, pants=TROUSERS)
    shares[:, *DOUBTED] = 1e-3
    shares[LIP["pants"], *DOUBTED], shares[LIP["coat"], *DOUBTED] = 0.5, 0.45
    assert (shares.argmax(0)[DOUBTED] == LIP["pants"]).all()
    labels = labels_of(shares)
    assert (labels[COAT] == LIP["coat"]).mean() > 0.95
    assert (labels[TROUSERS] == LIP["pants"]).mean() > 0.99


def test_half_coat_and_half_shirt_is_no_trousers() -> None:
    """Prevents: labels that win because two others share what is worn above."""
    shares = said(coat=COAT, pants=TROUSERS)
    shares[:, *COAT] = 1e-3
    shares[LIP["coat"], *COAT], shares[LIP["dress"], *COAT], shares[LIP["pants"], *COAT] = 0.35, 0.25, 0.4
    assert (labels_of(shares)[COAT] == LIP["coat"]).mean() > 0.99


def test_what_the_network_is_sure_of_stays() -> None:
    """Prevents: colours that overrule it: a print on a shirt, a bag of the coat's colour."""
    bag = np.s_[30:45, 24:36]
    shares = said(coat=COAT, pants=TROUSERS, bag=bag)
    assert (labels_of(shares) == shares.argmax(0)).mean() > 0.995
    assert (labels_of(shares)[bag] == LIP["bag"]).mean() > 0.95


def test_less_likely_trousers_give_way() -> None:
    image = np.full((*SIZE, 3), GREEN, np.uint8)
    shares = said(coat=COAT, pants=TROUSERS)
    shares[:] = 1e-3
    shares[LIP["pants"]], shares[LIP["coat"]] = 0.5, 0.45
    assert (likeliest(agree(shares, image), shares) == LIP["pants"]).all()
    assert (likeliest(agree(shares, image, lower=0.75), shares) == LIP["coat"]).all()


def test_every_label_has_a_group_and_fewer_labels_are_fine() -> None:
    """Prevents: a label that can never be; and parsers of before bags were a label that fail."""
    assert sorted(name for group in GROUPS for name in group) == sorted(LIP)
    shares = said(coat=COAT, pants=TROUSERS)[: LIP["bag"]]
    assert (labels_of(shares) == shares.argmax(0)).mean() > 0.995


def test_it_is_the_same_every_time() -> None:
    shares = said(coat=COAT, pants=TROUSERS)
    assert np.array_equal(agree(shares, picture()), agree(shares, picture()))


def test_it_is_sure_of_groups_rather_than_of_labels() -> None:
    """Prevents: a coat that the network half takes for a shirt, and that colours may then take for a bag."""
    shares = said(coat=COAT, pants=TROUSERS)
    shares[:, *COAT] = 1e-3
    shares[LIP["coat"], *COAT], shares[LIP["upper_clothes"], *COAT] = 0.5, 0.45
    shares[:, *TROUSERS] = 1e-3
    shares[LIP["pants"], *TROUSERS], shares[LIP["coat"], *TROUSERS] = 0.6, 0.35
    sure = where_sure(shares)
    assert sure[COAT].all() and not sure[TROUSERS].any()
