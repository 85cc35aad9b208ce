"""The tab “Try on” from click to result, the handlers called as the page calls them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.files import new_folder, write_result
from app.pictures import mask_layer
from app.tryon import handlers as page_handlers
from app.tryon import masks
from app.tryon.handlers import Handlers
from app.values import setting_names
from app.words import STOPPED, UNEXPECTED
from ladi.postprocess.png import read_settings
from ladi.preprocess.photo import read_photo
from ladi.types import PersonError
from tests.ui.conftest import Send, page_values
from tests.ui.fake import SIZE, FakeEngine, parts_of
from tests.ui.pictures import coloured

SKIP = gr.skip()
OTHERS: dict[str, Any] = {
    "steps": 11,
    "guidance": 2.5,
    "seed": "3",
    "pictures": 1,
    "sampler": "unipc",
    "size": "32x24",
    "emasc": False,
    "pseudo_words": False,
    "warped_garment": False,
    "pose": False,
    "garment_skips": False,
    "cloth_cond_rate": 0.25,
    "category": "upper_body",
    "clean_garment": "keep",
    "use_anyway": True,
    "turn": True,
    "invert_mask": False,
    "mask_rule": "published",
    "mask_grow": -2,
    "paste_back": False,
    "fine_detail": False,
    "keep_unchanged": False,
    "feather": 1.5,
    "model": "mini",
}
"""Every setting at another value than the page begins with, but for model and pictures."""


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def handlers(fake: FakeEngine) -> Handlers:
    return Handlers(lambda model: fake)


@pytest.fixture
def photos(send: Send) -> tuple[Any, Any]:
    return send(coloured(10, 60, 110), "person.png"), send(coloured(100, 20, 20), "garment.png")


def paint(handlers: Handlers, photos: tuple[Any, Any], **settings: Any) -> list[dict[str, Any]]:
    """All that the page is told, by the fields' names."""
    told = handlers.try_on(*photos, None, "", None, True, *page_values(**settings), visitor="me")
    return [dict(zip(Handlers.SHOWN, one, strict=True)) for one in told]


def assert_idle(last: dict[str, Any]) -> None:
    assert last["button"]["visible"] and not last["cancel"]["visible"] and not last["preview"]["visible"]


def test_the_page_is_told_from_click_to_result(handlers: Handlers, photos: tuple[Any, Any]) -> None:
    """Prevents a page without a Cancel, progress or preview, and a result wired to other fields."""
    first, *middle, last = paint(handlers, photos, seed="5", steps=4)
    assert not first["button"]["visible"] and first["cancel"]["visible"] and "progressbar" in first["status"]
    assert first["told"] == last["told"] == ""  # words on a copy or a link were about the picture before
    assert middle and all("progressbar" in one["status"] for one in middle)
    assert "Painting · step" in middle[-1]["status"] and "of 4" in middle[-1]["status"]
    assert middle[-1]["preview"]["value"].shape == (*SIZE, 3)
    assert_idle(last)
    before, after = last["versus"]
    assert last["result"] == after and read_settings(last["jpeg"]["value"])["seed"] == 5
    np.testing.assert_array_equal(np.asarray(Image.open(after)), 255 - coloured(10, 60, 110))
    assert Image.open(before).size == Image.open(after).size
    assert last["download"]["value"] == after and read_settings(after)["seed"] == 5
    assert last["seed_used"] == "5" and not last["gallery"]["visible"]
    assert "4 steps" in last["details"] and "| Painting | 1.00 |" in last["timings"]
    assert any(caption.startswith("Pose") for _, caption in last["made"])
    assert all(Path(path).is_file() for path, _ in last["made"])


def test_several_pictures_can_be_chosen_from(handlers: Handlers, photos: tuple[Any, Any]) -> None:
    """Prevents a download or a seed that belongs to another of the pictures."""
    last = paint(handlers, photos, pictures=3)[-1]
    files = last["gallery"]["value"]
    assert last["gallery"]["visible"] and len(set(files)) == 3
    assert [read_settings(file)["seed"] for file in files] == [7, 8, 9]
    chosen = dict(zip(Handlers.CHOSEN, handlers.choose(last["results"], 2), strict=True))
    assert chosen["result"] == chosen["download"]["value"] == files[2] and chosen["seed_used"] == "9"
    assert chosen["versus"] == (last["results"]["before"], files[2])
    assert read_settings(chosen["jpeg"]["value"])["seed"] == 9
    nothing = (SKIP,) * len(Handlers.CHOSEN)
    assert handlers.choose(last["results"], 3) == nothing == handlers.choose(None, 0)


