"""The look at both pictures before the click: what is shown, kept, and said beside which picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from app import words
from app.pictures import mask_layer
from app.tryon import masks
from app.tryon.looking import Looking
from app.tryon.masks import EDITOR
from app.words import UNEXPECTED
from ladi.preprocess.findings import USE_ANYWAY, finding, raise_errors
from ladi.preprocess.photo import read_photo
from ladi.types import Garment, GarmentError, PersonError
from tests.bad_files import BAD_FILES
from tests.ui.conftest import Send, page_values
from tests.ui.fake import FakeEngine, parts_of
from tests.ui.pictures import coloured

SKIP = gr.skip()


class Visitor:
    """A browser that remembers what it was given, as the page's components do."""

    def __init__(self, send: Send) -> None:
        self.engine = FakeEngine()
        self.looking = Looking(lambda model: self.engine)
        self.person: Any = send(coloured(10, 60, 110), "person.png")
        self.garment: Any = send(coloured(100, 20, 20), "garment.png")
        self.drawn: Any = None
        self.token = ""
        self.layers: Any = None

    def look(self, **settings: Any) -> dict[str, Any]:
        values = page_values(**settings)
        told = self.looking.look(self.person, self.garment, self.drawn, self.token, self.layers, *values)
        seen = dict(zip(Looking.LOOKED, told, strict=True))
        self.drawn, self.token = seen["mask"], seen["token"]
        if seen["editor"] != SKIP:
            self.layers = seen["editor"]
        return seen

    def paint(self) -> None:
        mask = masks.read_layers(self.layers)
        assert mask is not None
        mask[600:700, 40:90] = True
        self.layers = self.layers | {"layers": [mask_layer(mask)]}


@pytest.fixture
def visitor(send: Send) -> Visitor:
    return Visitor(send)


def stroke_of(visitor: Visitor) -> bool:
    return bool(visitor.drawn.edited and masks.unpack(visitor.drawn.shown)[600:700, 40:90].all())


def test_everything_that_was_found_is_shown(visitor: Visitor) -> None:
    """Prevents a look whose values arrive in other fields."""
    seen = visitor.look(mask_grow=2, mask_rule="published", size="512x384")
    assert visitor.engine.looks == [
        {"category": "upper_body", "mask_grow": 2, "mask_rule": "published", "size": (512, 384)}
    ]
    assert seen["cleaned"].shape == (32, 24, 3)
    assert seen["editor"]["background"].shape == (*EDITOR, 3)
    assert seen["joints"].shape == (64, 48, 3) and seen["parts"].shape == (32, 24, 3)
    assert "Good photo: one person" in seen["found_person"] and "Top, used as it is." in seen["found_garment"]
    assert visitor.drawn.grow == 2


@pytest.mark.parametrize(
    ("cleaned_by", "said"),
    [
        ("kept", "Top, used as it is."),
        ("alpha", "Top, cut out by its own transparency."),
        ("embedded", "Top, background removed."),
        ("u2net", "Top, background removed by u2net."),
    ],
)
def test_how_a_garment_was_cut_out_is_said(cleaned_by: str, said: str) -> None:
    """Prevents: "background removed by alpha"."""
    nothing = torch.zeros(1, 3, 4, 3)
    assert words.garment_words(Garment(nothing, nothing[:, :1], cleaned_by=cleaned_by), 1) == said


def test_the_same_look_does_not_send_the_editor_again(visitor: Visitor) -> None:
    """Prevents strokes that disappear because the editor is filled anew while somebody draws."""
    first, second = visitor.look(), visitor.look()
    assert first["editor"] != SKIP and second["editor"] == SKIP
    assert first["token"] == second["token"] != ""


def test_strokes_stay_with_other_garments(visitor: Visitor, send: Send) -> None:
    """Prevents correcting the mask anew for every garment."""
    visitor.look()
    visitor.paint()
    visitor.garment = send(coloured(5, 5, 200), "other.png")
    assert visitor.look()["editor"] == SKIP and stroke_of(visitor)


def test_strokes_stay_when_the_slider_moves(visitor: Visitor) -> None:
    """Prevents a slider that throws a corrected mask away."""
    visitor.look()
    visitor.paint()
    assert visitor.look(mask_grow=1)["editor"] != SKIP
    assert stroke_of(visitor) and masks.unpack(visitor.drawn.shown)[650, 100]


def test_strokes_come_back_with_their_photo_and_stay_with_it(visitor: Visitor, send: Send) -> None:
    """Prevents strokes on somebody else's photo, and a photo that was removed for a moment losing its own."""
    visitor.look()
    visitor.paint()
    photo, visitor.person = visitor.person, None
    gone = visitor.look()
    assert gone["editor"] is None and gone["token"] == ""
    visitor.layers = None
    visitor.person = photo
    assert visitor.look()["editor"] != SKIP and stroke_of(visitor)
    visitor.person = send(coloured(90, 60, 110), "somebody-else.png")
    assert visitor.look()["editor"] != SKIP and not visitor.drawn.edited


def test_a_reset_gives_the_automatic_mask(visitor: Visitor) -> None:
    """Prevents a button that leaves the strokes where they are."""
    automatic = visitor.look()["mask"].shown
    visitor.paint()
    visitor.look()
    visitor.drawn, visitor.token = None, ""  # what the button does
    assert visitor.look()["editor"] != SKIP
    assert not visitor.drawn.edited and visitor.drawn.shown == automatic


