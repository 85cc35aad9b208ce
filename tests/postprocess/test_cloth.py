"""The painted garment's colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ladi.postprocess.cloth import match_cloth
from ladi.postprocess.cloth_source import ClothSource
from ladi.postprocess.laid_cloth import along_lining, far_colours, lay_cloth
from ladi.postprocess.layers import Canvas
from ladi.preprocess.boxes import Box
from ladi.types import Garment

SIZE = (64, 48)


def cloth(*colour: float) -> torch.Tensor:
    """A plain colour in [0,1] as a picture."""
    return (torch.tensor(colour).view(1, 3, 1, 1) * 2 - 1).expand(1, 3, *SIZE).contiguous()


EVERYWHERE = torch.ones(1, 1, *SIZE)


def test_white_that_was_painted_beige_is_white_again() -> None:
    """Prevents: a white T-shirt in the colour of the wall or of skin."""
    beige, white = cloth(0.7, 0.62, 0.55), cloth(0.96, 0.96, 0.96)
    mended = (beige + match_cloth(beige, white, EVERYWHERE) + 1) / 2
    assert (mended.amax(1) - mended.amin(1)).max() < 0.01
    assert mended.mean() > 0.74


def test_black_stays_black_and_no_other_colour_is_invented() -> None:
    washed, black = cloth(0.3, 0.25, 0.22), cloth(0.03, 0.03, 0.03)
    mended = (washed + match_cloth(washed, black, EVERYWHERE) + 1) / 2
    assert mended.max() < 0.06
    same = cloth(0.5, 0.2, 0.3)
    assert match_cloth(same, same, EVERYWHERE).abs().max() < 1e-4


def test_shade_stays() -> None:
    """Prevents: folds and the side that lies in shadow painted flat."""
    red = cloth(0.8, 0.2, 0.2)
    shade = torch.linspace(0.82, 1.0, SIZE[1]).expand(1, 1, *SIZE)
    shaded = (red + 1) / 2 * shade * 2 - 1
    assert match_cloth(shaded, red, EVERYWHERE).abs().max() < 0.08


def test_nothing_changes_beside_the_garment() -> None:
    share = EVERYWHERE.clone()
    share[..., 24:] = 0
    changed = match_cloth(cloth(0.7, 0.6, 0.5), cloth(1, 1, 1), share)
    assert changed[..., 24:].abs().max() == 0 and changed[..., :24].abs().min() > 0.1


def test_cloth_beyond_the_warp_has_the_colour_of_the_cloth_that_is_known() -> None:
    """Prevents: a white shirt that turns grey where the network went on with it by itself."""
    size = (256, 192)
    lit, real = torch.full((1, 3, *size), 0.1), torch.full((1, 3, *size), 0.8)
    lit[:, 2] = -0.1  # a yellowish grey
    weight, there = torch.ones(1, 1, *size), torch.zeros(1, 1, *size)
    there[..., :128, :] = 1
    far = lit + far_colours(lit, real, weight, there)
    red, blue = far[0, 0, 150, 96], far[0, 2, 150, 96]
    assert abs(float(red - blue)) < 0.02 and 0.35 < float(red) < 0.55, "white, in eight tenths of its light"
    weight[..., 140:, :] = 0
    assert not far_colours(lit, real, weight, there)[..., 140:, :].any(), "no cloth was painted there"


def test_no_wall_of_the_garments_picture_goes_on_along_its_edge() -> None:
    """Prevents: dashed light lines along dark sleeves, where a sleeve is wider than the warp."""
    size = (256, 192)
    picture, matte = torch.ones(1, 3, *size), torch.zeros(1, 1, *size)
    matte[..., 61:199, 51:139] = 1
    picture[..., 62:198, 52:138] = torch.tensor([-0.7, -0.6, 0.0])[:, None, None]
    picture[..., 62:198, 52:54] = picture[..., 62:198, 136:138] = -0.1  # of cloth and wall
    there = torch.zeros(1, 1, *size)
    there[..., 60:200, 40:150] = 1
    lit = torch.tensor([-0.7, -0.6, 0.0]).view(1, 3, 1, 1).expand(1, 3, *size).contiguous()
    canvas = Canvas(size, Box(0, 0, *size), size)
    garment = Garment(picture, matte)
    laid = lay_cloth(lit, lit, there, garment, ClothSource(identity(size)), np.ones(size, bool), canvas)
    assert (laid - lit)[..., 70:190, 44:146].abs().max() < 0.1


def test_a_neckband_is_laid_up_to_its_edge() -> None:
    """Prevents: the inner half of a band lost with what is drawn in along walls."""
    size = (256, 192)
    rows, columns = np.mgrid[: size[0], : size[1]]
    opening = (columns - 96) ** 2 + (rows - 60) ** 2 < 24**2
    band = ((columns - 96) ** 2 + (rows - 60) ** 2 < 28**2) & (rows > 60)
    cloth = (np.abs(columns - 96) < 50) & (rows > 60) & (rows < 200)
    picture = np.where(cloth[..., None], (-0.7, -0.6, 0.0), (1.0, 1.0, 1.0))
    picture = np.where((band & ~opening)[..., None], (0.7, -0.6, -0.6), picture)
    picture = np.where(opening[..., None], (1.0, 1.0, 1.0), picture)
    garment = Garment(
        torch.from_numpy(picture).movedim(-1, 0)[None].float(),
        torch.from_numpy((cloth & ~opening).astype(np.float32))[None, None],
        lining=torch.from_numpy((cloth & opening).astype(np.float32))[None, None],
    )
    lit, canvas = torch.zeros(1, 3, *size), Canvas(size, Box(0, 0, *size), size)
    told = (lit, lit, garment.matte, garment, ClothSource(identity(size)), np.ones(size, bool), canvas)
    reds = lay_cloth(*told)[0, 0].numpy()[band & ~opening]
    assert np.median(reds) > 0.5 and (reds > 0.4).mean() > 0.8
    without = lay_cloth(*told[:3], replace(garment, lining=None), *told[4:])
    assert (without[0, 0].numpy()[band & ~opening] > 0.4).mean() < 0.6, "what lining tells"


def test_between_a_sleeve_and_the_body_is_no_fog() -> None:
    """Prevents: red fog over a grey body, where a warp leaves a gap between it and the sleeve."""
    size = (256, 192)
    columns = np.mgrid[: size[0], : size[1]][1]
    sleeve, body = (columns >= 30) & (columns < 60), (columns >= 80) & (columns < 160)
    red, grey = (0.7, -0.6, -0.6), (0.6, 0.6, 0.6)
    picture = np.where(sleeve[..., None], red, np.where(body[..., None], grey, (1.0, 1.0, 1.0)))
    matte = torch.from_numpy((body | sleeve).astype(np.float32))[None, None]
    garment = Garment(torch.from_numpy(picture).movedim(-1, 0)[None].float(), matte)
    lit, canvas = torch.zeros(1, 3, *size), Canvas(size, Box(0, 0, *size), size)
    shown, arm = (columns >= 30) & (columns < 160), (columns >= 30) & (columns < 70)
    told = (lit, lit, matte, garment, ClothSource(identity(size)), shown, canvas)
    row = lay_cloth(*told, sleeves=arm)[0].numpy()[:, 100, 32:158]
    hue = (row[0] - row[1]) / 1.3
    assert ((hue > 0.1) & (hue < 0.85)).sum() <= 2, "one cloth or the other"
    assert hue[60 - 32] > 0.9 and hue[80 - 32] < 0.05


def test_what_borders_on_a_lining_is_no_ground_seen_through_a_keyhole() -> None:
    size = (256, 192)
    matte, lining, picture = torch.zeros(1, 1, *size), torch.zeros(1, 1, *size), torch.ones(1, 3, *size)
    matte[..., 60:200, 40:150] = 1
    lining[..., 60:90, 80:110] = 1
    matte[..., 60:90, 80:110] = 0
    picture[..., 60:200, 40:150] = -0.5
    picture[..., 88:96, 92:98] = 1  # the keyhole
    edge = along_lining(picture, matte, lining)[0, 0]
    assert edge[70, 78] and edge[92, 84] and not edge[92, 95] and not edge[150, 95] and not edge[61, 42]
    assert not along_lining(picture, matte, torch.zeros_like(lining)).any()
    assert not along_lining(picture, matte, (lining > 0) & (torch.arange(256)[:, None] < 62)).any(), "a strip"


def identity(size: tuple[int, int]) -> torch.Tensor:
    y, x = ((torch.arange(side) + 0.5) / side * 2 - 1 for side in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None]
