"""A shirt keeps its collar: only what lies between the leaves is behind a neck."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ladi.preprocess.lining as lining_of
from ladi.models.lining import GarmentLining
from ladi.preprocess.collars import collar_of, collar_opening
from ladi.preprocess.lining import without_lining
from ladi.types import Garment

SIZE = (256, 192)
GROUND, CLOTH, BEHIND, SEAM = 246, 200, 150, 90
MIDDLE, HALF, TOP, SHOULDERS = 96, 12, 20, 36


def shirt(*, tall: int = SHOULDERS - TOP) -> tuple[np.ndarray, ...]:
    """A shirt with a collar of a height: picture, matte, and what its leaves leave free."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    away, top = np.abs(columns - MIDDLE), SHOULDERS - tall
    tower = (away <= HALF + 0.3 * (rows - top)) & (rows >= top) & (rows < SHOULDERS + 4)
    body = (away < 70) & (rows >= SHOULDERS + 0.3 * np.maximum(away - HALF, 0)) & (rows < 230)
    matte = tower | body
    opening = matte & (rows < top + 22 * (1 - away / HALF))
    picture = np.where(matte, CLOTH, GROUND)
    picture[opening] = BEHIND
    picture[matte & (np.abs(rows - top - 22 * (1 - away / HALF)) < 1.2) & (away < HALF)] = SEAM
    return np.repeat(picture[..., None].astype(np.uint8), 3, 2), matte, opening


def suspected(half: int = 34, bottom: int = 43) -> np.ndarray:
    """A network that takes the whole collar for the inside of a back."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(float)
    inside = (np.abs(columns - MIDDLE) < half) & (rows < bottom)
    return np.where(inside, 0.5 - 0.003 * np.abs(columns - MIDDLE), 0.01).astype(np.float32)


def test_a_collar_stands_above_the_shoulders() -> None:
    _, matte, _ = shirt()
    ends = collar_of(suspected(), matte)
    assert ends is not None and abs(ends[0] - (MIDDLE - HALF)) < 3 and abs(ends[1] - (MIDDLE + HALF)) < 3
    hood, flat = shirt(tall=34)[1], shirt(tall=0)[1]
    assert collar_of(suspected(), hood) is None
    assert collar_of(suspected(), flat) is None
    assert collar_of(np.zeros(SIZE, np.float32), matte) is None


def test_only_what_lies_between_the_leaves_is_its_opening() -> None:
    image, matte, opening = shirt()
    told = suspected()
    ends = collar_of(told, matte)
    assert ends is not None
    found = collar_opening(ends, told, image, matte, told > 0.35)
    assert found is not None
    above = (found.above(SIZE) > 0.5) & matte
    assert (above & opening).sum() > 0.75 * (above | opening).sum()
    # Where no leaf would go there is nothing to put right, unless most of the opening stays.
    assert collar_opening(ends, told, image, matte, opening) is None
    rows = np.arange(SIZE[0])[:, None]
    shallow = np.where(opening, 0.6, told * (rows < TOP)).astype(np.float32)
    assert collar_opening(ends, shallow, image, matte, opening & (rows < TOP + 4)) is not None


def test_a_hangers_top_is_no_opening() -> None:
    """Prevents: a coat's lining left in, because a hanger stands above it."""
    image, matte, _ = shirt()
    deep = suspected(bottom=90)
    ends = collar_of(deep, matte)
    assert ends is not None
    assert collar_opening(ends, deep, image, matte, deep > 0.35) is None


def test_a_shirt_is_worn_with_its_collar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents: shirts that end in a raw edge below the throat."""
    image, matte, opening = shirt()
    garment = Garment(
        image=torch.from_numpy(image).movedim(-1, 0)[None].float() / 127.5 - 1,
        matte=torch.from_numpy(matte)[None, None].float(),
    )
    told = torch.from_numpy(suspected())[None, None]
    monkeypatch.setattr(lining_of, "find_lining", lambda *_: told)
    worn = without_lining(GarmentLining(), garment)
    leaves = matte & ~opening & (np.arange(SIZE[0])[:, None] < SHOULDERS)
    left = worn.matte[0, 0].numpy()
    assert worn.collar and not garment.collar
    assert left[leaves].mean() > 0.75 and left[opening].mean() < 0.15
