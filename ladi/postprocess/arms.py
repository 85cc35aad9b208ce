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

from ladi.postprocess.arm_light import light_on_arm
from ladi.postprocess.drawn_hands import HandPlace, before_wrist, footprint
from ladi.postprocess.sleeve_ends import SleeveEnd, sleeve_end
from ladi.postprocess.sleeve_lengths import LONG, bare_from, sleeve_lengths
from ladi.postprocess.tubes import (
    CUFF,
    POCKET,
    SLEEVE,
    Tube,
    arm_joints,
    beyond_wrist,
    hand_place,
    relief_of,
    slimmer,
    to_hand,
    to_wrist,
    tube_of,
    value_at,
)
from ladi.postprocess.unseen_hands import behind, hand_is_seen, last_of, mostly, share_of
from ladi.preprocess.labels import label_table
from ladi.preprocess.limbs import Limbs
from ladi.preprocess.morphology import largest_part
from ladi.preprocess.morphology import nearest as nearest_of
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LAYERS, LabelScheme

_WALL, _SKIN, _GARMENT, _OTHER = (LAYERS.index(name) for name in ("wall", "skin", "garment", "other"))
_BALLOON = 2.0
"""Radii from an arm's middle, on its outer side, at which cloth is what an old coat's width made of it."""
_SHOULDER, _FULL = 0.12, 0.3
"""Of the arm, as far as the shoulder's shape is the warp's to say; and from where on a sleeve is as wide as
sleeves are."""
_SLEEVED, _NECK = 0.2, 0.36
"""Sleeves longer than this share of the arm cover the shoulder, from so far beside the neck on, of the
distance between the shoulders."""
_GONE, _POCKET = 0.5, 0.25
"""Of where a hand would be, what must be repainted; and from which share of trousers on, seen there in the
photo, it is in their pocket."""
_BESIDE = 1.25
"""Radii from an arm's middle at which skin is none of it."""
_COVERED = 0.05
"""Matte of the warped garment up to which it lies elsewhere."""
_NECKLINE = 0.5
"""Of the trunk, down to where bare skin may be."""
_WIDE = 4
"""Pixels at a height of 256 by which the trunk is wider than its joints say."""
_WAIST, _FLARE = 0.15, 1.5
"""How far beside the trunk's joints a waist may be, of the distance between the shoulders; and how fast a top
widens below it, in columns for each row."""
_SLIT = 4
"""Half the width, in pixels at a height of 256, of a gap that is none."""
_MIDDLE, _SLICES, _SEEN, _FOREARM = 0.6, 24, 0.9, 1.6
"""Of an arm's radius, what is surely arm; parts along it; share of one's middle that is bare in the photo
where the arm is seen, and the radii within which painted skin is taken for more of it."""
_AS_SEEN = 2.2
"""Radii within which what is bare in the photo beside such a middle is arm."""
_STRIP, _PIECE, _UNLIKE = 3, 60, 20.0
"""Pixels, at a height of 256, that this is wide at least, and how many it has: labels end in threads; and how
far from all shades of the arms (CIELAB of 8 bit) the photo is there."""
_WORN = ("upper_clothes", "dress", "coat", "scarf")
_LOWER = ("pants", "skirt")
_BARE = ("left_arm", "right_arm", "glove")


class Arms(NamedTuple):
    """What arms make of a result."""

    probabilities: np.ndarray
    """(K,H,W) of ``LAYERS``."""
    relief: np.ndarray
    """(H,W) float32 about 1, by which cloth is lighter or darker."""
    sleeves: np.ndarray
    """(H,W) bool, what is cloth because an arm in its sleeve is there."""
    roundness: np.ndarray
    """(H,W) float32, how light bare skin is on an arm, about 1 where it faces the light; 0 beside arms."""
    hands: tuple[HandPlace, ...] = ()
    """Where an arm ends, bare or in its sleeve, and a hand is drawn because the photo shows none."""
    ends: tuple[SleeveEnd, ...] = ()
    """Where short sleeves end."""
    bare: np.ndarray | None = None
    """(H,W) bool, arms below their sleeves, or below the shoulders without one; None without arms."""


