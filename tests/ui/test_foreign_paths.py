"""Requests made by hand, which name files of the server: nothing that was not uploaded is opened.

Gradio checks only records that carry its marker, so every place that opens a path has to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from app.api import Api
from app.batch.handlers import Batching
from app.compare.handlers import Comparing
from app.files import write_result
from app.long_work import Runs
from app.tryon.editor import layers_reader
from app.tryon.handlers import Handlers
from app.tryon.looking import Looking
from app.values import read_mask_file
from ladi.types import PhotoError
from tests.ui.conftest import Send, page_values
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured

REFUSED = "was not uploaded to this page"


@pytest.fixture
def own(send: Send) -> dict[str, Any]:
    """Something that was uploaded."""
    return send(coloured(1, 2, 3), "own.png")


@pytest.fixture(params=["elsewhere", "climbing", "link"])
def foreign(request: pytest.FixtureRequest, own: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A readable result's PNG beside the folder of the uploads, under names that a request might try."""
    path = write_result(coloured(9, 9, 9), tmp_path, {"seed": 1})
    uploads = Path(own["path"]).parent
    if request.param == "climbing":
        return {"path": str(uploads / ".." / path.name)}
    if request.param == "link":
        (uploads / "link.png").symlink_to(path)
        return {"path": str(uploads / "link.png")}
    return {"path": str(path)}


def last(told: Any) -> str:
    return str(list(told)[-1])


Place = Callable[[Any, Any, FakeEngine], str]
PLACES: dict[str, Place] = {
    "person": lambda bad, own, engine: last(
        Handlers(lambda _: engine).try_on(bad, own, None, "", None, True, *page_values())
    ),
    "garment": lambda bad, own, engine: last(
        Handlers(lambda _: engine).try_on(own, bad, None, "", None, True, *page_values())
    ),
    "look at the person": lambda bad, own, engine: str(
        Looking(lambda _: engine).look(bad, None, None, "", None, *page_values())
    ),
    "look at the garment": lambda bad, own, engine: str(
        Looking(lambda _: engine).look(None, bad, None, "", None, *page_values())
    ),
    "compared person": lambda bad, own, engine: last(
        Comparing(lambda _: engine, Runs()).compare(bad, [{"image": own}], [], page_values())
    ),
    "compared garments": lambda bad, own, engine: last(
        Comparing(lambda _: engine, Runs()).compare(own, [{"image": own}, {"image": bad}], [], page_values())
    ),
    "zip": lambda bad, own, engine: last(
        Batching(lambda _: engine, Runs()).run(None, None, bad, page_values())
    ),
    "batch's person": lambda bad, own, engine: last(
        Batching(lambda _: engine, Runs()).run([own, bad], [own], None, page_values())
    ),
    "batch's garment": lambda bad, own, engine: last(
        Batching(lambda _: engine, Runs()).run([own], [bad], None, page_values())
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_foreign_file_is_refused_in_words(place: str, foreign: dict[str, Any], own: dict[str, Any]) -> None:
    """Prevents reading any picture of the server by naming it."""
    engine = FakeEngine()
    assert REFUSED in PLACES[place](foreign, own, engine)
    assert not engine.requests and not engine.looks


def api(engine: FakeEngine) -> Api:
    return Api(Handlers(lambda _: engine), Comparing(lambda _: engine, Runs()))


RAISING: dict[str, Place] = {
    "wear": lambda bad, own, engine: str(Handlers(lambda _: engine).wear(bad)),
    "load settings": lambda bad, own, engine: str(
        Handlers(lambda _: engine).load_settings(bad, *page_values())
    ),
    "take a person": lambda bad, own, engine: str(Comparing.take(bad, None, None, None)),
    "take a garment": lambda bad, own, engine: str(Comparing.take(None, bad, None, None)),
    "mask of a program": lambda bad, own, engine: str(read_mask_file(bad, (96, 72))),
    "program's try-on": lambda bad, own, engine: str(api(engine).try_on(own, bad, None, *page_values())),
    "program's preparation": lambda bad, own, engine: str(
        api(engine).prepare(bad, "auto", 0, "worn", "", "mini")
    ),
    "program's comparison": lambda bad, own, engine: str(
        api(engine).compare(own, [{"image": bad}], "", "", "", "", *page_values())
    ),
}


@pytest.mark.parametrize("place", RAISING)
def test_a_foreign_file_raises(place: str, foreign: dict[str, Any], own: dict[str, Any]) -> None:
    """Prevents a button or an endpoint that hands out any file as its own."""
    engine = FakeEngine()
    with pytest.raises((PhotoError, gr.Error), match=REFUSED):
        RAISING[place](foreign, own, engine)
    assert not engine.requests and not engine.looks


@pytest.mark.parametrize("field", ["background", "composite", "layers"])
def test_the_editors_foreign_files_are_not_opened(
    field: str, foreign: dict[str, Any], own: dict[str, Any]
) -> None:
    """Prevents a mask, or a look at the server's disk, by way of the editor's layers."""
    read = layers_reader(gr.ImageEditor(type="numpy", layers=False))
    value = {"background": own, "layers": [own], "composite": None}
    assert np.array_equal(read(json.dumps(value))["background"][..., :3], coloured(1, 2, 3))  # type: ignore[index]
    assert read(json.dumps(value | {field: [own, foreign] if field == "layers" else foreign})) is None
