"""The engine with real networks at toy size and real detectors: photos in, photo out."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np
import pytest
import torch
from skimage import data

from ladi.engine import Engine
from ladi.models.matting import GarmentMatting
from ladi.models.parser import HumanParser
from ladi.preprocess.photo import read_photo
from ladi.progress import SHARES
from ladi.runtime.extras import Extras
from ladi.settings import NOTE_CODE, Settings, Switches, TryOnRequest
from ladi.types import ContentError, GarmentError, ModelError, PersonError, Photo
from tests.preprocess.test_kind import drawn
from tests.toy import HEIGHT, WIDTH, toy_pipeline


@pytest.fixture(scope="module")
def networks() -> tuple[Any, HumanParser, GarmentMatting]:
    torch.manual_seed(0)
    parser = HumanParser(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval()
    matting = GarmentMatting(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval()
    return toy_pipeline(), parser, matting


@pytest.fixture(scope="module")
def engine(networks) -> Engine:
    return Engine(*networks, name="toy")


@pytest.fixture(scope="module")
def person() -> Photo:
    """A public-domain photo of one person, 512×384."""
    return read_photo(np.ascontiguousarray(data.astronaut()[:, 40:424]))


@pytest.fixture(scope="module")
def garment() -> Photo:
    """A striped shirt on white."""
    pixels = np.full((256, 192, 3), 255, np.uint8)
    pixels[40:220, 50:142] = (40, 60, 160)
    pixels[50:110, 16:176] = (40, 60, 160)
    pixels[40:220:16, 50:142] = 250
    return read_photo(pixels)


@pytest.fixture(scope="module")
def request_(person: Photo, garment: Photo) -> TryOnRequest:
    return TryOnRequest(person, garment, settings=Settings(steps=2, guidance=2.0, seed=5))


def changed(request: TryOnRequest, **settings: object) -> TryOnRequest:
    return dataclasses.replace(request, settings=dataclasses.replace(request.settings, **settings))


@pytest.fixture(scope="module")
def result(engine: Engine, request_: TryOnRequest):
    return engine.try_on(request_)


def test_the_photo_comes_back_untouched_outside_the_mask(result, person: Photo) -> None:
    """Prevents faces, hands and backgrounds from being repainted, and results at the model's size."""
    assert result.images[0].shape == person.pixels.shape
    mask, frame = result.person.mask[0, 0].numpy() > 0, result.person.frame
    rows = np.clip(((np.arange(512) + 0.5 - frame.top) * frame.scale).astype(int), 0, HEIGHT - 1)
    columns = np.clip(((np.arange(384) + 0.5 - frame.left) * frame.scale).astype(int), 0, WIDTH - 1)
    outside = ~mask[rows][:, columns]
    assert 0.01 < outside.mean() < 0.95
    np.testing.assert_array_equal(result.images[0][outside], person.pixels[outside])
    assert (result.images[0] != person.pixels).any()


def test_the_same_seed_gives_the_same_picture(engine: Engine, request_: TryOnRequest, result) -> None:
    """Prevents draws from the global generator, and state that one call leaves for the next."""
    torch.manual_seed(99)
    again = engine.try_on(request_)
    np.testing.assert_array_equal(again.images[0], result.images[0])
    other = engine.try_on(changed(request_, seed=6))
    assert (other.generated != result.generated).any()


def test_picture_i_of_many_is_the_single_picture_of_seed_plus_i(
    engine: Engine, request_: TryOnRequest
) -> None:
    """Prevents a picture that cannot be made again from the seed that is reported for it."""
    many = engine.try_on(changed(request_, pictures=2))
    assert len(many.images) == 2 and many.seed == 5
    single = engine.try_on(changed(request_, seed=6))
    torch.testing.assert_close(many.generated[1:], single.generated, atol=2e-5, rtol=0)


def test_a_seed_is_drawn_and_told(engine: Engine, request_: TryOnRequest) -> None:
    """Prevents a random picture that nobody can make again."""
    drawn = engine.try_on(changed(request_, seed=None))
    again = engine.try_on(changed(request_, seed=drawn.seed))
    np.testing.assert_array_equal(again.images[0], drawn.images[0])
    assert engine.try_on(changed(request_, seed=None)).seed != drawn.seed


