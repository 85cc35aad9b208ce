"""Hands where a bare arm ends and the photo shows none: in a pocket, or a sleeve, that is taken away.

The hand itself is ``hand_model.py``'s; here it is put at the arm's end, in the arm's tone.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch

from ladi.postprocess.hand_model import hand_at_rest
from ladi.postprocess.layers import Canvas, as_tensor
from ladi.postprocess.skin import SHADED_SKIN
from ladi.types import LAYERS, Size

_WRIST = 0.29
"""How wide its wrist is, of a hand's length."""
_GOES_OVER, _SLEEVE_ENDS = (-0.25, -0.08), (0.16, 0.19)
"""Along the hand, from where to where the arm becomes it, or the sleeve ends."""
_RUDDY = (0.35, np.array([0.02, -0.03, -0.04]))
"""From where along the hand on it is redder than the arm, and by which shares."""


_SKIN, _OTHER = LAYERS.index("skin"), LAYERS.index("other")


class HandPlace(NamedTuple):
    """Where a hand is to be, in pixels at the model's size."""

    wrist: tuple[float, float]
    """(x,y)."""
    towards: tuple[float, float]
    """The forearm's direction, (x,y) of length 1."""
    radius: float
    """Of the wrist."""
    outward: int
    """Which way is away from the body: -1 left, 1 right in the picture."""
    sleeved: bool = False
    """Whether it comes out of a sleeve, which ends below the wrist."""
    pocketed: bool = False
    """Whether what is worn below the garment covers it where they meet."""


class DrawnHand(NamedTuple):
    """A hand in a picture."""

    share: np.ndarray
    """(H,W) float32 in [0,1], how much of each pixel is hand."""
    light: np.ndarray
    """(H,W,3) float32, what the tone of the wrist is multiplied by."""


def draw_hand(place: HandPlace, size: Size, times: tuple[float, float]) -> DrawnHand:
    """One hand in a picture.

    Args:
        place: where it is.
        size: (H,W) of the picture.
        times: its height and width, of the model's.
    """
    hand = hand_at_rest()
    scale = 2 * place.radius / _WRIST * times[0] / hand.length
    along = (np.arange(len(hand.share), dtype=np.float32) + 0.5 - hand.wrist[1]) / hand.length
    begins = np.interp(along, _SLEEVE_ENDS if place.sleeved else _GOES_OVER, (0, 1)).astype(np.float32)[
        :, None
    ]
    red = np.interp(along, (_GOES_OVER[1], _RUDDY[0]), (0, 1)).astype(np.float32)[:, None, None]
    light = hand.light[..., None] ** SHADED_SKIN * (1 + red * _RUDDY[1])
    planes = np.dstack([hand.share * begins, light]).astype(np.float32)
    shrunk = cv2.resize(planes, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 1)
    down = np.array(place.towards)
    across = -place.outward * np.array([down[1], -down[0]])
    move = np.stack([across, down], axis=1)
    wrist = np.array(place.wrist) * np.array(times[::-1])
    origin = np.array(hand.wrist) * scale
    matrix = np.column_stack([move, wrist - move @ origin])
    flags = cv2.INTER_LINEAR
    drawn = cv2.warpAffine(shrunk[..., 1:], matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(shrunk[..., 0], matrix, size[::-1], flags=flags)
    return DrawnHand(share, drawn)


def with_hands(
    colours: dict[int, torch.Tensor],
    shares: torch.Tensor,
    photo: np.ndarray,
    places: tuple[HandPlace, ...],
    inside: np.ndarray,
    canvas: Canvas,
) -> torch.Tensor:
    """Draw hands into a result's layers.

    Args:
        colours: each layer's (1,3,h',w') in [-1,1], of the canvas's part; skin's are changed where hands are.
        shares: (1,K,h',w') of ``LAYERS``.
        photo: (*size,3) uint8, what shows beside a hand that leaves what is repainted.
        places: where hands are.
        inside: (h',w') bool, what is repainted.
        canvas: size and part.

    Returns:
        (1,K,h',w'), the shares with the hands.
    """
    photo_there = as_tensor(photo[canvas.window])
    times = canvas.size[0] / canvas.small[0], canvas.size[1] / canvas.small[1]
    for place in places:
        hand = draw_hand(place, canvas.size, times)
        share = torch.from_numpy(hand.share[canvas.window])[None, None]
        if place.pocketed:
            share = share * (1 - shares[:, _OTHER : _OTHER + 1])
        beside = torch.from_numpy(~inside)[None, None] & (share > 0)
        colours[_OTHER] = torch.where(beside, photo_there, colours[_OTHER])
        others = torch.arange(len(LAYERS))[None, :, None, None] == _OTHER
        shares = torch.where(beside, others.to(shares.dtype), shares)
        skin = (colours[_SKIN][0].movedim(0, -1).numpy() + 1) / 2
        tone = tone_at(place, skin, canvas, shares[0, _SKIN].numpy() > 0.5)
        drawn = torch.from_numpy(hand.light[canvas.window] * tone).movedim(-1, 0)[None].float()
        shares = shares * (1 - share)
        together = shares[:, _SKIN : _SKIN + 1] + share
        of_skin = share / together.clamp_min(1e-6)
        colours[_SKIN] = torch.lerp(colours[_SKIN], drawn.clamp(0, 1) * 2 - 1, of_skin)
        shares[:, _SKIN : _SKIN + 1] = together
    return shares


def tone_at(place: HandPlace, colours: np.ndarray, canvas: Canvas, shown: np.ndarray) -> np.ndarray:
    """The tone of an arm where its hand begins.

    Args:
        place: the hand's.
        colours: (h',w',3), of the canvas's part.
        canvas: which that is.
        shown: (h',w') bool, where skin is.

    Returns:
        (3,).
    """
    rows, columns = canvas.window
    y, x = np.mgrid[rows, columns]
    near = before_wrist(place, y * canvas.small[0] / canvas.size[0], x * canvas.small[1] / canvas.size[1])
    near = near & shown if (near & shown).any() else near
    return np.asarray(colours[near].mean(axis=0) if near.any() else colours.mean(axis=(0, 1)))


def before_wrist(place: HandPlace, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The last of the arm before a hand, which tells its tone: bool, of the model's rows and columns."""
    x0, y0 = np.array(place.wrist) - np.array(place.towards) * place.radius
    return np.asarray(np.hypot(x - x0, y - y0) < place.radius)


def footprint(places: tuple[HandPlace, ...], size: Size) -> np.ndarray:
    """Where hands are at the model's size: (H,W) bool."""
    there = np.zeros(size, bool)
    for place in places:
        there |= draw_hand(place, size, (1, 1)).share > 0.02
    return there
