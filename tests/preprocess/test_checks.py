"""The checks' sentences: each fires on its own made-up fault, and none on a good picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageFilter

from ladi.preprocess.checks import check_garment, check_person, check_worn
from ladi.preprocess.findings import overruled, raise_errors
from ladi.preprocess.labels import LIP
from ladi.preprocess.photo import read_photo
from ladi.preprocess.pose import PoseDetector
from ladi.settings import Settings, Switches, check_settings
from ladi.types import (
    KEYPOINT_NAMES,
    Finding,
    GarmentError,
    PersonError,
    Photo,
    PhotoError,
    PoseDetection,
    SettingError,
)


@pytest.fixture(scope="module")
def sharp() -> Photo:
    """(1024,768) a real, sharp picture's pixels; whom it shows is told by the detection beside it."""
    image = Image.fromarray(skimage.data.astronaut()).crop((0, 0, 384, 512))
    return Photo(np.asarray(image.resize((768, 1024), Image.Resampling.LANCZOS)))


@pytest.fixture
def person() -> PoseDetection:
    """Somebody who stands upright in the middle of the picture, from the front."""
    keypoints = np.zeros((18, 3), np.float32)
    places = {"nose": (384, 160), "right_ear": (330, 150), "left_ear": (438, 150), "neck": (384, 330)}
    places |= {"right_shoulder": (240, 330), "left_shoulder": (528, 330)}
    places |= {"right_hip": (290, 780), "left_hip": (478, 780)}
    for name, place in places.items():
        keypoints[KEYPOINT_NAMES.index(name)] = (*place, 1)
    silhouette = np.zeros((1024, 768), np.float32)
    silhouette[20:, 150:620] = 1
    return PoseDetection(keypoints, silhouette)


@pytest.fixture
def matte() -> np.ndarray:
    matte = np.zeros((1024, 768), np.float32)
    matte[200:800, 150:600] = 1
    return matte


