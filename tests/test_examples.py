"""The example pictures are what the page promises: people that are found, garments on near-white."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ladi.preprocess.background import look_at_background, matte_by_colour
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.types import KEYPOINT_NAMES

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "examples"
PEOPLE = sorted(FOLDER.glob("person-*.jpg"))
GARMENTS = sorted(FOLDER.glob("garment-*.jpg"))
MAX_BYTES = 2_000_000


@pytest.fixture(scope="module")
def detector() -> PoseDetector:
    return PoseDetector(workers=1)


def test_there_are_people_and_garments_and_they_are_small() -> None:
    # Everybody who clones the project downloads them.
    assert len(PEOPLE) >= 4 and len(GARMENTS) >= 8
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) <= MAX_BYTES


@pytest.mark.parametrize("path", PEOPLE, ids=lambda path: path.stem)
def test_a_person_is_found_from_the_front(path: Path, detector: PoseDetector) -> None:
    # The first thing that a visitor clicks must not end in "no person was found".
    found = detector.detect(read_photo(path).pixels)
    seen = {name for name, joint in zip(KEYPOINT_NAMES, found.keypoints, strict=True) if joint[2] > 0}
    assert {"nose", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"} <= seen
    assert found.people == 1 and found.facing == "front"


@pytest.mark.parametrize("path", GARMENTS, ids=lambda path: path.stem)
def test_a_garment_is_a_shop_picture(path: Path) -> None:
    # Compression noise on the background would send it through the matting network instead.
    pixels = read_photo(path).pixels
    background = look_at_background(pixels)
    assert background.near_white
    on = matte_by_colour(pixels, background) > 0.5
    columns, rows = np.flatnonzero(on.any(axis=0)), np.flatnonzero(on.any(axis=1))
    assert 0.6 < max(np.ptp(columns) / pixels.shape[1], np.ptp(rows) / pixels.shape[0]) < 0.99
