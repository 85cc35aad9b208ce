"""How light falls on bare arms: as it does on thousands of them in a shop's photos.

A cylinder lit from one side has dark rims and a gleam, and looks like one. Real arms have neither: they are
even to their outer edge, darker towards the body, and turn at the elbow. So the light on them was measured
(``ladi/training/arm_light.py``) for arms that are lit from inside, from the front and from outside, and is
looked up here by where a pixel lies on its arm.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.postprocess.arm_light_table import TABLES
from ladi.postprocess.tubes import Tube, aside_of

_STRENGTH = 1.1
"""Power of the measured light: medians of many arms are more even than each of them."""
_LEVEL, _GLARE = 0.91, 0.5
"""Of the tone that is told for arms, how light their middle is; and how much of what is lighter than the
middle: a shop's lamps are stronger than daylight, and pale arms would be white."""
_ARMPIT = (0.1, 0.35)
"""Of the arm, from where on its inner side turns away from the chest, and where it has done so."""
_HEM_SHADES = ((0.15, 0.09), (0.2, 0.035))
"""How dark skin is right below a sleeve's end, and over which share of the arm that fades: light that the
sleeve keeps off, and where it lies on the arm."""


def light_on_arm(tube: Tube, end: float, light: float) -> np.ndarray:
    """Light and shade of bare skin on one arm: (H,W) float32 about 1.

    Beyond the wrist it goes on as it is there, for a hand follows.

    Args:
        tube: of the arm.
        end: where along it its sleeve ends, in [0,1]; 0 = there is none.
        light: from which side it falls, -1 = from the left, 1 = from the right (``skin.side_of_light``).
    """
    outer = aside_of(tube)
    inner_lit, front_lit, outer_lit = np.asarray(TABLES, np.float64)
    # In 167 labelled bare arms the side of a face's light tells that of an arm's: correlation 0.4.
    sideways = light * tube.outward
    other = outer_lit if sideways > 0 else inner_lit
    table = front_lit + abs(sideways) * (other - front_lit)
    upper, lower = tube.along / tube.elbow, 1 + (tube.along - tube.elbow) / (1 - tube.elbow)
    place = np.where(tube.along < tube.elbow, upper, lower) / 2
    rows = (place.clip(0, 1) * len(table) - 0.5).clip(0, len(table) - 1)
    columns = ((outer.clip(-1, 1) + 1) / 2 * table.shape[1] - 0.5).clip(0, table.shape[1] - 1)
    shade = np.exp(_STRENGTH * ndimage.map_coordinates(table, [rows, columns], order=1, mode="nearest"))
    shade = np.where(shade > 1, shade**_GLARE, shade)
    # The shoulder goes over into the chest without an edge.
    turned = np.where(outer > 0, 1, ((tube.along - _ARMPIT[0]) / (_ARMPIT[1] - _ARMPIT[0])).clip(0, 1))
    shade = _LEVEL * (1 + (shade - 1) * turned)
    if end > 0:
        below = tube.along - end
        shade = shade * (1 - sum(dark * np.clip(1 - below / reach, 0, 1) for dark, reach in _HEM_SHADES))
    return np.asarray(shade, np.float32)
