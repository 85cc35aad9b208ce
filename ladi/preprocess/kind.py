"""Ask the network what kind of garment a picture shows, and which way up it is.

It prepares what the network sees and gives its answer a certainty. What a model does with trousers when it
knows tops only is ``category.py``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image

from ladi.preprocess.boxes import box_of, whole

if TYPE_CHECKING:
    from ladi.models.kind import GarmentKind

_ON = 0.5
_SURROUNDINGS = 1.08
"""The square that the network sees, by the garment's larger side."""
_LOOK_SIDE = 512


class Judged(NamedTuple):
    """What a garment looks like to the network."""

    kind: str
    """One of ``ladi.models.kind.KINDS``."""
    certainty: float
    """In [0,1]; of a top being a top, say."""
    turn: int
    """Degrees by which the picture must be turned to the right for the garment to hang upright."""
    turn_certainty: float
    shares: Mapping[str, float] = MappingProxyType({})
    """The certainty of every kind, where it is known."""

    def certainty_of(self, kinds: Collection[str]) -> float:
        """How certain it is that this is one of some kinds."""
        if self.shares:
            return sum(self.shares[kind] for kind in kinds)
        return self.certainty if self.kind in kinds else 1 - self.certainty


def judge(network: GarmentKind, pixels: np.ndarray, matte: np.ndarray) -> Judged:
    """What kind of garment this is; the mean of the picture and its mirror image.

    Args:
        network: on any device.
        pixels: (H,W,3) uint8 RGB.
        matte: (H,W) in [0,1], 1 = garment.
    """
    from ladi.models.kind import KINDS, TURNS  # which imports diffusers

    weight = next(network.parameters())
    seen = _square(pixels, matte, network.config.side).to(weight.device, weight.dtype)  # [1,4,S,S]
    with torch.inference_mode():
        kinds, turns = network(torch.cat([seen, seen.flip(-1)]))
    likely = kinds.float().softmax(1).mean(0)
    plain, mirrored = turns.float().softmax(1)
    # In a mirror, a turn to the left is one to the right.
    turned = (plain + mirrored[[0, 3, 2, 1]]) / 2
    kind, turn = int(likely.argmax()), int(turned.argmax())
    shares = dict(zip(KINDS, likely.tolist(), strict=True))
    return Judged(KINDS[kind], float(likely[kind]), TURNS[turn], float(turned[turn]), shares)


def _square(pixels: np.ndarray, matte: np.ndarray, side: int) -> torch.Tensor:
    """The garment with a little around it, as the network was trained: (1,4,S,S)."""
    shown, soft = Image.fromarray(pixels), Image.fromarray(np.rint(matte * 255).astype(np.uint8))
    shown.thumbnail((_LOOK_SIDE, _LOOK_SIDE), Image.Resampling.BOX)
    colours, alpha = np.asarray(shown), np.asarray(soft.resize(shown.size, Image.Resampling.BOX))
    on = alpha > _ON * 255
    height, width = alpha.shape
    box = box_of(on) or whole(on)
    length = max(box.height, box.width) * _SURROUNDINGS
    x, y = (box.left + box.right - length) / 2, (box.top + box.bottom - length) / 2
    around = int(max(0, -x, -y, x + length - width, y + length - height)) + 2
    colours = np.pad(colours, ((around, around), (around, around), (0, 0)), mode="edge")
    alpha = np.pad(alpha, around)
    square = (x + around, y + around, x + around + length, y + around + length)
    small, cover = (
        np.asarray(Image.fromarray(part).resize((side, side), Image.Resampling.BILINEAR, box=square))
        for part in (colours, alpha)
    )
    seen = np.concatenate(
        [small.astype(np.float32) / 127.5 - 1, cover[..., None].astype(np.float32) / 255], -1
    )
    return torch.from_numpy(seen).movedim(-1, 0)[None]
