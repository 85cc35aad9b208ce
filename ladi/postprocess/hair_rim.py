"""The edge of hair before a new garment: soft, and without the old one's colour.

Labels end hair in steps of their own size, a little too far out, so that a dark jacket stays along it as a
jagged line. Here the outermost hair before what is repainted is repainted too: in the colours of the hair
farther in, its edge as soft as a lens would have it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.continuing import continue_picture
from ladi.postprocess.layers import Canvas
from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.types import LAYERS, LabelScheme, PersonParts

_OTHER = LAYERS.index("other")
_HEIGHT = 256
"""The lengths below are pixels at this height."""
_RIM = 2
"""How far into hair, and beyond it."""
_SOFT, _FROM, _OVER = 1.1, 0.4, 0.45
"""Standard deviation by which labelled hair is smoothed; from which value on it is hair, and over how much
that begins: drawn in by half a pixel."""
_MIRROR = (0.0, 0.5)
"""As in ``continuing.py``."""


class HairRim(NamedTuple):
    """At the canvas's size, all of it."""

    zone: np.ndarray
    """(H,W) bool, where hair may end."""
    share: np.ndarray
    """(H,W) float32 in [0,1], how much of a pixel there is hair."""
    inner: np.ndarray
    """(H,W) bool, hair that has its own colours for sure."""
    beneath: np.ndarray
    """(H,W), numbers into ``LAYERS``, what lies behind it."""


def rim_of_hair(labels: np.ndarray, mask: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Hair before what was worn and is repainted: (H,W) labels and (H,W) bool → (H,W) bool.

    Single locks, which are all rim, stay as the photo shows them.
    """
    reach = max(1, round(_RIM * len(labels) / _HEIGHT))
    hair = named(labels, scheme, ("hair",))
    locks = hair & ~ndimage.binary_dilation(
        ndimage.binary_erosion(hair, iterations=reach), iterations=reach + 1
    )
    worn = mask & named(labels, scheme, UPPER_CLOTHING)
    rim = ndimage.binary_dilation(worn, iterations=reach) & hair
    return np.asarray(rim & ~ndimage.binary_dilation(locks))


def find_rim(person: PersonParts, shown: np.ndarray, canvas: Canvas) -> HairRim | None:
    """Where and how hair ends; ``None`` where none ends before anything that is repainted.

    Args:
        person: who was dressed.
        shown: (K,h,w) of ``LAYERS``.
        canvas: size and part.
    """
    mask = person.mask[0, 0].numpy() > 0
    rim = rim_of_hair(person.labels, mask, person.scheme)
    first = shown.argmax(0)
    new = mask & (first != _OTHER)
    if not rim.any() or not new.any() or person.by_hand:
        return None
    hair = named(person.labels, person.scheme, ("hair",))
    scale = len(hair) / _HEIGHT
    reach = max(1, round(_RIM * scale))
    locks = hair & ~rim & ndimage.binary_dilation(new, iterations=reach)
    zone = rim | (new & ndimage.binary_dilation(rim, iterations=reach) & ~ndimage.binary_dilation(locks))
    rows, columns = ndimage.distance_transform_edt(~new, return_distances=False, return_indices=True)
    size = (canvas.size[1], canvas.size[0])

    def enlarged(region: np.ndarray, how: int) -> np.ndarray:
        return cv2.resize(region, size, interpolation=how)

    times = canvas.size[0] / len(hair)
    soft = enlarged(hair.astype(np.float32), cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), _SOFT * scale * times)
    inner = hair & ~ndimage.binary_dilation(rim)
    return HairRim(
        enlarged(zone.astype(np.uint8), cv2.INTER_NEAREST) > 0,
        ((soft - _FROM) / _OVER).clip(0, 1),
        enlarged(inner.astype(np.uint8), cv2.INTER_NEAREST) > 0,
        enlarged(first[rows, columns].astype(np.uint8), cv2.INTER_NEAREST),
    )


def rimmed(shares: torch.Tensor, rim: HairRim, canvas: Canvas) -> torch.Tensor:
    """The layers' shares (1,K,h',w') with hair that ends softly, and what is behind it."""
    window = canvas.window
    zone, hair = rim.zone[window], torch.from_numpy(rim.share[window])
    behind = torch.from_numpy(np.stack([rim.beneath[window] == number for number in range(shares.shape[1])]))
    rest = behind.float() * (1 - hair)
    rest[_OTHER] = hair
    return torch.where(torch.from_numpy(zone), rest[None], shares)


def rim_colours(other: torch.Tensor, photo: np.ndarray, rim: HairRim, canvas: Canvas) -> torch.Tensor:
    """The colours of what is no wall, skin or garment, (1,3,h',w'), with hair's own where it ends."""
    if not rim.inner.any():
        return other
    own = continue_picture(photo, rim.inner, rim.zone & (rim.share > 0), _MIRROR)[canvas.window]
    there = torch.from_numpy(rim.zone[canvas.window])
    return torch.where(there, torch.from_numpy(own).movedim(-1, 0)[None].float() / 127.5 - 1, other)
