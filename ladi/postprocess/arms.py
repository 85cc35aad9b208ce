"""Where arms are in a result, told by the joints and by how long the garment's sleeves are.

A small network paints cloth over forearms that lie before the body, leaves stumps, or fills the whole width
of an old coat's sleeve with skin. Joints are found reliably, and a person keeps their pose: an arm is a
tapering tube from shoulder to wrist, in the sleeve up to the sleeve's end and bare beyond it. It changes
which layer a pixel shows and how light cloth is beside an arm, no other colour.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS, LabelScheme, Size

_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
_JOINTS = ("shoulder", "elbow", "wrist")
_PROFILES = (
    ((0.0, 0.35, 0.75, 1.0), (0.150, 0.147, 0.122, 0.110)),
    ((0.0, 0.25, 0.60, 1.0), (0.110, 0.116, 0.098, 0.078)),
)
"""Half an arm's width from shoulder to elbow and from there to the wrist: where, and how much of the distance
between the shoulders. Upper arms swell below the shoulder, forearms below the elbow."""
_SLEEVE = 1.2
"""How much wider a sleeve is than the arm in it."""
_BALLOON = 1.6
"""Radii from an arm's middle, on its outer side, at which cloth is what an old coat's width made of it."""
_NONE, _LONG = 0.12, 0.88
"""Up to this share of the arm there is no sleeve: of pairs that are told less, nine in ten have none. From
this share on sleeves end at the wrist."""
_BEGINS, _BREAK = 0.2, 0.1
"""Shares of the arm: up to where the warp's sleeve must begin, and over which it may be broken."""
_FREE = 0.6
"""An arm of which this share lies beside the trunk hangs free: there the warp shows where its sleeve ends."""
_TRUST = 0.15
"""By which share of the arm the warp may change that."""
_CUFF = 0.08
"""Of the arm, over which a wide sleeve stands off below its end."""
_POCKET = 0.93
"""Of an arm, as far as it is drawn where no hand is seen at its end."""
_SHOULDER = 0.12
"""Of the arm, as far as the shoulder's shape is the warp's to say."""
_SLEEVED, _NECK = 0.2, 0.36
"""Sleeves longer than this share of the arm cover the shoulder, from so far beside the neck on, of the
distance between the shoulders."""
_CUFF_LENGTH, _CUFF_WIDTH = 4.0, 1.5
"""How far beyond the wrist an old cuff may reach, and how far beside its middle, in the wrist's radius."""
_HAND = 0.35
"""So near the wrist a hand is looked for, of the distance between the shoulders."""
_HAND_PIXELS = 12
"""Pixels at a height of 256 that are a hand."""
_BESIDE = 1.25
"""Radii from an arm's middle at which skin is none of it."""
_COVERED = 0.05
"""Matte of the warped garment up to which it lies elsewhere."""
_NECKLINE = 0.5
"""Of the trunk, down to where bare skin may be."""
_WIDE = 4
"""Pixels at a height of 256 by which the trunk is wider than its joints say."""
_SLIT = 4
"""Half the width, in pixels at a height of 256, of a gap that is none."""
_CREASE, _CREASE_WIDTH = 0.3, 2.2
"""How dark cloth is along an arm that lies before it, and within how many pixels at a height of 256."""
_ROUND = 0.12
"""How much darker a sleeve is at its edges."""
_WORN = ("upper_clothes", "dress", "coat", "scarf")
_BARE = ("left_arm", "right_arm", "glove")


_AMBIENT, _WRAP, _FULL = 0.5, 0.3, 1.06
"""Of a limb's light, what comes from all sides; how far round the limb the rest reaches (0 = half round); and
how light what faces the light is."""
_HEM_SHADE, _HEM_REACH = 0.2, 0.09
"""How dark skin is right below a sleeve's end, and over which share of the arm that fades."""


