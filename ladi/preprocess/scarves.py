"""Which of what lies around a neck is a scarf, told by its colours.

A parser takes a scarf's folds for a neck or for the coat below. A scarf stays before a new garment; what is
taken for a neck or a coat is painted anew, and half a scarf is left. On labelled street photos this raises
the overlap of scarves from 0.33 to 0.43, of necks from 0.653 to 0.662. What has become scarf tells of more of
it: asked twice, they have 0.416 instead of 0.402 when all else is settled. With folds as low as anywhere of
the scarf it would be 0.463, but a black shawl before a black top was cut off level then, and marked worse.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import label_table, named
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LabelScheme

_HEIGHT = 256
"""The lengths below are pixels at this height."""
_NECKS, _FACES = ("neck", "vitonhd_neck"), ("face", "head")
_WORN, _LOWER = ("upper_clothes", "dress", "coat"), ("pants", "skirt")
_SKIN = 40
"""Pixels of a neck and of a face whose middles can be compared."""
_PALE = 8.0
"""How much less red (a* of CIELAB in 8 bit) than its face what is taken for a neck is if it is none: of 808
labelled necks one in fifty."""
_OF_FACE = 0.36
"""Of a face's pixels, what its folds have at least."""
_SCARF, _REST = 300, 200
"""Pixels from which on a scarf's shades and those of what is worn beside it are known."""
_REACH, _BEYOND = 26, 12
"""How far from a scarf its folds may be; from where on what is worn is surely none of it."""
_LIKE, _CLOSER = 16.0, 0.6
"""How near to a scarf's shades a pixel must be (CIELAB of 8 bit), and how much nearer than to the others'."""
_LOWER_BY = 4
"""How much lower than what is labelled a scarf may end."""
_ROUNDS = 2
"""How often a scarf is looked for, at most."""
_SHADE = 0.08
"""Share of what is worn that a shade has at least."""


def settle_scarf(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels in which what is no skin is no neck, and what has a scarf's colours, around it, is scarf.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of ``labels``.

    Returns:
        (H,W), the same array where nothing changes, or the scheme knows no scarves.
    """
    number = label_table(scheme).get("scarf")
    if number is None:
        return labels
    for _ in range(_ROUNDS):
        before, labels = labels, _grown(labels, image, number, scheme)
        if labels is before:
            break
    return labels


def _grown(labels: np.ndarray, image: np.ndarray, number: int, scheme: LabelScheme) -> np.ndarray:
    """The same, asked once."""
    times, colours = len(labels) / _HEIGHT, in_lab(image)
    face = ndimage.binary_erosion(named(labels, scheme, _FACES), iterations=2)
    neck = named(labels, scheme, _NECKS)
    inner = ndimage.binary_erosion(neck)
    if min(inner.sum(), face.sum()) >= _SKIN * times**2:
        tones = [np.median(colours[part], axis=0) for part in (face, inner)]
        # Less than a scarf's folds is a collar, or a beard's shade, and painted anew like any neck.
        enough = _OF_FACE * named(labels, scheme, _FACES).sum()
        if tones[0][1] - tones[1][1] > _PALE and (neck | (labels == number)).sum() >= enough:
            labels = np.where(neck, number, labels).astype(labels.dtype)
    worn = named(labels, scheme, (*_WORN, *_NECKS))
    scarf = labels == number
    # A skirt below it may be a dress, and taken for the one or the other.
    others = (worn & ~neck) | named(labels, scheme, _LOWER)
    folds = _folds(scarf, worn, others, face, colours)
    # What a scarf, the face and hair close in is as it was: the new garment does not show there.
    around = scarf | folds | named(labels, scheme, (*_FACES, "hair"))
    closed = ndimage.binary_fill_holes(around) & worn & ~around
    if (scarf | folds).sum() >= _SCARF * times**2:
        folds |= closed
    return np.where(folds, number, labels).astype(labels.dtype) if folds.any() else labels


def _folds(
    scarf: np.ndarray, doubtful: np.ndarray, worn: np.ndarray, face: np.ndarray, colours: np.ndarray
) -> np.ndarray:
    """What of a doubtful region belongs to a scarf: (H,W) bool.

    Args:
        scarf: (H,W) bool.
        doubtful: likewise.
        worn: likewise, what is worn beside it.
        face: likewise.
        colours: (H,W,3) CIELAB.
    """
    times = len(scarf) / _HEIGHT
    nothing = np.zeros_like(scarf)
    if scarf.sum() < _SCARF * times**2:
        return nothing
    away = ndimage.distance_transform_edt(~scarf)
    # No lower than the scarf is seen there, or it would be cut off level.
    columns = np.flatnonzero(scarf.any(0))
    lowest = np.interp(np.arange(scarf.shape[1]), columns, len(scarf) - scarf[::-1, columns].argmax(0))
    above = np.arange(len(scarf))[:, None] < lowest + _LOWER_BY * times
    doubtful = doubtful & above & (away < _REACH * times)
    rest = worn & (away > _BEYOND * times)
    inner = ndimage.binary_erosion(scarf, iterations=2)
    if rest.sum() < _REST * times**2 or not doubtful.any() or inner.sum() < _SKIN * times**2:
        return nothing
    others = distance_to(colours[doubtful], shades_of(colours[rest], least=_SHADE))
    if face.sum() >= _SKIN * times**2:
        to_face = distance_to(colours[doubtful], np.median(colours[face], axis=0)[None])
        others = np.where(worn[doubtful], others, np.minimum(others, to_face))
    own = distance_to(colours[doubtful], shades_of(colours[inner]))
    folds = nothing.copy()
    folds[doubtful] = (own < _LIKE) & (own < _CLOSER * others)
    folds = (ndimage.median_filter((folds | scarf).astype(np.uint8), 5) > 0) & doubtful
    pieces, _ = ndimage.label(folds | scarf)
    return np.asarray(folds & np.isin(pieces, np.unique(pieces[scarf])))
