"""The embedded model's pictures of drawn people: white is white, no print keeps its place, walls stay."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from ladi.engine import Engine
from ladi.preprocess.frame import crop_to_frame
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.settings import Settings, TryOnRequest
from ladi.types import LAYERS, Photo, Result

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
PEOPLE = ("person-anna.jpg", "person-ben.jpg")
WHITE = "garment-printed-tee.jpg"
RED = np.array([165, 35, 40], np.float32)


@cache
def silhouette(person: str) -> np.ndarray:
    """(H,W) in [0,1], where a person of the examples is."""
    detector = PoseDetector()
    try:
        return detector.detect(read_photo(EXAMPLES / person).pixels).silhouette
    finally:
        detector.close()


def before_a_red_wall(person: str) -> Photo:
    """The photo with its pale wall dyed."""
    photo = read_photo(EXAMPLES / person)
    wall = (1 - np.clip(silhouette(person) * 1.5, 0, 1))[..., None]
    dyed = photo.pixels * (1 - wall) + photo.pixels.mean(-1, keepdims=True) / 225 * RED * wall
    return replace(photo, pixels=dyed.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module", params=PEOPLE)
def dressed(embedded: Engine, request: pytest.FixtureRequest) -> tuple[str, Photo, Result]:
    """Somebody's file, the photo before a red wall, and the same in a white T-shirt with a print."""
    photo = before_a_red_wall(request.param)
    asked = TryOnRequest(photo, read_photo(EXAMPLES / WHITE), settings=Settings(seed=0))
    return request.param, photo, embedded.try_on(asked)


def test_a_white_shirt_before_a_red_wall_is_white(dressed: tuple[str, Photo, Result]) -> None:
    """Prevents: white cloth that is taken for nothing, and lets the wall through."""
    _, _, result = dressed
    assert result.conditions.warped_garment is not None and result.layers is not None
    shown = crop_to_frame(result.images[0], result.person.frame).astype(np.float32) / 255
    garment = (result.conditions.warped_garment[0].movedim(0, -1).numpy() + 1) / 2
    white = (garment.min(-1) > 0.85) & (result.layers[0, LAYERS.index("garment")].numpy() > 0.9)
    white = ndimage.binary_erosion(white, iterations=2)
    assert white.mean() > 0.02
    colours = shown[white]
    assert np.median(colours.min(-1)) > 0.7
    assert np.mean(colours.max(-1) - colours.min(-1)) < 0.1


def test_a_printed_shirt_leaves_no_hole_in_the_mask(
    embedded: Engine, dressed: tuple[str, Photo, Result]
) -> None:
    """Prevents: a print that is taken for skin or a bag, and stays in the picture."""
    _, photo, result = dressed
    again = embedded.try_on(
        TryOnRequest(
            replace(photo, pixels=result.images[0]),
            read_photo(EXAMPLES / "garment-long-sleeve.jpg"),
            settings=Settings(seed=0),
        )
    )
    mask = again.person.mask[0, 0].numpy() > 0.5
    shoulders = again.person.keypoints[[2, 5]]
    left, right = sorted(shoulders[:, 0])
    start, length = shoulders[:, 1].max(), again.person.keypoints[[8, 11], 1].min() - shoulders[:, 1].max()
    inset = 0.15 * (right - left)
    chest = np.zeros_like(mask)
    rows = slice(int(start + 0.25 * length), int(start + 0.8 * length))
    chest[rows, int(left + inset) : int(right - inset)] = True
    assert mask[chest].mean() > 0.99


def test_the_wall_is_the_photos_own(dressed: tuple[str, Photo, Result]) -> None:
    """Prevents: repainted walls and halos."""
    person, photo, result = dressed
    assert result.layers is not None
    frame = result.person.frame
    model_pixel = 1 / frame.scale
    person_near = ndimage.distance_transform_edt(silhouette(person) < 0.5) < 8 * model_pixel
    assert result.conditions.warp_grid is not None
    changed = (result.images[0] != photo.pixels).any(-1)
    garment = np.zeros(photo.size, bool)
    rows, columns = np.nonzero(result.layers[0, LAYERS.index("garment")].numpy() > 0.1)
    garment_rows = np.clip((rows / frame.scale + frame.top).astype(int), 0, photo.size[0] - 1)
    garment_columns = np.clip((columns / frame.scale + frame.left).astype(int), 0, photo.size[1] - 1)
    garment[garment_rows, garment_columns] = True
    near = person_near | (ndimage.distance_transform_edt(~garment) < 8 * model_pixel)
    assert not changed[~near].any()
