"""A coat that is longer than the window: seen to its hem, and what it hides told by what is seen below it.

```
a coat leaves the window ─► a wider one ─► does it end there? ─► are there trousers, or a skirt? ─► taken
```

Whoever wears a dress is left in the window: it stays below a new top.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table, named
from ladi.preprocess.limbs import Limbs
from ladi.preprocess.shades import in_lab
from ladi.types import Frame, LabelScheme, Size

_COATS = ("upper_clothes", "coat")
_LEGS = ("left_leg", "right_leg")
_LEAVES = 0.08
"""Share of a window's last row from which on a coat leaves it."""
_LOWER = 0.01
"""Share of the wider window that trousers or a skirt must have."""
_ROOM, _FARTHER = 0.02, 1.5
"""What the photo must go on below, and how much taller a window becomes, of its height."""
_UNLIKE = 60.0
"""Distance, in CIELAB of 8 bit, of legs from the face, from which on they are no bare ones."""
_HEM, _THIGHS = 3, 0.45
"""Pixels at a height of 256 below a long coat's hem that may be coat all the same; and how far below the
hips, in torsos, it ends at least."""
_ABOVE, _UPON = 4, 0.5
"""Pixels at a height of 256 below a skirt where legs are looked at, and the share of these in trousers from
which on it is a coat."""


def wider_window(frame: Frame, labels: np.ndarray, photo_size: Size, scheme: LabelScheme) -> Frame | None:
    """A wider window, where a coat or dress leaves this one and the photo goes on below; else ``None``.

    Args:
        frame: upright.
        labels: (H,W) of what it shows.
        photo_size: the window goes no lower than the photo.
        scheme: of the labels.
    """
    room = photo_size[0] - (frame.top + frame.height)
    if not _leaves(labels, scheme) or frame.angle or room < _ROOM * frame.height:
        return None
    tall = frame.height + min(room, (_FARTHER - 1) * frame.height)
    wide = tall * frame.width / frame.height
    return replace(frame, left=frame.left + (frame.width - wide) / 2, width=wide, height=tall)


def _leaves(labels: np.ndarray, scheme: LabelScheme) -> bool:
    """Whether a coat or a dress goes on below what labels (H,W) show."""
    last = labels[-1:]
    coat, dress = (named(last, scheme, names).mean() for names in (_COATS, ("dress",)))
    return bool(max(coat, dress) > _LEAVES)


def labels_below_coat(
    first: np.ndarray, labels: np.ndarray, image: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme
) -> np.ndarray | None:
    """The wider window's labels, where trousers or a skirt are seen below the coat; ``None`` if not.

    Args:
        first: (H,W), of the narrower window.
        labels: (H,W), of the wider one.
        image: (H,W,3) uint8, the wider one.
        keypoints: (18,3) in it, in pixels.
        scheme: of the labels.
    """
    table, last = label_table(scheme), first[-1:]
    if named(last, scheme, ("dress",)).sum() > named(last, scheme, _COATS).sum():
        # Below a dress are tights; only below a coat that was taken for one are trousers.
        told = _no_skirt_over_trousers(labels, scheme)
        return _from_its_hem(told, keypoints, scheme) if (told == table["pants"]).mean() >= _LOWER else None
    if not _shows(labels, scheme):
        labels = _covered_legs(labels, image, scheme)
    return _from_its_hem(labels, keypoints, scheme) if _shows(labels, scheme) else None


def _shows(labels: np.ndarray, scheme: LabelScheme) -> bool:
    return bool(named(labels, scheme, ("pants", "skirt")).mean() >= _LOWER)


def _covered_legs(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels (H,W) in which legs that have nothing of the face's colour are in trousers."""
    face = named(labels, scheme, ("face", "head"))
    if not face.any():
        return labels
    colours, result = in_lab(image), labels.copy()
    skin = np.median(colours[face], axis=0)
    for name in _LEGS:
        leg = named(labels, scheme, (name,))
        if leg.any() and np.linalg.norm(np.median(colours[leg], axis=0) - skin) > _UNLIKE:
            result[leg] = label_table(scheme)["pants"]
    return result


def _no_skirt_over_trousers(labels: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels (H,W) in which a skirt or dress that ends on trousers is a coat."""
    table = label_table(scheme)
    reach = max(1, round(_ABOVE * len(labels) / 256))
    skirt, trousers = named(labels, scheme, ("skirt", "dress")), named(labels, scheme, ("pants",))
    legs, result = trousers | named(labels, scheme, _LEGS), labels.copy()
    pieces, count = ndimage.label(skirt)
    for number in range(1, count + 1):
        piece = pieces == number
        below = ndimage.shift(piece, (reach, 0), order=0) & ~piece & legs
        if below.any() and trousers[below].mean() >= _UPON:
            result[piece] = table["coat"] if "coat" in table else table["upper_clothes"]
    return result


def _from_its_hem(labels: np.ndarray, keypoints: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels (H,W) in which what is close below a coat is coat: trousers go on up with no rest of it.

    A jacket's hem, and a coat's fronts beside trousers, are seen well enough.
    """
    coat, trousers = named(labels, scheme, _COATS), named(labels, scheme, ("pants",))
    limbs = Limbs(keypoints, labels > 0)
    thighs = np.arange(len(labels))[:, None] > limbs.hip_row + _THIGHS * limbs.torso
    reach = max(1, round(_HEM * len(labels) / 256))
    below = np.zeros_like(coat)
    for rows in range(1, reach + 1):
        below[rows:] |= coat[:-rows]
    ragged = trousers & thighs & below
    if not ragged.any():
        return labels
    nearest = ndimage.distance_transform_edt(~coat, return_distances=False, return_indices=True)
    return np.where(ragged, labels[tuple(nearest)], labels)