class Arms(NamedTuple):
    """What arms make of a result."""

    probabilities: np.ndarray
    """(K,H,W) of ``LAYERS``."""
    relief: np.ndarray
    """(H,W) float32 about 1, by which cloth is lighter or darker."""
    roundness: np.ndarray
    """(H,W) float32, how light bare skin is on an arm, about 1 where it faces the light; 0 beside arms."""


class _Tube(NamedTuple):
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


def draw_arms(
    probabilities: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray,
    keypoints: np.ndarray,
    outline: np.ndarray,
    sleeve: float,
    light: float = 0.0,
    *,
    scheme: LabelScheme = "lip",
) -> Arms:
    """Put arms where they are.

    Args:
        probabilities: (K,H,W) in the order of ``LAYERS``, what a painting shows.
        mask: (H,W) bool, True = repainted; nothing changes elsewhere.
        labels: (H,W) of the photo.
        keypoints: (18,3) in pixels; an arm without shoulder and elbow is left as it was painted.
        outline: (H,W) in [0,1], where the warped garment lies.
        sleeve: its sleeves' length in [0,1], from the shoulder to the wrist.
        light: from which side it falls, -1 = from the left, 1 = from the right (``skin.side_of_light``).
        scheme: of the labels.
    """
    size, scale = (mask.shape[0], mask.shape[1]), len(mask) / 256
    table = label_table(scheme)
    worn, bare = (
        np.isin(labels, [table[name] for name in names if name in table]) for names in (_WORN, _BARE)
    )
    limbs = Limbs(keypoints, labels > 0)
    wide = max(1, round(_WIDE * scale))
    trunk = ndimage.binary_dilation(limbs.trunk(size), iterations=wide)
    core = ndimage.binary_erosion(limbs.trunk(size), iterations=wide)
    tubes = [tube for side in ("left", "right") if (tube := _tube(keypoints, side, limbs, size))]
    relief, roundness = np.ones(size, np.float32), np.zeros(size, np.float32)
    if not tubes or not trunk.any():
        return Arms(probabilities, relief, roundness)
    shown = probabilities.argmax(0)
    changed = shown.copy()
    person = mask & (worn | bare)
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])[None]
    nearest = np.minimum.reduce([tube.depth for tube in tubes])
    # What was painted of arms where none is: in a wide old sleeve, or across the body.
    below = rows > limbs.shoulder_line(size[1]) + _NECKLINE * limbs.torso
    stray = worn & mask & (shown == _SKIN) & (nearest > _BESIDE) & (below | ~trunk)
    stray &= rows > limbs.shoulder_line(size[1])
    outer = np.logical_and.reduce([tube.outer | (tube.depth > nearest) for tube in tubes])
    changed[stray] = np.where((outer & ~trunk & (outline <= 0.5))[stray], _WALL, _GARMENT)
    puffed = worn & mask & (shown == _GARMENT) & (nearest > _SLEEVE) & outer & ~trunk & (outline <= _COVERED)
    puffed |= worn & mask & (shown == _GARMENT) & (nearest > _BALLOON) & outer & ~trunk
    changed[puffed & (rows < limbs.hip_row)] = _WALL
    for tube in tubes:
        seen = _hand_is_seen(tube, bare, limbs.width, scale)
        before = person & (seen | ~trunk)
        end = _sleeve_end(tube, sleeve, outline, trunk)
        inside = before & (tube.depth <= np.where(tube.along <= end, _SLEEVE, 1.0))
        # A hand that is not seen is in a pocket: the arm ends where cloth begins, not in a stump.
        changed[inside & (tube.along > end) & (seen | (tube.along < _POCKET))] = _SKIN
        if seen and end < _LONG:
            # Between the wrist and the hand there was a cuff; before the body it may be cloth of the body.
            changed[person & ~trunk & (changed != _SKIN) & _beyond_wrist(tube)] = _SKIN
        cloth = (tube.along > _SHOULDER) | ((shown == _SKIN) & (outline > 0.5))
        if end > _SLEEVED:
            # A sleeve begins where the neck ends, without a hole at the shoulder.
            cloth |= (shown == _SKIN) & (np.abs(columns - limbs.neck[0]) > _NECK * limbs.width)
        changed[inside & (tube.along <= end) & cloth & (shown != _OTHER)] = _GARMENT
        # Nothing is worn on the far side of a bare arm.
        beyond = tube.outer & (tube.depth > 1) & (tube.depth <= nearest)
        beyond &= tube.along > (end + _CUFF if end > 0 else -1)
        changed[
            beyond & ~core & (worn | (labels == 0)) & mask & (changed == _GARMENT) & (rows < limbs.hip_row)
        ] = _WALL
        relief *= _relief(tube, end, scale, seen)
        nearer = (tube.depth <= nearest) & (tube.depth < _BESIDE)
        roundness[nearer] = _roundness(tube, end, light)[nearer]
    # No wall shows through a slit between a sleeve and the body.
    body = np.pad((changed == _GARMENT) | (changed == _SKIN), slit := max(1, round(_SLIT * scale)))
    closed = ndimage.binary_closing(body, iterations=slit)[slit:-slit, slit:-slit]
    changed[closed & (changed == _WALL) & worn & mask] = _GARMENT
    certain = np.eye(len(LAYERS), dtype=probabilities.dtype)[changed].transpose(2, 0, 1)
    return Arms(np.where(changed != shown, certain, probabilities), relief, roundness)


