"""Where a worn garment ends, decided by the photo's colours rather than by a small network's guess.

A parser is right about what is worn, and a few pixels off about its outline: a hem taken for the trousers, a
pocket for a bag. Colour models of garment and surroundings (GrabCut, Rother et al., 2004) settle the pixels
near the outline; what is far from it stays as it is, and so does what the network is sure of. Where hair or
shoes have the garment's colours too, a cut between garment and all the rest cannot tell: so what is left of
trousers, skirts, bags and scarves beside the garment is compared with both, thing by thing. On labelled
street photos, upper bodies, both raise the overlap of what is worn above from 0.835 to 0.844, of bags from
0.540 to 0.566. What has changed sides tells of more: with both asked twice, and that twice over, 0.846 of
what is worn above is 0.853, 0.632 of trousers and skirts 0.654, 0.424 of dresses 0.436.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.colour_cut import BEHIND, FRONT, PERHAPS_BEHIND, PERHAPS_FRONT, cut_by_colour
from ladi.preprocess.labels import label_table
from ladi.preprocess.shades import distance_to, in_lab, shades_of
from ladi.types import LabelScheme

_BAND = 6
"""Pixels, at a height of 256, on either side of the outline that are in question."""
_LEAST = 300
"""Pixels, at a height of 256, that garment and surroundings need for a model of their colours."""
_ROUNDS, _AGAIN = 2, 2
_QUESTIONED = ("pants", "skirt", "bag", "scarf", "hat")
"""What a garment is told from by its colour. Skin, hair and walls are left out: on labelled street photos
colours do worse there than the parser."""
_WORN = ("upper_clothes", "dress", "coat")
_COMPARED = ("pants", "skirt", "bag", "scarf")
_REACH, _NEAR, _INSIDE = 12, 25, 2
"""Pixels, at a height of 256: so near the garment a thing is in doubt; so near the doubt, and so far within
the garment, its shades are taken."""
_CLOSER, _DIFFERENT = 0.7, 14.0
"""So much nearer to the garment's shades than to the thing's own a pixel must be, and so far from these."""
_THING, _CLOTH = 150, 60
"""Pixels, at a height of 256, that must be known of both."""


def settle_worn(
    labels: np.ndarray, image: np.ndarray, scheme: LabelScheme, sure: np.ndarray | None = None
) -> np.ndarray:
    """Labels whose worn garments end where the photo's colours change.

    By a cut, then by shades, and both again, see above.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of ``labels``.
        sure: (H,W) bool, where the network is sure of its label, which stays; nowhere unless given.

    Returns:
        (H,W) uint8, a new array.
    """
    labels = labels.astype(np.uint8)
    sure = np.zeros(labels.shape, bool) if sure is None else sure
    for _ in range(_AGAIN):
        for _ in range(_AGAIN):
            labels = _by_cut(labels, image, scheme, sure)
        for _ in range(_AGAIN):
            labels = np.where(sure, labels, _by_shades(labels, image, scheme))
    return labels


def _by_cut(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme, sure: np.ndarray) -> np.ndarray:
    """GrabCut between garment and everything else."""
    table = label_table(scheme)
    scale = len(labels) / 256

    def named(names: tuple[str, ...]) -> np.ndarray:
        return np.isin(labels, [table[name] for name in names if name in table])

    worn = named(_WORN)
    inside, outside = (ndimage.distance_transform_edt(region) / scale for region in (worn, ~worn))
    marks = np.where(worn, PERHAPS_FRONT, PERHAPS_BEHIND).astype(np.uint8)
    marks[(inside > _BAND) | (worn & sure)] = FRONT
    marks[(outside > _BAND) | ~(worn | named(_QUESTIONED)) | (~worn & sure)] = BEHIND
    enough = _LEAST * scale**2
    if (marks == FRONT).sum() < enough or (marks == BEHIND).sum() < enough:
        return labels
    found = ndimage.median_filter(cut_by_colour(image, marks, _ROUNDS).astype(np.uint8), 3) > 0
    found = np.where(sure, worn, found)
    settled = labels.copy()
    # What is taken away goes to the nearest neighbour, if that is one of those in question too.
    neighbour = labels[
        tuple(ndimage.distance_transform_edt(worn, return_distances=False, return_indices=True))
    ]
    questioned = [table[name] for name in _QUESTIONED if name in table]
    gained = found & ~worn & named(_QUESTIONED)
    lost = worn & ~found & np.isin(neighbour, questioned)
    for change, source in ((gained, worn), (lost, ~worn)):
        rows, columns = ndimage.distance_transform_edt(~source, return_distances=False, return_indices=True)
        settled[change] = labels[rows, columns][change]
    return settled


def _by_shades(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """What has the garment's shades, beside it, and not those of the thing that it was taken for."""
    table, scale = label_table(scheme), len(labels) / 256
    worn = np.isin(labels, [table[name] for name in _WORN if name in table])
    if not worn.any():
        return labels
    colours, settled = in_lab(image), labels.copy()
    away, place = ndimage.distance_transform_edt(~worn, return_indices=True)
    inner = ndimage.distance_transform_edt(worn) > _INSIDE * scale
    for name in _COMPARED:
        if name not in table:
            continue
        thing = labels == table[name]
        known, doubted = thing & (away > _REACH * scale), thing & (away <= _REACH * scale)
        if known.sum() < _THING * scale**2 or not doubted.any():
            continue
        near = inner & (ndimage.distance_transform_edt(~doubted) < _NEAR * scale)
        if near.sum() < _CLOTH * scale**2:
            continue
        to_thing, to_cloth = (distance_to(colours[doubted], shades_of(colours[one])) for one in (known, near))
        taken = np.zeros_like(worn)
        taken[doubted] = (to_cloth < _CLOSER * to_thing) & (to_thing > _DIFFERENT)
        taken = (ndimage.median_filter(taken.astype(np.uint8), 3) > 0) & doubted
        pieces, count = ndimage.label(taken | worn)
        taken &= (np.bincount(pieces[worn], minlength=count + 1) > 0)[pieces]
        settled[taken] = labels[place[0], place[1]][taken]
    return settled
