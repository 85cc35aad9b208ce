"""From where a result's cloth is taken: bent to what is shown, but where a pattern would show that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ladi.postprocess.cloth_source import cloth_source
from ladi.postprocess.layout import Layout
from ladi.types import Garment
from tests.postprocess.people import somebody
from tests.postprocess.test_cloth import identity
from tests.postprocess.test_fitted_edges import layers, limbs, neck, trunk
from tests.postprocess.test_tubes import SIZE, joints


def taken(*, patterned: bool, sleeves: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """The warp's grid, and the one that cloth is taken by, where a neckline is laid too low."""
    low = limbs().hip_row
    outline = (trunk(low) & ~neck(limbs().neck[1] + 14)).astype(np.float32)
    image = torch.full((1, 3, *SIZE), -0.5)
    if patterned:
        image[:, :, ::8] = image[:, :, 1::8] = image[:, :, 2::8] = image[:, :, 3::8] = 0.8
    garment = Garment(image, torch.from_numpy(outline)[None, None], sleeve=0.0)
    nowhere, everywhere = np.zeros(SIZE, bool), np.ones(SIZE, bool)
    person = somebody(everywhere.astype(np.uint8), np.zeros((*SIZE, 3), np.uint8), everywhere)
    shown = layers(garment=trunk(low), skin=neck(limbs().neck[1] + 8))
    layout = Layout(shown, nowhere, sleeves=nowhere if sleeves else None)
    grid = identity(SIZE)
    return grid, cloth_source(grid, outline, layout, replace(person, keypoints=joints()), garment).grid


def test_plain_cloth_is_bent_to_the_neckline_that_is_shown() -> None:
    grid, bent = taken(patterned=False)
    assert (bent - grid).abs().max() > 0.02


def test_stripes_stay_straight() -> None:
    """Prevents: checks and stripes that are bent around necks and hems."""
    grid, same = taken(patterned=True)
    assert same is grid


def test_where_nothing_was_put_right_the_warp_is_as_it_was() -> None:
    grid, same = taken(patterned=False, sleeves=False)
    assert same is grid
