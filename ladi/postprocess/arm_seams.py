"""Where a painted arm meets the photo's, a little of the photo's is painted too.

What ends there in the photo was a sleeve: its cuff's edge and shade lie on the arm, and labels take some of
them for skin. Kept, they are a dark, jagged line across a bare arm, and a narrow strip beside it is a scar.
A hand, of which nothing may be lost, becomes the photo's little by little: a cuff's edge on it fades.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.layout import Layout
from ladi.postprocess.skin import surely_bare
from ladi.postprocess.tubes import Tube, arm_joints, aside_of, tube_of
from ladi.preprocess.labels import label_table, named
from ladi.preprocess.limbs import Limbs
from ladi.types import LAYERS, PersonParts

_SKIN = LAYERS.index("skin")
_DEPTH = 3.5
"""Pixels at a height of 256, along the arm, that are painted of the photo's."""
_STRIP = 0.35
"""Of an arm's radius, half the width up to which a piece of it is a strip."""
_LANES, _BESIDE = 8, 1.6
"""Across an arm, in how many lanes its end is looked for, and how far from its middle, in its radii."""
_WRIST = 0.97
"""Of the arm: what is farther along is a hand."""
_FADE, _SHARE, _REACH = (0.5, 6.0), 0.7, 5.0
"""Pixels at a height of 256, from painted skin on, over which a hand becomes the photo's; of its own depth,
the most of that; and how far from the wrist it reaches, in the wrist's radii."""
_FOREARM, _BARE = (0.3, 0.85), 3.0
"""Of the arm, what is no hand; and how much of it is seen, in its radius squared, where no sleeve ended at
the hand."""
_MUCH = 350
"""Pixels at a height of 256 of a forearm that is seen: less is a wrist in the shade of its cuff."""
_ARMS = ("left_arm", "right_arm")


def with_seams(person: PersonParts, layout: Layout) -> tuple[PersonParts, Layout]:
    """The person and what is to show, with the upper ends of bare arms repainted where painted skin goes on.

    Args:
        person: who was dressed.
        layout: what is to show.
    """
    mask = person.mask[0, 0].numpy() > 0
    size, scale = (mask.shape[0], mask.shape[1]), len(mask) / 256
    kept = named(person.labels, person.scheme, _ARMS)
    painted = mask & ~kept & (layout.shown.argmax(0) == _SKIN)
    if not painted.any() or not kept.any():
        return person, layout
    limbs, seams = Limbs(person.keypoints, person.labels > 0), np.zeros_like(mask)
    share, depth = np.ones(size, np.float32), ndimage.distance_transform_edt(kept) / scale
    away = ndimage.distance_transform_edt(~painted) / scale
    near = away <= _DEPTH + 1 / scale
    for side in ("left", "right"):
        joints = arm_joints(person.keypoints, side, limbs)
        if joints is not None:
            tube = tube_of(joints, size)
            there = kept & (tube.depth < _BESIDE) & (tube.along < _WRIST)
            seams |= near & (_upper_end(tube, there, _DEPTH * scale) | _strips(tube, there, kept))
            hand = kept & (tube.along >= _WRIST) & (tube.depth < _REACH)
            forearm = there & (tube.along > _FOREARM[0]) & (tube.along < _FOREARM[1])
            if hand.any() and forearm.sum() < _BARE * np.median(tube.radius[hand]) ** 2:
                fade = max(_FADE[0], min(_FADE[1], _SHARE * float(depth[hand].max())) - _FADE[0])
                near_wrist = kept & (tube.along > _FOREARM[1]) & (tube.depth < _REACH)
                share = np.where(near_wrist, np.minimum(share, ((away - _FADE[0]) / fade).clip(0, 1)), share)
    faded = share < 1
    if not (seams | faded).any():
        return person, layout
    share = np.where(faded & ~seams, share**2 * (3 - 2 * share), 0).astype(np.float32)
    seams |= faded
    worn = np.uint8(label_table(person.scheme)["upper_clothes"])
    certain = np.eye(len(LAYERS), dtype=layout.shown.dtype)[_SKIN][:, None, None]
    return (
        replace(
            person,
            labels=np.where(seams, worn, person.labels),
            mask=torch.from_numpy(mask | seams)[None, None].to(person.mask),
        ),
        layout._replace(shown=np.where(seams, certain, layout.shown), seams=seams, faded=share),
    )


def arms_that_stay(arms: np.ndarray, worn: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Forearms that are the photo's, though they lie in the mask; they tell their tone best: (H,W) bool.

    Args:
        arms: (H,W) bool, the photo's.
        worn: (H,W) bool, what is taken away.
        skin: (H,W) bool, where skin is to be.
    """
    pieces, _ = ndimage.label(surely_bare(arms, arms, worn) & skin)
    sizes = np.bincount(pieces.ravel())
    return np.asarray((sizes >= _MUCH * (len(arms) / 256) ** 2)[pieces] & (pieces > 0))


def _upper_end(tube: Tube, there: np.ndarray, depth: float) -> np.ndarray:
    """The first pixels of an arm (H,W) bool, from the shoulder on, in each of its lanes."""
    length = float(np.hypot(*np.gradient(tube.line, axis=0).T).sum())
    aside = aside_of(tube)
    lane = ((aside / _BESIDE + 1) / 2 * _LANES).astype(int).clip(0, _LANES - 1)
    first = np.full(_LANES, np.inf)
    np.minimum.at(first, lane[there], tube.along[there])
    return np.asarray(there & (tube.along < first[lane] + depth / max(length, 1)))


def _strips(tube: Tube, there: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What of an arm (H,W) bool is a narrow strip."""
    if not there.any():
        return there
    reach = max(1, round(_STRIP * float(np.median(tube.radius[there]))))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.hypot(rows, columns) <= reach + 0.5
    return np.asarray(there & ~ndimage.binary_opening(kept, disc))
