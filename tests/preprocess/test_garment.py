"""Cleaning and fitting garment pictures, with the real network class at toy size and hand-set weights."""

from __future__ import annotations

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ladi.models.matting import GarmentMatting
from ladi.preprocess.cleaner import LOCAL_MODELS, UPLOADING_MODELS
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.garment import GarmentCleaner, fit_cut_out
from ladi.types import Garment, GarmentError, Photo, Size

SIZE: Size = (128, 96)
RED = (200, 30, 40)


@pytest.fixture(scope="module")
def matting() -> GarmentMatting:
    """A real matting network at toy size, trained for a second to call red things a garment."""
    torch.manual_seed(0)
    network = GarmentMatting(height=64, width=48, widths=(8,))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    red = torch.tensor(RED).view(1, 3, 1, 1) / 127.5 - 1
    for _ in range(60):
        mask = torch.zeros(4, 1, 64, 48)
        for one in mask:
            top, left, tall, wide = (int(torch.randint(4, 36, ())) for _ in range(4))
            one[:, top : top + tall, left : left + wide] = 1
        others = torch.rand(4, 3, 64, 48) * 0.3 + torch.rand(4, 3, 1, 1) * 2 - 1
        others[:, 0] = others[:, 0].clamp(max=-0.4)
        others[0] = 0.93
        shown = torch.where(mask > 0, red * (1 - 0.2 * torch.rand(4, 1, 1, 1)), others)
        loss = binary_cross_entropy_with_logits(network(shown), mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


@pytest.fixture
def cleaner(matting: GarmentMatting) -> GarmentCleaner:
    return GarmentCleaner(matting)


@pytest.fixture(autouse=True)
def no_models_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No model of this machine's owner is found, and any attempt to reach the network fails the test."""
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "models-home"))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the request path reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def garment_on(
    background: np.ndarray, box: tuple[int, int, int, int], colour: tuple[int, int, int] = RED
) -> Photo:
    """A T-shirt-like block (top, bottom, left, right) with a fold, on a background (H,W,3)."""
    pixels = background.copy()
    top, bottom, left, right = box
    pixels[top:bottom, left:right] = colour
    pixels[top:bottom, (left + right) // 2] = np.array(colour) * 0.8
    return Photo(pixels)


def plain(height: int, width: int, level: int = 246) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def clutter(height: int, width: int) -> np.ndarray:
    """A green and blue chequered blanket with noise."""
    noise = np.random.default_rng(0).integers(0, 40, (height, width, 3))
    rows, columns = np.indices((height, width)) // 16 % 2
    noise[..., 1] += np.where(rows == columns, 120, 60)
    noise[..., 2] += np.where(rows == columns, 60, 150)
    return noise.astype(np.uint8)


def prepare(photo: Photo, cleaner: GarmentCleaner, **options: object) -> Garment:
    clean = str(options.pop("clean", "auto"))
    cut_out = cleaner.cut_out(photo, clean)
    how = {"size": SIZE, "category": "upper_body", "reframe": clean != "keep"}
    return fit_cut_out(photo, cut_out, **how, **options)  # type: ignore[arg-type]


def extent(garment: Garment) -> tuple[float, float, float, float]:
    """Height and width of the garment as shares of the frame, and its centre."""
    on = garment.matte[0, 0].numpy() > 0.5
    rows, columns = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    height, width = on.shape
    return (
        (rows[-1] + 1 - rows[0]) / height,
        (columns[-1] + 1 - columns[0]) / width,
        (rows[-1] + 1 + rows[0]) / 2 / height,
        (columns[-1] + 1 + columns[0]) / 2 / width,
    )


@pytest.mark.parametrize("level", [255, 246, 238])
def test_a_shop_picture_stays_as_photographed(cleaner: GarmentCleaner, level: int) -> None:
    # Cutting out what is already on near-white only frays its edges, and the model knows this background.
    photo = garment_on(plain(*SIZE, level), (8, 120, 6, 90))
    garment = prepare(photo, cleaner)
    assert garment.cleaned_by == "kept"
    assert np.array_equal(to_pixels(garment.image), photo.pixels)
    assert garment.matte[0, 0, 60, 50] == 1 and garment.matte[0, 0, 2, 2] == 0


def test_a_white_garment_on_white_is_kept_whole(cleaner: GarmentCleaner) -> None:
    # By colour there is nearly nothing to see: a cut-out would lose the garment.
    photo = garment_on(plain(*SIZE, 246), (8, 120, 6, 90), colour=(250, 250, 250))
    garment = prepare(photo, cleaner)
    assert garment.cleaned_by == "kept" and np.array_equal(to_pixels(garment.image), photo.pixels)


def test_a_small_garment_on_near_white_is_brought_closer(cleaner: GarmentCleaner) -> None:
    # The warping network was trained on garments that fill the frame.
    garment = prepare(garment_on(plain(600, 600), (200, 320, 250, 340), colour=(20, 60, 90)), cleaner)
    height, width, middle_row, middle_column = extent(garment)
    assert garment.cleaned_by == "kept"
    assert max(height, width) == pytest.approx(0.948, abs=0.03)
    assert (middle_row, middle_column) == pytest.approx((0.5, 0.5), abs=0.02)
    assert (to_pixels(garment.image)[0] == 246).all()


@pytest.mark.parametrize("background", ["light", "white"])
def test_clutter_is_removed_and_the_garment_centred(cleaner: GarmentCleaner, background: str) -> None:
    # A blanket behind the garment would be painted onto the person.
    garment = prepare(garment_on(clutter(400, 500), (60, 220, 250, 370)), cleaner, background=background)
    pixels, level = to_pixels(garment.image).astype(int), {"light": 246, "white": 255}[background]
    height, width, middle_row, middle_column = extent(garment)
    assert garment.cleaned_by == "embedded"
    assert max(height, width) == pytest.approx(0.948, abs=0.04)
    assert (middle_row, middle_column) == pytest.approx((0.5, 0.5), abs=0.02)
    assert (pixels[0, 0] == level).all() and (pixels[-1, -1] == level).all()
    # Every pixel is the garment's red, the background, or a mixture of both: nothing of the blanket.
    assert (pixels[..., 0] >= 150).all()
    assert (pixels[..., 2] - pixels[..., 1] < 25).all()


def test_the_garment_is_not_distorted(cleaner: GarmentCleaner) -> None:
    # A landscape photo squeezed into 3:4 makes every garment slim.
    for height, width in ((240, 400), (400, 240)):
        garment = prepare(garment_on(clutter(height, width), (60, 180, 60, 180)), cleaner)
        tall, wide, *_ = extent(garment)
        assert tall * SIZE[0] == pytest.approx(wide * SIZE[1], rel=0.08)


def test_a_small_garment_in_a_large_photo_gets_a_second_look(cleaner: GarmentCleaner) -> None:
    # Seen whole, an edge is as coarse as the photo is larger than the network's input.
    photo = garment_on(clutter(800, 600), (300, 480, 220, 380))
    error = np.abs(cleaner.cut_out(photo).matte - (photo.pixels[..., 0] >= 150))
    assert error.sum() < 0.1 * 180 * 160
    assert error[:270].max() == 0


def test_transparency_is_the_matte(cleaner: GarmentCleaner) -> None:
    # A shop's PNG is cut out better than any network can, whatever colour it has.
    alpha = np.zeros((200, 200), np.uint8)
    alpha[50:150, 60:140] = 255
    alpha[100:150, 60:140] = 128
    colour = np.full((200, 200, 3), (10, 120, 30))
    pixels = np.rint(colour * (alpha[..., None] / 255) + 255 - alpha[..., None]).astype(np.uint8)
    garment = prepare(Photo(pixels, alpha), cleaner)
    image = to_pixels(garment.image)
    assert garment.cleaned_by == "alpha"
    assert (image[0, 0] == 246).all()
    assert np.abs(image[40, 48].astype(int) - (10, 120, 30)).max() <= 1
    # Half transparent lace shows half of the new background, not half of white.
    assert np.abs(image[100, 48].astype(int) - (128, 183, 138)).max() <= 2
    assert extent(garment)[1] == pytest.approx(0.948, abs=0.03)


@pytest.mark.parametrize("level", [0, 255])
def test_a_transparency_without_a_shape_is_ignored(cleaner: GarmentCleaner, level: int) -> None:
    # Some programs write an alpha channel that is opaque but for a corner, or wholly transparent.
    photo = garment_on(plain(*SIZE), (8, 120, 6, 90))
    alpha = np.full(SIZE, level, np.uint8)
    alpha[0, 0] = 0
    assert prepare(Photo(photo.pixels, alpha), cleaner).cleaned_by == "kept"


def test_keep_takes_the_whole_picture(cleaner: GarmentCleaner) -> None:
    # Who asks for it knows why; nothing may be cropped.
    photo = garment_on(clutter(*SIZE), (50, 80, 40, 60))
    garment = prepare(photo, cleaner, clean="keep")
    assert garment.cleaned_by == "kept" and np.array_equal(to_pixels(garment.image), photo.pixels)


@pytest.mark.parametrize("clean", ["auto", "embedded"])
def test_a_picture_without_any_garment_goes_through(cleaner: GarmentCleaner, clean: str) -> None:
    # Whether this is an error is for the checks to say, in words; here nothing may crash.
    garment = prepare(Photo(clutter(90, 200)), cleaner, clean=clean)
    assert garment.matte.max() == 0 and garment.image.shape == (1, 3, *SIZE)


def test_embedded_can_be_asked_for_on_near_white(cleaner: GarmentCleaner) -> None:
    garment = prepare(garment_on(plain(*SIZE), (20, 100, 20, 80)), cleaner, clean="embedded")
    assert garment.cleaned_by == "embedded" and (to_pixels(garment.image)[0, 0] == 246).all()


@pytest.mark.parametrize("name", UPLOADING_MODELS)
def test_uploading_services_are_refused(cleaner: GarmentCleaner, name: str) -> None:
    with pytest.raises(GarmentError, match=f'"{name}" would upload your picture'):
        prepare(garment_on(plain(*SIZE), (8, 120, 6, 90)), cleaner, clean=name)


def test_unknown_and_absent_models_are_sentences(cleaner: GarmentCleaner) -> None:
    photo = garment_on(plain(*SIZE), (8, 120, 6, 90))
    with pytest.raises(GarmentError, match='must be one of auto, keep, embedded, isnet.* got "../etc"'):
        prepare(photo, cleaner, clean="../etc")
    for name in LOCAL_MODELS:
        with pytest.raises(GarmentError, match=f'"{name}" is not on this machine: put {name}.onnx into'):
            prepare(photo, cleaner, clean=name)
    assert not cleaner.rembg_ready


def test_a_named_model_never_waits_for_the_import(
    cleaner: GarmentCleaner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # rembg's first import can take more than a minute; a request must not hang so long.
    monkeypatch.setitem(sys.modules, "rembg", None)
    file = tmp_path / "models-home" / "models" / "u2netp" / "u2netp.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no model")
    photo = garment_on(plain(*SIZE), (8, 120, 6, 90))
    with pytest.raises(GarmentError, match="still being loaded"):
        prepare(photo, cleaner, clean="u2netp")
    cleaner.warm_up(wait=True)
    with pytest.raises(GarmentError, match="needs rembg, which cannot be imported"):
        prepare(photo, cleaner, clean="u2netp")
    assert prepare(photo, cleaner, clean="embedded").cleaned_by == "embedded"


def test_two_users_get_their_own_garments(cleaner: GarmentCleaner) -> None:
    # Anything kept on the cleaner between calls would mix two people's pictures.
    photos = [garment_on(clutter(120 + 10 * k, 160), (20, 80 + k, 30, 90 + 3 * k)) for k in range(8)]
    alone = [prepare(photo, cleaner).image for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: prepare(photo, cleaner).image, photos))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.slow
def test_rembg_gives_the_same_matte_as_the_network_alone(cleaner: GarmentCleaner, tmp_path: Path) -> None:
    # The result must not depend on whether a background import happens to be done.
    photo = garment_on(clutter(300, 200), (60, 220, 50, 150))
    alone = cleaner.cut_out(photo)
    cleaner.warm_up(wait=True)
    assert cleaner.rembg_ready
    through_rembg = cleaner.cut_out(photo)
    assert np.array_equal(alone.matte, through_rembg.matte) and through_rembg.cleaned_by == "embedded"
    file = tmp_path / "models-home" / "u2netp.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no model")
    with pytest.raises(GarmentError, match='"u2netp" cannot be loaded'):
        cleaner.cut_out(photo, "u2netp")
