"""A neckline in a garment's picture: the edge where a network suspects it, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ladi.preprocess.neckline import Neckline, find_neckline

SIZE = (256, 192)
CLOTH, INSIDE, GROUND = (60, 90, 170), (35, 55, 120), (245, 245, 245)
LEFT, RIGHT, TOP, DEPTH = 66, 126, 30, 24


def tee(*, shape: float = 2.2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A T-shirt's picture, its matte, and (H,W) bool, its darker inside above a curve."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    matte = (columns > 30) & (columns < 162) & (rows >= TOP) & (rows < 230)
    place = ((2 * columns - LEFT - RIGHT) / (RIGHT - LEFT)).clip(-1, 1)
    inside = matte & (rows < TOP + DEPTH * (1 - np.abs(place) ** shape))
    image = np.where(matte[..., None], np.uint8(CLOTH), np.uint8(GROUND))
    image[inside] = INSIDE
    return image, matte, inside


def suspected(
    columns: tuple[int, int] = (62, 130), rows: tuple[int, int] = (20, 44), fade: float = 6
) -> np.ndarray:
    """A network's blurred idea of it, less deep than it is."""
    told = np.zeros(SIZE, np.float32)
    told[rows[0] : rows[1], columns[0] : columns[1]] = 0.7
    beyond = np.abs(np.arange(SIZE[0]) - rows[1])
    told[rows[1] : rows[1] + 20, columns[0] : columns[1]] = (0.5 * np.exp(-beyond / fade))[
        rows[1] : rows[1] + 20, None
    ]
    return told


def test_the_curve_follows_the_edge_that_the_picture_shows() -> None:
    """Prevents: a neckline cut straight through a lining, with half of it and its label on the chest."""
    for shape in (1.2, 2.2, 3.2):
        image, matte, inside = tee(shape=shape)
        found = find_neckline(suspected(), image, matte)
        assert found is not None
        above = (found.above(SIZE) > 0.5) & matte
        assert (above & inside).sum() > 0.88 * (above | inside).sum(), shape


def test_a_label_does_not_lead_it_astray() -> None:
    image, matte, inside = tee()
    image[34:42, 88:104] = GROUND
    image[37:39, 90:102] = 20
    found = find_neckline(suspected(), image, matte)
    assert found is not None
    above = (found.above(SIZE) > 0.5) & matte
    assert (above & inside).sum() > 0.88 * (above | inside).sum()


def test_without_an_edge_or_a_lining_there_is_none() -> None:
    image, matte, _ = tee()
    plain = np.where(matte[..., None], np.uint8(CLOTH), np.uint8(GROUND))
    assert find_neckline(suspected(), plain, matte) is None
    assert find_neckline(np.zeros(SIZE, np.float32), image, matte) is None


def test_a_stripe_across_the_chest_is_none() -> None:
    """Prevents: a shirt cut off at a print or a stripe, which has the clearest edge of all."""
    image, matte, _ = tee()
    image[image[..., 2] == INSIDE[2]] = CLOTH
    for row in range(90, 230, 20):
        image[row : row + 8][matte[row : row + 8]] = 250
    found = find_neckline(suspected(), image, matte)
    assert found is None or found.above(SIZE)[85:].max() == 0


def test_it_lies_at_the_same_place_in_a_picture_of_any_size() -> None:
    line = Neckline((60.0, 30.0), (130.0, 34.0), 20.0, 2.2, SIZE[0])
    small, large = line.above(SIZE), line.above((2 * SIZE[0], 2 * SIZE[1]))
    assert np.abs(large.reshape(SIZE[0], 2, SIZE[1], 2).mean((1, 3)) - small)[:, 62:128].max() < 0.2
    assert small[:, :58].max() == small[:, 133:].max() == 0, "collars beside it stay"
    assert 0 < small[52, 95] < 1 or 0 < small[51, 95] < 1, "its edge is soft"


def banded(colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A tee whose inside has a rib, and so two edges: picture, matte, inside and rib."""
    image, matte, inside = tee()
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    place = ((2 * columns - LEFT - RIGHT) / (RIGHT - LEFT)).clip(-1, 1)
    rib = inside & (rows < TOP + 10 * (1 - np.abs(place) ** 2.2))
    image[inside] = colour
    image[rib] = (200, 200, 210)
    return image, matte, inside, rib


def test_a_back_below_its_rib_goes_too() -> None:
    """Prevents: the dark inside of a back left on the chest, below a curve along the back's own rib."""
    image, matte, inside, rib = banded((30, 30, 40))
    told = suspected(rows=(20, 37), fade=14)
    found = find_neckline(told, image, matte)
    assert found is not None
    above = (found.above(SIZE) > 0.5) & matte
    assert (above & inside).sum() > 0.85 * inside.sum() > 1.5 * rib.sum()
    assert (above & ~inside).sum() < 0.15 * inside.sum()


def test_cloth_of_the_fronts_colour_is_left() -> None:
    image, matte, _, rib = banded(CLOTH)
    found = find_neckline(suspected(rows=(20, 37), fade=14), image, matte)
    assert found is not None
    assert ((found.above(SIZE) > 0.5) & matte).sum() < 1.4 * rib.sum()


def dim(inside: tuple[int, int, int], *, label: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A black tee with a faint neckline, and maybe a label in it: picture, matte and inside."""
    image, matte, neck = tee()
    image[matte] = (20, 20, 24)
    image[neck] = inside
    edge = neck & ~ndimage.binary_erosion(neck | ~matte, iterations=1)
    image[edge] = (8, 8, 11)
    if label:
        image[36:46, 90:102] = 235
    return image, matte, neck


@pytest.mark.parametrize(("inside", "label"), [((60, 36, 30), False), ((20, 20, 24), True)])
def test_a_lining_that_the_network_hardly_suspects_is_found_by_its_colour_or_its_label(
    inside: tuple[int, int, int], label: bool
) -> None:
    """Prevents: a label and the inside of a back on the chest, where they are lower than is thought."""
    image, matte, neck = dim(inside, label=label)
    found = find_neckline(suspected(rows=(16, 33), fade=5), image, matte)
    assert found is not None
    above = (found.above(SIZE) > 0.5) & matte
    assert (above & neck).sum() > 0.55 * neck.sum() and above[38:44, 92:100].all()
    assert (above & ~neck).sum() < 0.2 * neck.sum()


def test_a_seam_below_a_neck_is_none() -> None:
    image, matte, neck = dim((20, 20, 24))
    found = find_neckline(suspected(rows=(16, 33), fade=5), image, matte)
    assert found is None or ((found.above(SIZE) > 0.5) & matte).sum() < 0.5 * neck.sum()
