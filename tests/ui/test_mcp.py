"""The tools for language models, called by a real client, with what such models send."""

from __future__ import annotations

import asyncio
import base64
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.page import build_page
from app.serving.hosting import Readiness, launch_page
from app.serving.mcp import PATIENCE
from app.serving.options import parse
from app.serving.privacy import PictureFolder
from app.tryon.handlers import Handlers
from ladi.shelf import Shelf
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured

mcp = pytest.importorskip("mcp", reason="needs pip install 'gradio[mcp]'")


def data_uri(*colour: int) -> str:
    file = io.BytesIO()
    Image.fromarray(coloured(*colour)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


PERSON, GARMENT, OTHER = data_uri(10, 60, 110), data_uri(100, 20, 20), data_uri(20, 100, 20)


class Tools:
    """The page with its tools, and the folder that visitors' files lie in."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.pictures = PictureFolder(600)
        shelf: Any = Shelf(("mini",), lambda _: self.engine)  # type: ignore[arg-type,return-value]
        self.page = build_page(Handlers(shelf.get))
        _, self.address, _ = launch_page(
            self.page, parse(["--mcp"]), Readiness("mini"), self.pictures, quiet=True
        )

    def call(self, name: str, *, progress: bool = False, **arguments: Any) -> Any:
        async def heard(*_: Any) -> None: ...

        async def work(session: Any) -> Any:
            return await session.call_tool(name, arguments, progress_callback=heard if progress else None)

        return self.ask(work)

    def ask(self, work: Any) -> Any:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        async def run() -> Any:
            url = f"{self.address}gradio_api/mcp/"
            async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
                await session.initialize()
                return await work(session)

        return asyncio.run(run())

    def upload(self, uri: str) -> str:
        """A file's address, as a client has it that has uploaded the file before."""
        content = base64.b64decode(uri.partition(",")[2])
        files = {"files": ("anna-smith.png", content)}
        path = httpx.post(f"{self.address}gradio_api/upload", files=files).json()[0]
        return f"{self.address}gradio_api/file={path}"


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
    for name in [name for name in os.environ if name.startswith("LADI_")]:
        patch.delenv(name)
    served = Tools()
    yield served
    served.page.close(verbose=False)
    served.pictures.close()
    patch.undo()


def pictures_in(answer: Any) -> list[tuple[int, int]]:
    assert not answer.isError, answer.content[0].text
    shown = [one for one in answer.content if one.type == "image"]
    return [Image.open(io.BytesIO(base64.b64decode(one.data))).size for one in shown]


def told_in(answer: Any) -> str:
    return "\n".join(one.text for one in answer.content if one.type == "text")


@pytest.mark.parametrize("progress", [False, True])
def test_a_picture_comes_back(tools: Tools, progress: bool) -> None:
    """Prevents a list of the server's paths in the place of the picture, where no progress is asked for."""
    tools.engine.requests.clear()
    answer = tools.call("try_on", person=PERSON, garment=GARMENT, seed=1, steps="4", progress=progress)
    assert len(pictures_in(answer)) == 3
    asked = tools.engine.requests[-1].settings
    assert (asked.seed, asked.steps) == (1, 4)


def test_values_as_language_models_send_them(tools: Tools) -> None:
    """Prevents refusing 1 for a seed, and "false" from meaning yes."""
    more = {
        "pose": "false",
        "emasc": 0,
        "fine_detail": "no",
        "guidance": "2.5",
        "mask": None,
        "use_anyway": "yes",
    }
    assert pictures_in(tools.call("try_on", person=PERSON, garment=GARMENT, seed="7", **more))
    asked = tools.engine.requests[-1]
    settings = asked.settings
    assert (settings.seed, settings.guidance, settings.fine_detail) == (7, 2.5, False)
    assert (settings.switches.pose, settings.switches.emasc, settings.switches.warped_garment) == (
        False,
        False,
        True,
    )
    assert asked.use_anyway
    refused = tools.call("try_on", person=PERSON, garment=GARMENT, pose="perhaps")
    assert refused.isError and "pose must be yes or no" in told_in(refused)


def test_files_by_their_address(tools: Tools) -> None:
    """Prevents a client that has uploaded its files from being told that they are not uploads."""
    answer = tools.call("try_on", person=tools.upload(PERSON), garment=tools.upload(GARMENT))
    assert len(pictures_in(answer)) == 3


def test_a_look_at_a_photo(tools: Tools) -> None:
    """Prevents a tool that is listed and cannot be called."""
    answer = tools.call("prepare", person=PERSON, mask_grow=2)
    assert len(pictures_in(answer)) == 3 and "upper_body" in told_in(answer)


def test_a_comparison_of_several_garments(tools: Tools) -> None:
    """Prevents a list of files whose schema leads nowhere, and pictures that come back as paths."""
    answer = tools.call(
        "compare", person=PERSON, garments=[GARMENT, OTHER], first_axis="garment", first_values="1, 2", seed=3
    )
    assert len(pictures_in(answer)) >= 2
    assert tools.engine.requests[-1].settings.seed == 3


def test_a_busy_machine_has_time(tools: Tools) -> None:
    """Prevents "timed out" for a picture that the page would have taken in after six seconds."""
    tools.call("prepare", person=PERSON)
    asking = tools.page.mcp_server_obj._client_instance
    assert asking is not None and asking.httpx_kwargs["timeout"] == PATIENCE > 60


def test_no_schema_has_a_reference(tools: Tools) -> None:
    """Prevents clients from giving up at a schema that they cannot follow."""

    async def listed(session: Any) -> Any:
        return await session.list_tools()

    schemas = {tool.name: tool.inputSchema for tool in tools.ask(listed).tools}
    assert set(schemas) == {"try_on", "prepare", "compare"}
    assert "$ref" not in str(schemas) and schemas["compare"]["properties"]["garments"]["type"] == "array"
    assert schemas["try_on"]["required"] == ["person", "garment"]


def test_what_is_no_file_is_refused_without_being_quoted(tools: Tools) -> None:
    """Prevents a photo, or its name, in an error that is shown and logged."""
    for given in ("/home/anna-smith.png", PERSON.partition(",")[2]):
        answer = tools.call("try_on", person=given, garment=GARMENT)
        assert answer.isError and "person must be an http" in told_in(answer)
        assert given[:40] not in told_in(answer)


def test_everything_that_was_sent_lies_where_it_is_swept(tools: Tools, tmp_path: Path) -> None:
    """Prevents photos that stay in the temporary folder for ever, also when the server has gone."""
    content = base64.b64decode(PERSON.partition(",")[2])
    tools.call("try_on", person=PERSON, garment=GARMENT)
    parent = tools.pictures.path.parent
    copies = [path for path in parent.rglob("*") if path.is_file() and path.read_bytes() == content]
    assert copies and all(path.is_relative_to(tools.pictures.path) for path in copies)
