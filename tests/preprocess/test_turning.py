"""Photos that lie on their side or upside down: said, or refused with the way out, or turned on demand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ladi.engine import Engine
from ladi.models.matting import GarmentMatting
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.findings import TURN_IT
from ladi.preprocess.garment import cut_garment
from ladi.preprocess.person import mask_on_photo
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.preprocess.turning import degrees_to_upright, detect_upright, turn_photo, turn_pixels
from ladi.records import record
from ladi.settings import TryOnRequest
from ladi.types import Garment, PersonError, Photo
from tests.conftest import ROOT
from tests.preprocess.test_kind import drawn
from tests.test_engine import engine, garment, networks, person, request_  # noqa: F401

# ruff: noqa: F811


@pytest.fixture(scope="module")
def pose() -> PoseDetector:
    return PoseDetector(workers=1)


def test_a_turn_is_to_the_right() -> None:
    """Prevents photos that are turned from one side to the other."""
    photo = Photo(np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint8))
    photo.pixels[0, 0] = photo.alpha[0, 0] = 9
    right = turn_photo(photo, 90)
    assert right.size == (3, 2) and right.pixels[0, 1, 0] == right.alpha[0, 1] == 9
    assert turn_photo(photo, 180).pixels[1, 2, 0] == turn_photo(photo, 270).pixels[2, 0, 0] == 9
    assert turn_photo(photo, 0) is photo


def test_a_photo_that_lies_gives_the_picture_of_the_upright_one(
    engine: Engine, request_: TryOnRequest
) -> None:
    """Prevents a turn that forgets the mask, the photo that is pasted into, or what is told of it."""
    upright = engine.try_on(request_)
    mask = mask_on_photo(upright.person)
    by_hand = engine.try_on(dataclasses.replace(request_, mask=mask))
    for turn in (90, 180):
        lying = dataclasses.replace(request_, person=turn_photo(request_.person, 360 - turn))
        said = engine.prepare_person(lying.person).findings
        assert [one.turn for one in said if one.code == "person_not_upright"] == [turn]
        turned = dataclasses.replace(lying, turn=True)
        result = engine.try_on(turned)
        np.testing.assert_array_equal(result.images[0], upright.images[0])
        [told] = [one for one in result.findings if one.code == "person_turned"]
        assert not told.turn and TURN_IT not in told.message
        assert record(turned, result, model="toy")["turn"] is True
        drawn = dataclasses.replace(turned, mask=turn_pixels(mask, 360 - turn))
        np.testing.assert_array_equal(engine.try_on(drawn).images[0], by_hand.images[0])


def test_who_is_found_only_upside_down_is_told_how_to_turn(pose: PoseDetector) -> None:
    """Prevents “no person” for a photo whose only fault is that it is upside down."""
    photo = read_photo(ROOT / "assets/examples/person-anna.jpg")
    over = turn_pixels(photo.pixels, 180)
    with pytest.raises(PersonError, match="seems to be upside down; it should be turned") as refused:
        detect_upright(pose, over)
    assert refused.value.turn == degrees_to_upright(pose, over) == 180
    nobody = np.full((300, 300, 3), 200, np.uint8)
    with pytest.raises(PersonError, match="No person found") as refused:
        detect_upright(pose, nobody)
    assert refused.value.turn == degrees_to_upright(pose, nobody) == 0


def test_a_garment_that_lies_is_turned_where_that_is_asked(pose: PoseDetector) -> None:
    """Prevents sleeves from hanging upwards in a batch that nobody looks at."""
    pixels, _ = drawn("t-shirt")
    cleaner = GarmentCleaner(GarmentMatting(height=64, width=48, widths=(8,)).eval())

    def cut(photo: Photo, turn: bool) -> Garment:
        how = {"category": "auto", "clean": "auto", "size": (128, 96), "trained": ("upper_body",)}
        return cut_garment(photo, cleaner, pose, background="light", turn=turn, **how)

    upright, lying = read_photo(pixels), read_photo(turn_pixels(pixels, 270))
    assert not any(one.turn for one in cut(upright, False).findings)
    assert [one.turn for one in cut(lying, False).findings if one.code == "garment_turned"] == [90]
    turned = cut(lying, True)
    assert turned.image.equal(cut(upright, False).image)
    assert [one.turn for one in turned.findings if one.code == "garment_was_turned"] == [0]