def _tube(keypoints: np.ndarray, side: str, limbs: Limbs, size: Size) -> _Tube | None:
    """One arm; none without shoulder and elbow. Without a wrist it ends where one would be, straight on."""
    points = np.asarray(keypoints, np.float64)[[JOINT[f"{side}_{name}"] for name in _JOINTS], :2]
    if not points[0].any() or not points[1].any():
        return None
    if not points[2].any():
        points[2] = 2 * points[1] - points[0]
    lengths = np.hypot(*np.diff(points, axis=0).T)
    if lengths.min() < 1:
        return None
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    best: list[np.ndarray] = []
    for part in (0, 1):
        step = points[part + 1] - points[part]
        share = ((x - points[part, 0]) * step[0] + (y - points[part, 1]) * step[1]) / lengths[part] ** 2
        share = share.clip(0, 1)
        radius = limbs.width * np.interp(share, *_PROFILES[part])
        beside, below = x - points[part, 0] - share * step[0], y - points[part, 1] - share * step[1]
        away = np.hypot(beside, below)
        along = (part * lengths[0] + share * lengths[part]) / lengths.sum()
        centre = points[part, 0] + share * step[0]
        middle = (limbs.neck[0] + limbs.hips[0]) / 2
        outward = np.sign(points[0, 0] - middle)
        outer = (x - centre) * outward
        if part:
            # Beside a folded forearm is the body: what is beside it lies farther out than the elbow too.
            outer = np.minimum(outer, (x - points[1, 0]) * outward + radius)
        one = [away / radius, along, radius, outer, beside / radius, below / radius]
        nearer = one[0] < best[0] if best else np.ones(size, bool)
        best = [np.where(nearer, new, old) for new, old in zip(one, best or one, strict=True)]
    shares = np.linspace(0, 1, 41)
    knots = np.array([0, lengths[0], lengths.sum()]) / lengths.sum()
    line = np.stack([np.interp(shares, knots, points[:, axis]) for axis in (0, 1)], axis=1)
    outside = (best[3] > 0) & (best[1] < 1)
    return _Tube(best[0], best[1], best[2], outside, line, np.stack(best[4:]))


