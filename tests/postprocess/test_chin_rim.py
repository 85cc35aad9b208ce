"""A face that ends before a painted neck: softly, and with a neck in its own tone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ladi.postprocess.chin_rim import find_chin, rim_of_chin, with_chin
from ladi.postprocess.layers import Canvas, as_tensor
from ladi.preprocess.boxes import Box
from ladi.preprocess.labels import LIP
from ladi.types import LAYERS, PersonParts
from tests.postprocess.people import somebody

SIZE = (256, 192)
FACE, COLLAR, NECK = (210, 160, 130), (10, 10, 12), (170, 120, 95)
CANVAS = Canvas((512, 384), Box(0, 0, *SIZE), SIZE)


def dressed() -> tuple[PersonParts, np.ndarray, np.ndarray]:
    """Somebody with a face down to row 100, of which labels take a row of the collar; layers and photo."""
    labels, photo = np.zeros(SIZE, np.uint8), np.full((*SIZE, 3), COLLAR, np.uint8)
    labels[80:220, 40:150] = LIP["coat"]
    labels[40:101, 76:116] = LIP["face"]
    photo[40:100, 76:116] = FACE
    mask = labels == LIP["coat"]
    first = np.where((labels == LIP["face"]) | mask, LAYERS.index("skin"), LAYERS.index("wall"))
    shown = np.eye(len(LAYERS), dtype=np.float32)[first].transpose(2, 0, 1)
    return somebody(labels, photo, mask), shown, photo.repeat(2, 0).repeat(2, 1)


def blended() -> tuple[np.ndarray, np.ndarray]:
    """Grey values down the face's middle, of 512 rows, before and after."""
    person, shown, photo = dressed()
    chin = find_chin(person, shown, CANVAS)
    assert chin is not None
    neck = as_tensor(np.full_like(photo, NECK))
    skin = as_tensor(photo)
    skin[..., 202:, :] = as_tensor(np.full_like(photo, FACE))[..., 202:, :]
    after = with_chin(skin, neck, photo, chin, CANVAS)
    return tuple((values[0].mean(0)[:, 190] + 1).numpy() * 127.5 for values in (skin, after))  # type: ignore[return-value]


def test_a_chin_ends_softly_and_without_the_collar() -> None:
    """Prevents: dark dashes along a chin, where labels end it on the old collar."""
    before, after = blended()
    assert before[195:206].min() < 30, "the collar's row"
    assert after[180:260].min() > np.mean(NECK) - 45
    edge = after[190:210]
    assert ((edge < np.mean(FACE) - 5) & (edge > np.mean(NECK) + 5)).sum() >= 2


def test_the_neck_begins_in_its_own_tone() -> None:
    """Prevents: a face without a chin, whose colour runs on down the neck."""
    before, after = blended()
    assert np.abs(after[202] - np.mean(NECK)) < 15 < np.abs(before[202] - np.mean(NECK)) - 10
    steps = np.diff(after[203:235])
    assert (steps >= -1e-3).all() and steps.max() < 5, "and changes to what it is below little by little"
    assert after[160] == before[160], "farther in the face is the photo's"


def test_only_a_face_beside_painted_skin_has_such_an_edge() -> None:
    person, shown, _ = dressed()
    rim = rim_of_chin(person, shown)
    assert rim[99:101, 80:110].all() and not rim[:98, 80:112].any() and not rim[:78].any()
    garment = np.zeros_like(shown)
    garment[LAYERS.index("garment")] = 1
    assert not rim_of_chin(person, garment).any() and find_chin(person, garment, CANVAS) is None


def test_a_neck_that_the_photo_shows_is_not_toned() -> None:
    """Prevents: a line across the neck of whoever shows all of it."""
    person, shown, _ = dressed()
    labels = person.labels.copy()
    labels[101:140, 60:130] = LIP["neck"]
    below = np.s_[92:101, 82:110]
    assert not rim_of_chin(replace(person, labels=labels), shown)[below].any()
    labels[104:140] = LIP["coat"]
    assert rim_of_chin(replace(person, labels=labels), shown)[below].any(), (
        "a thin one may be a collar's shade"
    )
