"""What is to show where in a result: what was painted, put right by what is known of the photo and the pose.

```
painted layers ─► wall that was wall, coat below the hem (kept.py) ─► arms (arms.py) ─► layout
```

It decides shapes, no colours: those are ``compose.py``'s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ladi.postprocess.arms import draw_arms
from ladi.postprocess.kept import settled
from ladi.postprocess.skin import side_of_light
from ladi.preprocess.labels import label_table
from ladi.preprocess.limbs import Limbs
from ladi.types import JOINT, LAYERS, Garment, LabelScheme, PersonParts

_WALL, _OTHER = LAYERS.index("wall"), LAYERS.index("other")
_FACES = ("face", "head")
_WORN = ("upper_clothes", "dress", "coat")
_SEEN = 0.004
"""Share of the window that trousers must have to be known as such."""
_LEG, _CROTCH = 0.23, 0.25
"""Half a trouser leg's width, of the distance between the shoulders; how far below the hips legs part, in
torsos."""


class Layout(NamedTuple):
    """At the model's size."""

    shown: np.ndarray
    """(K,H,W) of ``LAYERS``, together 1."""
    stays: np.ndarray
    """(H,W) bool, of the mask, what is the photo's for certain."""
    relief: np.ndarray | None = None
    """(H,W) about 1, by which cloth is lighter or darker; None where nothing is known."""
    sleeves: np.ndarray | None = None
    """(H,W) bool, cloth that is there because an arm in its sleeve is; None where nothing is known."""
    roundness: np.ndarray | None = None
    """(H,W) about 1, the light on bare arms, 0 beside them; None where nothing is known."""


def goes_on(person: PersonParts) -> bool:
    """Whether the photo goes on below the window."""
    frame = person.frame
    return frame.top + frame.height < person.photo.size[0] - 1 and not frame.angle


def lay_out(
    painted: np.ndarray,
    person: PersonParts,
    garment: Garment,
    outline: np.ndarray | None,
    stays: np.ndarray,
) -> Layout:
    """Put right what a picture shows.

    Args:
        painted: (K,H,W), what the decoder says that it painted.
        person: who was dressed.
        garment: in what.
        outline: (H,W) in [0,1], where the warped garment lies; None where none was warped.
        stays: (H,W) bool, of the mask, what is the photo's for certain.
    """
    mask = person.mask[0, 0].numpy() > 0
    if outline is None:
        return Layout(painted, stays)
    labels, scheme = person.labels, person.scheme
    shown = settled(painted, labels, outline, stays)
    if person.category == "upper_body":
        shown = slimmed(shown, mask & ~stays, labels, person.keypoints, scheme)
    if garment.sleeve is None or person.category == "lower_body":
        return Layout(shown, stays)
    table = label_table(scheme)
    face = np.isin(labels, [table[name] for name in _FACES if name in table]) & ~mask
    light = side_of_light(person.image[0].movedim(0, -1).numpy(), face)
    free = mask & ~stays
    arms = draw_arms(shown, free, labels, person.keypoints, outline, garment.sleeve, light, scheme=scheme)
    return Layout(arms.probabilities, stays, arms.relief, arms.sleeves, arms.roundness)


def slimmed(
    shown: np.ndarray, mask: np.ndarray, labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme
) -> np.ndarray:
    """Trousers below a new top are as wide as legs, not as the coat that hid them.

    Args:
        shown: (K,H,W) of ``LAYERS``.
        mask: (H,W) bool, True = repainted.
        labels: (H,W) of the photo; nothing changes where it shows more of a skirt or a dress than of
            trousers, or none of these.
        keypoints: (18,3) in pixels; nothing changes without hips.
        scheme: of the labels.

    Returns:
        (K,H,W).
    """
    table = label_table(scheme)
    trousers = labels == table["pants"]
    skirt = np.isin(labels, [table["skirt"], table["dress"]])
    hips = keypoints[[JOINT["left_hip"], JOINT["right_hip"]], :2]
    if not hips.any(axis=1).all() or trousers.sum() <= max(skirt.sum(), _SEEN * labels.size):
        return shown
    limbs = Limbs(keypoints, labels > 0)
    worn = np.isin(labels, [table[name] for name in _WORN if name in table])
    rows, columns = np.mgrid[: len(labels), : labels.shape[1]]
    doubted = mask & worn & (shown.argmax(0) == _OTHER) & (rows > limbs.hip_row)
    # At the hips trousers are one; farther down there are two legs.
    between = (columns > hips[:, 0].min()) & (columns < hips[:, 0].max())
    between &= rows < limbs.hip_row + _CROTCH * limbs.torso
    away = doubted & ~between & ~limbs.near_legs(doubted, _LEG * limbs.width)
    # What does not reach the wall is no wall but a hole.
    pieces, count = ndimage.label(away | (labels == 0))
    outside = np.bincount(pieces[labels == 0], minlength=count + 1) > 0
    away &= outside[pieces]
    wall = np.zeros(len(LAYERS), shown.dtype)
    wall[_WALL] = 1
    return np.where(away, wall[:, None, None], shown)