def test_the_models_own_defaults_are_used_and_told(engine: Engine, request_: TryOnRequest) -> None:
    """Prevents a page or command that has to know a model's settings."""
    plain = engine.try_on(changed(request_, steps=None, guidance=None))
    assert (plain.steps, plain.guidance) == engine.defaults == (2, 3.0)


@pytest.mark.parametrize("name", ["emasc", "pseudo_words", "warped_garment", "pose", "garment_skips"])
def test_every_switch_changes_the_picture(engine: Engine, request_: TryOnRequest, result, name: str) -> None:
    """Prevents a switch that gets lost between the request and the pipeline."""
    off = engine.try_on(changed(request_, switches=Switches(**{name: False})))
    assert (off.generated - result.generated).abs().max() > 1e-4


def test_a_large_garment_picture_is_kept_for_its_detail(result, garment: Photo) -> None:
    """Prevents fine detail that is switched on and has nothing to add."""
    fine = result.garment.fine
    assert fine.shape == (1, 3, 4 * HEIGHT, 4 * WIDTH)
    small = torch.nn.functional.interpolate(fine, (HEIGHT, WIDTH), mode="area")
    assert (small - result.garment.image).abs().mean() < 0.05
    assert result.conditions.warp_grid.shape == (1, HEIGHT, WIDTH, 2)


def test_the_content_filter_sees_what_would_be_shown(networks, request_: TryOnRequest, person: Photo) -> None:
    """Prevents a filter that is loaded and never asked, or that looks at another picture."""
    seen = []

    class Strict:
        def check_results(self, pictures) -> None:
            seen.extend(pictures)
            raise ContentError("kept back")

        def check_upload(self, pixels) -> None:
            if pixels.max() == 0:
                raise ContentError("not worked with")

    engine = Engine(*networks, name="toy", extras=Extras(content_filter=Strict()))  # type: ignore[arg-type]
    with pytest.raises(ContentError, match="kept back"):
        engine.try_on(request_)
    assert [picture.shape for picture in seen] == [person.pixels.shape]
    dark = Photo(np.zeros((300, 300, 3), np.uint8))
    for prepare in (engine.prepare_person, engine.prepare_garment):
        with pytest.raises(ContentError, match="not worked with"):
            prepare(dark)


def test_without_pasting_back_the_networks_picture_is_returned(
    engine: Engine, request_: TryOnRequest
) -> None:
    """Prevents a switch for pasting back that does nothing."""
    assert engine.try_on(changed(request_, paste_back=False)).images[0].shape == (HEIGHT, WIDTH, 3)


