"""Where a short sleeve ends: its outline and its hem, drawn at the result's size.

At the model's size a sleeve is eight pixels wide, and layers are smoothed over two: its corners are rounded
off, and a T-shirt's sleeves look puffed. Joints tell where the arm is, the garment where on it the sleeve
ends, so both lines are drawn where pixels are small: the sleeve's outer edge straight, from the shoulder to
the hem, as far from the arm as worn sleeves are, and the hem across the arm.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from ladi.postprocess.layers import Canvas
from ladi.postprocess.tubes import ArmJoints, Tube, tube_on
from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.types import LAYERS, PersonParts

_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
SHORTEST, LONGEST = 0.12, 0.88
"""Shares of the arm between which a sleeve's end is one of these."""
_SHOULDER, _LEAST, _SLOPE = 1.05, 1.15, 0.12
"""Radii of the arm from its middle to a sleeve's outer edge at the shoulder, where it is as near as a bare
one's; and share of the arm from which on it is as far from it as at its end."""
_REACH = (1.3, 1.6)
"""The least and the most of that: the median of 3,110 short sleeves of a shop's photos is 1.3, three of four
are below 1.6."""
_FROM = 0.4
"""Of the sleeve's length, from where on the warp tells how far it stands off."""
_THICK = 2.2
"""Radii within which what the photo shows of an arm is that arm's."""
_NEAR = 3.0
"""Radii within which cloth is that sleeve's."""
_BELOW, _FADE = 0.1, 0.04
"""Of the arm, how far below a hem cloth is the rest of a rounded sleeve, and over which that ends."""
_ABOVE = 0.2
"""Radii beside the shoulder's joint within which the outline is as high above it as it was."""
_HIGHEST = 2.0
"""Radii above the joint where a shoulder is at most."""
_SAG = 0.3
"""Of the arm's radius, by how much lower a hem is in its middle than at its ends: it goes round the arm."""
_SOFT = 1.0
"""Half the width of an edge, in the result's pixels."""
_STEEP = 3.0
"""How much steeper a region's edge is than the blur that took its steps away."""
_ARMS = ("left_arm", "right_arm")
_HEM = 0.15
"""Of the distance between the shoulders, how far above it the hem on the inner side is drawn."""
_AROUND = 0.5
"""Likewise, how far from the arm's middle its pixels are."""
_FORESHORTENED = 0.35
"""Of the distance between the shoulders: who stretches a shorter upper arm towards the camera keeps what was
painted."""


class SleeveEnd(NamedTuple):
    """One sleeve, at the model's size."""

    joints: ArmJoints
    end: float
    """Where it ends, as a share of the arm."""
    reach: float
    """How far its outer edge is from the arm's middle there, in the arm's radii."""


class SleeveRegions(NamedTuple):
    """(h',w') each, in [0,1]."""

    free: np.ndarray
    """Where anything may be that is to be seen."""
    worn: np.ndarray
    """Where the photo shows what was worn."""
    bare: np.ndarray
    """Where the photo shows an arm."""


