"""The photo's own light on what is painted: wall and skin take the tone that the photo has right beside them.

The network learnt from one studio; its walls are paler and its skin more even than most photos'. Where the
photo is kept (``kept.py``) both colours of one thing are known, painted and real. Painted pixels of the
same colour nearby are moved by the same difference, weighted like a bilateral filter. The garment's colours
are its own and stay.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

_GRID = 64
"""Rows of the coarse grid that differences are averaged on."""
_REACH, _LIKENESS = 0.16, 0.14
"""Standard deviations: of the distance, in heights, and of the colour difference, on [-1,1]."""
_DOUBT = 0.5
"""Weight of no change; few or unlike neighbours change little."""


def match_light(
    generated: np.ndarray,
    photo: np.ndarray,
    kept: np.ndarray,
    garment: np.ndarray | None = None,
) -> np.ndarray:
    """The correction to add to a generated picture.

    Args:
        generated: (H,W,3) in [-1,1].
        photo: (H,W,3) in [-1,1].
        kept: (H,W) bool, painted by the network but kept from the photo.
        garment: (H,W) in [0,1], where the warped garment lies; nothing changes there.

    Returns:
        (H,W,3) float32; zero where nothing alike is known.
    """
    height, width = kept.shape
    rows, columns = _GRID, max(1, round(_GRID * width / height))

    def shrink(array: np.ndarray) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(array, dtype=np.float32))
        return np.asarray(image.resize((columns, rows), Image.Resampling.BOX))

    share = shrink(kept.astype(np.float32))
    known = share > 0.99  # a mixture of kept and painted pixels tells nothing
    if not known.any():
        return np.zeros_like(generated, dtype=np.float32)
    colours, truths = (
        np.stack([shrink(picture[..., channel]) for channel in range(3)], -1)
        for picture in (generated, photo)
    )
    y, x = np.mgrid[:rows, :columns].astype(np.float32) / rows
    place = np.stack([y, x], -1) / _REACH
    features = np.concatenate([place, colours / _LIKENESS], -1).reshape(-1, 5)
    samples, shifts = features[known.ravel()], (truths - colours)[known]
    squares = (features**2).sum(1)[:, None] + (samples**2).sum(1)[None] - 2 * features @ samples.T
    weights = np.exp(-0.5 * np.maximum(squares, 0))
    moved = (weights @ shifts) / (weights.sum(1, keepdims=True) + _DOUBT)
    moved = moved.reshape(rows, columns, 3).astype(np.float32)
    enlarged = np.stack(
        [
            np.asarray(
                Image.fromarray(moved[..., channel]).resize((width, height), Image.Resampling.BILINEAR)
            )
            for channel in range(3)
        ],
        -1,
    )
    return enlarged if garment is None else enlarged * (1 - np.clip(garment, 0, 1))[..., None]
