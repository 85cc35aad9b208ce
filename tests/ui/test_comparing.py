"""The tab “Compare”: cells to the engines, and grid, differences and exports back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.compare.axes import ABLATION
from app.compare.handlers import MOST_GARMENTS, Comparing
from app.long_work import Runs
from app.tryon import masks
from app.words import STOPPED, UNEXPECTED
from ladi.postprocess.png import read_settings
from ladi.preprocess.findings import USE_ANYWAY
from ladi.preprocess.photo import read_photo
from ladi.settings import Switches
from ladi.types import Cancelled, Finding, PersonError
from tests.ui.conftest import Send, page_values
from tests.ui.fake import FakeEngine, parts_of
from tests.ui.pictures import coloured

SKIP = gr.skip()
PERSON = coloured(10, 60, 110)


class Desk:
    """The tab with two models, a person and garments."""

    def __init__(self, send: Send) -> None:
        self.engines = {"mini": FakeEngine(), "vitonhd": FakeEngine()}
        self.comparing = Comparing(self.engines.__getitem__, Runs(), models=tuple(self.engines))
        self.person = send(PERSON, "person.png")
        self.garments: list[Any] = [
            {"image": send(coloured(20 * number, 20, 20), f"garment-{number}.png"), "caption": None}
            for number in range(3)
        ]

    def compare(self, *axes: tuple[str, str], mask: Any = None, **settings: Any) -> dict[str, Any]:
        told = list(
            self.comparing.compare(self.person, self.garments, axes, page_values(**settings), mask=mask)
        )
        first, last = (dict(zip(Comparing.SHOWN, one, strict=True)) for one in (told[0], told[-1]))
        assert not first["button"]["visible"] and first["cancel"]["visible"]
        assert last["button"]["visible"] and last["ablation"]["visible"] and not last["cancel"]["visible"]
        return last


@pytest.fixture
def desk(send: Send) -> Desk:
    return Desk(send)


def assert_painted(cell: dict[str, Any]) -> None:
    """The file shows what the fake paints of this cell's garment in this cell's steps."""
    picture = np.asarray(Image.open(cell["file"]))
    assert picture[0, 0].tolist() == [20 * (cell["garment"] - 1), 20, 20]
    np.testing.assert_array_equal(picture[1:], PERSON[1:] // (cell["steps"] + 1))


def test_garments_and_steps_make_a_grid_and_exports(desk: Desk) -> None:
    """Prevents pictures under another cell's caption, and exports that leave something out."""
    shown = desk.compare(("garment", "all"), ("steps", "1, 3"), sampler="euler", category="dresses")
    cells = shown["state"]["cells"]
    assert [cell["label"] for cell in cells][:3] == [
        "Garment 1 · Steps 1",
        "Garment 1 · Steps 3",
        "Garment 2 · Steps 1",
    ]
    reds = [request.garment.pixels[0, 0, 0] for request in desk.engines["mini"].requests]
    assert reds == [0, 20, 40]
    assert [caption for _, caption in shown["grid"]["value"]][5] == "Garment 3 · Steps 3 · seed 7 · 0.50 s"
    assert shown["grid"]["columns"] == 2 and shown["after"]["visible"]
    assert shown["times"] == 0  # the grid shows pictures, whatever it showed before
    for cell in cells:
        assert_painted(cell)
        told = read_settings(cell["file"])
        assert (told["seed"], told["guidance"], told["sampler"], told["model"]) == (7, 2.0, "euler", "mini")
        assert told["steps"] == cell["steps"] and told["garment"] == cell["garment"]
    table = json.loads(Path(shown["table"]["value"]).read_text("utf-8"))
    assert table["settings"]["category"] == "dresses" and "file" not in table["cells"][0]
    assert [cell["label"] for cell in table["cells"]] == [cell["label"] for cell in cells]
    sheet = Image.open(shown["sheet"]["value"])
    assert sheet.height > 4 * 384 and sheet.width > 4 * 288  # inputs above three rows; four inputs across


