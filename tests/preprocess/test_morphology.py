"""OpenCV's morphology against SciPy's, which every rule of this project was first written with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from ladi.preprocess.morphology import closed, dilated, eroded, without_holes


def regions() -> list[np.ndarray]:
    """Noise of several densities, some of it in blots; nothing and everything."""
    rng = np.random.default_rng(3)
    noise = [rng.random((37, 53)) < share for share in (0.0, 0.3, 0.6, 0.9, 1.0)]
    blots = [ndimage.gaussian_filter(rng.random((64, 48)), 2) > level for level in (0.45, 0.5, 0.52)]
    return [*noise, *blots, np.ones((1, 9), bool)]


@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_same_as_scipy_to_the_pixel(times: int) -> None:
    for region in regions():
        pairs = [
            (eroded(region, times), ndimage.binary_erosion(region, iterations=times)),
            (
                eroded(region, times, beyond=True),
                ndimage.binary_erosion(region, iterations=times, border_value=1),
            ),
            (dilated(region, times), ndimage.binary_dilation(region, iterations=times)),
            (closed(region, times), ndimage.binary_closing(region, iterations=times)),
        ]
        for ours, theirs in pairs:
            assert ours.dtype == bool
            assert np.array_equal(ours, theirs)


def test_holes_are_what_four_neighbours_enclose() -> None:
    for region in regions():
        assert np.array_equal(without_holes(region), ndimage.binary_fill_holes(region))


def test_a_region_that_is_not_contiguous_is_left_as_it_was() -> None:
    region = np.random.default_rng(0).random((40, 60)) < 0.5
    view, before = region[::2, ::-1], region.copy()
    assert np.array_equal(eroded(view), ndimage.binary_erosion(view))
    assert np.array_equal(region, before)
