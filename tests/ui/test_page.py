"""The page over real HTTP, with a fake engine behind it: what travels, what is refused, who gets what."""

from __future__ import annotations

import json
import os
import shutil
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.examples import example_garments, example_people
from app.fields import Defaults
from app.pictures import MASK_TINT
from app.values import setting_names
from app.words import UNEXPECTED
from ladi.postprocess.png import read_settings
from ladi.preprocess.photo import read_photo
from ladi.types import LadiError, PersonError, PhotoError
from tests.bad_files import BAD_FILES
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured


def try_on(client: Client, person: Path | None, garment: Path | None, **values: object) -> tuple:
    files = {"person": person, "garment": garment}
    sent = {name: None if path is None else handle_file(path) for name, path in files.items()}
    return client.predict(**sent, **values, api_name="/try_on")


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_visitor_gets_picture_mask_garment_seed_and_words(
    client: Client, engine: FakeEngine, person: Path, garment: Path
) -> None:
    """Prevents outputs that are wired in another order than the handler returns them."""
    result, words, mask, warped, seed, made = try_on(
        client, person, garment, seed="42", steps=9, guidance=1.5
    )
    np.testing.assert_array_equal(pixels(result), 255 - coloured(10, 60, 110))
    assert "9 steps" in words and "guidance 1.5" in words and "1.5 s" in words
    assert "top · embedded parser" in words
    assert "a sharper one &lt;works&gt; better" in words
    tinted, grey = pixels(mask)[16, 12].astype(float), pixels(mask)[0, 0]
    assert np.abs(tinted - MASK_TINT).max() < np.abs(grey - MASK_TINT).max() / 2
    assert pixels(warped)[0, 0].tolist() == [191, 191, 191]
    assert seed == "42"
    assert made["seed"] == 42 and made["steps"] == 9 and made["model"] == "mini"
    assert read_settings(result) == made


def test_every_setting_reaches_the_engine(
    client: Client, engine: FakeEngine, person: Path, garment: Path
) -> None:
    """Prevents a switch on the page that nobody listens to, and inputs wired in another order."""
    values = {
        "steps": 11,
        "guidance": 4.5,
        "seed": "3",
        "pictures": 2,
        "sampler": "unipc",
        "size": "512x384",
        "emasc": False,
        "category": "dresses",
        "clean_garment": "keep",
        "use_anyway": True,
        "turn": True,
        "invert_mask": True,
        "mask_rule": "published",
        "mask_grow": -2,
        "pseudo_words": False,
        "warped_garment": False,
        "pose": False,
        "garment_skips": False,
        "cloth_cond_rate": 0.25,
        "paste_back": False,
        "fine_detail": False,
        "keep_unchanged": False,
        "feather": 1.5,
        "model": "mini",
    }
    assert set(values) == set(setting_names())
    try_on(client, person, garment, **values)
    request = engine.requests[0]
    got = vars(request) | vars(request.settings) | vars(request.settings.switches) | {"model": "mini"}
    assert {name: got[name] for name in values} == values | {"seed": 3, "size": (512, 384)}


def test_the_endpoints_are_named_and_explained(client: Client) -> None:
    """Prevents parameters called param_3 without a word, which nobody can call."""
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/try_on", "/prepare", "/compare"}
    names = [one["parameter_name"] for one in endpoints["/try_on"]["parameters"]]
    assert names == ["person", "garment", "mask", *setting_names()]
    for told in endpoints.values():
        assert len(told["description"]) > 60
        assert all(len(one["label"]) > 3 for one in told["parameters"])


def test_an_empty_seed_is_drawn_and_shown(
    client: Client, engine: FakeEngine, person: Path, garment: Path
) -> None:
    """Prevents an empty field from meaning seed 0, the same picture for everybody."""
    assert try_on(client, person, garment)[4] == "7"
    assert engine.requests[0].settings.seed is None


def test_the_file_arrives_as_it_was_uploaded(
    client: Client, engine: FakeEngine, garment: Path, tmp_path: Path
) -> None:
    """Prevents Gradio's own decoding, which would drop colour profiles and turn the picture a second time."""
    sideways = tmp_path / "sideways.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(coloured(10, 60, 110, (40, 60))).save(sideways, exif=exif, quality=95)
    result = try_on(client, sideways, garment)[0]
    assert engine.requests[0].person.size == (60, 40)
    np.testing.assert_array_equal(engine.requests[0].person.pixels, read_photo(sideways).pixels)
    assert pixels(result).shape == (60, 40, 3)


