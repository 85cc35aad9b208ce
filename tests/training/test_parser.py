"""What the parser's training sees in the detector's place."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ladi.models.parser import LABELS, HumanParser
from ladi.preprocess.labels import LIP
from ladi.preprocess.pose import PoseDetector
from ladi.training.losses import UNKNOWN
from ladi.training.samples.cache import Cache
from ladi.training.samples.scenes import rough_silhouette
from ladi.training.samples.street import UPPER, WHOLE, add_walls, build_street_cache
from ladi.training.stages.parser import (
    DISPUTED,
    People,
    add_found_silhouettes,
    doubted_labels,
    intersections_over_unions,
    parser_batch,
    parser_sample,
)
from tests.drawn_street import write_street

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
    assert np.array_equal(cache["silhouette"][1], outline)
    before = cache["silhouette"][0].copy()
    add_found_silhouettes(cache)
    assert np.array_equal(cache["silhouette"][0], before)


def test_validation_sees_what_the_app_sees_and_training_both(cache: Cache) -> None:
    """Prevents: a score that the app never reaches, measured with the labels' own outline."""
    add_found_silhouettes(cache)
    found = np.asarray(cache["silhouette"][0])
    people = People(cache)
    assert np.array_equal(parser_sample(people, 0, None).silhouette, found)
    rng = np.random.default_rng(0)
    drawn = [parser_sample(people, 0, rng).silhouette for _ in range(60)]
    kept = [np.array_equal(one, found) or np.array_equal(one[:, ::-1], found) for one in drawn]
    assert 3 < sum(kept) < 30


def test_nothing_in_the_midst_of_a_shop_person_is_in_doubt_unless_it_is_white(
    cache: Cache,
) -> None:
    """Prevents: a parser that learns from the shards to see holes where there are prints."""
    add_found_silhouettes(cache)
    scene, _ = People(cache).scene(0)
    scene = replace(scene, silhouette=np.full_like(scene.silhouette, 255), image=scene.image // 2)
    hole = (slice(90, 100), slice(80, 90))
    labels = scene.labels.copy()
    labels[hole] = 0
    doubted = doubted_labels(replace(scene, labels=labels))
    assert (doubted[hole] == DISPUTED).all()
    white = replace(scene, labels=labels, image=np.full_like(scene.image, 255))
    assert (doubted_labels(white)[hole] == 0).all()


def test_street_and_shop_have_equal_shares_and_changes_keep_labels_in_range(
    cache: Cache, street: Cache
) -> None:
    add_found_silhouettes(cache)
    people = People(cache, street)
    kinds = [people.scene(index)[1] for index in range(len(people))]
    assert kinds.count("shop") == len(people) / 2 and {"upper", "whole"} >= set(kinds[len(cache) :])
    batch = parser_batch(people, np.arange(len(people)).repeat(6), np.random.default_rng(1))
    assert batch["image"].abs().max() <= 1
    assert batch["silhouette"].min() >= 0 and batch["silhouette"].max() <= 1
    known = batch["labels"][batch["labels"] != UNKNOWN]
    assert 0 <= known.min() and known.max() < LABELS


def test_the_same_numbers_give_the_same_batch(cache: Cache) -> None:
    """Prevents: a resumed training that sees other pictures than an uninterrupted one."""
    add_found_silhouettes(cache)
    one, other = (parser_batch(People(cache), np.arange(2), np.random.default_rng(5)) for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_pixels_of_which_nothing_is_known_do_not_count() -> None:
    truth = np.full((1, 4, 4), LIP["upper_clothes"])
    predicted = truth.copy()
    predicted[0, :2] = LIP["bag"]
    assert intersections_over_unions(predicted, truth)["iou_upper"] == 0.5
    truth[0, :2] = UNKNOWN
    assert intersections_over_unions(predicted, truth)["iou_upper"] == 1.0


def test_a_parser_that_knows_fewer_labels_is_taken_over_without_changing_its_answers() -> None:
    """Prevents: training that starts from noise because bags became a label."""
    torch.manual_seed(0)
    old, new = HumanParser(64, 48, (16, 16), LABELS - 1), HumanParser(64, 48, (16, 16), LABELS)
    new.start_from(old)
    inputs = torch.randn(1, 3, 64, 48), torch.rand(1, 1, 64, 48), torch.rand(1, 18, 64, 48)
    with torch.no_grad():
        before, after = old(*inputs), new(*inputs)
    assert torch.allclose(before, after[:, :-1], atol=1e-5)
    assert torch.equal(after.argmax(1), before.argmax(1))
    with torch.no_grad():
        coarse = new(*inputs, enlarge=False)
    assert coarse.shape == (1, LABELS, 32, 24)


@pytest.fixture
def street(tmp_path: Path) -> Cache:
    """An example photo with drawn tags, framed twice."""
    data = tmp_path / "street-data"
    data.mkdir()
    write_street(data)
    built = build_street_cache(data, tmp_path / "street", "val", (256, 192))
    add_walls(built)
    return built


def test_a_street_photo_is_framed_as_upper_and_as_whole_body(street: Cache) -> None:
    """Prevents: a parser trained on windows that the app never shows it."""
    assert street.ids == ["anna", "anna"] and street["window"].tolist() == [UPPER, WHOLE]
    upper, whole = ((street["labels"][index] == LIP["upper_clothes"]).mean() for index in (0, 1))
    assert upper > whole > 0, "the upper body fills more of its own window"
    assert street["keypoints"][0][2, 2] > 0.5
    for index in (0, 1):
        on, person = street["silhouette"][index] > 127, street["labels"][index] > 0
        assert (on & person).sum() > 0.6 * person.sum()
    again = build_street_cache(Path("nowhere"), street.folder.parent, "val", (256, 192))
    assert again.ids == street.ids


def test_walls_show_nobody(street: Cache) -> None:
    person = street["labels"][1] > 0
    differs = (np.asarray(street["wall"][1]) != np.asarray(street["image"][1])).any(-1)
    assert differs[person].mean() > 0.9
    assert not differs[:4, :4].any()
