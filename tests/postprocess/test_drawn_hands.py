"""Hands that are drawn where the photo shows none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ladi.postprocess.drawn_hands import HandPlace, draw_hand, footprint, tone_at, with_hands
from ladi.postprocess.hand_model import hand_at_rest
from ladi.postprocess.layers import Canvas
from ladi.preprocess.boxes import Box
from ladi.types import LAYERS

SMALL = (256, 192)
DOWN = HandPlace((60.0, 120.0), (0.0, 1.0), 4.0, -1)


def middle_of(share: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(share > 0.5)
    return np.array([columns.mean(), rows.mean()])


def test_a_hand_has_a_wrist_a_palm_and_four_fingers_beside_a_thumb() -> None:
    hand = hand_at_rest()
    across = (hand.share > 0.5).sum(1) / hand.length
    row = [round(hand.wrist[1] + share * hand.length) for share in (-0.1, 0.3, 0.6, 0.8)]
    assert across[row[0]] < across[row[1]], "the palm with the thumb is wider than the wrist"
    assert across[row[2]] > across[row[3]] > 0.05, "and fingers end in tips"
    assert hand.light[hand.share > 0.9].min() < 0.8, "between fingers it is dark"
    at_the_wrist = hand.light[round(hand.wrist[1]) : row[1]][:, round(hand.wrist[0])]
    assert np.abs(at_the_wrist - 1).max() < 0.15, "and on its back as light as the arm"


def test_it_is_where_the_arm_goes_and_its_wrist_as_wide_as_the_arm() -> None:
    share = draw_hand(DOWN, SMALL, (1, 1)).share
    assert 6 <= (share[119] > 0.5).sum() <= 10
    assert not (share[:108] > 0.02).any() and (share[140:150] > 0.5).any()
    aside = middle_of(draw_hand(DOWN._replace(towards=(0.8, 0.6)), SMALL, (1, 1)).share)
    assert aside[0] > 66 and aside[1] > 122


def test_left_and_right_are_each_others_mirror_with_the_thumb_to_the_body() -> None:
    right = draw_hand(DOWN, SMALL, (1, 1)).share
    left = draw_hand(DOWN._replace(outward=1), SMALL, (1, 1)).share
    assert middle_of(right)[0] - 60 == pytest.approx(59 - middle_of(left)[0], abs=1)
    thumb = (right[130:134] > 0.5).any(0).nonzero()[0]
    assert thumb.max() - 60 > 60 - thumb.min()


def test_it_is_the_same_hand_at_the_photos_size_and_leaves_its_mark_at_the_models() -> None:
    large = draw_hand(DOWN, (1024, 768), (4, 4)).share
    small = draw_hand(DOWN, SMALL, (1, 1)).share
    assert large.sum() / 16 == pytest.approx(small.sum(), rel=0.1)
    there = footprint((DOWN,), SMALL)
    assert there[small > 0.05].all() and there.sum() < 3 * (small > 0.5).sum()
    assert not footprint((), SMALL).any()


def test_its_tone_is_the_arms_where_it_begins() -> None:
    colours = np.zeros((1024, 768, 3))
    colours[400:476, 220:260] = (0.8, 0.6, 0.5)
    canvas = Canvas((1024, 768), Box(0, 0, *SMALL), SMALL)
    assert tone_at(DOWN, colours, canvas, colours[..., 0] > 0) == pytest.approx([0.8, 0.6, 0.5])
    part = Canvas((1024, 768), Box(90, 40, 200, 100), SMALL)
    cut = colours[part.window]
    assert tone_at(DOWN, cut, part, cut[..., 0] > 0) == pytest.approx([0.8, 0.6, 0.5])


def test_a_sleeve_covers_its_wrist() -> None:
    bare, sleeved = (draw_hand(DOWN._replace(sleeved=one), SMALL, (1, 1)).share for one in (False, True))
    assert bare[118:122].any() and not sleeved[:122].any()
    assert np.allclose(bare[130:], sleeved[130:])


def test_trousers_cover_a_hand_that_is_in_their_pocket() -> None:
    """Prevents: fingers that lie flat on trousers instead of being in them."""
    skin, other = LAYERS.index("skin"), LAYERS.index("other")
    canvas = Canvas(SMALL, Box(0, 0, *SMALL), SMALL)
    shares = torch.zeros(1, len(LAYERS), *SMALL)
    shares[:, LAYERS.index("wall"), :128], shares[:, other, 128:] = 1, 1
    everywhere = np.ones(SMALL, bool)

    def hand_in(place: HandPlace) -> torch.Tensor:
        colours = {number: torch.zeros(1, 3, *SMALL) for number in range(len(LAYERS))}
        photo = np.zeros((*SMALL, 3), np.uint8)
        return with_hands(colours, shares.clone(), photo, (place,), everywhere, canvas)[0, skin]

    hanging, pocketed = hand_in(DOWN), hand_in(DOWN._replace(pocketed=True))
    assert hanging[128:].max() > 0.9 and not pocketed[128:].any()
    assert torch.equal(hanging[:128], pocketed[:128]) and pocketed.max() > 0.9
