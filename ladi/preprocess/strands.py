"""Where the garment shows through the rim of the hair that lies on it, told by the colours of both.

Labels end hair along a smooth line; between its strands the old garment shows. A pixel's colour is taken as a
mixture of hair's and of one of the garment's shades (matting with two known colours). Where surely labelled
hair and cloth are not told apart so, labels count alone. Strands beyond the labelled hair are not looked for:
what was found of them were crumbs of the old garment's print.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

from ladi.preprocess.boxes import box_of
from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.preprocess.shades import shades_of
from ladi.types import LabelScheme

_HEIGHT = 256
"""The lengths below are pixels at this height of the window."""
_WITHIN = 5
"""How far into labelled hair a pixel may be both."""
_SURE, _RIM, _NEAR = 4, 3, 25
"""So deep hair is hair for sure; between the other two distances from it cloth is cloth."""
_LEAST = 40
"""Pixels of both that must be there."""
_LOCAL = 6.0
"""Standard deviation over which colours, and how well they tell, are evened out."""
_CLOTH_SPREAD, _HAIR_SPREAD, _NARROWEST = 1.2, 0.8, 0.15
"""How many standard deviations around cloth and hair, on the line between them, are all of the one; and what
is at least left of that line."""
_APART = (18.0, 38.0)
"""Difference of colours (RGB of 8 bit) up to which they tell nothing, and from which they do."""
_LOST, _FOUND = 0.22, 0.12
"""Share of sure hair taken for cloth, and of cloth for hair, at which trust falls; at one and a half times
that none is left."""
_WHOLE = 0.85
"""Share of hair from which a pixel is all hair."""
_THREAD = 2
"""Half the width of hair along cloth that is no thread."""
_SHADES_FROM = 4000
"""Pixels that shades are taken from, at most."""


def shares_of_hair(image: np.ndarray, hair: np.ndarray, worn: np.ndarray) -> np.ndarray | None:
    """Looks along the line between hair and what is worn below it.

    Args:
        image: (H,W,3) uint8.
        hair: (H,W) bool.
        worn: (H,W) bool, the garment that it lies on.

    Returns:
        (H,W) float32 in [0,1], how much of a labelled pixel is hair, 1 where colours do not tell, else 0;
        ``None`` where hair and garment do not touch, or too little of either is seen.
    """
    scale = len(image) / _HEIGHT
    to_hair, to_worn = _distance(hair) / scale, _distance(worn) / scale
    rim = hair & (to_worn < _WITHIN)
    around = box_of(rim)
    if around is None:
        return None
    part = around.grown(round(_NEAR * scale), hair.shape).window
    sure_hair = hair[part] & (to_worn[part] > _SURE)
    sure_cloth = worn[part] & (to_hair[part] > _RIM) & (to_hair[part] < _NEAR)
    if min(sure_hair.sum(), sure_cloth.sum()) < _LEAST * scale**2:
        return None
    pixels = image[part].astype(np.float32)
    even = _LOCAL * scale
    cloth = pixels[sure_cloth]
    shades = shades_of(cloth[:: max(1, len(cloth) // _SHADES_FROM)])
    share, apart = _mixtures(pixels, _around(pixels, sure_hair, even), shades, sure_hair, sure_cloth)
    share = cv2.GaussianBlur(share, (0, 0), max(0.3, 0.25 * scale))
    lost, found = (_around(one, where, even) for one, where in ((1 - share, sure_hair), (share, sure_cloth)))
    trust = apart * (1.5 - lost / _LOST).clip(0, 1) * (1.5 - found / _FOUND).clip(0, 1)
    trust = cv2.GaussianBlur(trust.astype(np.float32), (0, 0), 1.5 * scale) * rim[part]
    share = np.maximum(share, (to_worn[part] / _WITHIN).clip(0, 1) ** 2)
    whole = hair.astype(np.float32)
    whole[part] *= trust * share + (1 - trust)
    return whole


def uncover_cloth(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which the rim of hair through which the garment shows is the garment's, to be repainted.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes.
    """
    hair = named(labels, scheme, ("hair",))
    worn = named(labels, scheme, UPPER_CLOTHING)
    share = shares_of_hair(image, hair, worn)
    if share is None:
        return labels
    pieces, _ = ndimage.label(worn | (hair & (share < _WHOLE)))
    shown = hair & np.isin(pieces, np.unique(pieces[worn])) & (pieces > 0)
    # What is left of it in threads is a fold of the cloth, or a notch of the labels.
    left, thick = hair & ~shown, max(1, round(_THREAD * len(labels) / _HEIGHT))
    solid = ndimage.binary_dilation(ndimage.binary_opening(left, iterations=thick), iterations=thick)
    shown |= left & ~solid & ndimage.binary_dilation(worn | shown, iterations=thick)
    rows, columns = ndimage.distance_transform_edt(~worn, return_distances=False, return_indices=True)
    return np.where(shown, labels[rows, columns], labels)


def _mixtures(
    pixels: np.ndarray, own: np.ndarray, shades: np.ndarray, hair: np.ndarray, cloth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel between hair and the shade of cloth that explains it best.

    Args:
        pixels: (H,W,3) float32.
        own: (H,W,3) float32, hair's colour nearby.
        shades: (K,3), the cloth's.
        hair: (H,W) bool, surely that.
        cloth: (H,W) bool, likewise.

    Returns:
        The hair's share and how far apart both colours are, (H,W) float32 in [0,1].
    """
    nearest = np.linalg.norm(pixels[:, :, None] - shades, axis=-1).argmin(-1)
    share, apart = np.ones(hair.shape, np.float32), np.zeros(hair.shape, np.float32)
    for number, shade in enumerate(shades):
        line = own - shade
        length = np.linalg.norm(line, axis=-1)
        along = ((pixels - shade) * line).sum(-1) / np.maximum(length, 1) ** 2
        members = cloth & (nearest == number)
        spread = np.sqrt((along[members] ** 2).mean()) if members.any() else 0.0
        low, high = _CLOTH_SPREAD * spread, 1 - _HAIR_SPREAD * np.sqrt(((along[hair] - 1) ** 2).mean())
        told = ((length - _APART[0]) / (_APART[1] - _APART[0])).clip(0, 1) * np.clip((high - low) / 0.3, 0, 1)
        here = ((along - low) / max(high - low, _NARROWEST)).clip(0, 1)
        better = (told > 0.5) & ((here < share) | (apart <= 0.5))
        share, apart = np.where(better, here, share), np.where(better, told, apart)
    return share.astype(np.float32), apart.astype(np.float32)


def _around(values: np.ndarray, where: np.ndarray, deviation: float) -> np.ndarray:
    """Mean of values (H,W) or (H,W,C) where they count, nearby: same shape, float32.

    Taken from a small copy: it is smooth.
    """
    height, width = where.shape
    times = max(1, round(deviation / 4))
    size = max(1, width // times), max(1, height // times)
    planes = values.reshape(height, width, -1) * where[..., None]
    stacked = np.dstack([planes, where.astype(np.float32)]).astype(np.float32)
    small = cv2.resize(stacked, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), deviation / times)
    mean = soft[..., :-1] / np.maximum(soft[..., -1:], 1e-4)
    return cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR).reshape(values.shape)


def _distance(region: np.ndarray) -> np.ndarray:
    """(H,W) bool → (H,W) float32, how far each pixel is from the region."""
    if not region.any():
        return np.full(region.shape, np.inf, np.float32)
    return cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
