"""Where a worn garment ends, decided by the photo's colours rather than by a small network's guess.

A parser is right about what is worn, and a few pixels off about its outline: a hem taken for the trousers, a
pocket for a bag. Colour models of garment and surroundings (GrabCut, Rother et al., 2004)
settle the pixels near the outline; what is far from it stays as it is.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.colour_cut import BEHIND, FRONT, PERHAPS_BEHIND, PERHAPS_FRONT, cut_by_colour
from ladi.preprocess.labels import label_table
from ladi.types import LabelScheme

_BAND = 6
"""Pixels, at a height of 256, on either side of the outline that are in question."""
_LEAST = 300
"""Pixels, at a height of 256, that garment and surroundings need for a model of their colours."""
_ROUNDS = 2
_QUESTIONED = ("pants", "skirt", "bag", "scarf", "hat")
"""What a garment is told from by its colour. Skin, hair and walls are left out: on labelled street photos
colours do worse there than the parser."""
_WORN = ("upper_clothes", "dress", "coat")


def settle_worn(labels: np.ndarray, image: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Labels whose worn garments end where the photo's colours change.

    Args:
        labels: (H,W) integers.
        image: (H,W,3) uint8, the same window.
        scheme: numbering of ``labels``.

    Returns:
        (H,W) uint8, a new array.
    """
    table = label_table(scheme)
    scale = len(labels) / 256

    def named(names: tuple[str, ...]) -> np.ndarray:
        return np.isin(labels, [table[name] for name in names if name in table])

    labels = labels.astype(np.uint8)
    worn = named(_WORN)
    inside, outside = (ndimage.distance_transform_edt(region) / scale for region in (worn, ~worn))
    marks = np.where(worn, PERHAPS_FRONT, PERHAPS_BEHIND).astype(np.uint8)
    marks[inside > _BAND] = FRONT
    marks[(outside > _BAND) | ~(worn | named(_QUESTIONED))] = BEHIND
    enough = _LEAST * scale**2
    if (marks == FRONT).sum() < enough or (marks == BEHIND).sum() < enough:
        return labels
    found = ndimage.median_filter(cut_by_colour(image, marks, _ROUNDS).astype(np.uint8), 3) > 0
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