def test_what_was_painted_over_reaches_the_engine(
    handlers: Handlers, fake: FakeEngine, photos: tuple[Any, Any]
) -> None:
    """Prevents a corrected mask that is shown and not used."""
    drawn = masks.automatic(parts_of(read_photo(photos[0]["path"])))
    mask = np.zeros(masks.EDITOR, bool)
    mask[:384] = True
    layers = {"background": np.zeros((*masks.EDITOR, 3)), "layers": [mask_layer(mask)]}
    list(handlers.try_on(*photos, drawn, drawn.token, layers, False, *page_values()))
    got = fake.requests[0].mask
    assert got is not None and got.shape == (96, 72) and got[:48].all() and not got[48:].any()
    list(handlers.try_on(*photos, drawn, "another token", layers, False, *page_values()))
    assert fake.requests[1].mask is None


def test_a_window_alone_is_compared_with_the_same_window(handlers: Handlers, photos: tuple[Any, Any]) -> None:
    """Prevents a slider of two pictures that do not fit each other."""
    before, _ = paint(handlers, photos, paste_back=False)[-1]["versus"]
    assert Image.open(before).size == (SIZE[1], SIZE[0])


def test_a_cancelled_picture_leaves_a_sentence_and_everything_else(
    handlers: Handlers, fake: FakeEngine, photos: tuple[Any, Any]
) -> None:
    """Prevents a page that stays busy, or loses its last result, after Cancel."""
    fake.steps = 1500
    told = handlers.try_on(*photos, None, "", None, True, *page_values(), visitor="me")
    next(told), next(told)
    handlers.stop("somebody else")
    assert "progressbar" in dict(zip(Handlers.SHOWN, next(told), strict=True))["status"]
    handlers.stop("me")
    last = dict(zip(Handlers.SHOWN, list(told)[-1], strict=True))
    assert STOPPED in last["refusal"] and last["status"] == ""
    assert_idle(last)
    assert last["result"] == last["gallery"] == last["results"] == last["mark"] == SKIP
    assert fake.running == 0