def _at(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values of (H,W) at points (N,2); the border's beyond it."""
    columns = points[:, 0].round().astype(int).clip(0, picture.shape[1] - 1)
    return np.asarray(picture[points[:, 1].round().astype(int).clip(0, picture.shape[0] - 1), columns])


def _hand_is_seen(tube: _Tube, bare: np.ndarray, width: float, scale: float) -> bool:
    """Whether the photo shows a hand at the arm's end, so that the arm lies before the body."""
    y, x = np.mgrid[: bare.shape[0], : bare.shape[1]]
    near = np.hypot(x - tube.line[-1, 0], y - tube.line[-1, 1]) < _HAND * width
    return bool((near & bare).sum() >= _HAND_PIXELS * scale**2)


def _beyond_wrist(tube: _Tube) -> np.ndarray:
    """Where a cuff can be that reaches beyond the wrist: (H,W) bool."""
    forearm = tube.line[-1] - tube.line[-4]
    forearm = forearm / max(float(np.hypot(*forearm)), 1e-6)
    along = tube.offset[0] * forearm[0] + tube.offset[1] * forearm[1]
    beside = np.sqrt(np.clip(tube.depth**2 - along**2, 0, None))
    return (tube.along >= 1) & (along > 0) & (along < _CUFF_LENGTH) & (beside < _CUFF_WIDTH)


def _sleeve_end(tube: _Tube, sleeve: float, outline: np.ndarray, trunk: np.ndarray) -> float:
    """Where along the arm its sleeve ends, in [0,1]."""
    if sleeve >= _LONG or sleeve <= _NONE:
        return round(sleeve)
    beside = ~_at(trunk, tube.line)
    if beside[4:].mean() >= _FREE:
        shown = covered_to(_at(outline, tube.line) > 0.5)
        return float(np.clip(sleeve if shown is None else shown, sleeve - _TRUST, sleeve + _TRUST))
    return sleeve


def covered_to(covered: np.ndarray) -> float | None:
    """Up to which share of an arm (N,) bool, from the shoulder on, it is covered; None where it is not.

    What covers it again farther down is the body's cloth, before which a forearm lies.
    """
    found = np.flatnonzero(covered)
    if not found.size or found[0] > _BEGINS * len(covered):
        return None
    broken = np.flatnonzero(np.diff(found) > 1 + _BREAK * len(covered))
    return float((found[broken[0] if broken.size else -1] + 1) / len(covered))


def _relief(tube: _Tube, end: float, scale: float, seen: bool) -> np.ndarray:
    """Light and shade of cloth along one arm: (H,W) float32."""
    strength = np.clip((tube.along - 0.2) / 0.2, 0, 1) * (1.0 if seen else 0.6)
    edge = np.where(tube.along <= end, _SLEEVE, 1.0)
    outside = (tube.depth - edge) * tube.radius / scale
    crease = np.where(outside > 0, np.exp(-((outside / _CREASE_WIDTH) ** 2)), 0)
    if not seen:
        crease = np.where(tube.along < _POCKET - _CUFF, crease, 0)  # no arm, no shadow
    within = np.where(outside <= 0, (tube.depth / edge) ** 4, 0)
    return np.asarray(1 - strength * (_CREASE * crease + _ROUND * within), np.float32)


def _roundness(tube: _Tube, end: float, light: float) -> np.ndarray:
    """Light and shade of bare skin on one arm, a cylinder lit from above and one side: (H,W) float32."""
    towards = np.array([0.55 * light, -0.3, 0.8])
    towards /= np.hypot.reduce(towards)
    facing = np.sqrt(np.clip(1 - tube.depth**2, 0, 1))
    sideways = tube.offset / np.maximum(tube.depth, 1)
    lit = towards[0] * sideways[0] + towards[1] * sideways[1] + towards[2] * facing
    shade = _FULL * (_AMBIENT + (1 - _AMBIENT) * np.clip((lit + _WRAP) / (1 + _WRAP), 0, 1))
    if end > 0:
        shade = shade * (1 - _HEM_SHADE * np.clip(1 - (tube.along - end) / _HEM_REACH, 0, 1))
    return np.asarray(shade, np.float32)
