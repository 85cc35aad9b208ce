"""The engine with a mask by hand, a wish to stop, previews, and preparations that are not made twice."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from ladi.diffusion import painting
from ladi.diffusion.compare import Cell
from ladi.engine import Engine
from ladi.preprocess.person import mask_on_photo
from ladi.preprocess.pose import PoseDetector
from ladi.records import record, request_of
from ladi.runtime.recall import Recall, digest
from ladi.settings import Switches, TryOnRequest
from ladi.types import Cancelled, MaskError, Photo
from tests.test_engine import changed, engine, garment, networks, person, request_  # noqa: F401

# ruff: noqa: F811


def test_a_mask_by_hand_takes_the_place_of_the_automatic_one(engine, request_: TryOnRequest) -> None:
    """Prevents an edited mask that is shown and not used, or joined with the automatic one."""
    mask = np.zeros(request_.person.size, np.uint8)
    mask[300:420, 120:280] = 1
    result = engine.try_on(dataclasses.replace(request_, mask=mask))
    differs = (result.images[0] != request_.person.pixels).any(axis=2)
    assert differs.any()
    rows, columns = np.nonzero(differs)
    assert rows.min() >= 290 and rows.max() < 430 and columns.min() >= 110 and columns.max() < 290


def test_a_mask_that_marks_what_stays_is_told_and_can_be_inverted(engine, request_: TryOnRequest) -> None:
    """Prevents masks written the other way round from repainting the wall, or from being refused."""
    mask = mask_on_photo(engine.prepare_person(request_.person))
    want = engine.try_on(dataclasses.replace(request_, mask=mask))
    other = dataclasses.replace(request_, mask=~mask)
    assert "mask_inverted" in [one.code for one in engine.try_on(other).findings]
    inverted = engine.try_on(dataclasses.replace(other, invert_mask=True))
    assert "mask_inverted" not in [one.code for one in inverted.findings]
    assert np.array_equal(inverted.images[0], want.images[0])


def test_the_automatic_mask_over_the_photo_means_itself(engine, request_: TryOnRequest) -> None:
    """Prevents a mask that wanders or shrinks between the model's window and the photo."""
    automatic = engine.prepare_person(request_.person)
    again = engine.prepare_person(request_.person, mask=mask_on_photo(automatic))
    assert float((automatic.mask != again.mask).float().mean()) < 0.01


@pytest.mark.parametrize(
    ("shape", "sentence"), [((512, 384), "The mask is empty"), ((9, 9), "must have the photo's size")]
)
def test_a_useless_mask_is_refused(engine, request_: TryOnRequest, shape, sentence: str) -> None:
    """Prevents painting nothing, and errors from deep inside for a mask of another picture."""
    with pytest.raises(MaskError, match=sentence):
        engine.try_on(dataclasses.replace(request_, mask=np.zeros(shape, bool)))


def test_a_wish_to_stop_is_heard_within_a_step(engine, request_: TryOnRequest) -> None:
    """Prevents a cancelled sampling from going on, and an engine that stays locked after it."""
    told: list[str] = []
    with pytest.raises(Cancelled):
        engine.try_on(
            changed(request_, steps=50),
            progress=lambda stage, _: told.append(stage),
            cancelled=lambda: told.count("denoise") >= 3,
        )
    assert told.count("denoise") == 3
    assert engine.try_on(request_).images


@pytest.mark.parametrize("stage", ["decode", "paste"])
def test_a_wish_to_stop_is_heard_between_pictures(engine, request_: TryOnRequest, stage: str) -> None:
    """Prevents eight pictures from being decoded, or put back, for somebody who has left: ten seconds."""
    told: list[str] = []
    with pytest.raises(Cancelled):
        engine.try_on(
            changed(request_, steps=1, pictures=4),
            progress=lambda stage, _: told.append(stage),
            cancelled=lambda: told.count(stage) >= 2,
        )
    assert told[-1] == stage and told.count(stage) == 2


def test_a_wish_to_stop_is_heard_between_cells(engine, request_: TryOnRequest) -> None:
    """Prevents a stopped comparison from decoding and putting back all that was painted."""

    def cells(seed: int, steps: int, guidance: float) -> list[Cell]:
        return [Cell("", steps=1, guidance=1.0, seed=seed + more) for more in range(3)]

    for stage in ("denoise", "paste"):
        told: list[str] = []
        with pytest.raises(Cancelled):
            engine.compare(
                [request_],
                cells,
                progress=lambda name, _, told=told: told.append(name),
                cancelled=lambda told=told, stage=stage: told.count(stage) >= 3,
            )
        assert told[-1] == stage and told.count(stage) == 3


