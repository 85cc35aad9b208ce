"""The one table of settings, and everything that is made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from app.fields import Defaults
from app.files import write_result
from app.page import build_page
from app.tryon.handlers import Handlers
from app.values import flat_settings, from_record, setting_names
from ladi import records, settings
from ladi.batch.pairs import read_table
from ladi.commands.main import build_parser
from ladi.postprocess.png import read_settings
from ladi.records import record, request_of, values_of
from ladi.settings import part, settings_table
from ladi.types import Photo, SettingError
from tests.ui.fake import FakeEngine

GREY = Photo(np.full((32, 24, 3), 128, np.uint8))


@pytest.fixture
def gloves(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One row more in the table, in this test alone."""

    @dataclass(frozen=True)
    class More(settings.Switches):
        gloves: bool = part("Gloves: the gloves that the person wears")

    for module in (settings, records):
        monkeypatch.setattr(module, "Switches", More)
    yield "gloves"


def page_of(engine: FakeEngine) -> gr.Blocks:
    return build_page(Handlers(lambda name: engine), Defaults())


def test_what_keeps_detail_stands_together() -> None:
    """Prevents four switches of nearly one name in as many places, and no word on how they differ."""
    page = page_of(FakeEngine())
    names = ("garment_skips", "fine_detail", "keep_unchanged", "paste_back")
    switches = [one for one in page.blocks.values() if getattr(one, "elem_id", None) in names]
    assert len(switches) == 4 and len({one.parent for one in switches}) == 1
    line = switches[0].parent.parent
    heading = line.parent.children[line.parent.children.index(line) - 1]
    assert settings.GROUPS["detail"] in heading.value and "EMASC" in heading.value


def test_a_new_row_is_a_flag(gloves: str) -> None:
    """Prevents a setting that the command cannot reach, or does not explain."""
    parser = build_parser(["tryon"])
    choices = next(one for one in parser._actions if one.dest == "command").choices
    assert isinstance(choices, dict)
    assert "leave out the gloves that the person wears" in " ".join(choices["tryon"].format_help().split())
    options = parser.parse_args(["tryon", "a.jpg", "b.jpg", "--out", "c.png", "--no-gloves"])
    assert options.gloves is False


def test_a_new_row_is_a_column(gloves: str, tmp_path: Path) -> None:
    """Prevents a setting that a table of pairs cannot have."""
    path = tmp_path / "pairs.csv"
    path.write_text("person,garment,gloves\na.png,b.png,no\na.png,b.png,perhaps\n")
    first, second = read_table(path)
    assert first.values == {"gloves": False}
    assert second.problem == "gloves must be yes or no, got 'perhaps'."


def test_a_new_row_is_a_field_and_a_parameter(gloves: str) -> None:
    """Prevents a setting that the page or a program cannot see, and one that is lost on the way."""
    page = page_of(FakeEngine())
    [shown] = [one for one in page.blocks.values() if getattr(one, "elem_id", None) == gloves]
    assert isinstance(shown, gr.Checkbox) and (shown.label, shown.value) == ("Gloves", True)
    for endpoint in ("/try_on", "/compare"):
        told = page.get_api_info()["named_endpoints"][endpoint]["parameters"]  # type: ignore[index]
        [parameter] = [one for one in told if one["parameter_name"] == gloves]
        assert parameter["label"] == "Gloves: the gloves that the person wears"
        assert parameter["parameter_has_default"] and parameter["parameter_default"] is True


def test_a_new_row_is_in_the_picture_and_read_back(gloves: str, tmp_path: Path) -> None:
    """Prevents a result that does not say how it was made."""
    start = Defaults().values
    request = request_of(GREY, GREY, flat_settings(start | {gloves: False}))
    result = FakeEngine().try_on(request)
    path = write_result(result.images[0], tmp_path, record(request, result, model="mini"))
    assert read_settings(path)[gloves] is False
    assert start[gloves] is True and from_record(read_settings(path), ("mini",), start)[gloves] is False


def test_every_setting_survives_the_way_there_and_back() -> None:
    """Prevents a row whose value is lost between the request and its flat form."""
    others = {
        "switch": False,
        "whole": 3,
        "number": 0.5,
        "size": (512, 384),
        "choice": None,
    }
    values = {
        name: others[row.kind] if row.kind != "choice" else list(row.choices)[-1]
        for name, row in settings_table().items()
    }
    request = request_of(GREY, GREY, values)
    assert values_of(request.settings, request.settings.switches, request) == values
    settings.check_request(request)
    assert set(setting_names()) == {*values, "model"}


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("steps", "", None),
        ("steps", "12", 12),
        ("steps", 12.0, 12),
        ("pictures", None, 1),
        ("guidance", "2.5", 2.5),
        ("emasc", "Off", False),
        ("emasc", True, True),
        ("size", "512×384", (512, 384)),
        ("size", [512, 384], (512, 384)),
        ("sampler", "", None),
        ("category", "dresses", "dresses"),
    ],
)
def test_a_value_is_read_however_it_comes(name: str, written: object, read: object) -> None:
    """Prevents a table, a page and a PNG that understand the same word differently."""
    assert settings_table()[name].read(written) == read


@pytest.mark.parametrize(
    ("name", "written", "sentence"),
    [
        ("steps", "many", "steps must be a number, got 'many'"),
        ("steps", 2.5, "steps must be a whole number, got 2.5"),
        ("steps", "inf", "steps must be a whole number, got inf"),
        ("emasc", "maybe", "emasc must be yes or no, got 'maybe'"),
        ("size", "large", "size must be height by width"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(name: str, written: object, sentence: str) -> None:
    """Prevents a traceback for a typing error."""
    with pytest.raises(SettingError, match=sentence):
        settings_table()[name].read(written)