def test_what_is_worth_knowing_of_the_pictures_is_said_once(desk: Desk) -> None:
    """Prevents a comparison of pictures that "Try on" warns about, without a word."""
    told = desk.compare(("garment", "all"), ("steps", "1, 3"))
    assert "caution" not in told["status"]
    photo = Finding("warning", "dark", "The photo is dark <here>.")
    cloth = Finding("warning", "edge", f"The garment touches the edge.{USE_ANYWAY}")
    desk.engines["mini"].findings = {number: (photo,) for number in range(3)}
    desk.engines["mini"].findings[1] = (photo, cloth)
    told = desk.compare(("garment", "all"), ("steps", "1, 3"))
    assert told["status"].count("dark &lt;here&gt;") == 1
    assert "Garment 2: The garment touches the edge." in told["status"] and USE_ANYWAY not in told["status"]
    assert len(json.loads(Path(told["state"]["table"]).read_text())["findings"]) == 2


def test_each_model_paints_its_own_cells(desk: Desk) -> None:
    """Prevents one model's pictures under another's name."""
    desk.garments = desk.garments[:1]
    cells = desk.compare(("steps", "1, 3"), ("model", "all"))["state"]["cells"]
    assert [(cell["model"], cell["steps"]) for cell in cells] == [
        ("mini", 1),
        ("vitonhd", 1),
        ("mini", 3),
        ("vitonhd", 3),
    ]
    assert all(len(engine.requests) == 1 for engine in desk.engines.values())
    for cell in cells:
        assert_painted(cell)


def test_two_cells_in_the_slider_and_their_differences(desk: Desk) -> None:
    """Prevents differences from another picture than the chosen one, and a grid that stays at them."""
    shown = desk.compare(("steps", "1, 2, 3"))
    state, pair = shown["state"], desk.comparing.pair
    files = {cell["label"]: cell["file"] for cell in state["cells"]}
    assert shown["slider"] == (files["Steps 1"], files["Steps 3"])
    brightness = []
    for times in (1, 4):
        slider, grid = pair(state, "Steps 2", "Steps 1", times)
        assert slider == (files["Steps 2"], files["Steps 1"])
        strength = [np.asarray(Image.open(path)).mean() for path, _ in grid["value"]]
        assert strength[1] == 0 < strength[2] < strength[0]
        brightness.append(strength[2])
    assert 3 < brightness[1] / brightness[0] < 5
    pixels = [np.asarray(Image.open(file)).astype(float) for file in files.values()]
    apart = np.abs(pixels[0] - pixels[1]).mean()
    assert [text for _, text in grid["value"]][0] == f"Steps 1 · differs by {apart:.2f} of 255"
    assert [path for path, _ in pair(state, "Steps 2", "Steps 1", 0)[1]["value"]] == list(files.values())
    assert pair(state, "Steps 2", "Steps 9", 1) == (SKIP, SKIP) == pair(None, "", "", 1)
    assert pair(state, "Steps 2", "Steps 1", 1e9) == (SKIP, SKIP)


def test_the_same_value_twice_is_one_cell(desk: Desk) -> None:
    """Prevents two cells of one name, at which the differences failed."""
    state = desk.compare(("steps", "1, 1, 2"))["state"]
    assert [cell["label"] for cell in state["cells"]] == ["Steps 1", "Steps 2"]
    assert len(desk.comparing.pair(state, "Steps 1", "Steps 2", 4)[1]["value"]) == 2


def test_what_needs_another_preparation_can_vary(desk: Desk) -> None:
    """Prevents a mask rule or a size that is varied in name only, or another cell's settings in a file."""
    desk.garments = desk.garments[:2]
    shown = desk.compare(("mask_rule", "worn, published"), ("garment", "all"), feather=2.0)
    asked = desk.engines["mini"].requests
    assert [(one.mask_rule, int(one.garment.pixels[0, 0, 0])) for one in asked] == [
        ("worn", 0),
        ("worn", 20),
        ("published", 0),
        ("published", 20),
    ]
    told = [read_settings(cell["file"]) for cell in shown["state"]["cells"]]
    assert [(one["mask_rule"], one["garment"], one["feather"]) for one in told] == [
        ("worn", 1, 2.0),
        ("worn", 2, 2.0),
        ("published", 1, 2.0),
        ("published", 2, 2.0),
    ]
    cells = desk.compare(("size", "256x192, 512x384"), ("feather", "0, 8"))["state"]["cells"]
    assert [cell["label"] for cell in cells][2] == "Model resolution 512x384 · Soft edge 0"
    assert [one.settings.size for one in asked[4:]] == [(256, 192), (256, 192), (512, 384), (512, 384)]
    assert [one.settings.feather for one in asked[4:]] == [0, 8, 0, 8]