def test_an_iphone_picture_is_read(client: Client, engine: FakeEngine, garment: Path, tmp_path: Path) -> None:
    """Prevents refusing what phones save by default."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    path = tmp_path / "IMG_0001.HEIC"
    pillow_heif.from_pillow(Image.fromarray(coloured(10, 60, 110))).save(path)
    try_on(client, path, garment)
    assert engine.requests[0].person.size == (96, 72)


def test_a_bad_file_gives_its_sentence_and_the_server_goes_on(
    client: Client, engine: FakeEngine, person: Path, garment: Path, tmp_path: Path
) -> None:
    """Prevents tracebacks or Gradio's own messages for files that are no picture."""
    bad = tmp_path / "truncated.jpg"
    bad.write_bytes(BAD_FILES[bad.name].content())
    with pytest.raises(PhotoError) as expected:
        read_photo(bad)
    with pytest.raises(AppError) as refused:
        try_on(client, bad, garment)
    assert refused.value.message == str(expected.value)
    assert not engine.requests
    try_on(client, person, garment)
    assert len(engine.requests) == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 10_000}, "steps"),
        ({"steps": 2.5}, "steps must be a whole number, got 2.5"),
        ({"guidance": "NaN"}, "guidance"),
        ({"guidance": "much"}, "guidance must be a number, got 'much'"),
        ({"seed": "-1"}, "seed"),
        ({"seed": "lucky"}, "seed must be a number, got 'lucky'"),
        ({"category": "hats"}, "category must be auto, upper_body, lower_body or dresses, got 'hats'"),
        ({"mask_rule": "none"}, "mask_rule must be worn or published, got 'none'"),
        ({"sampler": "magic"}, "sampler must be ddim, dpm++, unipc or euler, got 'magic'"),
        ({"size": "large"}, "size must be height by width"),
        ({"mask_grow": 1000}, "mask_grow must be a whole number from -64 to 64, got 1000"),
        ({"model": "maxi"}, "There is no model 'maxi' here: choose mini"),
        ({"model": "/etc"}, "There is no model '/etc' here: choose mini"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_bad_setting_gives_a_sentence(
    client: Client, engine: FakeEngine, person: Path, garment: Path, values: dict, sentence: str
) -> None:
    """Prevents computing with settings out of range, and folders of the server being loaded as models."""
    with pytest.raises(AppError) as refused:
        try_on(client, person, garment, **values)
    assert sentence in refused.value.message
    assert "Traceback" not in refused.value.message
    assert not engine.requests


def test_missing_pictures_are_asked_for(client: Client, person: Path, garment: Path) -> None:
    """Prevents a click on an empty page from failing without a word."""
    with pytest.raises(AppError, match="please add a photo of the person"):
        try_on(client, None, garment)
    with pytest.raises(AppError, match="please add a picture of the garment"):
        try_on(client, person, None)


def test_the_engines_sentences_reach_the_page(
    client: Client, engine: FakeEngine, person: Path, garment: Path
) -> None:
    """Prevents an expected refusal from being shown as a failure of the server, or as HTML."""
    engine.error = PersonError("No person was found in <this> photo; use another.")
    with pytest.raises(AppError) as refused:
        try_on(client, person, garment)
    assert refused.value.message == "No person was found in &lt;this&gt; photo; use another."


def test_an_unexpected_failure_tells_the_log_and_not_the_visitor(
    client: Client, engine: FakeEngine, person: Path, garment: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Prevents tracebacks and paths of the server on the page."""
    engine.error = RuntimeError("secret path /srv/model.bin")
    with pytest.raises(AppError) as refused:
        try_on(client, person, garment)
    assert refused.value.message == UNEXPECTED
    assert "secret path" in caplog.text
    engine.error = None
    try_on(client, person, garment)


def test_two_visitors_at_once_get_their_own_pictures(
    address: str, engine: FakeEngine, garment: Path, tmp_path: Path
) -> None:
    """Prevents state on shared objects, through which one visitor would see another's photo."""
    answers: dict[int, list[np.ndarray]] = {}

    def visit(number: int) -> None:
        path = tmp_path / f"visitor-{number}.png"
        Image.fromarray(coloured(5, 40 * number, 200)).save(path)
        client = Client(address, verbose=False, download_files=str(tmp_path / f"{number}"))
        answers[number] = [pixels(try_on(client, path, garment)[0]) for _ in range(2)]

    visitors = [threading.Thread(target=visit, args=(number,)) for number in (1, 2)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(timeout=120)
    for number in (1, 2):
        assert len(answers[number]) == 2
        for answer in answers[number]:
            np.testing.assert_array_equal(answer, 255 - coloured(5, 40 * number, 200))
    assert engine.most_at_once == 1


def call_by_hand(address: str, data: list[object]) -> str:
    """A request without Gradio's client; the event stream of its answer."""
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(
        f"{address}gradio_api/call/try_on", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}gradio_api/call/try_on/{event}", timeout=60) as stream:
        return stream.read().decode()


REST = list(Defaults().values.values())[2:]
"""The settings after steps and guidance, as the page opens."""


def test_a_hand_made_request_cannot_read_files_of_the_server(
    address: str, engine: FakeEngine, person: Path
) -> None:
    """Prevents opening any path that a request names: Gradio checks only records that carry its marker."""
    record = {"path": str(person), "url": None}
    answer = call_by_hand(address, [record, record, None, 5, 2.0, *REST])
    assert "was not uploaded to this page" in answer
    assert not engine.requests


def test_a_real_nan_is_refused(address: str, engine: FakeEngine, person: Path) -> None:
    """Prevents NaN, which JSON lacks but Python's reader accepts, from reaching the sampler."""
    uploads = Path(os.environ["GRADIO_TEMP_DIR"])
    uploads.mkdir(exist_ok=True)
    path = shutil.copy(person, uploads / "nan.png")
    record = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    assert "guidance" in call_by_hand(address, [record, record, None, 5, float("nan"), *REST])
    assert not engine.requests
    assert "complete" in call_by_hand(address, [record, record, None, 5, 2.0, *REST])
    assert len(engine.requests) == 1


@pytest.mark.parametrize("rows", [example_people, example_garments])
def test_example_pictures_can_be_read(rows: object) -> None:
    """Prevents an example on the page that does not work when it is clicked."""
    found = rows()  # type: ignore[operator]
    if not found:
        pytest.skip("this checkout has no example pictures")
    for [path] in found:
        try:
            assert min(read_photo(path).size) >= 192
        except LadiError as error:
            pytest.fail(f"{path}: {error}")


def test_the_page_asks_nobody_else(address: str) -> None:
    """Prevents fonts, scripts or counters from other servers."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        page = answer.read().decode()
    for host in ("googleapis", "gstatic", "googletagmanager", "cdnjs"):
        assert host not in page.replace("https://cdnjs.cloudflare.com/ajax/libs/iframe-resizer", "")
