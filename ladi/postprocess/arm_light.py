"""How light falls on bare arms: round, from one side, with the elbow that arms in photos have.

A limb is drawn as a cylinder. Medians of thousands of real arms have no dark outer rim and no gleam, but laid
out as they are they look like paper to those who compare: what a photo has of roundness lies in where each
arm's light changes, and medians lose it. What is common to all, where an arm turns at its elbow, was measured
(``ladi/training/arm_light.py``) and is laid over the cylinder.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.postprocess.arm_light_table import TABLES
from ladi.postprocess.tubes import Tube, aside_of, offset_of

_AMBIENT, _WRAP, _FULL = 0.5, 0.3, 1.06
"""Of a limb's light, what comes from all sides; how far round the limb the rest reaches (0 = half round); and
how light what faces the light is."""
_OPEN, _OCCLUDED = 0.4, 0.1
"""Of a limb's roundness, what is seen on its outer side; by how much its inner edge is darker. Some thirty
labelled bare forearms are at their inner edge 0.8 to 0.9, at their outer one 1.0 of their middle."""
_GLEAM, _GLEAMS_AT, _GLEAM_WIDTH = 0.14, (0.25, 0.15), 0.5
"""How much lighter a line along a limb is than its edges; where, towards the light and outwards, and how wide
it is, in radii."""
_DEEPER, _DARKEST = 1.5, 0.55
"""Power of what lies in the shade, and the least of it. In the middle of 416 labelled bare arms light differs
by 0.17 of its mean; of painted ones by 0.17 too, and by 0.13 without that."""
_DOWN = ((0.15, 0.45, 0.6), (0.93, 0.95, 1.0))
"""Along the arm, and how light it is there; upper arms were five to eleven."""
_ELBOW = 0.7
"""Power of the measured light: with 1.5 crooks of arms were marked as dark blots."""
_ARMPIT = (0.1, 0.35)
"""Of the arm, from where on its inner side turns away from the chest, and where it has done so."""
_HEM_SHADES = ((0.15, 0.09), (0.2, 0.035))
"""How dark skin is right below a sleeve's end, and over which share of the arm that fades: light that the
sleeve keeps off, and where it lies on the arm."""


def light_on_arm(tube: Tube, end: float, light: float) -> np.ndarray:
    """Light and shade of bare skin on one arm, lit from above and one side: (H,W) float32 about 1.

    Beyond the wrist it goes on as it is there, for a hand follows.

    Args:
        tube: of the arm.
        end: where along it its sleeve ends, in [0,1]; 0 = there is none.
        light: from which side it falls, -1 = from the left, 1 = from the right (``skin.side_of_light``).
    """
    outer, offset = aside_of(tube), offset_of(tube)
    depth = np.hypot(*offset)
    shade = _cylinder(tube, offset, depth, light) * np.exp(
        _ELBOW * _turned(tube, outer, light * tube.outward)
    )
    gleam = offset[0] - _GLEAMS_AT[0] * light - _GLEAMS_AT[1] * tube.outward
    shade = shade * (1 + _GLEAM * (np.exp(-((gleam / _GLEAM_WIDTH) ** 2)) - 0.5))
    shade = np.where(shade < 1, np.maximum(shade**_DEEPER, _DARKEST), shade)
    # The shoulder goes over into the chest without an edge.
    inside = np.where(tube.outer, 1, ((tube.along - _ARMPIT[0]) / (_ARMPIT[1] - _ARMPIT[0])).clip(0, 1))
    shade = 1 + (shade - 1) * inside
    if end > 0:
        below = tube.along - end
        shade = shade * (1 - sum(dark * np.clip(1 - below / reach, 0, 1) for dark, reach in _HEM_SHADES))
    return np.asarray(shade, np.float32)


def _cylinder(tube: Tube, offset: np.ndarray, depth: np.ndarray, light: float) -> np.ndarray:
    """(H,W), as light as what faces the light on a round limb is 1."""
    towards = np.array([0.55 * light, -0.3, 0.8])
    towards /= np.hypot.reduce(towards)
    facing = np.sqrt(np.clip(1 - depth**2, 0, 1))
    sideways = offset / np.maximum(depth, 1)
    lit = towards[0] * sideways[0] + towards[1] * sideways[1] + towards[2] * facing
    shade = _FULL * (_AMBIENT + (1 - _AMBIENT) * np.clip((lit + _WRAP) / (1 + _WRAP), 0, 1))
    # The body takes light from the inner side; the outer one is open to all of it.
    shade = np.where(tube.outer, shade**_OPEN, shade * (1 - _OCCLUDED * np.clip(depth, 0, 1)))
    return np.asarray(shade * np.interp(tube.along, *_DOWN))


def _turned(tube: Tube, outer: np.ndarray, sideways: float) -> np.ndarray:
    """The logarithm of how much lighter arms are at a place than there on their whole length: (H,W).

    Args:
        tube: of the arm.
        outer: (H,W), how far towards its outer edge, in radii.
        sideways: from which side the light falls, -1 = from inside, 1 = from outside.
    """
    inner_lit, front_lit, outer_lit = TABLES
    other = outer_lit if sideways > 0 else inner_lit
    table = front_lit + abs(sideways) * (other - front_lit)
    table = table - table.mean(0)
    upper, lower = tube.along / tube.elbow, 1 + (tube.along - tube.elbow) / (1 - tube.elbow)
    place = np.where(tube.along < tube.elbow, upper, lower) / 2
    rows = (place.clip(0, 1) * len(table) - 0.5).clip(0, len(table) - 1)
    columns = ((outer.clip(-1, 1) + 1) / 2 * table.shape[1] - 0.5).clip(0, table.shape[1] - 1)
    return np.asarray(ndimage.map_coordinates(table, [rows, columns], order=1, mode="nearest"))
