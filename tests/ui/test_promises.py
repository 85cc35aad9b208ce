"""What the page says of privacy: nothing of a visitor's picture stays on the disk, or gets into the log.

Everything that is sent, by every way in, is looked for in the whole temporary folder and in all that the
server prints.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import logging
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.page import build_page
from app.serving.hosting import Readiness, launch_page
from app.serving.options import parse
from app.serving.privacy import PictureFolder, PrivateFormatter
from app.tryon.handlers import Handlers
from ladi.shelf import Shelf
from tests.ui.conftest import page_values
from tests.ui.fake import FakeEngine

MCP = importlib.util.find_spec("mcp") is not None
NAME = "anna-smith of 12 elm street"


def noise(seed: int) -> bytes:
    """A picture that nothing else looks like."""
    pixels = np.random.default_rng(seed).integers(0, 256, (96, 72, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


PERSON, GARMENT = noise(1), noise(2)


class House:
    """A server, everything that it prints, and the only folder that it may write to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = FakeEngine()
        self.pictures = PictureFolder(600)
        self.log = io.StringIO()
        self.handler = logging.StreamHandler(self.log)
        self.handler.setFormatter(PrivateFormatter(self.pictures.path))
        logging.getLogger().addHandler(self.handler)
        shelf: Any = Shelf(("mini",), lambda _: self.engine)  # type: ignore[arg-type,return-value]
        self.page = build_page(Handlers(shelf.get))
        flags = ["--mcp"] if MCP else []
        _, self.address, _ = launch_page(
            self.page, parse(flags), Readiness("mini"), self.pictures, quiet=True
        )

    def close(self) -> None:
        self.page.close(verbose=False)
        self.pictures.close()
        logging.getLogger().removeHandler(self.handler)

    def file(self, content: bytes, suffix: str = ".png") -> Path:
        """A file of a visitor's own, on the visitor's own machine."""
        path = self.folder.parent / "visitor" / f"{NAME}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def upload(self, content: bytes, suffix: str = ".png") -> dict[str, Any]:
        answer = httpx.post(f"{self.address}gradio_api/upload", files={"files": (f"{NAME}{suffix}", content)})
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def on_disk(self) -> list[Path]:
        """All files of the temporary folder that hold something of what was sent, or are called after it."""
        pieces = [content[at : at + 64] for content in (PERSON, GARMENT) for at in (200, len(content) // 2)]
        found = []
        for path in self.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                letters = [base64.b64encode(piece)[4:60] for piece in pieces]
                if NAME[:10] in str(path) or any(piece in content for piece in [*pieces, *letters]):
                    found.append(path)
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all ways in; when it is closed, nothing at all may be left of any of them."""
    folder = tmp_path_factory.mktemp("house") / "temporary"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        for name in [name for name in os.environ if name.startswith(("LADI_", "GRADIO_TEMP"))]:
            patch.delenv(name)
        patch.setattr(tempfile, "tempdir", str(folder))
        served = House(folder)
        try:
            yield served
        finally:
            served.close()
        assert not served.on_disk() and not [path for path in folder.rglob("*") if path.is_file()]
        assert "anna" not in served.log.getvalue()


def by_the_page(house: House) -> None:
    """As a browser does it: uploads, then the button's event in the queue."""
    index = next(
        number
        for number, function in house.page.fns.items()
        if any(isinstance(one, gr.ImageSlider) for one in function.outputs) and len(function.inputs) > 20
    )
    files = [house.upload(PERSON), house.upload(GARMENT)]
    data = [*files, None, "", None, True, *page_values()]
    joined = httpx.post(
        f"{house.address}gradio_api/queue/join",
        json={"data": data, "fn_index": index, "session_hash": "visitor"},
    )
    assert joined.status_code == 200
    url = f"{house.address}gradio_api/queue/data?session_hash=visitor"
    with httpx.stream("GET", url, timeout=60) as news:
        for line in news.iter_lines():
            if "process_completed" in line:
                return


def by_the_client(house: House) -> None:
    client = Client(house.address, verbose=False, download_files=str(house.folder.parent / "downloads"))
    sent = {"person": handle_file(house.file(PERSON)), "garment": handle_file(house.file(GARMENT))}
    with suppress(AppError):  # where it is to fail
        client.predict(**sent, api_name="/try_on")


def by_a_call(house: House, *, person: Any = None) -> None:
    sent = {"person": person or house.upload(PERSON), "garment": house.upload(GARMENT)}
    answer = httpx.post(f"{house.address}gradio_api/call/v2/try_on", json=sent)
    if answer.status_code == 200:
        event = answer.json()["event_id"]
        httpx.get(f"{house.address}gradio_api/call/try_on/{event}", timeout=60)


def by_a_path(house: House) -> None:
    by_a_call(house, person=str(house.file(PERSON)))


def by_a_record_of_a_path(house: House) -> None:
    by_a_call(house, person={"path": str(house.file(PERSON)), "meta": {"_type": "gradio.FileData"}})


def by_letters(house: House) -> None:
    by_a_call(house, person=base64.b64encode(PERSON).decode())
    by_a_call(house, person=f"data:image/png;base64,{base64.b64encode(PERSON).decode()}")


def by_a_batch(house: House) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"people/{NAME}.png", PERSON)
        archive.writestr(f"garments/{NAME}.png", GARMENT)
        archive.writestr("pairs.csv", f"person,garment\npeople/{NAME}.png,garments/{NAME}.png\n{NAME},x\n")
    index = next(
        number
        for number, function in house.page.fns.items()
        if any(isinstance(one, gr.Dataframe) for one in function.outputs)
    )
    data = [None, None, house.upload(packed.getvalue(), ".zip"), *page_values()]
    httpx.post(
        f"{house.address}gradio_api/queue/join",
        json={"data": data, "fn_index": index, "session_hash": "batch"},
    )
    with httpx.stream("GET", f"{house.address}gradio_api/queue/data?session_hash=batch", timeout=60) as news:
        for line in news.iter_lines():
            if "process_completed" in line:
                assert json.loads(line.removeprefix("data:"))["success"], line
                return


def by_mcp(house: House) -> None:
    if not MCP:
        pytest.skip("needs pip install 'gradio[mcp]'")
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def run() -> None:
        url = f"{house.address}gradio_api/mcp/"
        async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            person, garment = (
                f"data:image/png;base64,{base64.b64encode(one).decode()}" for one in (PERSON, GARMENT)
            )
            assert not (await session.call_tool("try_on", {"person": person, "garment": garment})).isError
            for wrong in (str(house.file(PERSON)), base64.b64encode(PERSON).decode(), {"path": NAME}):
                assert (await session.call_tool("try_on", {"person": wrong, "garment": garment})).isError

    asyncio.run(run())


WAYS = [
    by_the_page,
    by_the_client,
    by_a_call,
    by_a_path,
    by_a_record_of_a_path,
    by_letters,
    by_a_batch,
    by_mcp,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_of_a_picture_stays_or_is_told(
    house: House, way: Callable[[House], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Prevents a promise on the page that the server does not keep, be all well or not."""
    before = len(house.log.getvalue())
    failure = FileNotFoundError(2, "No such file", f"/home/{NAME}.png")
    # By MCP, calls fail and succeed by themselves.
    for error in (None,) if way is by_mcp else (None, failure):
        house.engine.error = error
        way(house)
        kept = house.on_disk()
        assert all(path.is_relative_to(house.pictures.path) for path in kept), kept
    printed = capfd.readouterr()
    told = house.log.getvalue()[before:] + printed.out + printed.err
    letters = base64.b64encode(PERSON).decode()
    pieces = [letters[at : at + 12] for at in range(0, len(letters) - 12, 12)]
    assert "anna" not in told and "elm street" not in told
    assert not [piece for piece in pieces if piece in told]
