"""A served page with a fake engine, and the files that visitors send it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio.routes import App
from gradio_client import Client
from PIL import Image

from app.fields import Defaults
from app.page import build_page
from app.theme import looks
from app.tryon.handlers import Handlers
from ladi.shelf import Shelf
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured


def page_values(**changes: Any) -> tuple[Any, ...]:
    """All settings of the page as it opens, but for some, in the order in which they travel."""
    values = Defaults().values
    assert set(changes) <= set(values)
    return tuple((values | changes).values())


Send = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def _one_app() -> Iterator[None]:
    """Gradio makes three apps of a page before the one that it serves, each with all of its routes.

    Nobody ever asks the three for anything, and making them takes longer than most tests here.
    """
    create = App.create_app

    def for_serving(page: gr.Blocks, **asked: Any) -> App | None:
        return None if asked == {"mcp_server": False} else create(page, **asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(App, "create_app", staticmethod(for_serving))
        yield


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Send:
    """Uploads something, pixels or bytes, to a folder of the test's own; gives Gradio's record of it."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))

    def upload(content: np.ndarray | bytes, name: str = "picture.png") -> dict[str, Any]:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            Image.fromarray(content).save(path)
        return {"path": str(path), "meta": {"_type": "gradio.FileData"}}

    return upload


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeEngine, str]]:
    """The engine behind the page, and the page's address."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
    engine = FakeEngine()
    shelf: Any = Shelf(("mini",), lambda _: engine)  # type: ignore[arg-type,return-value]
    page = build_page(Handlers(shelf.get))
    _, address, _ = page.launch(
        **looks(), prevent_thread_lock=True, quiet=True, ssr_mode=False, run_history=False
    )
    yield engine, address
    page.close(verbose=False)
    patch.undo()


@pytest.fixture
def engine(served: tuple[FakeEngine, str]) -> Iterator[FakeEngine]:
    """The fake, with no memory of the test before."""
    served[0].requests.clear()
    served[0].looks.clear()
    served[0].error = None
    served[0].most_at_once = 0
    served[0].steps = 4
    yield served[0]
    served[0].error = None


@pytest.fixture(scope="session")
def address(served: tuple[FakeEngine, str]) -> str:
    return served[1]


@pytest.fixture(scope="session")
def client(address: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(address, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


@pytest.fixture
def person(tmp_path: Path) -> Path:
    path = tmp_path / "person.png"
    Image.fromarray(coloured(10, 60, 110)).save(path)
    return path


@pytest.fixture
def garment(tmp_path: Path) -> Path:
    path = tmp_path / "garment.png"
    Image.fromarray(coloured(100, 20, 20)).save(path)
    return path
