"""A neckline ends where a garment's outline has its two neck points, however deep it is between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import ladi.preprocess.lining as lining_of
from ladi.models.lining import GarmentLining
from ladi.preprocess.lining import without_lining
from ladi.preprocess.neck_points import neck_points, with_neck_points
from ladi.preprocess.neckline import find_neckline
from ladi.types import Garment

SIZE = (256, 192)
GROUND, FRONT, BEHIND, RIM, BACK_RIB = 248, 30, 26, 8, 12
LEFT, RIGHT, TOP = 66, 126, 30


def black_tee(*, depth: float = 22, dip: float = 6, edge: bool = True) -> tuple[np.ndarray, ...]:
    """A black tee whose back is seen through its neck: picture, matte and inside.

    Its shoulders fall off to both sides, its back's edge hangs by ``dip``, its front's by ``depth``, and
    below the back's there is a rib of its own.
    """
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    place = (2 * columns - LEFT - RIGHT) / (RIGHT - LEFT)
    between = 1 - np.abs(place.clip(-1, 1)) ** 2
    shoulder = 0.5 * np.maximum(np.abs(columns - (LEFT + RIGHT) / 2) - (RIGHT - LEFT) / 2, 0)
    matte = (rows >= TOP + dip * between + shoulder) & (rows < 230) & (np.abs(columns - 96) < 70)
    inside = matte & (rows < TOP + depth * between) & (np.abs(place) < 1)
    picture = np.where(matte, FRONT, GROUND).astype(np.uint8)
    if edge:
        picture[inside] = BEHIND
        picture[matte & (np.abs(rows - TOP - depth * between) < 1.5) & (np.abs(place) < 1)] = RIM
    picture[inside & (rows < TOP + (dip + 4) * between)] = BACK_RIB
    return np.repeat(picture[..., None], 3, 2), matte, inside


def suspected(rows: tuple[int, int] = (20, 38), fade: float = 4.5) -> np.ndarray:
    """A network's idea of its inside, as deep as the back's rib."""
    told = np.zeros(SIZE, np.float32)
    told[rows[0] : rows[1], LEFT:RIGHT] = 0.8
    told[rows[1] : rows[1] + 24, LEFT:RIGHT] = 0.6 * np.exp(-np.arange(24) / fade)[:, None]
    return told


def test_neck_points_are_where_a_taut_thread_leaves_the_outline() -> None:
    _, matte, _ = black_tee()
    ends = neck_points(matte, 96)
    assert ends is not None
    assert abs(ends[0] - LEFT) <= 2 and abs(ends[1] - RIGHT) <= 2
    assert neck_points(matte, 2.0) is None
    assert neck_points(np.zeros(SIZE, bool), 96) is None


@pytest.mark.parametrize("depth", [18, 22, 26])
def test_black_cloths_opening_is_found_below_its_backs_rib(depth: float) -> None:
    """Prevents: the inside of a black top, and its label, before the throat of whoever wears it."""
    image, matte, inside = black_tee(depth=depth)
    told = suspected(fade=6)
    found = with_neck_points(find_neckline(told, image, matte), told, image, matte)
    assert found is not None
    above = (found.above(SIZE) > 0.5) & matte
    assert (above & inside).sum() > 0.75 * (above | inside).sum()


def test_without_an_edge_what_was_found_stays() -> None:
    image, matte, _ = black_tee(edge=False)
    told = suspected()
    found = find_neckline(told, image, matte)
    assert with_neck_points(found, told, image, matte) is found
    nothing = np.zeros(SIZE, np.float32)
    assert with_neck_points(None, nothing, image, matte) is None
    assert with_neck_points(None, told, image, np.zeros(SIZE, bool)) is None


def test_a_garment_is_cleared_down_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    image, matte, inside = black_tee()
    garment = Garment(
        image=torch.from_numpy(image).movedim(-1, 0)[None].float() / 127.5 - 1,
        matte=torch.from_numpy(matte)[None, None].float(),
    )
    told = torch.from_numpy(suspected(fade=6))[None, None]
    monkeypatch.setattr(lining_of, "find_lining", lambda *_: told)
    bare = without_lining(GarmentLining(), replace(garment))
    assert bare.matte[0, 0].numpy()[inside].mean() < 0.15
    assert bare.matte[0, 0].numpy()[matte & ~inside].mean() > 0.95
