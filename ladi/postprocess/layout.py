"""What is to show where in a result: what was painted, put right by what is known of the photo and the pose.

```
painted layers ─► wall that was wall, coat below the hem (kept.py) ─► top and trousers (beneath.py)
  ─► arms (arms.py) ─► layout
```

It decides shapes, no colours: those are ``compose.py``'s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladi.postprocess.arms import draw_arms
from ladi.postprocess.beneath import beneath
from ladi.postprocess.drawn_hands import HandPlace
from ladi.postprocess.kept import settled
from ladi.postprocess.skin import side_of_light
from ladi.preprocess.labels import label_table
from ladi.types import Garment, PersonParts

_FACES = ("face", "head")


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
    hands: tuple[HandPlace, ...] = ()
    """Where hands are drawn, because the photo shows none."""


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
        shown = beneath(shown, mask & ~stays, labels, person.keypoints, outline, scheme)
    if garment.sleeve is None or person.category == "lower_body":
        return Layout(shown, stays)
    table = label_table(scheme)
    face = np.isin(labels, [table[name] for name in _FACES if name in table]) & ~mask
    light = side_of_light(person.image[0].movedim(0, -1).numpy(), face)
    free = mask & ~stays
    arms = draw_arms(shown, free, labels, person.keypoints, outline, garment.sleeve, light, scheme=scheme)
    return Layout(arms.probabilities, stays, arms.relief, arms.sleeves, arms.roundness, arms.hands)