def test_pictures_are_the_same_however_many_are_decoded_at_once(
    engine, request_: TryOnRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents questions on the way from changing what is painted."""
    four = changed(request_, steps=1, pictures=4)
    some = engine.try_on(four)
    monkeypatch.setattr(painting, "DECODED_AT_ONCE", 4)
    whole = engine.try_on(four)
    assert torch.equal(some.generated, whole.generated) and torch.equal(some.layers, whole.layers)
    assert all(np.array_equal(*pair) for pair in zip(some.images, whole.images, strict=True))


def test_previews_come_on_the_way_and_change_nothing(engine, request_: TryOnRequest) -> None:
    """Prevents previews that draw random numbers, or come for every step."""
    seen: list[np.ndarray] = []
    long = changed(request_, steps=11)
    watched = engine.try_on(long, preview=seen.append)
    assert [picture.shape for picture in seen] == [(64, 48, 3)] * 2
    np.testing.assert_array_equal(watched.images[0], engine.try_on(long).images[0])


def test_what_the_page_prepared_is_not_prepared_again(engine, request_: TryOnRequest, monkeypatch) -> None:
    """Prevents seconds of pose detection between the click and the first step."""
    photo = Photo(np.ascontiguousarray(request_.person.pixels[:, ::-1]))
    calls: list[int] = []
    detect = PoseDetector.detect
    monkeypatch.setattr(PoseDetector, "detect", lambda self, pixels: calls.append(1) or detect(self, pixels))
    engine.prepare_person(photo)
    engine.try_on(dataclasses.replace(request_, person=Photo(photo.pixels.copy())))
    assert len(calls) == 1
    engine.prepare_person(photo, mask_grow=2)
    assert len(calls) == 2


def test_few_preparations_are_kept_and_not_for_long() -> None:
    """Prevents people's photos from staying in memory, or one person's from standing for another's."""
    photos = [Photo(np.full((4, 4, 3), shade, np.uint8)) for shade in range(3)]
    assert len({digest(photo) for photo in photos}) == 3
    assert digest(photos[0]) != digest(Photo(photos[0].pixels, np.zeros((4, 4), np.uint8)))
    recall: Recall[int] = Recall(kept=2)
    assert [recall.get(key, lambda key=key: key) for key in (1, 2, 3)] == [1, 2, 3]
    assert recall.get(3, lambda: 0) == 3 and recall.get(1, lambda: 7) == 7
    short: Recall[int] = Recall(seconds=0)
    assert short.get(1, lambda: 1) == 1 and short.get(1, lambda: 2) == 2


def test_a_server_can_have_preparations_forgotten_sooner(engine, networks, garment: Photo) -> None:
    """Prevents photos in memory beyond the minutes that a page promises."""
    assert engine.prepare_garment(garment) is engine.prepare_garment(garment)
    forgetful = Engine(*networks, remember=0)
    assert forgetful.prepare_garment(garment) is not forgetful.prepare_garment(garment)


def test_a_record_asks_for_the_same_picture(engine, request_: TryOnRequest) -> None:
    """Prevents a record that leaves out, or misnames, something that the picture depends on."""
    settings = dataclasses.replace(request_.settings, switches=Switches(emasc=False), seed=None, feather=2.0)
    words = {"category": "upper_body", "clean_garment": "keep"}
    asked = dataclasses.replace(request_, settings=settings, mask_grow=3, **words)
    first = engine.try_on(asked)
    told = json.loads(json.dumps(record(asked, first, model="toy")))
    photos = request_.person, request_.garment
    assert request_of(*photos, told).settings.size == engine.size
    # The toy's own size may not be asked for, so it is left to the engine.
    again = engine.try_on(request_of(*photos, told | {"size": None}))
    np.testing.assert_array_equal(again.images[0], first.images[0])
    assert again.findings == first.findings


def test_compared_pictures_are_the_single_ones(engine, request_: TryOnRequest) -> None:
    """Prevents a comparison that shows something else than a try-on with the same settings."""
    single = engine.try_on(request_)

    def cells(seed: int, steps: int, guidance: float) -> list[Cell]:
        off = Switches(emasc=False)
        return [Cell("all", steps, guidance, seed), Cell("no EMASC", steps, guidance, seed, off)]

    both = engine.compare([request_], cells)
    apart = np.abs(both[0].image.astype(int) - single.images[0])
    assert apart.max() <= 2
    assert (both[1].image != both[0].image).any() and all(cell.seconds > 0 for cell in both)


def test_seeds_go_round(engine, request_: TryOnRequest) -> None:
    """Prevents a second picture whose recorded seed is refused when it is asked for again."""
    last = changed(request_, seed=2**32 - 1, pictures=2)
    result = engine.try_on(last)
    assert [record(last, result, model="mini", picture=which)["seed"] for which in (0, 1)] == [2**32 - 1, 0]
    again = engine.try_on(changed(request_, seed=0))
    # Not to the bit: two pictures are computed together.
    assert np.abs(again.images[0].astype(int) - result.images[1]).max() <= 2
    assert (result.images[0] != result.images[1]).any()
