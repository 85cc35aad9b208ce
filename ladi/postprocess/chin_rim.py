"""The edge of a face before a newly painted neck: soft, and with the chin's shade on the neck.

Labels end a face in steps of their own size, on the shade or the collar below it, which stays along the chin
as dark dashes. Here the outermost of the face is blended with the neck painted behind it; the neck begins in
its own tone, darker than the chin, and not in the chin's.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.layers import Canvas, as_tensor
from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.types import LAYERS, PersonParts

_SKIN = LAYERS.index("skin")
_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM, _REACH = 2, 2.5
"""How far into the face its edge may be; over how much beside it the neck's own tone goes over into what is
continued from the face."""
_COLLAR = 5
"""So near what is worn a labelled neck may be its edge."""
_FACE, _LARGEST = 34.0, 2.5
"""Side of a square as large as a face for which all this holds; by how much it grows with a larger one."""
_SOFT, _FROM, _OVER = 0.9, 0.7, 0.28
"""Standard deviation by which the labelled face is smoothed; from which value on it is face, and over how
much that begins: drawn in by a pixel."""


class ChinRim(NamedTuple):
    """At the canvas's size, all of it."""

    zone: np.ndarray
    """(H,W) bool, where the face may end."""
    own: np.ndarray
    """(H,W) float32 in [0,1], how much the neck has its own tone: less and less below the chin."""
    share: np.ndarray
    """(H,W) float32 in [0,1], how much of a pixel there is face."""


def rim_of_chin(person: PersonParts, shown: np.ndarray) -> np.ndarray:
    """The outermost of a face beside skin that is painted: (K,h,w) of ``LAYERS`` → (h,w) bool."""
    mask = person.mask[0, 0].numpy() > 0
    neck = _neck(person, shown)
    reach = max(1, round(_RIM * _scale(person)))
    return np.asarray(ndimage.binary_dilation(neck, iterations=reach) & _face(person) & ~mask)


def find_chin(person: PersonParts, shown: np.ndarray, canvas: Canvas) -> ChinRim | None:
    """Where and how a face ends; ``None`` where it ends before nothing that is painted.

    Args:
        person: who was dressed.
        shown: (K,h,w) of ``LAYERS``.
        canvas: size and part.
    """
    rim = rim_of_chin(person, shown)
    if not rim.any() or person.by_hand:
        return None
    scale = _scale(person)
    size = (canvas.size[1], canvas.size[0])
    away = ndimage.distance_transform_edt(~rim) / scale
    own = np.exp(-away / _REACH) * (rim | _neck(person, shown))
    soft = cv2.resize(_face(person).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), _SOFT * scale * canvas.size[0] / len(rim))
    return ChinRim(
        cv2.resize(rim.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0,
        cv2.resize(own.astype(np.float32), size, interpolation=cv2.INTER_LINEAR),
        ((soft - _FROM) / _OVER).clip(0, 1),
    )


def with_chin(
    skin: torch.Tensor, neck: torch.Tensor, photo: np.ndarray, chin: ChinRim, canvas: Canvas
) -> torch.Tensor:
    """The skin's colours with the face's edge.

    Args:
        skin: (1,3,h',w') in [-1,1], the canvas's part.
        neck: likewise, as it is painted behind the face.
        photo: (H,W,3) uint8, all of it.
        chin: where the face ends.
        canvas: size and part.
    """
    share = torch.from_numpy(chin.share[canvas.window])
    behind = torch.lerp(skin, neck, torch.from_numpy(chin.own[canvas.window]))
    zone = torch.from_numpy(chin.zone[canvas.window])
    return torch.where(zone, torch.lerp(behind, as_tensor(photo[canvas.window]), share), behind)


def _face(person: PersonParts) -> np.ndarray:
    return named(person.labels, person.scheme, ("face", "head"))


def _scale(person: PersonParts) -> float:
    """Pixels for each of a face of the usual size."""
    height = len(person.labels) / _HEIGHT
    return height * float(np.clip(np.sqrt(_face(person).sum()) / (_FACE * height), 1, _LARGEST))


def _neck(person: PersonParts, shown: np.ndarray) -> np.ndarray:
    """(h,w) bool, skin that is painted where the photo surely shows none: near a collar labels are unsure."""
    bare = named(person.labels, person.scheme, ("neck", "vitonhd_neck", "left_arm", "right_arm"))
    worn = named(person.labels, person.scheme, UPPER_CLOTHING)
    if worn.any():
        bare &= ndimage.distance_transform_edt(~worn) > _COLLAR * len(worn) / _HEIGHT
    return np.asarray((person.mask[0, 0].numpy() > 0) & (shown.argmax(0) == _SKIN) & ~bare)
