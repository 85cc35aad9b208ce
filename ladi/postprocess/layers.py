"""What the network painted, taken apart into wall, skin, garment and the rest, and put together again larger.

A picture of 256×192 enlarged four times looks like a smear because its edges are mixtures of what lies on
both sides. For each pixel it is known what it shows (``ladi.types.LAYERS``; by the decoder, or by a parser,
``seen.py``). Each layer's own colours are continued a little beyond its edge and enlarged by themselves,
where there is nothing to smear; the probabilities are enlarged too, and sharpened, so that the edge between
two layers is as narrow as the larger picture allows and as smooth as the small one was.

```
painted ─► own colours of each layer ─► enlarge ──┐
probabilities ─► enlarge ─► sharpen ──────────────┴─► weighted sum
```

It decides nothing about what of the photo is kept; that is ``kept.py``'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.preprocess.boxes import Box
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.morphology import nearest
from ladi.types import LAYERS, Frame, Layer, Size

UNSURE, SURE = 0.8, 0.98
"""Up to the first probability a pixel's colour may be another layer's, from the second on it is its own."""
REACH = 3.0
"""Standard deviation, in model pixels, over which a layer's colours are continued beyond its edge."""
LARGEST = 4
"""Times the model's size at which layers are put together; larger photos enlarge the rest of the way."""
SHARPNESS = 1.6
"""Exponent of the probabilities for each time that they are enlarged."""


def enlarge(picture: torch.Tensor, size: Size, part: Box | None = None) -> torch.Tensor:
    """Bicubic, as pasting back enlarges.

    OpenCV takes a twentieth of the time of PyTorch's own function, for the same numbers to a millionth.

    Args:
        picture: (B,C,H,W).
        size: (H',W') of the whole.
        part: of the picture, in its own pixels, which is enlarged alone; the whole unless given.

    Returns:
        (B,C,H',W'), or the part's share of that.
    """
    small = picture.shape[-2], picture.shape[-1]
    whole = Box(0, 0, *small)
    part = part or whole
    around = whole
    if size[0] % small[0] == 0 and size[1] % small[1] == 0:
        around = part.grown(_BICUBIC, small)
        size = around.height * size[0] // small[0], around.width * size[1] // small[1]
    planes = picture[(..., *around.window)].contiguous().flatten(0, 1).numpy()
    large = np.stack([cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC) for plane in planes])
    seen = enlarged_box(part.within(around), (around.height, around.width), size)
    return torch.from_numpy(large[(..., *seen.window)]).unflatten(0, picture.shape[:2])


_BICUBIC = 2
"""Pixels on either side that count in an enlarged one."""


def as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H,W,3) uint8 → (1,3,H,W) in [-1,1], channel after channel in memory."""
    planes = torch.from_numpy(np.stack(cv2.split(pixels)))[None]
    return planes.float().div_(127.5).sub_(1)


def enlarged_box(part: Box, small: Size, size: Size) -> Box:
    """A box of a picture in the same picture at another size."""
    down, across = size[0] / small[0], size[1] / small[1]
    edges = part.top * down, part.left * across, part.bottom * down, part.right * across
    return Box(*(round(edge) for edge in edges))


class Canvas(NamedTuple):
    """What a result is put together on: its size, and the part of it that is."""

    size: Size
    part: Box
    """At the model's size."""
    small: Size
    """The model's."""

    @property
    def window(self) -> tuple[slice, slice]:
        """The part at the result's size, for indexing."""
        return enlarged_box(self.part, self.small, self.size).window

    def enlarge(self, picture: torch.Tensor) -> torch.Tensor:
        """The part of a picture at the model's size, enlarged: (B,C,h,w) → (B,C,h',w')."""
        return enlarge(picture, self.size, self.part)

    def whole(self, part: np.ndarray) -> np.ndarray:
        """The part (h',w') bool in a mask of the whole."""
        whole = np.zeros(self.size, bool)
        whole[self.window] = part
        return whole


def blur(picture: torch.Tensor, deviation: float) -> torch.Tensor:
    """Gaussian, the border repeated: (B,C,H,W) → same."""
    reach = max(1, round(3 * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1, dtype=np.float32) / deviation) ** 2)
    weights /= weights.sum()
    planes = picture.contiguous().flatten(0, 1).numpy()
    soft = [cv2.sepFilter2D(plane, -1, weights, weights, borderType=cv2.BORDER_REPLICATE) for plane in planes]
    return torch.from_numpy(np.stack(soft)).unflatten(0, picture.shape[:2])


