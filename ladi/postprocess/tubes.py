"""An arm as a tapering tube, told by its joints: where each pixel lies on it.

What of it is bare and what is in a sleeve is ``arms.py``'s to say.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.postprocess.drawn_hands import HandPlace
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, Size

_JOINTS = ("shoulder", "elbow", "wrist")
_PROFILES = (
    ((0.0, 0.35, 0.75, 1.0), (0.104, 0.108, 0.106, 0.104)),
    ((0.0, 0.25, 0.60, 1.0), (0.104, 0.106, 0.092, 0.075)),
)
"""Half an arm's width from shoulder to elbow and from there to the wrist: where, and how much of the distance
between the shoulders; the middle of 1,743 bare arms of 953 shop photos and of 1,131 of 904 street photos."""
_SHOULDER_OUT = 0.05
"""How far outside the shoulder's joint an arm's middle begins, likewise; at the elbow it goes through it."""
_MIDDLE, _PLACES, _PAINTED = 0.6, 12, 0.9
"""Of an arm's radius, what is surely arm; places along it; share of one's middle that is painted skin where
a painting knows how slim the arm is."""
SLEEVE = 1.35
"""How much wider a sleeve is than the arm in it."""
POCKET = 0.93
"""Of an arm, as far as it is drawn where no hand is seen at its end."""
CUFF = 0.08
"""Of the arm, over which a wide sleeve stands off below its end."""
_CUFF_LENGTH, _CUFF_WIDTH = 4.0, 1.15
"""How far beyond the wrist an old cuff may reach, and how far beside its middle, in the wrist's radius."""
_HAND_WIDTH, _TAPER = 2.5, 3.0
"""How far beside the forearm's line a hand may lie, and over which length before the wrist the arm becomes as
wide as it, likewise."""
_CREASE, _CREASE_WIDTH = 0.3, 2.2
"""How dark cloth is along an arm that lies before it, and within how many pixels at a height of 256."""
_EVEN = 0.7
"""Standard deviation, likewise, over which that is evened out: a line a pixel wide would have steps."""
_ROUND = 0.12
"""How much darker a sleeve is at its edges."""


class Tube(NamedTuple):
    """One arm, for every pixel."""

    depth: np.ndarray
    """(H,W) distance from its middle, in its radius there: up to 1 inside."""
    along: np.ndarray
    """(H,W) in [0,1], from the shoulder to the wrist."""
    radius: np.ndarray
    """(H,W) in pixels."""
    outer: np.ndarray
    """(H,W) bool, beside it, on the side away from the body."""
    line: np.ndarray
    """(N,2) points (x,y) on its middle, evenly from shoulder to wrist."""
    offset: np.ndarray
    """(2,H,W), how far each pixel lies from its middle along x and y, in its radius there."""
    elbow: float
    """Where along it the elbow is, in [0,1]."""
    outward: float
    """1 where the arm is on the right of the picture, -1 on its left."""

    @property
    def bend(self) -> np.ndarray:
        """The elbow, (2,) as (x,y)."""
        return np.asarray(self.line[round(self.elbow * (len(self.line) - 1))])


class ArmJoints(NamedTuple):
    """What a tube is told by, in pixels."""

    points: np.ndarray
    """(3,2) as (x,y): where the arm's middle begins at the shoulder, elbow and wrist."""
    width: float
    """Distance between the shoulders."""
    outward: float
    """1 where the arm is on the right of the picture, -1 on its left."""

    def enlarged(self, times: float) -> ArmJoints:
        """The same arm in a picture so many times as large."""
        return ArmJoints((self.points + 0.5) * times - 0.5, self.width * times, self.outward)

    @property
    def lengths(self) -> np.ndarray:
        """(2,): of upper arm and forearm."""
        return np.asarray(np.hypot(*np.diff(self.points, axis=0).T))


