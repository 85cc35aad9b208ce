"""How low a top hangs: to the old one's hem, no lower than tops do, and no wider for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ladi.diffusion.hanging import Levels, grow_under_hem, level_hem, levels_of, lower_hem
from ladi.diffusion.warping import sample_matte
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, Frame, PersonParts, Photo

SIZE = (256, 192)


def person(end: int = 200) -> PersonParts:
    """Somebody whose old top ends at a row; shoulders at 70, hips at 160."""
    labels, joints = np.zeros(SIZE, np.uint8), np.zeros((18, 3), np.float32)
    labels[65:end, 60:132] = LIP["upper_clothes"]
    for name, point in {
        "right_shoulder": (70, 70),
        "left_shoulder": (122, 70),
        "right_hip": (82, 160),
        "left_hip": (110, 160),
    }.items():
        joints[JOINT[name]] = (*point, 1)
    return PersonParts(
        photo=Photo(np.zeros((*SIZE, 3), np.uint8)),
        frame=Frame(0, 0, SIZE[1], SIZE[0], SIZE),
        image=torch.zeros(1, 3, *SIZE),
        mask=torch.ones(1, 1, *SIZE),
        pose_map=torch.zeros(1, 18, *SIZE),
        keypoints=joints,
        labels=labels,
    )


def plain() -> torch.Tensor:
    y, x = ((torch.arange(side) + 0.5) / side * 2 - 1 for side in SIZE)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None]


def garment(hem: int = 150) -> torch.Tensor:
    matte = torch.zeros(1, 1, *SIZE)
    matte[..., 70:hem, 66:126] = 1
    matte[..., 75:120, 40:66] = matte[..., 75:120, 126:152] = 1
    return matte


def last(matte: torch.Tensor, grid: torch.Tensor, column: int) -> int:
    return int(np.flatnonzero(sample_matte(matte, grid)[0, 0, :, column].numpy() > 0.5)[-1])


@pytest.mark.parametrize(("end", "hem"), [(165, 164), (240, 173)])
def test_it_hangs_to_the_old_hem_but_no_lower_than_tops_do(end: int, hem: int) -> None:
    """Prevents: every shirt a crop top, every T-shirt a tunic."""
    levels = levels_of(person(end))
    assert levels is not None
    grid = lower_hem(plain(), garment(), levels)
    assert abs(last(garment(), grid, 96) - hem) <= 2
    assert abs(last(garment(), grid, 45) - 119) <= 1, "sleeves keep their length"
    top = sample_matte(garment(), grid)[0, 0, :97]
    assert torch.allclose(top, garment()[0, 0, :97], atol=0.05), "above the chest nothing moves"


def test_it_covers_the_old_tops_lower_sides_and_all_of_what_ends_a_little_lower() -> None:
    """Prevents: scraps of a slanted pullover, or of a shirt's tails, below a hem."""
    slanted = person(160)
    slanted.labels[160:168, 80:88] = LIP["upper_clothes"]
    levels = levels_of(slanted)
    assert levels is not None and levels.wanted == pytest.approx(167, abs=1)
    slanted.labels[168:190, 80:88] = LIP["upper_clothes"]
    open_coat = levels_of(slanted)
    assert open_coat is not None and open_coat.wanted == 159, "so long a side is a coat's"
    jacket, coat = levels_of(person(181)), levels_of(person(200))
    assert jacket is not None and jacket.wanted == 180
    assert coat is not None and coat.wanted < 175


def test_it_is_drawn_farther_where_trousers_would_have_to_be_made_up() -> None:
    """Prevents: a slab of dark trousers between a short top and where the photo's begin."""
    coat, dress = person(200), person(200)
    dress.labels[dress.labels > 0] = LIP["dress"]
    ends = []
    for somebody in (coat, dress):
        levels = levels_of(somebody)
        assert levels is not None
        ends.append(last(garment(128), lower_hem(plain(), garment(128), levels), 96))
    assert ends[0] > ends[1] + 5, "a dress goes on below it"
    levels, taller = levels_of(coat), plain()
    assert levels is not None
    taller[..., 1] = (70 + (torch.arange(SIZE[0])[:, None] + 0.5 - 70) / 1.6) / SIZE[0] * 2 - 1
    assert last(garment(120), taller, 96) == pytest.approx(149, abs=2)
    drawn = last(garment(120), lower_hem(taller, garment(120), levels), 96)
    assert drawn == pytest.approx(levels.wanted, abs=2), "though it is taller than in its picture already"


def test_on_somebody_who_sits_it_ends_at_the_lap() -> None:
    """Prevents: a shirt that hangs down before the thighs of somebody who sits."""
    sitting = person(200)
    sitting.keypoints[JOINT["left_knee"]] = (150, 170, 1)
    levels, standing = levels_of(sitting), levels_of(person(200))
    assert levels is not None and standing is not None
    assert levels.wanted == 160 < standing.wanted
    sitting.keypoints[JOINT["left_knee"]] = (112, 230, 1)
    again = levels_of(sitting)
    assert again is not None and again.wanted == standing.wanted


