"""Labels that agree where a photo's colours do: what is near and looks alike is one thing.

A small network is unsure in patches: half of a coat is trousers to it, a strap is sleeve. Its probabilities
are therefore averaged over what is near in place and colour, and again with what comes of it, as the mean
field of a fully connected CRF is found (Krähenbühl & Koltun, 2011); the average is taken over cells of grids
of place and colour, each of them shifted, which is simple and quick. Probabilities are added up first over
labels that are taken away or kept together: a patch that is half coat and half shirt is no trousers.

On labelled street photos, upper bodies, this raises the overlap of what is worn above from 0.824 to 0.835,
of trousers and skirts from 0.602 to 0.609, of arms from 0.712 to 0.726, of hair from 0.692 to 0.707, of bags
from 0.506 to 0.540.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import LIP
from ladi.preprocess.shades import in_lab
from ladi.types import Category

GROUPS: tuple[tuple[str, ...], ...] = (
    ("background",),
    ("upper_clothes", "dress", "coat"),
    ("pants", "skirt"),
    ("left_arm", "right_arm", "glove"),
    ("left_leg", "right_leg", "socks"),
    ("left_shoe", "right_shoe"),
    ("face", "sunglasses"),
    ("hair",),
    ("hat",),
    ("neck", "vitonhd_neck"),
    ("bag",),
    ("scarf",),
)
"""LIP's labels that are decided about together."""
LOWER = ("pants", "skirt")
LIKELY_LOWER: dict[Category, float] = {"upper_body": 0.6, "lower_body": 1.0, "dresses": 1.0}
"""By how much these are less likely than the network says beside shirts and coats, by what is replaced. Where
half a body is seen, it takes hems for them more often than the contrary, and an old hem that shows is worse
than trousers that begin lower."""
_TOPS = ("upper_clothes", "coat")
_BESIDE, _SHARE = 8 / 256, 0.5
"""What is beside these: standard deviation of their neighbourhood, of the picture's height, and how much of
it they must fill for the full effect."""
_ROUNDS, _GRIDS = 2, 4
"""Of averaging, and grids in each."""
_PLACE = 60 / 256
"""Side of a cell, of the picture's height."""
_SIDES = (21.0, 14.0, 14.0)
"""And of 255, of CIELAB's axes: a thing's shadows differ in lightness."""
_WEIGHT = 0.7
"""Of what the surroundings say, beside the network's own word."""
_SURE = 0.8
"""Share of a group from which on the network is sure of it."""
_FLOOR = 0.02
"""Of a probability: the network is never sure."""


def agree(shares: np.ndarray, image: np.ndarray, *, lower: float = 1.0) -> np.ndarray:
    """How likely each group of labels is, by the network's word and the picture's colours.

    Args:
        shares: (C,H,W) in [0,1], the probability of each of LIP's first C labels.
        image: (H,W,3) uint8, the same window.
        lower: by how much trousers and skirts are less likely, beside tops, than the network says.

    Returns:
        (len(GROUPS),H,W) in [0,1]; the same for the same arguments.
    """
    own = np.log(np.stack([shares[group].sum(0) for group in _numbers(len(shares))]) + _FLOOR)
    tops = ndimage.gaussian_filter(shares[[LIP[name] for name in _TOPS]].sum(0), _BESIDE * len(image))
    own[GROUPS.index(LOWER)] += np.log(lower) * (tops / _SHARE).clip(0, 1)
    cells, field = _cells(image), _normalized(own)
    for one in range(_ROUNDS):
        around = _mean_of_alike(field, cells[one * _GRIDS : (one + 1) * _GRIDS])
        field = _normalized(own + _WEIGHT * np.log(around + _FLOOR))
    return field


def likeliest(field: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The labels: of the likeliest group the likeliest one.

    Args:
        field: (len(GROUPS),H,W), of ``agree``.
        shares: (C,H,W), the network's probabilities.

    Returns:
        (H,W) uint8 in LIP.
    """
    decided, labels = field.argmax(0), np.zeros(shares.shape[1:], np.uint8)
    for index, group in enumerate(_numbers(len(shares))):
        if group:
            labels = np.where(decided == index, np.asarray(group, np.uint8)[shares[group].argmax(0)], labels)
    return labels


def where_sure(shares: np.ndarray) -> np.ndarray:
    """Where the network by itself is so sure of a group that no colours need to be asked.

    Args:
        shares: (C,H,W) in [0,1], the network's probabilities.

    Returns:
        (H,W) bool.
    """
    return np.asarray(np.stack([shares[group].sum(0) for group in _numbers(len(shares))]).max(0) > _SURE)


def _numbers(count: int) -> list[list[int]]:
    """The labels of each group that a network of so many has."""
    return [[LIP[name] for name in names if LIP[name] < count] for names in GROUPS]


def _cells(image: np.ndarray) -> list[np.ndarray]:
    """For each of all grids, in which of its cells each pixel lies: (H·W,) from 0."""
    height, width = image.shape[:2]
    down, along = np.mgrid[:height, :width] / (_PLACE * height)
    features = np.stack([down, along, *np.moveaxis(in_lab(image) / _SIDES, -1, 0)]).reshape(5, -1)
    shifts = np.random.default_rng(0).random((_ROUNDS * _GRIDS, 5, 1))
    results = []
    for shift in shifts:
        place = np.floor(features + shift).astype(np.int64)
        place -= place.min(1, keepdims=True)
        results.append(np.ravel_multi_index(tuple(place), tuple(place.max(1) + 1)))
    return results


def _mean_of_alike(field: np.ndarray, grids: list[np.ndarray]) -> np.ndarray:
    """The mean of each value over a pixel's cell, and over grids: (G,H,W) → (G,H,W)."""
    flat = field.reshape(len(field), -1)
    total = np.zeros_like(flat)
    for cells in grids:
        sizes = np.maximum(np.bincount(cells), 1)
        for values, result in zip(flat, total, strict=True):
            result += (np.bincount(cells, values) / sizes)[cells]
    return (total / len(grids)).reshape(field.shape)


def _normalized(logs: np.ndarray) -> np.ndarray:
    """Probabilities (G,H,W) from their logarithms, but for a factor."""
    values = np.exp(logs - logs.max(0))
    return np.asarray(values / values.sum(0))