def draw_arms(
    probabilities: np.ndarray,
    mask: np.ndarray,
    labels: np.ndarray,
    keypoints: np.ndarray,
    outline: np.ndarray,
    sleeve: float,
    light: float = 0.0,
    *,
    photo: np.ndarray | None = None,
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
        photo: (H,W,3) uint8, the same window; what has the arms' own colours there is arm.
        scheme: of the labels.
    """
    size, scale = (mask.shape[0], mask.shape[1]), len(mask) / 256
    table = label_table(scheme)
    worn, bare = (
        np.isin(labels, [table[name] for name in names if name in table]) for names in (_WORN, _BARE)
    )
    bag = labels == table.get("bag", -1)
    limbs = Limbs(keypoints, labels > 0)
    wide = max(1, round(_WIDE * scale))
    trunk = ndimage.binary_dilation(limbs.trunk(size), iterations=wide)
    core = ndimage.binary_erosion(limbs.trunk(size), iterations=wide)
    found = [joints for side in ("left", "right") if (joints := arm_joints(keypoints, side, limbs))]
    tubes = [tube_of(joints, size) for joints in found]
    relief, roundness = np.ones(size, np.float32), np.zeros(size, np.float32)
    sleeves = np.zeros(size, bool)
    if not tubes or not trunk.any():
        return Arms(probabilities, relief, sleeves, roundness)
    shown = probabilities.argmax(0)
    changed = shown.copy()
    lower = np.isin(labels, [table[name] for name in _LOWER if name in table])
    lower |= (labels == table["dress"]) & (shown == _OTHER)
    person = mask & (worn | bare)
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])[None]
    nearest = np.minimum.reduce([tube.depth for tube in tubes])
    # What was painted of arms where none is: in a wide old sleeve, or across the body.
    below = rows > limbs.shoulder_line(size[1]) + _NECKLINE * limbs.torso
    # A waist is seen on both sides of an arm before it.
    reach = max(1, round(_WAIST * limbs.width))
    waist = below & ndimage.binary_dilation(limbs.trunk(size), iterations=reach)
    ended = np.logical_or.reduce([(tube.along >= 1) & (tube.depth <= nearest) for tube in tubes])
    stray = worn & mask & (shown == _SKIN) & (nearest > np.where(ended, 1, _BESIDE)) & (below | ~trunk)
    stray &= rows > limbs.shoulder_line(size[1])
    outer = np.logical_and.reduce([tube.outer | (tube.depth > nearest) for tube in tubes])
    changed[stray] = np.where((outer & ~trunk & (outline <= 0.5))[stray], _WALL, _GARMENT)
    puffed = worn & mask & (shown == _GARMENT) & (nearest > SLEEVE) & outer & ~trunk & (outline <= _COVERED)
    puffed |= worn & mask & (shown == _GARMENT) & (nearest > _BALLOON) & outer & ~trunk
    crossed = np.logical_or.reduce([_across(tube, waist, limbs.neck[0]) for tube in tubes]) & (outline > 0.5)
    changed[puffed & (rows < limbs.hip_row) & ~crossed] = _WALL
    hands: list[HandPlace] = []
    ends: list[SleeveEnd | None] = []
    naked = np.zeros(size, bool)
    body = ndimage.binary_dilation(limbs.trunk(size), iterations=reach)
    for joints, tube, end in zip(found, tubes, sleeve_lengths(tubes, sleeve, outline, trunk), strict=True):
        seen = hand_is_seen(tube, bare, limbs.width)
        hand = hand_place(tube, limbs.neck[0], sleeved=end >= LONG)
        there = footprint((hand,), size)
        hidden = np.zeros(size, bool) if seen else behind(tube, outline, there, body, end)
        # A hand that was in a pocket of what is taken away hangs before what is there now; one in a pocket of
        # trousers stays there.
        hangs = (
            not seen and not hidden.any() and not bag[last_of(tube)].any() and share_of(mask, there) > _GONE
        )
        hand = hand._replace(pocketed=share_of(lower, there) >= _POCKET)
        before = person & (seen | hangs | ~trunk) & ~hidden
        if hangs:
            # Beside a pocket there was trousers or wall.
            before |= mask & ~bag & (tube.along > tube.elbow)
        wide = np.interp(tube.along, (_SHOULDER, _FULL), (1.0, SLEEVE))
        inside = before & (tube.depth <= np.where(tube.along <= end, wide, 1.0))
        inside &= (tube.along <= end) | ~slimmer(tube, shown == _SKIN, shown == _WALL)
        # A hand that is not seen is in a pocket: the arm ends where cloth begins, not in a stump.
        changed[inside & (tube.along > bare_from(tube, end)) & (seen | (tube.along < POCKET))] = _SKIN
        # Where the photo shows it, a bare arm is as wide as there.
        own = person & bare & _is_seen(tube, bare) & (tube.depth < _AS_SEEN) & (tube.depth <= nearest)
        changed[own & (tube.along > bare_from(tube, end)) & (tube.along < 1)] = _SKIN
        if not seen and end < LONG:
            changed[before & to_wrist(tube)] = _SKIN
            if hangs and mostly(changed == _SKIN, last_of(tube)):
                hands.append(hand)
        if not seen and end >= LONG:
            # A sleeve into a pocket shows no hand.
            changed[
                person & ~trunk & worn & (changed == _SKIN) & (tube.along > tube.elbow) & (tube.depth < 3)
            ] = _GARMENT
        if not seen:
            changed[person & hidden & (changed == _SKIN) & (tube.depth < 2)] = _GARMENT
            if hidden.any():
                # The garment is before the arm, so it is as wide as the warp says, without a notch below it.
                beside = (columns > limbs.neck[0]) == (tube.line[-1, 0] > limbs.neck[0])
                beside = beside & (rows > tube.bend[1])
                changed[beside & worn & mask & (outline > 0.5) & (changed == _WALL)] = _GARMENT
        if seen and end < LONG:
            # Between the wrist and the hand there was a cuff; before the body it may be cloth of the body.
            changed[person & ~trunk & (changed != _SKIN) & to_hand(tube, bare)] = _SKIN
        cloth = (tube.along > _SHOULDER) | ((shown == _SKIN) & (outline > 0.5))
        if end > _SLEEVED:
            # A sleeve begins where the neck ends, without a hole at the shoulder.
            cloth |= (shown == _SKIN) & (np.abs(columns - limbs.neck[0]) > _NECK * limbs.width)
        sleeve_here = inside & (tube.along <= end) & cloth & (shown != _OTHER)
        changed[sleeve_here] = _GARMENT
        sleeves |= sleeve_here
        if hangs and end >= LONG and mostly(mask & (worn | (labels == 0)), there):
            hands.append(hand)
        # Nothing is worn on the far side of a bare arm.
        beyond = tube.outer & (tube.depth > 1) & (tube.depth <= nearest)
        beyond &= tube.along > (end + CUFF if end > 0 else -1)
        beyond &= ~((waist & (outline > 0.5)) | crossed)
        changed[
            beyond & ~core & (worn | (labels == 0)) & mask & (changed == _GARMENT) & (rows < limbs.hip_row)
        ] = _WALL
        if not hidden.any():
            ends.append(sleeve_end(joints, tube, end, changed == _GARMENT))
        naked |= (tube.depth < 1) & (tube.along > max(end, _SHOULDER))
        relief *= np.where(hidden, 1, relief_of(tube, end, scale, seen))
        nearer = (tube.depth <= nearest) & ((tube.depth < _BESIDE) | (beyond_wrist(tube) if seen else False))
        roundness[nearer] = light_on_arm(tube, end, light)[nearer]
    for hand in hands:
        if hand.sleeved:
            # No light falls on an arm in its sleeve, and its tone is the hand's all the same.
            roundness[before_wrist(hand, rows, columns)] = 1
    beside = np.logical_or.reduce([_beside_seen(tube, bare) for tube in tubes]) & mask & worn
    beside &= changed == _SKIN
    if photo is not None and beside.any():
        colours = in_lab(photo)
        beside[beside] = distance_to(colours[beside], shades_of(colours[bare])) > _UNLIKE
    strip = max(2, round(_STRIP * scale))
    pieces, _ = ndimage.label(ndimage.binary_opening(beside, np.ones((strip, strip))))
    beside = (np.bincount(pieces.ravel()) > _PIECE * scale**2)[pieces] & (pieces > 0)
    if beside.any():
        # A forearm that is seen is as wide as the photo shows it.
        known = (changed == _OTHER) | largest_part(changed == _GARMENT)
        changed[beside] = changed[nearest_of(known)][beside]
    # No wall shows through a slit between a sleeve and the body.
    body = np.pad((changed == _GARMENT) | (changed == _SKIN), slit := max(1, round(_SLIT * scale)))
    closed = ndimage.binary_closing(body, iterations=slit)[slit:-slit, slit:-slit]
    changed[closed & (changed == _WALL) & worn & mask] = _GARMENT
    certain = np.eye(len(LAYERS), dtype=probabilities.dtype)[changed].transpose(2, 0, 1)
    drawn = np.where(changed != shown, certain, probabilities)
    return Arms(drawn, relief, sleeves, roundness, tuple(hands), tuple(filter(None, ends)), naked)


def _is_seen(tube: Tube, bare: np.ndarray) -> np.ndarray:
    """Beside which parts of an arm, along it, the photo shows its middle bare: (H,W) bool."""
    middle, place = tube.depth < _MIDDLE, (tube.along * _SLICES).astype(int)
    shown, there = (np.bincount(place[part], minlength=_SLICES + 1) for part in (middle & bare, middle))
    return np.asarray((shown >= _SEEN * np.maximum(there, 1))[place])


def _beside_seen(tube: Tube, bare: np.ndarray) -> np.ndarray:
    """What lies along those parts of a forearm that the photo shows, and is none of it: (H,W) bool."""
    return np.asarray(_is_seen(tube, bare) & ~bare & (tube.along > tube.elbow) & (tube.depth < _FOREARM))


def _across(tube: Tube, waist: np.ndarray, middle: float) -> np.ndarray:
    """Where a garment is seen beside a forearm that lies before the waist, on its side: (H,W) bool.

    From where the arm comes before the body on it widens to a hem, so that no corner stands out there.

    Args:
        tube: of the arm.
        waist: (H,W) bool.
        middle: the body's column.
    """
    inside = tube.line[value_at(waist, tube.line)]
    if not len(inside):
        return np.zeros_like(waist)
    rows, columns = np.arange(len(waist)), np.arange(waist.shape[1])
    first, last = int(inside[:, 1].min()), int(inside[:, 1].max())
    right = tube.line[0, 0] > middle
    outwards = (columns - inside[inside[:, 1].argmin(), 0]) * (1 if right else -1)
    width = 2 * np.median(tube.radius) + _FLARE * (rows - first)
    there = (outwards <= width[:, None]) & ((rows >= first) & (rows <= last))[:, None]
    return np.asarray(there & ((columns > middle) == right))