def _codes(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{finding.level} {finding.code}" for finding in findings]


def _without(person: PoseDetection, *names: str) -> PoseDetection:
    keypoints = person.keypoints.copy()
    keypoints[[KEYPOINT_NAMES.index(name) for name in names]] = 0
    return replace(person, keypoints=keypoints)


def _scaled(photo: Photo, person: PoseDetection, width: int) -> tuple[Photo, PoseDetection]:
    share = width / photo.size[1]
    size = (width, round(photo.size[0] * share))
    keypoints = person.keypoints * np.array([share, share, 1], np.float32)
    silhouette = np.asarray(Image.fromarray(person.silhouette).resize(size))
    return Photo(np.asarray(Image.fromarray(photo.pixels).resize(size))), PoseDetection(keypoints, silhouette)


def test_a_good_photo_has_no_findings(sharp: Photo, person: PoseDetection) -> None:
    """Prevents false alarms, which teach people to ignore the true ones."""
    assert check_person(sharp, person) == ()


def test_several_people(sharp: Photo, person: PoseDetection) -> None:
    """Prevents silence when the wrong one of two may be dressed."""
    assert _codes(check_person(sharp, replace(person, people=2))) == ["warning person_several"]


@pytest.mark.parametrize("facing", ["back", "side"])
def test_views_that_do_not_fit(sharp: Photo, person: PoseDetection, facing: Literal["back", "side"]) -> None:
    """Prevents a garment's front from being painted on a back without a word."""
    turned = replace(person, facing=facing)
    assert _codes(check_person(sharp, turned)) == [f"warning person_{facing}_view"]


def test_what_is_cut_off_is_said(sharp: Photo, person: PoseDetection) -> None:
    """Prevents silence about a head or a hem that the photo does not show."""
    head = ("nose", "right_eye", "left_eye", "right_ear", "left_ear")
    assert _codes(check_person(sharp, _without(person, *head))) == ["warning person_headless"]
    waist = _without(person, "left_hip", "right_hip")
    assert _codes(check_person(sharp, waist)) == ["warning person_cut_below"]


@pytest.mark.parametrize(("rows", "said"), [(0, []), (200, ["in_dress"])])
def test_dresses_and_bags_are_told_where_they_will_show(rows: int, said: list[str]) -> None:
    """Prevents a dress below a new top, and a strap that ends in mid-chest, from coming unannounced."""
    labels, mask = np.zeros((256, 192), np.uint8), np.zeros((256, 192), bool)
    labels[40 : 40 + rows, 60:130] = LIP["dress"]
    mask[40:200, 50:140] = True
    found = check_worn(labels, mask, "lip", "upper_body")
    assert _codes(found) == [f"warning person_{code}" for code in said]
    labels[60:90, 120:150] = LIP["bag"]
    found = check_worn(labels, mask, "lip", "upper_body")
    assert _codes(found)[-1] == "warning person_with_bag"
    assert not check_worn(np.zeros_like(labels), mask, "lip", "upper_body")


def test_shoulders_outside_the_photo(sharp: Photo, person: PoseDetection) -> None:
    """Prevents a try-on on a portrait of a face or on legs; one shoulder will do, with a warning."""
    neither = _without(person, "left_shoulder", "right_shoulder", "neck")
    assert _codes(check_person(sharp, neither)) == ["error person_without_shoulders"]
    one = _without(person, "left_shoulder", "neck")
    assert _codes(check_person(sharp, one)) == ["warning person_shoulder_hidden"]


@pytest.mark.parametrize("hips", [True, False])
def test_people_who_are_not_upright(sharp: Photo, person: PoseDetection, hips: bool) -> None:
    """Prevents sideways and upside-down photos, whose EXIF was lost, from giving nonsense silently."""
    shown = person if hips else _without(person, "left_hip", "right_hip")
    shown = replace(shown, silhouette=np.where(np.arange(1024)[:, None] < 900, shown.silhouette, 0))
    assert check_person(sharp, shown) == ()
    upside_down, lying = shown.keypoints.copy(), shown.keypoints.copy()
    present = shown.keypoints[:, 2:] > 0
    upside_down[:, 1] = 1024 - upside_down[:, 1]
    lying[:, :2] = lying[:, 1::-1]
    for keypoints, turn in ((upside_down * present, 180), (lying * present, 90)):
        found = check_person(sharp, replace(shown, keypoints=keypoints))
        assert _codes(found) == ["warning person_not_upright"] and found[0].turn == turn


def test_small_people_and_photos(sharp: Photo, person: PoseDetection) -> None:
    """Prevents a thumbnail from being enlarged without a word, and a stamp from being tried at all."""
    assert _codes(check_person(*_scaled(sharp, person, 192))) == []
    small, stamp = _scaled(sharp, person, 120), _scaled(sharp, person, 40)
    assert _codes(check_person(*small)) == ["warning photo_small", "warning person_small"]
    assert _codes(check_person(*stamp)) == ["error photo_too_small", "error person_too_small"]


def test_a_small_person_in_a_large_photo(sharp: Photo, person: PoseDetection) -> None:
    """Prevents the photo's size from hiding how few pixels the person has."""
    keypoints = person.keypoints * np.array([0.12, 0.12, 1], np.float32)
    silhouette = np.zeros((1024, 768), np.float32)
    silhouette[2:123, 18:74] = 1
    found = check_person(sharp, PoseDetection(keypoints, silhouette))
    assert _codes(found) == ["warning person_small"]
    assert "118 pixels" in found[0].message


def test_blur(sharp: Photo, person: PoseDetection, matte: np.ndarray) -> None:
    """Prevents a blurred photo from being blamed on the model; a slight softness passes."""
    for radius, expected in ((1, []), (8, ["blurred"])):
        soft = Photo(np.asarray(Image.fromarray(sharp.pixels).filter(ImageFilter.GaussianBlur(radius))))
        assert _codes(check_person(soft, person)) == [f"warning photo_{code}" for code in expected]
        assert _codes(check_garment(soft, matte)) == [f"warning garment_{code}" for code in expected]


def test_plain_fabric_is_not_blurred(matte: np.ndarray) -> None:
    """Prevents a plain black shirt, which has no detail to be sharp, from being called blurred."""
    pixels = np.full((1024, 768, 3), 246, np.uint8)
    pixels[matte > 0.5] = 20
    assert check_garment(Photo(pixels), matte) == ()
    assert check_garment(Photo(np.full((300, 300, 3), 128, np.uint8)), np.ones((300, 300))) == ()


def test_how_much_garment_there_is(sharp: Photo) -> None:
    """Prevents an empty matte from dressing people in background."""
    for rows, expected in ((0, ["error garment_empty"]), (30, ["warning garment_little"]), (600, [])):
        matte = np.zeros((1024, 768), np.float32)
        matte[200 : 200 + rows, 100:650] = 1
        assert _codes(check_garment(sharp, matte)) == expected


def test_a_matte_at_another_size(sharp: Photo, matte: np.ndarray) -> None:
    """Prevents a crash where the matte is at the network's size and not the picture's."""
    assert check_garment(sharp, matte[::4, ::4]) == ()


def test_worn_garments(sharp: Photo, person: PoseDetection, matte: np.ndarray) -> None:
    """Prevents a person from being wrapped around another; faces printed on a shirt are no people."""
    assert _codes(check_garment(sharp, matte, person=person)) == ["error garment_on_person"]
    headless = _without(person, "nose")
    assert _codes(check_garment(sharp, matte, person=headless)) == ["warning garment_looks_worn"]
    portrait = person.keypoints.copy()
    portrait[KEYPOINT_NAMES.index("nose"), :2] = (384, 480)  # in mid-chest
    assert check_garment(sharp, matte, person=replace(person, keypoints=portrait)) == ()
    printed = np.zeros_like(person.silhouette)
    printed[400:600, 300:450] = 1
    assert check_garment(sharp, matte, person=replace(person, silhouette=printed)) == ()


def test_small_garment_pictures() -> None:
    """Prevents a person's wording in a garment's sentence."""
    tiny = Photo(np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8))
    found = check_garment(tiny, np.ones((50, 40)))
    assert _codes(found) == ["error garment_too_small"]
    assert "40×50" in found[0].message and "garment" in found[0].message