def test_a_crop_top_stays_short_and_a_long_top_is_not_shortened() -> None:
    levels = levels_of(person())
    assert levels is not None
    assert last(garment(112), lower_hem(plain(), garment(112), levels), 96) < 125
    assert torch.equal(lower_hem(plain(), garment(190), levels), plain())
    assert torch.equal(lower_hem(plain(), garment() * 0, levels), plain())
    assert torch.equal(
        lower_hem(plain(), garment(), Levels(97, 140, 96, 52, 90, np.zeros(SIZE, bool))), plain()
    )


def test_a_hem_that_is_nearly_there_is_drawn_all_the_way() -> None:
    """Prevents: a strip of belly, or of a waistband that nobody saw, above the trousers."""
    levels = levels_of(person(165))
    assert levels is not None
    assert abs(last(garment(138), lower_hem(plain(), garment(138), levels), 96) - 164) <= 2


def slanted(slope: float) -> torch.Tensor:
    """A grid by which what is level in the garment's picture goes down to the right by so much."""
    grid = plain().clone()
    columns = torch.arange(SIZE[1]) - 96.0
    grid[..., 1] -= slope * columns * 2 / SIZE[0]
    return grid


def slope(matte: torch.Tensor, grid: torch.Tensor) -> float:
    return (last(matte, grid, 116) - last(matte, grid, 76)) / 40


def test_a_hem_is_as_level_as_the_hips() -> None:
    """Prevents: T-shirts with a corner hanging down on one side, on people who stand straight."""
    levels = levels_of(person())
    assert levels is not None
    for tilt in (0.3, -0.3):
        grid = slanted(tilt)
        assert abs(slope(garment(), grid)) > 0.25
        straight = level_hem(grid, garment(), levels)
        assert abs(slope(garment(), straight)) < 0.06
        chest = int(levels.chest)
        assert torch.allclose(straight[:, :chest], grid[:, :chest], atol=1e-5)
        assert torch.allclose(straight[:, :, :28], grid[:, :, :28], atol=1e-5), "sleeves stay where they are"
    assert torch.equal(level_hem(slanted(0.02), garment(), levels), slanted(0.02)), (
        "hems are never quite level"
    )


def test_a_hem_goes_with_tilted_hips_and_with_its_own_cut() -> None:
    """Prevents: whoever stands on one leg, and every asymmetric top, put straight."""
    tilted = person()
    tilted.keypoints[JOINT["left_hip"], 1] += 28 * 0.3
    levels = levels_of(tilted)
    assert levels is not None and abs(levels.slope - 0.3) < 0.01
    assert torch.equal(level_hem(slanted(0.2), garment(), levels), slanted(0.2))
    upright, cut = levels_of(person()), garment()
    for column in range(66, 126):
        cut[..., 150 + int(0.2 * (column - 96)) :, column] = 0
        cut[..., 140 : 150 + int(0.2 * (column - 96)), column] = 1
    assert upright is not None
    assert slope(cut, level_hem(plain(), cut, upright)) > 0.08
    assert torch.equal(level_hem(plain(), garment() * 0, upright), plain())


def test_where_nothing_is_known_nothing_hangs() -> None:
    bare, unknown = person(), person()
    bare.labels[:] = 0
    unknown.keypoints[JOINT["left_hip"]] = 0
    assert levels_of(bare) is None and levels_of(unknown) is None
    assert levels_of(replace(person(), category="dresses")) is None


def test_the_mask_grows_to_where_a_top_hangs_over_trousers() -> None:
    """Prevents: a hem cut off in steps, where a mask of the old top ended."""
    one = person(165)
    labels = one.labels.copy()
    labels[165:, 60:132] = LIP["pants"]
    labels[165:, 100:132] = LIP["bag"]
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 60:165, 55:137] = 1
    levels = levels_of(replace(one, labels=labels, mask=mask))
    assert levels is not None
    laid = torch.zeros(1, 1, *SIZE)
    laid[..., 70:240, 66:126] = 1
    laid[..., 174:178, 61:63] = 1
    grown = grow_under_hem(mask, laid, levels)
    assert (grown[..., 165:180, 66:100] == 1).all(), "over the trousers"
    assert not grown[..., 165:, 100:].any(), "a bag lies before the hem"
    assert not grown[..., 190:, :].any(), "no farther than hems hang"
    assert not grown[..., 174:178, 61:63].any(), "only what goes on from the mask"
    assert (grown[mask > 0] == 1).all()
    assert torch.equal(grow_under_hem(mask, laid * 0, levels), mask)


def test_a_mask_by_hand_is_no_bigger_than_it_was_drawn() -> None:
    assert levels_of(replace(person(), by_hand=True)) is None