@pytest.mark.parametrize("kind", ["result", "jpeg"])
def test_what_is_cancelled_while_it_is_saved_is_not_saved_to_the_end(
    handlers: Handlers, photos: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Prevents eight pictures of sixteen megapixels from being packed for somebody who has left."""
    saved: list[Path] = []
    write = getattr(page_handlers, f"write_{kind}")

    def stopping(*given: Any) -> Path:
        saved.append(write(*given))
        handlers.stop("me")
        return saved[-1]

    monkeypatch.setattr(page_handlers, f"write_{kind}", stopping)
    told = list(handlers.try_on(*photos, None, "", None, True, *page_values(pictures=4), visitor="me"))
    last = dict(zip(Handlers.SHOWN, told[-1], strict=True))
    assert len(saved) == 1 and STOPPED in last["refusal"] and last["results"] == SKIP
    assert_idle(last)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PersonError("No <person> was found."), "No &lt;person&gt; was found."),
        (RuntimeError("/srv/secret.bin"), UNEXPECTED),
    ],
)
def test_a_failure_is_one_sentence_and_a_page_that_goes_on(
    handlers: Handlers, fake: FakeEngine, photos: tuple[Any, Any], error: Exception, sentence: str
) -> None:
    """Prevents paths of the server on the page, HTML of visitors, and a button that stays away."""
    fake.error = error
    last = paint(handlers, photos)[-1]
    assert sentence in last["refusal"] and "secret" not in str(last) and last["status"] == ""
    assert_idle(last)
    fake.error = None
    assert paint(handlers, photos)[-1]["refusal"] == ""


@pytest.mark.parametrize(
    ("settings", "sentence"), [({"steps": 0}, "steps must be"), ({"seed": "lucky"}, "seed must be a number")]
)
def test_a_bad_setting_is_a_sentence(
    handlers: Handlers, fake: FakeEngine, photos: tuple[Any, Any], settings: dict, sentence: str
) -> None:
    """Prevents an error without words on the page's own event."""
    assert sentence in paint(handlers, photos, **settings)[-1]["refusal"]


def test_a_missing_picture_is_asked_for(handlers: Handlers, photos: tuple[Any, Any]) -> None:
    """Prevents a click on a half-filled page from failing without a word."""
    assert "please add a picture of the garment" in paint(handlers, (photos[0], None))[-1]["refusal"]


def loaded(handlers: Handlers, path: str | Path, **now: Any) -> dict[str, Any]:
    values = handlers.load_settings({"path": str(path)}, *page_values(**now))
    return dict(zip(setting_names(), values, strict=True))


@pytest.mark.parametrize("now", [{}, {"guidance": 3, "cloth_cond_rate": 1, "feather": 4, "steps": 30.0}])
def test_a_result_gives_all_its_settings_back(
    handlers: Handlers, photos: tuple[Any, Any], now: dict[str, Any]
) -> None:
    """Prevents settings that are not written or not read; a browser sends 2.0 as 2, which rounded others."""
    asked = OTHERS | {"size": "512x384"}
    file = paint(handlers, photos, **asked)[-1]["download"]["value"]
    # The size is the one that the fake painted at; of kinds there is one, whose field holds nothing else.
    assert loaded(handlers, file, **now) == OTHERS | {"category": "auto"}


def test_what_a_record_does_not_say_stays(handlers: Handlers, send: Send) -> None:
    """Prevents a record of another version, or of a model that is not here, from emptying fields."""
    file = write_result(coloured(1, 2, 3), new_folder(), {"seed": 9, "model": "large", "sampler": None})
    assert loaded(handlers, file, steps=12) == dict(
        zip(setting_names(), page_values(steps=12, seed="9"), strict=True)
    )
    assert handlers.load_settings(None, *page_values()) == (SKIP,) * len(setting_names())


def test_a_foreign_or_damaged_picture_is_refused(handlers: Handlers, send: Send) -> None:
    """Prevents any PNG from resetting the page, and half of its settings from being taken."""
    with pytest.raises(gr.Error, match="carries no settings"):
        loaded(handlers, send(coloured(1, 2, 3), "holiday.png")["path"])
    with pytest.raises(gr.Error, match="cannot be read as a picture"):
        loaded(handlers, send(b"a letter", "letter.png")["path"])
    for wrong in ({"steps": "many"}, {"size": [1]}, {"mask_grow": float("inf")}, {"guidance": None}):
        file = write_result(coloured(1, 2, 3), new_folder(), {"seed": 1, **wrong})
        with pytest.raises(gr.Error, match=f"'{[*wrong][0]}' cannot be read: set the sliders by hand"):
            loaded(handlers, file)


def test_a_result_is_the_next_photo(handlers: Handlers, photos: tuple[Any, Any]) -> None:
    """Prevents wearing the photo again instead of the result."""
    after = paint(handlers, photos)[-1]["result"]
    assert handlers.wear({"path": after}) == after
    assert handlers.wear(None) is None
    Path(after).unlink()
    with pytest.raises(gr.Error, match="has deleted this picture by now"):
        handlers.wear({"path": after})


def test_a_models_own_defaults_are_taken(handlers: Handlers) -> None:
    """Prevents one model's steps with another, and kinds of garment that it was not trained for."""
    steps, guidance, kinds = handlers.model_defaults("mini")
    assert (steps["value"], guidance["value"]) == FakeEngine.defaults and kinds["choices"] == [
        ("Top", "auto")
    ]


def test_the_last_eight_results_come_back_with_their_settings(
    handlers: Handlers, photos: tuple[Any, Any]
) -> None:
    """Prevents a good picture that is lost with the next, or that comes back with others' settings."""
    history: Any = None
    for seed in range(10):
        last = paint(handlers, photos, seed=str(seed), steps=seed + 1)[-1]
        history, shown = handlers.remember(last["results"], history)
        assert handlers.remember(last["results"], history) == (SKIP, SKIP)
    assert len(history) == len(shown["value"]) == 8 and shown["visible"]
    told = handlers.reopen(history, 3, *page_values())
    names = (*Handlers.REOPENED, *setting_names())
    back = dict(zip(names, told, strict=True))
    assert (back["seed"], back["steps"], back["seed_used"]) == ("6", 7, "6")
    assert read_settings(back["result"])["seed"] == 6 and back["results"] == history[3]
    assert "7 steps" in back["details"] and back["category"] == "auto" and back["told"] == ""
    marks = [back["mark"], dict(zip(names, handlers.reopen(history, 3, *page_values()), strict=True))["mark"]]
    assert marks[0] != marks[1] and last["mark"] not in marks  # it is shown anew each time
    assert {mark.partition("#")[0] for mark in marks} == {history[3]["name"]}


def test_a_result_that_is_deleted_does_not_come_back(
    handlers: Handlers, photos: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents an error, or an empty result, where the server has kept its promise to delete."""
    said: list[str] = []
    monkeypatch.setattr(gr, "Info", lambda words, **_: said.append(words))
    results = paint(handlers, photos)[-1]["results"]
    Path(results["files"][0]).unlink()
    told = handlers.reopen([results], 0, *page_values())
    assert told == (SKIP,) * len(told) and "deleted" in said[0]
    assert handlers.reopen([results], 1, *page_values()) == told