def test_progress_only_grows_and_names_every_stage(engine: Engine, request_: TryOnRequest) -> None:
    """Prevents a progress bar that jumps back or a stage without a name."""
    told: list[tuple[str, float]] = []
    timed = engine.try_on(request_, progress=lambda *step: told.append(step)).timings
    shares = [share for _, share in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert list(dict.fromkeys(stage for stage, _ in told)) == list(timed) == list(SHARES)


def test_three_threads_get_what_they_would_get_alone(
    engine: Engine, request_: TryOnRequest, garment: Photo, person: Photo
) -> None:
    """Prevents anything of a request from being kept on the engine, the pipeline or its scheduler."""
    mirrored = Photo(np.ascontiguousarray(person.pixels[:, ::-1]))
    requests = [
        dataclasses.replace(changed(request_, seed=seed, steps=steps), person=photo)
        for seed, steps, photo in ((1, 2, person), (2, 3, mirrored), (3, 4, person))
    ]
    alone = [engine.try_on(request).images[0] for request in requests]
    together: dict[int, np.ndarray] = {}

    def visit(index: int) -> None:
        together[index] = engine.try_on(requests[index]).images[0]

    threads = [threading.Thread(target=visit, args=(index,)) for index in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    for index, expected in enumerate(alone):
        np.testing.assert_array_equal(together[index], expected)


def test_a_garment_as_the_person_is_refused(engine: Engine, request_: TryOnRequest, garment: Photo) -> None:
    """Prevents painting onto a picture without anybody in it."""
    with pytest.raises(PersonError):
        engine.try_on(dataclasses.replace(request_, person=garment))


def test_an_unknown_background_remover_is_refused(engine: Engine, request_: TryOnRequest) -> None:
    """Prevents handing any word to rembg, some of whose models upload the picture."""
    for name in ("withoutbg", "magic"):
        with pytest.raises(GarmentError):
            engine.try_on(dataclasses.replace(request_, clean_garment=name))


def test_what_was_done_to_a_file_is_told_as_a_note(
    engine: Engine, request_: TryOnRequest, person: Photo
) -> None:
    """Prevents notes of the decoder from being lost, or shown as warnings."""
    noted = dataclasses.replace(person, notes=("Only the first frame is used.",))
    findings = engine.try_on(dataclasses.replace(request_, person=noted)).findings
    notes = [finding for finding in findings if finding.code == NOTE_CODE]
    assert [finding.message for finding in notes] == ["The photo: Only the first frame is used."]


def test_a_model_that_has_only_seen_tops_refuses_the_rest(networks, request_: TryOnRequest) -> None:
    """Prevents passing off a guess as a result."""
    mini = Engine(*networks, name="mini")
    with pytest.raises(ModelError, match="'mini' was not trained for dresses: choose the model dresscode"):
        mini.try_on(dataclasses.replace(request_, category="dresses"))


def test_dress_codes_model_gets_its_own_masks_and_a_guess_of_the_category(
    networks, request_: TryOnRequest
) -> None:
    """Prevents VITON-HD's mask rule for a model that has never seen it, and a guess that is not told."""
    engine = Engine(*networks, name="dresscode")
    result = engine.try_on(request_)
    assert (result.person.scheme, result.person.parser) == ("dresscode", "embedded")
    assert result.garment.guessed and result.person.category == result.garment.category == "upper_body"
    dress = engine.prepare_garment(dress_picture())
    assert (dress.category, dress.guessed) == ("dresses", True)
    asked = engine.prepare_garment(dress_picture(), category="lower_body")
    assert (asked.category, asked.guessed) == ("lower_body", False)


def dress_picture() -> Photo:
    """A dress, cut out: an untrained network would not find it."""
    pixels, matte = drawn("dress")
    return Photo(pixels, np.uint8(matte * 255))


def test_another_size_scales_everything_and_is_told(engine: Engine, request_: TryOnRequest) -> None:
    """Prevents a part that stays at the model's own size, and silence about untested quality."""
    result = engine.try_on(changed(request_, size=(256, 192)))
    for tensor in (result.generated, result.person.mask, result.person.pose_map, result.garment.image):
        assert tensor.shape[-2:] == (256, 192)
    assert result.person.frame.size == (256, 192) and result.person.labels.shape == (256, 192)
    assert result.images[0].shape == request_.person.pixels.shape
    assert "untested_size" in {finding.code for finding in result.findings}
    own = engine.prepare_person(request_.person).mask
    assert float((result.person.mask.mean() - own.mean()).abs()) < 0.1


def test_a_second_garment_does_not_encode_the_person_again(networks, request_: TryOnRequest) -> None:
    """Prevents a catalogue in which every row pays for what it shares with the last one."""
    engine, fresh = (Engine(*networks, name="toy", remember=seconds) for seconds in (60, 0))
    other = dataclasses.replace(request_, garment=Photo(request_.garment.pixels[..., ::-1].copy()))
    calls: list[str] = []
    vae, text = networks[0].vae, networks[0].text_encoder
    encode, say = vae.encode_with_features, text.forward
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae, "encode_with_features", lambda x: calls.append("vae") or encode(x))
        patch.setattr(text, "forward", lambda *a, **k: calls.append("text") or say(*a, **k))
        engine.try_on(request_)
        assert sorted(calls) == ["text"] * 3 + ["vae"] * 2
        result = engine.try_on(other)
        assert sorted(calls[5:]) == ["text", "vae"]
    assert np.abs(result.images[0].astype(int) - fresh.try_on(other).images[0]).max() <= 1
