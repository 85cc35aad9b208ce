"""Patterns that go on beyond the warp: which garments have one, and what of them is continued."""

from __future__ import annotations

import numpy as np
import torch

from ladi.postprocess.patterns import is_patterned, pattern_continued

SIZE = (256, 192)


def checks(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Red and white, every eight pixels."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    dark = ((rows // 8 + columns // 8) % 2)[..., None] > 0
    return np.where(dark, np.uint8((190, 40, 50)), np.uint8((240, 236, 230)))


def garment(image: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    matte = torch.zeros(1, 1, *SIZE)
    matte[..., 30:230, 40:150] = 1
    picture = torch.from_numpy(image.copy()).movedim(-1, 0)[None].float() / 127.5 - 1
    return picture * matte + (1 - matte), matte


def test_checks_are_a_pattern_and_prints_sleeves_and_plain_cloth_are_none() -> None:
    """Prevents: letters on a sleeve, and a shirt's dark seams sown over it."""
    assert is_patterned(*garment(checks()))
    assert is_patterned(*garment(checks((512, 384))[::2, ::2]))
    plain = np.full((*SIZE, 3), 90, np.uint8)
    assert not is_patterned(*garment(plain))
    printed = plain.copy()
    printed[80:140, 70:120] = checks()[80:140, 70:120]
    assert not is_patterned(*garment(printed))
    halves = checks()
    halves[:, :96] = halves[:, :96] // 5
    assert not is_patterned(*garment(halves)), "sleeves of another colour"
    picture, matte = garment(checks())
    assert not is_patterned(picture, matte * 0)


def test_checks_go_on_as_checks() -> None:
    """Prevents: a shoulder or a sleeve like a smear beside a checked front."""
    picture, sure = checks(), np.zeros(SIZE, bool)
    sure[40:220, 40:120] = True
    wanted = sure.copy()
    wanted[60:200, 120:150] = True
    known = np.where(sure[..., None], picture, np.uint8(255))
    filled, done = pattern_continued(known, sure, wanted)
    assert done[70:190, 124:148].all() and not done[sure].any() and not done[:, 152:].any()
    wrong = np.abs(filled[70:190, 124:146].astype(int) - picture[70:190, 124:146]).max(-1) > 60
    assert wrong.mean() < 0.1
    assert np.array_equal(filled[sure], known[sure])


def stripes() -> np.ndarray:
    """Blue and white across, every eight pixels, a little lower to the right."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    dark = ((rows - columns // 40) // 8 % 2)[..., None] > 0
    return np.where(dark, np.uint8((30, 50, 100)), np.uint8((240, 236, 230)))


def test_stripes_go_on_in_their_rows_from_either_side_and_across_slits() -> None:
    """Prevents: blurred patches beside a striped T-shirt's trunk and along its neckline."""
    picture, sure = stripes(), np.zeros(SIZE, bool)
    sure[40:220, 60:120] = True
    sure[40:70, 85:95] = False
    wanted = np.zeros(SIZE, bool)
    wanted[40:220, 40:140] = True
    known = np.where(sure[..., None], picture, np.uint8(128))
    filled, done = pattern_continued(known, sure, wanted)
    part = (slice(45, 215), slice(42, 138))
    assert done[part][~sure[part]].all() and not done[~wanted].any()
    wrong = np.abs(filled[part].astype(int) - picture[part]).max(-1) > 60
    assert wrong.mean() < 0.06


def test_stripes_that_run_askew_do_not_go_on_along_rows() -> None:
    """Prevents: a sleeve's slanted stripes as steps."""
    picture, sure = stripes(), np.zeros(SIZE, bool)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    slanted = ((rows + columns) // 8 % 2)[..., None] > 0
    sleeve = np.where(slanted, np.uint8((30, 50, 100)), np.uint8((240, 236, 230)))
    picture[:100, 120:] = sleeve[:100, 120:]
    sure[40:220, 40:120] = sure[40:100, 120:150] = True
    wanted = sure.copy()
    wanted[40:100, 150:175] = True
    filled, done = pattern_continued(np.where(sure[..., None], picture, np.uint8(128)), sure, wanted)
    part = (slice(50, 90), slice(154, 172))
    wrong = np.abs(filled[part].astype(int) - sleeve[part]).max(-1) > 60
    assert done[part].mean() > 0.9 and wrong.mean() < 0.25


def test_a_slit_is_not_large() -> None:
    picture, sure = checks(), np.ones(SIZE, bool)
    sure[:, 90:96] = False
    filled, done = pattern_continued(picture, sure, np.ones(SIZE, bool))
    assert not done.any() and filled is picture


def test_a_print_on_checks_is_not_sown_over_them() -> None:
    """Prevents: pieces of a printed cat on the sleeves of a tweed jumper."""
    picture, sure = checks(), np.zeros(SIZE, bool)
    sure[40:220, 40:120] = True
    picture[90:150, 92:114] = (16, 90, 30)
    wanted = sure.copy()
    wanted[60:200, 120:150] = True
    filled, done = pattern_continued(picture, sure, wanted)
    green = (filled[..., 1] > filled[..., 0] + 30.0) & done
    assert done[70:190, 124:148].all() and green[:, 126:].mean() < 0.002
