"""The edges of hands and bags before a new garment, found in the photo at its own size.

Labels end a hand in steps of their own size and a pixel too far out or in, so that an old sleeve stays around
it as a dark, jagged line. The photo tells better where skin ends and the old sleeve begins: by a guided
filter (He, Sun and Tang, "Guided Image Filtering", TPAMI 2013) the labelled edge takes the shape of the
photo's. Hair, whose edges are no lines, is ``hair_rim.py``'s.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy import ndimage

from ladi.postprocess.layers import Canvas, enlarged_box
from ladi.preprocess.boxes import box_of
from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.types import LAYERS, LabelScheme, PersonParts

_SKIN, _OTHER = (LAYERS.index(name) for name in ("skin", "other"))
_HEIGHT = 256
"""The lengths below are pixels at this height."""
_FRONT = {_SKIN: ("left_arm", "right_arm", "face", "head", "neck", "vitonhd_neck"), _OTHER: ("bag",)}
"""What lies before a garment, by the layer that it belongs to."""
_INNER, _OUTER = 1, 2
"""How far into it, and beyond it, its edge may be."""
_WINDOW, _NOISE = 2.5, 0.02
"""Half the guided filter's window, and differences of colour, on [0,1], that are none."""
_STEEP = 2.5
"""How much steeper the edge is than the filter's answer."""
_SURE = 0.9
"""Share from which on a pixel's colour is the front's alone."""


class FrontRim(NamedTuple):
    """Of one layer, at the canvas's size, all of it."""

    layer: int
    zone: np.ndarray
    """(H,W) bool, where it may end."""
    share: np.ndarray
    """(H,W) float32 in [0,1], how much of a pixel there is in front."""
    beneath: np.ndarray
    """(H,W), numbers into ``LAYERS``, what lies behind it."""


def rim_of_front(labels: np.ndarray, mask: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """The outermost of hands and bags before what was worn and is repainted: (H,W) bool.

    Args:
        labels: (H,W) of the photo.
        mask: (H,W) bool, True = repainted.
        scheme: of the labels.
    """
    reach = max(1, round(_INNER * len(labels) / _HEIGHT))
    worn = mask & named(labels, scheme, UPPER_CLOTHING)
    front = named(labels, scheme, tuple(name for names in _FRONT.values() for name in names))
    return np.asarray(ndimage.binary_dilation(worn, iterations=reach) & front & ~mask)


def find_front_rims(
    person: PersonParts, shown: np.ndarray, photo: np.ndarray, canvas: Canvas
) -> list[FrontRim]:
    """Where and how hands and bags end before what is repainted.

    Args:
        person: who was dressed.
        shown: (K,h,w) of ``LAYERS``.
        photo: (H,W,3) uint8 at the canvas's size.
        canvas: size and part.
    """
    mask, labels, scheme = person.mask[0, 0].numpy() > 0, person.labels, person.scheme
    edge = rim_of_front(labels, mask, scheme)
    if not edge.any() or person.by_hand:
        return []
    inner, outer = (max(1, round(length * len(labels) / _HEIGHT)) for length in (_INNER, _OUTER))
    worn = mask & named(labels, scheme, UPPER_CLOTHING)
    rows, columns = ndimage.distance_transform_edt(~worn, return_distances=False, return_indices=True)
    behind = shown.argmax(0)[rows, columns]
    beneath, rims = _enlarged(behind, canvas), []
    for layer, names in _FRONT.items():
        front = named(labels, scheme, names) & ~mask
        zone = ndimage.binary_dilation(edge & front, iterations=inner + outer) & (worn | front)
        zone &= ndimage.binary_dilation(front, iterations=outer)
        # A hand before its own arm has no edge; what the photo has there is a cuff's.
        zone &= ndimage.binary_dilation(worn, iterations=inner) & (behind != layer)
        if zone.any():
            share = _as_in_the_photo(front, zone, photo)
            rims.append(FrontRim(layer, _enlarged(zone, canvas) > 0, share, beneath))
    return rims


def _enlarged(region: np.ndarray, canvas: Canvas) -> np.ndarray:
    """Numbers (h,w) at the canvas's size: (H,W) uint8."""
    size = (canvas.size[1], canvas.size[0])
    return np.asarray(cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST))


def _as_in_the_photo(front: np.ndarray, zone: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """How much of each of a photo's pixels (H,W,3) is in front, where its edge may be: (H,W) float32.

    Args:
        front: (h,w) bool, labelled so.
        zone: (h,w) bool, where its edge may be.
        photo: (H,W,3) uint8.
    """
    times = len(photo) / len(front)
    share = cv2.resize(front.astype(np.float32), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    window = max(2, round(_WINDOW * len(photo) / _HEIGHT))
    box = box_of(zone)
    assert box is not None
    near = box.grown(math.ceil(2 * window / times) + 1, (front.shape[0], front.shape[1]))
    part = enlarged_box(near, (front.shape[0], front.shape[1]), (photo.shape[0], photo.shape[1])).window
    share[part] = _guided(share[part], photo[part].astype(np.float32) / 255, window)
    return np.asarray(((share - 0.5) * _STEEP + 0.5).clip(0, 1))


def with_front(shares: torch.Tensor, rims: list[FrontRim], canvas: Canvas) -> torch.Tensor:
    """The layers' shares (1,K,h',w') with hands and bags that end where the photo's do."""
    for rim in rims:
        zone, front = rim.zone[canvas.window], torch.from_numpy(rim.share[canvas.window])
        beneath = rim.beneath[canvas.window]
        rest = torch.from_numpy(np.stack([beneath == number for number in range(shares.shape[1])]))
        drawn = rest.float() * (1 - front)
        drawn[rim.layer] += front
        shares = torch.where(torch.from_numpy(zone), drawn[None], shares)
    return shares


def front_colours(
    colours: dict[int, torch.Tensor], photo: torch.Tensor, rims: list[FrontRim], canvas: Canvas
) -> None:
    """Puts the photo's colours, (1,3,h',w'), where a hand or a bag is seen by itself."""
    for rim in rims:
        alone = torch.from_numpy((rim.zone & (rim.share > _SURE))[canvas.window])
        colours[rim.layer] = torch.where(alone, photo, colours[rim.layer])


def _guided(share: np.ndarray, picture: np.ndarray, window: int) -> np.ndarray:
    """The guided filter's answer: (H,W) and (H,W,3) float32 in [0,1], half a window's width → (H,W)."""

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (2 * window + 1, 2 * window + 1), borderType=cv2.BORDER_REFLECT)

    colour, average = mean(picture), mean(share)
    pairs = [mean(picture[..., i] * picture[..., j]) for i in range(3) for j in range(3)]
    spread = np.stack(pairs, -1).reshape(*share.shape, 3, 3) - colour[..., :, None] * colour[..., None, :]
    with_share = np.stack([mean(picture[..., i] * share) - colour[..., i] * average for i in range(3)], -1)
    slope = np.linalg.solve(spread + _NOISE**2 * np.eye(3, dtype=np.float32), with_share[..., None])[..., 0]
    offset = average - (slope * colour).sum(-1)
    return np.asarray((mean(slope) * picture).sum(-1) + mean(offset), np.float32)