def test_a_problem_is_said_beside_its_own_picture(visitor: Visitor, send: Send) -> None:
    """Prevents a bad garment from hiding the mask, and a bad photo from hiding the garment."""
    good = visitor.garment
    visitor.garment = send(BAD_FILES["text.jpg"].content(), "text.jpg")
    seen = visitor.look()
    assert "text.jpg" in seen["found_garment"] and "text.jpg" not in seen["found_person"]
    assert seen["cleaned"] is None and seen["editor"] != SKIP and seen["joints"] is not None
    visitor.paint()
    visitor.garment, visitor.engine.error = good, PersonError("No <person> was found.")
    seen = visitor.look()
    assert "No &lt;person&gt; was found." in seen["found_person"]
    assert seen["cleaned"] is not None and seen["editor"] is None and stroke_of(visitor)


def test_a_refusal_that_may_be_overruled_has_the_way_in_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a command's flag on the page, and a garment that nobody gets past the checks."""

    def refuse(photo: Any, **how: Any) -> Any:
        raise GarmentError(f"No <garment> was found.{USE_ANYWAY}")

    monkeypatch.setattr(visitor.engine, "prepare_garment", refuse)
    said = visitor.look()["found_garment"]
    assert "No &lt;garment&gt; was found." in said and "--force" not in said
    assert '<a href="#overrule" role="button">Use it anyway</a>' in said


@pytest.mark.parametrize("refused", [True, False])
def test_a_picture_that_lies_has_the_way_to_turn_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """Prevents advice that sends visitors away to another program, and a command's flag on the page."""
    lies = finding("person_found_turned" if refused else "person_not_upright", turn=270)

    def look(photo: Any, **how: Any) -> Any:
        raise_errors([lies])
        return replace(parts_of(photo), findings=(lies,))

    monkeypatch.setattr(visitor.engine, "prepare_person", look)
    said = visitor.look()["found_person"]
    assert "lie on its side; it should be turned a quarter to the left" in said and "--turn" not in said
    assert '<a href="#turn-person-270" role="button">Turn it</a>' in said


def test_whether_a_garment_is_turned_is_the_settings_to_say(visitor: Visitor) -> None:
    """Prevents a garment that lies in the look and hangs in the result."""
    for turn in (True, False):
        visitor.look(turn=turn)
        assert visitor.engine.clothes[-1]["turn"] is turn
        assert "turn" not in visitor.engine.looks[-1], "strokes are drawn on the photo as it is"


def test_a_turned_picture_takes_the_place_of_the_upload(visitor: Visitor, send: Send) -> None:
    """Prevents a turn that loses sharpness or transparency, and turning the server's own files."""
    photo = np.random.default_rng(3).integers(0, 256, (48, 40, 4)).astype(np.uint8)
    for pixels in (photo[..., :3], photo):
        before = read_photo(pixels)
        after = read_photo(visitor.looking.turn_garment(send(pixels), "90"))
        assert after.size == (40, 48)
        apart = np.rot90(after.pixels).astype(int) - before.pixels
        assert np.abs(apart).max() <= (before.alpha is not None)
        if before.alpha is not None:
            np.testing.assert_array_equal(np.rot90(after.alpha), before.alpha)
    with pytest.raises(gr.Error, match="was not uploaded to this page"):
        visitor.looking.turn_garment({"path": __file__}, "90")


def test_strokes_are_turned_with_their_photo(visitor: Visitor) -> None:
    """Prevents a mask that was corrected from being lost, or left lying, when its photo is turned."""
    photo = read_photo(visitor.person["path"])
    visitor.look()
    file, skipped = visitor.looking.turn_person(
        visitor.person, "90", visitor.drawn, visitor.token, visitor.layers
    )
    assert skipped == SKIP  # the automatic mask is found anew
    visitor.paint()
    visitor.look()
    before = masks.mask_for_photo(visitor.drawn, photo)
    file, visitor.drawn = visitor.looking.turn_person(
        visitor.person, "90", visitor.drawn, visitor.token, visitor.layers
    )
    after = masks.mask_for_photo(visitor.drawn, read_photo(file))
    assert before is not None and after is not None
    apart = np.rot90(after) != before
    assert apart.mean() < 0.1 * before.mean()
    visitor.person = {"path": file, "meta": {"_type": "gradio.FileData"}}
    assert visitor.look()["editor"] != SKIP and visitor.drawn.edited


def test_one_doubt_is_a_sentence_and_several_are_a_list() -> None:
    """Prevents a bullet for a single sentence, and sentences that run into each other."""
    one, other = finding("photo_blurred"), finding("person_headless")
    assert "<li>" not in words.findings_list([one], "Good.", "person")
    assert words.findings_list([one, other], "Good.", "person").count("<li>") == 2


def test_an_upload_that_is_deleted_by_now_is_asked_for_again(visitor: Visitor) -> None:
    """Prevents “check the path” for visitors whose photo has been deleted while they had lunch."""
    Path(visitor.person["path"]).unlink()
    assert "deleted this picture by now, as promised" in visitor.look()["found_person"]


def test_an_empty_page_says_nothing(visitor: Visitor) -> None:
    """Prevents reproaches before anything was uploaded."""
    visitor.person = visitor.garment = None
    seen = visitor.look()
    assert seen["found_person"] == seen["found_garment"] == "" and not visitor.engine.looks


def test_the_unexpected_is_one_sentence(visitor: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    """Prevents paths of the server on the page, and failures that no log tells."""
    visitor.engine.error = RuntimeError("/srv/secret.bin")
    seen = visitor.look()
    assert UNEXPECTED in seen["found_person"] and "secret" not in str(seen)
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"mask_grow": "much"}, "mask_grow must be a number"), ({"size": "large"}, "size must be height by")],
)
def test_a_bad_setting_is_a_sentence(visitor: Visitor, settings: dict, sentence: str) -> None:
    """Prevents an error without words for what only a hand-made request can send."""
    assert sentence in visitor.look(**settings)["found_person"]
    assert np.array_equal(visitor.look()["parts"].shape, (32, 24, 3))