def test_no_axis_is_the_papers_ablation(desk: Desk) -> None:
    """Prevents an ablation whose full method depends on the page's switches."""
    cells = desk.compare(emasc=False, pose=False)["state"]["cells"]
    assert [cell["label"] for cell in cells] == [label for label, _ in ABLATION]
    assert {name: cells[0][name] for name in vars(Switches())} == vars(Switches())


def test_switches_that_do_not_vary_are_the_pages(desk: Desk) -> None:
    """Prevents comparing with other settings than "Try on" has."""
    cells = desk.compare(("emasc", ""), pose=False, cloth_cond_rate=0.5)["state"]["cells"]
    assert [(cell["emasc"], cell["pose"], cell["cloth_cond_rate"]) for cell in cells] == [
        (True, False, 0.5),
        (False, False, 0.5),
    ]


def test_a_mask_by_hand_counts_here_too(desk: Desk) -> None:
    """Prevents comparing with another mask than the one on the other tab."""
    drawn = masks.automatic(parts_of(read_photo(desk.person["path"])))
    stroke = np.zeros(masks.EDITOR, bool)
    stroke[:384] = True
    edited = replace(drawn, shown=masks.pack(stroke), edited=True)
    desk.compare(("steps", "1"), mask=edited)
    assert all(request.mask[:48].all() for request in desk.engines["mini"].requests)  # type: ignore[index]


@pytest.mark.parametrize(
    ("axes", "count", "sentence"),
    [
        ([("steps", "1")], MOST_GARMENTS + 1, f"{MOST_GARMENTS + 1} garments are too many"),
        ([("steps", "1")], 0, "please add one picture or several"),
        ([("emasc", ""), ("emasc", "")], 1, "EMASC varies in both directions"),
        ([("steps", "100000")], 1, "steps must be a whole number from 1 to 100"),
        ([("seed", "1,2,3,4,5"), ("steps", "1,2,3,4,5")], 1, "25 pictures: at most 24"),
        ([("garment", "2")], 1, "garment must be a number from 1 to 1"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(desk: Desk, axes: Any, count: int, sentence: str) -> None:
    """Prevents computing for hours, and refusals without words."""
    desk.garments = [desk.garments[0]] * count
    shown = desk.compare(*axes)
    assert sentence in shown["status"] and shown["state"] == SKIP
    assert not desk.engines["mini"].requests


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Cancelled("Stopped."), STOPPED),
        (PersonError("No person was found."), "No person was found."),
        (RuntimeError("/srv/secret.bin"), UNEXPECTED),
    ],
)
def test_a_failure_is_one_sentence(desk: Desk, error: Exception, sentence: str) -> None:
    """Prevents paths of the server on the page, and a comparison that is lost with the next one's failure."""
    desk.engines["mini"].error = error
    shown = desk.compare(("steps", "1"))
    assert sentence in shown["status"] and "secret" not in str(shown)
    assert shown["grid"] == shown["state"] == shown["mark"] == SKIP


def test_programs_get_the_same(desk: Desk) -> None:
    """Prevents an endpoint that tells programs where files lie, or other cells than the page shows."""
    made, sheet, told = desk.comparing.compare_at_once(
        desk.person, desk.garments, [("steps", "1, 3")], page_values()
    )
    assert [caption for _, caption in made] == ["Steps 1", "Steps 3"] and sheet.endswith(".png")
    assert [cell["steps"] for cell in told] == [1, 3] and "file" not in told[0]


def test_the_other_tabs_pictures_are_taken_once(desk: Desk) -> None:
    """Prevents overwriting what was chosen here."""
    person, garment = desk.person, desk.garments[0]["image"]
    assert desk.comparing.take(person, garment, None, None) == (person["path"], [garment["path"]])
    assert desk.comparing.take(person, garment, person, [garment]) == (SKIP, SKIP)
    assert desk.comparing.take(None, None, None, None) == (SKIP, SKIP)
    Path(person["path"]).unlink()
    assert desk.comparing.take(person, garment, None, None) == (SKIP, [garment["path"]])
