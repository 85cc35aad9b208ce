"""A hand that hangs at rest, seen from where a photo is taken: its outline and its light, drawn by geometry.

Bones are tapering capsules in three dimensions; what is nearest at each pixel is what is seen, its slope says
how the light falls, and what lies deep between two fingers is dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import ndimage

_TALL, _HALF, _ABOVE = 160, 72, 40
"""Pixels of a hand's length, of half the picture's width, and above the wrist."""
_TURN = np.deg2rad(50)
"""How far the back of the hand is turned to the front; at 0 it faces outwards, and the thumb the front."""
_PALM = (
    ((0.10, 0.04, -0.01), (0.15, 0.46, 0.00), 0.085, 0.062),
    ((0.04, 0.03, 0.00), (0.05, 0.49, 0.02), 0.090, 0.064),
    ((-0.03, 0.03, 0.00), (-0.05, 0.47, 0.01), 0.090, 0.060),
    ((-0.09, 0.05, -0.01), (-0.14, 0.43, -0.01), 0.080, 0.055),
    ((0.05, -0.30, 0.00), (0.05, 0.06, 0.00), 0.105, 0.100),
    ((-0.05, -0.30, 0.00), (-0.05, 0.06, 0.00), 0.105, 0.095),
    ((0.07, 0.10, -0.05), (0.12, 0.34, -0.06), 0.090, 0.080),
)
"""Capsules from a point to another, with both radii: the wrist at 0, across the palm (the thumb's side
positive), along it, and out of its back; a hand is 1 long."""
_FINGERS = (
    ((0.15, 0.46, 0.00), (0.22, 0.14, 0.11), 0.052, 0.06),
    ((0.05, 0.49, 0.02), (0.25, 0.16, 0.11), 0.053, 0.01),
    ((-0.05, 0.47, 0.01), (0.23, 0.15, 0.11), 0.050, -0.03),
    ((-0.14, 0.43, -0.01), (0.18, 0.11, 0.09), 0.044, -0.08),
)
"""Where each begins, the lengths of its bones, its radius, and how far it leans aside."""
_CURL = ((10, 32, 46), (15, 40, 58), (19, 46, 66), (22, 48, 70))
"""Degrees by which its bones are bent to the palm, from the first to the fourth finger."""
_THUMB = (
    ((0.10, 0.10, -0.06), (0.21, 0.27, -0.10), 0.080, 0.062),
    ((0.21, 0.27, -0.10), (0.23, 0.41, -0.13), 0.060, 0.052),
    ((0.23, 0.41, -0.13), (0.22, 0.51, -0.17), 0.052, 0.040),
)
_LIGHT = np.array([0.0, -0.45, 0.9])
"""From where it falls: across, down, towards the camera."""
_FLESH, _SKIN = 0.03, 0.012
"""Over which lengths the palm, and all of a hand, goes over from bone to bone."""
_AMBIENT, _DEEP, _NEAR = 0.55, 0.45, 0.035
"""Of the light, what comes from all sides; how dark a crevice is; over which length it is one."""


class Hand(NamedTuple):
    """Outline and light, (h,w) float32 each; fingers downwards, the thumb on the right."""

    share: np.ndarray
    """In [0,1], how much of each pixel is hand."""
    light: np.ndarray
    """About 1, as light as its wrist."""
    wrist: tuple[float, float]
    """(x,y) there."""
    length: float
    """From the wrist to the tips of stretched fingers, in pixels."""


@lru_cache(maxsize=1)
def hand_at_rest() -> Hand:
    """The right hand of somebody who faces the camera; mirrored, the left one."""
    y, x = np.mgrid[: _TALL + _ABOVE, : 2 * _HALF].astype(np.float32)
    x, y = (x + 0.5 - _HALF) / _TALL, (y + 0.5 - _ABOVE) / _TALL
    palm, fingers = (
        np.maximum.reduce([_capsule(x, y, _seen(a), _seen(b), first, last) for a, b, first, last in bones])
        for bones in (_PALM, _fingers())
    )
    palm = _smooth(palm, _FLESH * _TALL)
    soft = _smooth(np.maximum(palm, fingers), _SKIN * _TALL)
    inside = np.isfinite(soft)
    soft = np.where(inside, soft, 0)
    down, across = np.gradient(soft, 1 / _TALL)
    normal = np.stack([-across, -down, np.ones_like(soft)])
    normal /= np.hypot.reduce(normal)
    towards = _LIGHT / np.hypot.reduce(_LIGHT)
    lit = np.tensordot(towards, normal, 1).clip(0)
    around = np.where(inside, _smooth(np.where(inside, soft, -np.inf), _NEAR * _TALL), 0)
    deep = ((around - soft) / _NEAR).clip(0, 1)
    light = (_AMBIENT + (1 - _AMBIENT) * lit) * (1 - _DEEP * deep)
    share = ndimage.gaussian_filter(inside.astype(np.float32), 0.7)
    light /= light[_ABOVE : _ABOVE + 8, _HALF].mean()
    return Hand(share, light.astype(np.float32), (_HALF, _ABOVE), _TALL)


def _smooth(height: np.ndarray, deviation: float) -> np.ndarray:
    """A mean of what is seen nearby; -inf stays where nothing is."""
    inside = np.isfinite(height)
    amount = ndimage.gaussian_filter(inside.astype(np.float32), deviation)
    mean = ndimage.gaussian_filter(np.where(inside, height, 0), deviation) / np.maximum(amount, 1e-3)
    return np.where(inside, mean, -np.inf)


def _fingers() -> list[tuple[np.ndarray, np.ndarray, float, float]]:
    """The capsules of four bent fingers and the thumb."""
    bones = [(np.array(a), np.array(b), first, last) for a, b, first, last in _THUMB]
    for (start, lengths, radius, aside), curl in zip(_FINGERS, _CURL, strict=True):
        point = np.array(start)
        for number, (length, bend) in enumerate(zip(lengths, np.deg2rad(curl), strict=True)):
            step = np.array([aside, np.cos(bend), -np.sin(bend)])
            end = point + length * step / np.hypot.reduce(step)
            thinner = radius * (1 - 0.1 * np.array([number, number + 1]))
            bones.append((point, end, float(thinner[0]), float(thinner[1])))
            point = end
    return bones


def _seen(point: Sequence[float] | np.ndarray) -> np.ndarray:
    """A point across, along and out of the hand as (x, y, towards the camera); outwards is to the left."""
    across, along, out = point
    return np.array(
        [across * np.sin(_TURN) - out * np.cos(_TURN), along, across * np.cos(_TURN) + out * np.sin(_TURN)]
    )


def _capsule(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray, first: float, last: float
) -> np.ndarray:
    """How near to the camera a capsule is at each pixel, -inf beside it."""
    height = np.full(x.shape, -np.inf, np.float32)
    for share in np.linspace(0, 1, 24):
        centre, radius = start + share * (end - start), first + share * (last - first)
        inside = radius**2 - (x - centre[0]) ** 2 - (y - centre[1]) ** 2
        height = np.maximum(height, np.where(inside > 0, centre[2] + np.sqrt(inside.clip(0)), -np.inf))
    return height