def arm_joints(keypoints: np.ndarray, side: str, limbs: Limbs) -> ArmJoints | None:
    """One arm's; none without shoulder and elbow. Without a wrist it ends where one would be, straight on."""
    points = np.asarray(keypoints, np.float64)[[JOINT[f"{side}_{name}"] for name in _JOINTS], :2]
    if not points[0].any() or not points[1].any():
        return None
    if not points[2].any():
        points[2] = 2 * points[1] - points[0]
    outward = float(np.sign(points[0, 0] - (limbs.neck[0] + limbs.hips[0]) / 2))
    upper = points[1] - points[0]
    across = np.array([upper[1], -upper[0]]) / max(float(np.hypot(*upper)), 1e-6)
    points[0] += _SHOULDER_OUT * limbs.width * across * (np.sign(across[0]) or 1) * outward
    joints = ArmJoints(points, limbs.width, outward)
    return None if joints.lengths.min() < 1 else joints


def tube_of(joints: ArmJoints, size: Size) -> Tube:
    """One arm in a picture of a size."""
    return tube_on(joints, *np.mgrid[: size[0], : size[1]].astype(np.float32))


def tube_on(joints: ArmJoints, y: np.ndarray, x: np.ndarray) -> Tube:
    """One arm at some pixels: their rows and columns, (H,W) each."""
    points, lengths = joints.points, joints.lengths
    best: list[np.ndarray] = []
    for part in (0, 1):
        step = points[part + 1] - points[part]
        share = ((x - points[part, 0]) * step[0] + (y - points[part, 1]) * step[1]) / lengths[part] ** 2
        share = share.clip(0, 1)
        radius = joints.width * np.interp(share, *_PROFILES[part])
        beside, below = x - points[part, 0] - share * step[0], y - points[part, 1] - share * step[1]
        away = np.hypot(beside, below)
        along = (part * lengths[0] + share * lengths[part]) / lengths.sum()
        centre = points[part, 0] + share * step[0]
        outer = (x - centre) * joints.outward
        if part:
            # Beside a folded forearm is the body: what is beside it lies farther out than the elbow too.
            outer = np.minimum(outer, (x - points[1, 0]) * joints.outward + radius)
        one = [away / radius, along, radius, outer, beside / radius, below / radius]
        nearer = one[0] < best[0] if best else np.ones(x.shape, bool)
        best = [np.where(nearer, new, old) for new, old in zip(one, best or one, strict=True)]
    shares = np.linspace(0, 1, 41)
    knots = np.array([0, lengths[0], lengths.sum()]) / lengths.sum()
    line = np.stack([np.interp(shares, knots, points[:, axis]) for axis in (0, 1)], axis=1)
    outside = (best[3] > 0) & (best[1] < 1)
    return Tube(best[0], best[1], best[2], outside, line, np.stack(best[4:]), float(knots[1]), joints.outward)


def value_at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values of (H,W) at points (N,2); the border's beyond it."""
    columns = points[:, 0].round().astype(int).clip(0, picture.shape[1] - 1)
    return np.asarray(picture[points[:, 1].round().astype(int).clip(0, picture.shape[0] - 1), columns])


def _below_wrist(tube: Tube) -> np.ndarray:
    """How far beyond the wrist each pixel lies in the forearm's direction: (H,W), in radii."""
    forearm = forearm_of(tube)
    return np.asarray(tube.offset[0] * forearm[0] + tube.offset[1] * forearm[1])


def offset_of(tube: Tube) -> np.ndarray:
    """How far each pixel lies from the arm's middle along x and y, in radii, beside a hand too: (2,H,W)."""
    ahead = np.where(tube.along >= 1, np.clip(_below_wrist(tube), 0, None), 0)
    return np.asarray(tube.offset - ahead * forearm_of(tube)[:, None, None])


def aside_of(tube: Tube) -> np.ndarray:
    """How far each pixel lies beside the arm's middle: (H,W), in radii, positive on its outer side."""
    offset = offset_of(tube)
    step = np.gradient(tube.line, axis=0)
    towards = step / np.maximum(np.hypot(*step.T), 1e-6)[:, None]
    place = (tube.along * (len(tube.line) - 1)).round().astype(int).clip(0, len(tube.line) - 1)
    return np.asarray((offset[0] * towards[place, 1] - offset[1] * towards[place, 0]) * tube.outward)


def forearm_of(tube: Tube) -> np.ndarray:
    """Its direction, (2,) as (x,y), of length 1."""
    forearm = tube.line[-1] - tube.line[-4]
    return np.asarray(forearm / max(float(np.hypot(*forearm)), 1e-6))