def own_colours(picture: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """A layer's colours, continued beyond its edge.

    Args:
        picture: (B,3,H,W).
        share: (B,1,H,W) in [0,1], the layer's probability.

    Returns:
        (B,3,H,W): unchanged where the layer is sure, a mean of the surest colours nearby elsewhere. Far from
        the layer, where nothing shows of it, it is unchanged too.
    """
    sure = ((share - UNSURE) / (SURE - UNSURE)).clamp(0, 1)
    near = blur(torch.cat([picture * sure, sure], dim=1), REACH)
    colours, amount = near[:, :3], near[:, 3:]
    continued = torch.where(amount > 1e-3, colours / amount.clamp_min(1e-3), picture)
    return picture * sure + continued * (1 - sure)


def sharpened(probabilities: torch.Tensor, size: Size) -> torch.Tensor:
    """Probabilities (B,K,H,W) at a larger size, with edges as narrow as that size allows: (B,K,*size)."""
    times = size[0] / probabilities.shape[-2]
    # Softened first by what the exponent then takes back, so that no model pixel shows as a step.
    soft = blur(probabilities, 0.5 * times**0.5) if times > 1 else probabilities
    large = enlarge(soft, size).clamp_min(1e-6).pow(max(1.0, SHARPNESS * times))
    return large / large.sum(1, keepdim=True)


_SMOOTHED = 2.2
"""Standard deviation, in model pixels, by which a layer's outline is smoothed."""
_EDGE, _NARROWEST = 0.5, 2.0
"""Width of an edge between two layers, from nine parts of ten of the one to nine of the other, in model
pixels, and in the result's own where these are larger."""
_TENTH_TO_TENTH, _NOTHING = 4.4, 0.004
"""That width of a logistic step of slope 1; and a share that is none."""
_SMALLEST = 30
"""Pixels, at a height of 256, below which a piece of a layer is a mistake."""


def shapes(probabilities: torch.Tensor, size: Size, part: Box | None = None) -> torch.Tensor:
    """What shows where, at a larger size, as shapes: each pixel is one layer's, but for narrow, smooth edges.

    Args:
        probabilities: (1,K,H,W).
        size: of the result.
        part: see ``enlarge``.

    Returns:
        (1,K,*size) in [0,1], together 1.
    """
    count, height = probabilities.shape[1], probabilities.shape[-2]
    first = blur(probabilities, 0.7).argmax(1)[0].numpy()
    whole = _one_hot(torch.from_numpy(_without_pieces(first, count))[None], count)
    large = enlarge(blur(whole, _SMOOTHED), size, part)
    # Steep, not cut: an outline that was cut at a smaller size would have steps.
    width = max(_NARROWEST * height / size[0], _EDGE)
    steep = _TENTH_TO_TENTH * _SMOOTHED * math.sqrt(2 * math.pi) / (2 * width)
    shares = (torch.softmax(steep * large, dim=1) - _NOTHING).clamp(min=0)
    return shares / shares.sum(1, keepdim=True)


def _one_hot(numbers: torch.Tensor, count: int) -> torch.Tensor:
    """(1,H,W) → (1,K,H,W)."""
    return functional.one_hot(numbers.long(), count).movedim(-1, 1).float()


def _without_pieces(numbers: np.ndarray, count: int) -> np.ndarray:
    """Layers (H,W) in which small pieces belong to what is around them."""
    least = _SMALLEST * (len(numbers) / 256) ** 2
    doubtful = np.zeros(numbers.shape, bool)
    for number in range(count):
        patches, _ = ndimage.label(numbers == number)
        sizes = np.bincount(patches.ravel())
        doubtful |= (patches > 0) & (sizes < least)[patches]
    if not doubtful.any() or doubtful.all():
        return numbers
    rows, columns = ndimage.distance_transform_edt(doubtful, return_distances=False, return_indices=True)
    return np.asarray(numbers[rows, columns])


class LayeredPicture(NamedTuple):
    """Pictures as layers, each with its own colours everywhere."""

    colours: Mapping[int, torch.Tensor]
    """(B,3,H,W) in [-1,1] each, by the layer's number in ``LAYERS``."""
    shares: torch.Tensor
    """(B,K,H,W) in [0,1], together 1."""

    def whole(self) -> torch.Tensor:
        """The layers on each other: (B,3,H,W) in [-1,1]."""
        total = torch.zeros_like(next(iter(self.colours.values())))
        for number, colour in self.colours.items():
            total.addcmul_(self.shares[:, number : number + 1], colour)
        return total.clamp_(-1, 1)

    def cut_outs(self) -> dict[Layer, np.ndarray]:
        """The first picture's layers by themselves, as programs for pictures open them.

        Returns:
            (H,W,4) uint8 RGBA for each layer that shows anywhere.
        """
        cut = {}
        for number, layer in enumerate(LAYERS):
            alpha = np.rint(self.shares[0, number].numpy() * 255).astype(np.uint8)
            if alpha.any():
                cut[layer] = np.dstack([to_pixels(self.colours[number][:1].clamp(-1, 1)), alpha])
        return cut


def recompose(
    picture: torch.Tensor,
    probabilities: torch.Tensor,
    size: Size,
    detail: dict[int, torch.Tensor] | None = None,
) -> LayeredPicture:
    """A painted picture at a larger size, layer by layer.

    Args:
        picture: (B,3,H,W) in [-1,1].
        probabilities: (B,K,H,W).
        size: of the result.
        detail: (B,3,*size) each, what is added to a layer's enlarged colours, by its number.
    """
    colours = {}
    for number in range(probabilities.shape[1]):
        colours[number] = enlarge(own_colours(picture, probabilities[:, number : number + 1]), size)
        if detail is not None and number in detail:
            colours[number] = colours[number] + detail[number]
    return LayeredPicture(colours, sharpened(probabilities, size))


def canvas_size(frame: Frame, least: int = 1) -> Size:
    """The whole multiple of the model's size, at least so much, that comes up to the photo's."""
    height, width = frame.size
    times = min(LARGEST, max(least, round(1 / frame.scale)))
    return times * height, times * width


def certainly(shown: np.ndarray, region: np.ndarray, layer: int) -> np.ndarray:
    """Layers (K,H,W) that are one layer for certain in a region (H,W) bool."""
    certain = np.eye(len(LAYERS), dtype=shown.dtype)[layer]
    return np.where(region, certain[:, None, None], shown)


def as_nearest(shown: np.ndarray, region: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Layers (K,H,W) that are, in a region (H,W) bool, for certain what the nearest pixel of a source is."""
    certain = np.eye(len(LAYERS), dtype=shown.dtype)[shown.argmax(0)[nearest(source)]].transpose(2, 0, 1)
    return np.where(region, certain, shown)
