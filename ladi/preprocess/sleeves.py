"""How long a garment's sleeves are: a network's answer, checked by the outline of what lies spread out.

The network has learnt from a shop's pictures, where sleeves hang beside the body. On floors and beds they are
spread out, or folded under.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from ladi.preprocess.boxes import box_of, whole
from ladi.types import Garment, Size

if TYPE_CHECKING:
    from ladi.models.sleeves import SleeveLength

_SURROUNDINGS = 1.06
_OUTLINE_HEIGHT = 96
"""Pixels, at which outlines are measured; rows below are shares of the garment's height."""
_TRUNK_ROWS, _SLIM = (0.55, 0.9), 30
"""Where the trunk's width is measured, and the percentile of its rows that counts: sleeves may touch it."""
_SPREAD, _SPREAD_TOLD = 1.85, 0.28
"""Times as wide as its trunk from which on a garment has its sleeves spread out, and is not short-sleeved
unless the network says so. Of 70 amateurs' long-sleeved garments 35 were told 0.7 at most, 17 of them are as
wide; of 60 T-shirts none."""
_NEARLY_LONG = 0.68
"""Amateurs' garments told more than this have long sleeves; it is their cuffs that lie under something."""
_HANGING, _HUNG_ROWS, _HUNG, _TALL = 0.45, (0.8, 0.93), 0.93, 0.8
"""Likewise, if they hang down along the body to the hem, so that a garment is as wide there, in which rows,
as anywhere, and less wide than tall. Of 200 amateurs' garments four are, all with long sleeves."""
_CAP_ROWS, _BELOW_CAP = (0.1, 0.38), 0.6
_CAP, _NO_SLEEVE, _CAP_LENGTH = 1.27, 0.12, 0.22
"""Times as wide at the sleeves as below them from which on there are short ones, though the network told less
than that; how long they are. Nineteen in twenty of the sleeveless in a shop are less wide there."""


def sleeve_view(image: np.ndarray, matte: np.ndarray, size: Size) -> np.ndarray:
    """A garment as the network sees it, filling the picture: (H,W,3) uint8, (H,W) in [0,1] → (4,*size)."""
    on = matte > 0.5
    box = box_of(on) or whole(on)
    height = max(box.height, box.width * size[0] / size[1]) * _SURROUNDINGS
    scale = size[0] / height
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    matrix = np.array(
        [[scale, 0, size[1] / 2 - middle[0] * scale], [0, scale, size[0] / 2 - middle[1] * scale]]
    )
    solid = on.astype(np.float32)[..., None]
    seen = np.concatenate([(image.astype(np.float32) / 127.5 - 1) * solid, solid], axis=-1)
    # Shrunk first: warping alone would take single pixels.
    factor = max(1, int(1 / scale))
    if factor > 1:
        seen = cv2.blur(seen, (factor, factor))
    view = cv2.warpAffine(seen, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR)
    return np.ascontiguousarray(view.transpose(2, 0, 1))


@torch.no_grad()
def sleeve_length(network: SleeveLength, garment: Garment) -> float:
    """The share of the arm, from the shoulder to the wrist, that the garment's sleeves cover: in [0,1]."""
    pixels = np.rint((garment.image[0].movedim(0, -1).numpy().clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    seen = torch.from_numpy(sleeve_view(pixels, garment.matte[0, 0].numpy(), network.size))[None]
    weight = next(network.parameters())
    both = torch.cat([seen, seen.flip(-1)]).to(weight.device, weight.dtype)
    told = float(network(both).float().sigmoid().mean())
    if garment.cleaned_by in ("kept", "alpha"):
        return told
    return checked_length(told, garment.matte[0, 0].numpy())


def checked_length(told: float, matte: np.ndarray) -> float:
    """What the network told of a garment that is not a shop's picture, put right by its outline.

    Args:
        told: in [0,1].
        matte: (H,W) in [0,1].
    """
    scale = _OUTLINE_HEIGHT / matte.shape[0]
    size = max(1, round(matte.shape[1] * scale)), _OUTLINE_HEIGHT
    outline = cv2.resize(np.asarray(matte, np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    box = box_of(outline)
    if box is None or box.height < 2 / min(*_CAP_ROWS):
        return told
    widths = np.array([_extent(row) for row in outline[box.top : box.bottom]])
    first, last = (round(share * box.height) for share in _HUNG_ROWS)
    hung = np.median(widths[first:last]) >= _HUNG * widths.max() and box.width < _TALL * box.height
    spread = box.width > _SPREAD * _trunk_width(outline[box.window])
    if told > _NEARLY_LONG or (told > _HANGING and hung) or (told > _SPREAD_TOLD and spread):
        return 1.0
    first, last = (round(share * box.height) for share in _CAP_ROWS)
    widest = first + int(widths[first:last].argmax())
    below = widths[widest : round(_BELOW_CAP * box.height)].min()
    return max(told, _CAP_LENGTH) if told < _NO_SLEEVE and widths[widest] >= _CAP * below else told


def _extent(row: np.ndarray) -> int:
    """From the first to the last pixel that is on, of (W,) bool."""
    on = np.flatnonzero(row)
    return int(on[-1] - on[0] + 1) if on.size else 0


def _trunk_width(outline: np.ndarray) -> float:
    """The width of a garment's body, from (H,W) bool as tight as its box."""
    middle = int(np.median(np.nonzero(outline)[1]))
    first, last = (round(share * len(outline)) for share in _TRUNK_ROWS)
    runs = []
    for row in outline[first:last]:
        if row[middle]:
            off = np.flatnonzero(~np.pad(row, 1, constant_values=False))
            place = np.searchsorted(off, middle + 1)
            runs.append(off[place] - off[place - 1] - 1)
    return float(np.percentile(runs, _SLIM)) if runs else float(outline.shape[1])
