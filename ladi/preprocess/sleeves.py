"""Ask the network how long a garment's sleeves are."""

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
    return float(network(both).float().sigmoid().mean())
