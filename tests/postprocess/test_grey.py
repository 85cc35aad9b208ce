"""Grey photos stay grey, but for the garment."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from skimage import data

from ladi.postprocess.grey import grey_outside, is_grey


def test_what_is_a_grey_photo() -> None:
    """Prevents colours from being taken out of pale photos, and left in grey ones saved as colour JPEGs."""
    photo = Image.fromarray(data.astronaut())
    assert is_grey(np.asarray(photo.convert("L").convert("RGB")))
    pale = Image.blend(photo, photo.convert("L").convert("RGB"), 0.7)
    assert not is_grey(np.asarray(photo)) and not is_grey(np.asarray(pale))


def test_only_the_garment_has_colours() -> None:
    """Prevents orange arms on a grey body, and a grey garment."""
    picture = torch.rand(3, 16, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    garment = np.zeros((16, 12), np.float32)
    garment[4:12, 3:9] = 1
    shown = grey_outside(picture, garment)
    spread = shown.amax(0) - shown.amin(0)
    outside = torch.from_numpy(garment) == 0
    assert spread[outside].max() < 1e-6
    torch.testing.assert_close(shown[:, ~outside], picture[:, ~outside])
    assert (grey_outside(picture, None).std(0) < 1e-6).all()