def beyond_wrist(tube: Tube) -> np.ndarray:
    """Where a cuff can be that reaches beyond the wrist: (H,W) bool."""
    along = _below_wrist(tube)
    beside = np.sqrt(np.clip(tube.depth**2 - along**2, 0, None))
    return np.asarray((tube.along >= 1) & (along > 0) & (along < _CUFF_LENGTH) & (beside < _CUFF_WIDTH))


def to_hand(tube: Tube, hand: np.ndarray) -> np.ndarray:
    """Where an arm goes over into the hand that is seen, and becomes as wide as it: (H,W) bool.

    Args:
        tube: of the arm.
        hand: (H,W) bool, bare skin of the photo; without any near the wrist, the arm goes on as it is there.
    """
    rows, columns = np.mgrid[: hand.shape[0], : hand.shape[1]]
    forearm, (x, y) = forearm_of(tube), tube.line[-1]
    radius = tube.radius[tube.along >= 1].max(initial=1)
    ahead = ((columns - x) * forearm[0] + (rows - y) * forearm[1]) / radius
    beside = ((rows - y) * forearm[0] - (columns - x) * forearm[1]) / radius
    near = hand & (ahead > 0) & (ahead < _CUFF_LENGTH) & (np.abs(beside) < _HAND_WIDTH)
    if near.sum() < radius**2:
        return beyond_wrist(tube)
    begins = float(np.percentile(ahead[near], 5))
    first = beside[near & (ahead < begins + 1)]
    left, right = np.percentile(first, (5, 95))
    share = ((ahead + _TAPER) / (begins + _TAPER)).clip(0, 1)
    inside = (beside > share * (left + 1) - 1) & (beside < share * (right - 1) + 1)
    return np.asarray(inside & (ahead > -_TAPER) & (ahead < begins + 1))


def to_wrist(tube: Tube) -> np.ndarray:
    """The last of an arm, up to where its hand begins: (H,W) bool."""
    return np.asarray((tube.along >= POCKET) & (tube.depth < 1) & (_below_wrist(tube) < 0.5))


def hand_place(tube: Tube, middle: float, *, sleeved: bool) -> HandPlace:
    """Where its hand is; ``middle`` is the body's column, ``sleeved`` as ``HandPlace``'s."""
    x, y = tube.line[-1]
    radius = float(tube.radius[tube.along >= 1].max(initial=1))
    towards = forearm_of(tube)
    outward = 1 if tube.line[0, 0] > middle else -1
    return HandPlace((float(x), float(y)), (float(towards[0]), float(towards[1])), radius, outward, sleeved)


def slimmer(tube: Tube, skin: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """Where wall was painted along the outline of an arm whose middle was painted as an arm: (H,W) bool.

    Args:
        tube: of the arm.
        skin: (H,W) bool, painted.
        wall: likewise.
    """
    middle = tube.depth < _MIDDLE
    place = (tube.along * _PLACES).astype(int)
    painted, there = (np.bincount(place[part], minlength=_PLACES + 1) for part in (middle & skin, middle))
    bare = painted >= _PAINTED * np.maximum(there, 1)
    return np.asarray(bare[place] & (tube.depth > _MIDDLE) & wall)


def relief_of(tube: Tube, end: float, scale: float, seen: bool) -> np.ndarray:
    """Light and shade of cloth along one arm: (H,W) float32."""
    strength = np.clip((tube.along - 0.2) / 0.2, 0, 1) * (1.0 if seen else 0.6)
    edge = np.where(tube.along <= end, SLEEVE, 1.0)
    outside = (tube.depth - edge) * tube.radius / scale
    # On its outer side nothing lies behind an arm that it could darken.
    crease = np.where((outside > 0) & ~tube.outer, np.exp(-((outside / _CREASE_WIDTH) ** 2)), 0)
    if not seen:
        crease = np.where(tube.along < POCKET - CUFF, crease, 0)  # no arm, no shadow
    within = np.where(outside <= 0, (tube.depth / edge) ** 4, 0)
    shade = ndimage.gaussian_filter(strength * (_CREASE * crease + _ROUND * within), _EVEN * scale)
    return np.asarray(1 - shade, np.float32)