def sleeve_regions(person: PersonParts, inside: np.ndarray, canvas: Canvas) -> SleeveRegions:
    """Of somebody's photo, without the steps that labels have at the result's size.

    Args:
        person: who was dressed.
        inside: (h',w') bool, what is repainted.
        canvas: size and part.
    """

    def softly(region: np.ndarray) -> np.ndarray:
        height, width = canvas.size
        large = cv2.resize(region.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        soft = cv2.GaussianBlur(large, (0, 0), height / len(region))[canvas.window]
        return np.asarray(((soft - 0.5) * _STEEP + 0.5).clip(0, 1))

    worn, bare = (softly(named(person.labels, person.scheme, names)) for names in (UPPER_CLOTHING, _ARMS))
    return SleeveRegions(inside * (worn + bare + softly(person.labels == 0)).clip(0, 1), worn, bare)


def sleeve_end(joints: ArmJoints, tube: Tube, end: float, cloth: np.ndarray) -> SleeveEnd | None:
    """One sleeve; none where there is none, or where a long one ends at the hand.

    Args:
        joints: of the arm.
        tube: likewise.
        end: share of the arm.
        cloth: (H,W) bool, where the garment is seen.
    """
    if not SHORTEST < end < LONGEST or joints.lengths[0] < _FORESHORTENED * joints.width:
        return None
    there = cloth & tube.outer & (tube.along > _FROM * end) & (tube.along < end) & (tube.depth < _NEAR)
    reach = float(np.percentile(tube.depth[there], 90)) if there.any() else 0.0
    return SleeveEnd(joints, end, float(np.clip(reach, *_REACH)))


def with_sleeve_ends(
    shares: torch.Tensor, ends: tuple[SleeveEnd, ...], regions: SleeveRegions, canvas: Canvas
) -> torch.Tensor:
    """Layers' shares in which sleeves end so: (1,K,h',w').

    Args:
        shares: (1,K,h',w'), of the canvas's part.
        ends: the sleeves.
        regions: of the canvas's part.
        canvas: size and part.
    """
    result = shares.clone() if ends else shares
    rows, columns = canvas.window
    for one in ends:
        joints = one.joints.enlarged(canvas.size[0] / canvas.small[0])
        reach = _AROUND * joints.width
        left, top = np.maximum(joints.points.min(0) - reach, (columns.start, rows.start)).astype(int)
        right, bottom = np.minimum(joints.points.max(0) + reach, (columns.stop, rows.stop)).astype(int)
        if right <= left or bottom <= top:
            continue
        y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
        here = (
            slice(top - rows.start, bottom - rows.start),
            slice(left - columns.start, right - columns.start),
        )
        own = result[0, :, *here].numpy()
        own[:] = _drawn(
            own, tube_on(joints, y, x), joints, one, SleeveRegions(*(region[here] for region in regions))
        )
    return result


def outer_edge(along: np.ndarray, sleeve: SleeveEnd) -> np.ndarray:
    """How far a sleeve's outer edge is from the arm's middle, in its radii, at places along the arm."""
    places = (0, _SLOPE, sleeve.end) if sleeve.end > _SLOPE else (0, sleeve.end / 2, sleeve.end)
    return np.asarray(np.interp(along, places, (_SHOULDER, (_LEAST + sleeve.reach) / 2, sleeve.reach)))


def sag_of(aside: np.ndarray) -> np.ndarray:
    """By how much lower a hem is, in the arm's radii, at shares of the way from its middle to its edge."""
    return np.asarray(_SAG * (1 - np.minimum(aside, 1) ** 2))


def _drawn(
    own: np.ndarray, tube: Tube, joints: ArmJoints, sleeve: SleeveEnd, regions: SleeveRegions
) -> np.ndarray:
    """One sleeve's layers (K,h,w)."""
    edge = outer_edge(tube.along, sleeve)
    # Around the joint the outline goes over into the shoulder's, which is as high as it was.
    above = (tube.along <= 0) & (tube.offset[1] < 0)
    over = above & tube.outer & (np.abs(tube.offset[0]) < _ABOVE) & (tube.depth < _HIGHEST)
    over &= own[_GARMENT] > 0.5
    height = float(tube.depth[over].max(initial=0)) or _SHOULDER
    rise = np.where(above, -tube.offset[1] / np.maximum(tube.depth, 1e-6), 0)
    edge += (height - _SHOULDER) * rise
    beside = (edge - tube.depth) * tube.radius
    sag = tube.radius * sag_of(tube.depth / np.maximum(edge, 1e-6))
    before_hem = (sleeve.end - tube.along) * joints.lengths.sum() + sag
    inside = np.clip(0.5 + np.minimum(beside, before_hem) / (2 * _SOFT), 0, 1)
    arm = np.clip(0.5 + (1 - tube.depth) * tube.radius / (2 * _SOFT), 0, 1)
    # Above the shoulder, and beside whoever is seen, a sleeve may be taken away, not added.
    more = np.maximum(regions.worn, regions.bare) * np.clip(tube.along / _SLOPE, 0, 1)
    inside = np.minimum(inside, own[_GARMENT] + more)
    # An arm that the photo shows may be thicker than arms are, and is in the sleeve all the same.
    arm_in_it = regions.bare * (tube.along > 0) * (tube.depth < _THICK) * tube.outer
    inside = np.maximum(inside, arm_in_it * np.clip(0.5 + before_hem / (2 * _SOFT), 0, 1))
    # What no sleeve covers above its hem is beside the shoulder, and no arm.
    below = (more > 0) * np.clip(0.5 - before_hem / (2 * _SOFT), 0, 1)
    arm = np.maximum(np.minimum(arm, own[_SKIN] + below), regions.bare)
    weight = regions.free * np.clip((sleeve.end + _BELOW - tube.along) / _FADE, 0, 1)
    # On the inner side is the body: there the hem alone is drawn, across the arm.
    weight = weight * np.where(
        tube.outer, tube.depth < _NEAR, (tube.depth < 1) & (before_hem < joints.width * _HEM)
    )
    # What is before it, hair or a bag, stays before it.
    rest = 1 - own[_OTHER]
    drawn = np.zeros_like(own)
    drawn[_GARMENT] = inside * rest
    drawn[_SKIN] = (1 - inside) * arm * rest
    drawn[_WALL] = (1 - inside) * (1 - arm) * rest
    drawn[_OTHER] = own[_OTHER]
    return np.asarray(own + weight * (drawn - own), own.dtype)
