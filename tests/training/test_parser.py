"""What the parser's training sees in the detector's place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ladi.models.parser import LABELS
from ladi.preprocess.pose import PoseDetector
from ladi.training.samples.cache import Cache
from ladi.training.stages.parser import add_found_silhouettes, parser_sample, rough_silhouette

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An example person, and a picture of nobody with a labelled square."""
    folder = tmp_path / "train"
    folder.mkdir()
    with Image.open(ROOT / "assets" / "examples" / "person-anna.jpg") as photo:
        person = np.asarray(photo.convert("RGB").resize((192, 256)))
    images = np.stack([person, np.full_like(person, 200)])
    labels = np.zeros(images.shape[:3], np.uint8)
    labels[:, 40:200, 60:130] = LABELS - 1
    (folder / "ids.json").write_text(json.dumps(["person", "nobody"]))
    for name, value in (("image", images), ("labels", labels), ("keypoints", np.zeros((2, 18, 3), "f4"))):
        np.save(folder / f"{name}.npy", value)
    return Cache(tmp_path, "train")


def test_the_detectors_silhouette_is_kept_and_where_nobody_is_found_the_labels_outline(cache: Cache) -> None:
    """Prevents: a parser that has only seen silhouettes without a detector's faults."""
    add_found_silhouettes(cache)
    found = PoseDetector().detect(np.asarray(cache["image"][0])).silhouette
    assert np.abs(cache["silhouette"][0] / 255 - found).max() <= 0.003
    outline = rough_silhouette(np.asarray(cache["labels"][1]), None)
    assert np.abs(cache["silhouette"][1] / 255 - outline).max() <= 0.003
    before = cache["silhouette"][0].copy()
    add_found_silhouettes(cache)
    assert np.array_equal(cache["silhouette"][0], before)


def test_validation_sees_what_the_app_sees_and_training_both(cache: Cache) -> None:
    """Prevents: a score that the app never reaches, measured with the labels' own outline."""
    add_found_silhouettes(cache)
    found = np.asarray(cache["silhouette"][0], np.float32) / 255
    assert np.array_equal(parser_sample(cache, 0, None)[2], found)
    rng = np.random.default_rng(0)
    drawn = [parser_sample(cache, 0, rng)[2] for _ in range(24)]
    kept = [np.array_equal(one, found) or np.array_equal(one[:, ::-1], found) for one in drawn]
    assert 4 < sum(kept) < 20
