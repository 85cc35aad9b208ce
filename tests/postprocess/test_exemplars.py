"""Walls continued by pieces of themselves."""

from __future__ import annotations

import numpy as np

from ladi.postprocess.exemplars import fill_by_exemplars

SIZE = (256, 192)
EVERYWHERE = np.ones(SIZE, bool)
COAT, BRICK, JOINT = (255, 0, 0), (150, 70, 50), (210, 205, 200)


def bricks(size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H,W,3) uint8, a wall of bricks, every other row moved by half a brick."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    joint = (rows % 12 < 2) | ((columns + 10 * (rows // 12 % 2)) % 20 < 2)
    return np.where(joint[..., None], JOINT, BRICK).astype(np.uint8)


def hidden_by(known: np.ndarray, picture: np.ndarray) -> np.ndarray:
    return np.where(known[..., None], picture, COAT).astype(np.uint8)


def test_bricks_go_on_as_bricks_in_a_gap_that_no_mirror_could_fill() -> None:
    """Prevents: fog, and lines along a removed coat's outline, where a wall has a pattern."""
    picture, known = bricks(), EVERYWHERE.copy()
    known[60:220, 60:130] = False
    filled, done = fill_by_exemplars(hidden_by(known, picture), known, EVERYWHERE)
    assert np.array_equal(done, ~known)
    assert np.array_equal(filled[known], picture[known])
    wrong = np.abs(filled.astype(int) - picture).max(-1)[~known] > 40
    assert wrong.mean() < 0.1


def test_it_is_copied_at_the_pictures_own_size() -> None:
    """Prevents: a wall as coarse as the small picture that is searched."""
    large = bricks((1024, 768))
    known = np.ones(large.shape[:2], bool)
    known[300:800, 300:460] = False
    filled, done = fill_by_exemplars(hidden_by(known, large), known, np.ones_like(known))
    away = np.abs(filled[done][:, None].astype(int) - np.array([JOINT, BRICK])[None]).max(-1).min(1)
    assert (away < 12).mean() > 0.85, "bricks and joints, and hardly anything in between"


def test_only_what_is_wanted_is_filled_and_only_from_what_is_known() -> None:
    """Prevents: pieces of the person in the wall."""
    picture, known, wanted = bricks(), EVERYWHERE.copy(), np.zeros(SIZE, bool)
    known[40:, 60:130] = False
    wanted[40:, 60:80] = True
    hidden = hidden_by(known, picture)
    filled, done = fill_by_exemplars(hidden, known, wanted)
    assert np.array_equal(done, wanted)
    assert np.array_equal(filled[~wanted], hidden[~wanted])
    assert not (filled[done] == COAT).all(-1).any()


def test_of_two_pieces_that_fit_the_one_in_the_guessed_colour_is_taken() -> None:
    """Prevents: sky between an arm and a body that stand before a hedge."""
    picture = np.full((*SIZE, 3), (40, 80, 30), np.uint8)
    picture[:70] = (230, 235, 250)
    known = EVERYWHERE.copy()
    known[100:200, 60:130] = False
    filled, done = fill_by_exemplars(hidden_by(known, picture), known, EVERYWHERE)
    assert (np.abs(filled[done].astype(int) - (40, 80, 30)).max(-1) < 8).all()


def test_without_a_whole_square_to_copy_nothing_is_filled() -> None:
    picture, known = bricks(), np.zeros(SIZE, bool)
    known[:, ::16] = True
    filled, done = fill_by_exemplars(picture, known, EVERYWHERE)
    assert not done.any() and np.array_equal(filled, picture)


def test_no_seam_shows_between_pieces_from_places_in_other_light() -> None:
    """Prevents: hard-edged squares in a blurred background."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    light = 90 + 0.4 * rows + 0.3 * columns + 6 * np.sin(columns / 9)
    picture = np.repeat(light[..., None], 3, axis=2).astype(np.uint8)
    known = EVERYWHERE.copy()
    known[60:200, 70:120] = False
    filled, _ = fill_by_exemplars(hidden_by(known, picture), known, EVERYWHERE)
    steps = np.abs(np.diff(filled[..., 0].astype(int), axis=0))[60:200, 70:120]
    assert steps.max() <= 5


def test_cloth_goes_on_like_most_of_it_and_not_like_the_fold_beside_the_gap() -> None:
    """Prevents: the upper half of grey trousers as black as one fold of theirs."""
    picture = np.full((*SIZE, 3), 150, np.uint8)
    picture[120:160, 60:130] = 20
    known = np.zeros(SIZE, bool)
    known[120:, 60:130] = True
    gap = np.zeros(SIZE, bool)
    gap[60:120, 60:130] = True
    cloth, _ = fill_by_exemplars(hidden_by(known, picture), known, gap, one_colour=True)
    wall, _ = fill_by_exemplars(hidden_by(known, picture), known, gap)
    assert cloth[60:90, 60:130].mean() > wall[60:90, 60:130].mean() + 40


def test_cloth_goes_on_by_small_pieces_where_legs_are_narrow() -> None:
    """Prevents: thighs of plain blue fog above jeans whose legs are narrower than a large piece."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    jeans = (40 + 60 * ((rows + columns) % 6 < 3)[..., None] * np.array([0.5, 0.7, 1.0])).astype(np.uint8)
    known, wanted = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    for left in (60, 100):
        known[150:250, left : left + 13], wanted[110:150, left : left + 13] = True, True
    hidden = hidden_by(known, jeans)
    filled, done = fill_by_exemplars(hidden, known, wanted, one_colour=True)
    assert np.array_equal(done, wanted)
    assert filled[done].astype(float).std(0).max() > 15, "threads, and no fog"
    assert not fill_by_exemplars(hidden, known, wanted)[1].any(), "walls are left to the mirror"