@pytest.mark.parametrize(
    ("code", "error"),
    [("person_too_small", PersonError), ("garment_empty", GarmentError), ("photo_too_small", PhotoError)],
)
def test_only_errors_are_raised_and_by_their_kind(code: str, error: type[Exception]) -> None:
    """Prevents warnings from stopping the try-on, and errors from passing behind them."""
    warning = Finding("warning", "person_several", "Two people.")
    raise_errors([warning])
    with pytest.raises(error, match="Stop."):
        raise_errors([warning, Finding("error", code, "Stop.")])


def test_a_garment_that_is_refused_may_be_used_anyway(sharp: Photo) -> None:
    """Prevents a wrong judgement with no way round."""
    refused = check_garment(sharp, np.zeros((1024, 768), np.float32))
    with pytest.raises(GarmentError, match="Use it anyway.*--force"):
        raise_errors(refused)
    allowed = overruled(refused)
    raise_errors(allowed)
    assert _codes(allowed) == ["warning garment_empty"] and "--force" not in allowed[0].message


def test_every_settings_limit_is_allowed_and_no_more() -> None:
    """Prevents off-by-one limits, and NaN from passing every comparison."""
    check_settings(Settings())
    check_settings(Settings(steps=1, guidance=0.0, seed=0, pictures=1, feather=0.0))
    check_settings(Settings(steps=100, guidance=30, seed=2**32 - 1, pictures=8, feather=32))
    check_settings(Settings(switches=Switches(cloth_cond_rate=0.0), steps=int(np.int64(5))))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(steps=0), "steps must be a whole number from 1 to 100, got 0"),
        (Settings(steps=10_000), "steps .* got 10000"),
        (Settings(steps=2.5), "steps .* got 2.5"),  # type: ignore[arg-type]
        (Settings(steps=True), "steps .* got True"),
        (Settings(guidance=float("nan")), "guidance must be a number from 0 to 30, got nan"),
        (Settings(guidance=float("inf")), "guidance .* got inf"),
        (Settings(guidance=-0.1), "guidance .* got -0.1"),
        (Settings(guidance="high"), "guidance .* got 'high'"),  # type: ignore[arg-type]
        (Settings(seed=-1), "seed .* from 0 to 4294967295, got -1"),
        (Settings(seed=2**32), "seed .* got 4294967296"),
        (Settings(pictures=0), "pictures .* from 1 to 8, got 0"),
        (Settings(pictures=9), "pictures .* got 9"),
        (Settings(feather=33), "feather .* got 33"),
        (Settings(switches=Switches(cloth_cond_rate=1.1)), "cloth_cond_rate .* got 1.1"),
    ],
)
def test_settings_outside_their_range(settings: Settings, said: str) -> None:
    """Prevents a setting from failing deep inside the sampler, or from running for an hour."""
    with pytest.raises(SettingError, match=said):
        check_settings(settings)


def test_no_false_alarm_on_real_photos(shared_dir: Path) -> None:
    """Prevents thresholds that only fit made-up pictures."""
    detector = PoseDetector(workers=1)
    folder = shared_dir / "data" / "hd"
    for name in ("persons_full/ootd__051918_0.jpg", "persons_upper/cswywang__03615_00.jpg"):
        photo = read_photo(folder / name)
        assert check_person(photo, detector.detect(photo.pixels)) == (), name
    cut = read_photo(folder / "persons_full" / "ootd__052472_0.jpg")  # above the lips
    assert _codes(check_person(cut, detector.detect(cut.pixels))) == ["warning person_headless"]
    worn = read_photo(folder / "garments_misc" / "fashn__garment.webp")
    seen = detector.find(worn.pixels)
    assert seen is not None
    assert _codes(check_garment(worn, seen.silhouette, person=seen)) == ["error garment_on_person"]
