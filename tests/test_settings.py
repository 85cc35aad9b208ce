"""The ranges of the table of settings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ladi.settings import Settings, Switches, TryOnRequest, check_request
from ladi.types import LadiError, Photo, SettingError

GREY = Photo(np.full((32, 24, 3), 128, np.uint8))
REQUEST = TryOnRequest(GREY, GREY)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"settings": Settings(steps=0)}, "steps"),
        ({"settings": Settings(steps=10_000)}, "steps"),
        ({"settings": Settings(guidance=float("nan"))}, "guidance"),
        ({"settings": Settings(seed=-1)}, "seed"),
        ({"settings": Settings(pictures=0)}, "pictures"),
        ({"settings": Settings(feather=-1)}, "feather"),
        ({"settings": Settings(switches=Switches(cloth_cond_rate=2))}, "cloth_cond_rate"),
        ({"settings": Settings(size=(512, 512))}, "size must be 256x192 to 1024x768"),
        ({"settings": Settings(size=(500, 375))}, "multiple of 64"),
        ({"settings": Settings(size=(1280, 960))}, "got 1280x960"),
        ({"category": "hats"}, "category"),
        ({"mask_rule": "none"}, "mask_rule"),
        ({"mask_grow": 65}, "mask_grow"),
        ({"mask_grow": float("nan")}, "mask_grow"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(change: dict, sentence: str) -> None:
    """Prevents long or senseless computations, and errors from deep inside a library."""
    with pytest.raises(SettingError, match=sentence):
        check_request(dataclasses.replace(REQUEST, **change))
    assert issubclass(SettingError, LadiError)
