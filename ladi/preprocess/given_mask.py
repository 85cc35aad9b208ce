"""A mask from outside: a picture that says which pixels of the photo are repainted.

Editors and programs write it in several ways: a transparent layer with opaque strokes, white on black, or
zeros and ones. What is a picture instead is refused. Where the mask lies on the person is judged by
``checks.check_mask``; the editor of the page has its own.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ladi.preprocess.photo import Source, read_photo
from ladi.types import MaskError, Size

_ON = 127
_DARK, _LIGHT = 48, 208
_MOST_BETWEEN = 0.1
"""Share of a mask's pixels that may be neither dark nor light, such as those of soft edges."""
_PROPORTIONS = 0.02
"""By so much, relatively, the proportions may differ from the photo's."""


def read_mask(source: Source, size: Size) -> np.ndarray:
    """The pixels to repaint: opaque ones where the file has transparency, else bright ones.

    Args:
        source: as ``read_photo`` takes it. A file that holds nothing above 1 counts from 0 to 1.
        size: height and width of the photo; the mask may have another size of the same proportions.

    Returns:
        (H,W) uint8 at the photo's size, 1 = repaint.

    Raises:
        PhotoError: not a file that can be decoded.
        MaskError: it is a picture rather than a mask, empty, or of other proportions.
    """
    photo = read_photo(source)
    shown = photo.pixels.max(axis=2) if photo.alpha is None else photo.alpha
    if shown.max() == 1:
        shown = shown * np.uint8(255)
    height, width = photo.size
    if abs(width / height * size[0] / size[1] - 1) > _PROPORTIONS:
        raise MaskError(
            f"The mask's proportions ({width}×{height}) are not the photo's ({size[1]}×{size[0]}): "
            "give one of the photo's size."
        )
    if photo.alpha is None and ((shown > _DARK) & (shown < _LIGHT)).mean() > _MOST_BETWEEN:
        raise MaskError(
            "This is a picture, not a mask: give a black picture with white where the garment is to be "
            "painted, or a transparent one with opaque strokes there."
        )
    if not (shown > _ON).any():
        raise MaskError("The mask is empty: make white, or opaque, what the garment should cover.")
    if photo.size != size:
        picture = Image.fromarray(shown).resize((size[1], size[0]), Image.Resampling.BILINEAR)
        shown = np.asarray(picture)
    return (shown > _ON).astype(np.uint8)
