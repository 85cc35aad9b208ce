"""Where a result's cloth is taken from in the garment's picture, once it is known what shows where.

```
warp ─► stretched to the sides that are shown (fitted_sides.py)
     ─► long sleeves along the arms (straight_sleeves.py) ─► short ones turned to them (short_sleeves.py)
     ─► bent to the neckline, cuffs and hem that are shown (fitted_edges.py)
```

Cloth with the same pattern all over is not bent, nor are its short sleeves turned: its lines show that more
than they show a gap, and go on by themselves (``patterns.py``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ladi.postprocess.fitted_edges import fit_edges
from ladi.postprocess.fitted_sides import fit_sides
from ladi.postprocess.layout import Layout
from ladi.postprocess.patterns import is_patterned
from ladi.postprocess.short_sleeves import short_sleeves
from ladi.postprocess.straight_sleeves import StraightSleeve, straight_sleeves
from ladi.postprocess.tubes import arm_joints, tube_of
from ladi.preprocess.limbs import Limbs
from ladi.types import Garment, PersonParts


class ClothSource(NamedTuple):
    """At the model's size."""

    grid: torch.Tensor
    """(1,H,W,2), (x,y) in [-1,1]."""
    sleeves: tuple[StraightSleeve, ...] = ()
    """Where sleeves take their cloth from instead."""


def cloth_source(
    grid: torch.Tensor, outline: np.ndarray, layout: Layout, person: PersonParts, garment: Garment
) -> ClothSource:
    """Where the cloth of a result is taken from.

    Args:
        grid: (1,H,W,2), where the warp takes it from.
        outline: (H,W) in [0,1], where the garment lies by that.
        layout: what shows where.
        person: who is dressed.
        garment: in what.
    """
    # diffusers' neighbours, which this needs, take seconds to import.
    from ladi.diffusion.warping import sample_matte

    if layout.sleeves is None:
        return ClothSource(grid)
    limbs = Limbs(person.keypoints, person.labels > 0)
    free = person.mask[0, 0].numpy() > 0
    grid = fit_sides(grid, outline, layout.shown, free, limbs)
    laid = sample_matte(garment.matte.float(), grid)[0, 0].numpy()
    sleeves = straight_sleeves(grid, laid, layout.sleeves, person.keypoints, garment)
    if is_patterned(garment.image, garment.matte):
        return ClothSource(grid, sleeves)
    sleeves += short_sleeves(grid, garment, layout.ends)
    arms = (arm_joints(person.keypoints, side, limbs) for side in ("left", "right"))
    tubes = [tube_of(one, (free.shape[0], free.shape[1])) for one in arms if one]
    return ClothSource(fit_edges(grid, laid, layout.shown, free, limbs, tubes), sleeves)
