"""The whole page behind the real hosting, met by strangers: their share, their names, what they may fetch."""

from __future__ import annotations

import base64
import json
import random
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio import processing_utils, route_utils
from PIL import Image

from app.files import new_folder
from app.page import build_page
from app.serving.hosting import Readiness, launch_page
from app.serving.options import parse
from app.serving.privacy import PictureFolder
from app.tryon.handlers import Handlers
from ladi.shelf import Shelf
from ladi.types import PersonParts, Photo
from tests.ui.conftest import page_values
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured
from tests.ui.served import Server, serve, served_apart  # noqa: F401

# ruff: noqa: F811


class Looking(FakeEngine):
    """Its looks at people take until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.go = threading.Event()
        self.go.set()

    def prepare_person(self, photo: Photo, **how: Any) -> PersonParts:
        assert self.go.wait(60)
        return super().prepare_person(photo, **how)


class Host:
    """The page, of which each visitor may have one request at a time."""

    def __init__(self, folder: Path) -> None:
        self.engine = Looking()
        self.pictures = PictureFolder(60)
        shelf: Any = Shelf(("mini",), lambda _: self.engine)  # type: ignore[arg-type,return-value]
        self.page = build_page(Handlers(shelf.get))
        flags = parse(["--visitor-limit", "1"])
        _, self.address, _ = launch_page(self.page, flags, Readiness("mini"), self.pictures, quiet=True)
        self.client = httpx.Client(base_url=f"{self.address}gradio_api/", timeout=20)
        Image.fromarray(coloured(9, 60, 110)).save(folder / "own.png")
        [path] = self.client.post("upload", files={"files": (folder / "own.png").read_bytes()}).json()
        self.own = {"path": path, "meta": {"_type": "gradio.FileData"}}

    def join(self, name: str, session: str, *, person: Any = None, visitor: str = "") -> httpx.Response:
        """Ask for something as a page does."""
        index, event = next((index, fn) for index, fn in self.page.fns.items() if fn.api_name == name)
        given = {"try_on": [self.own, None, *page_values()], "prepare": ["auto", 0, "worn", "", "mini"]}[name]
        assert len(given) + 1 == len(event.inputs)
        return self.client.post(
            "queue/join",
            json={"data": [person or self.own, *given], "fn_index": index, "session_hash": session},
            headers={"X-Forwarded-For": visitor} if visitor else {},
        )

    def heard(self, session: str) -> str:
        """All news of a session until something is over."""
        with self.client.stream("GET", f"queue/data?session_hash={session}", timeout=30) as news:
            said = []
            for line in news.iter_lines():
                said.append(line)
                if "process_completed" in line:
                    break
        return "\n".join(said)

    def close(self) -> None:
        self.engine.go.set()
        self.client.close()
        self.page.close(verbose=False)
        self.pictures.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    yield from served_apart(Host, tmp_path_factory, "strangers")


@pytest.fixture(autouse=True)
def nothing_waits(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "host" in request.fixturenames:
        request.getfixturevalue("host").engine.go.set()


def test_a_look_counts_as_a_request(host: Host) -> None:
    """Prevents strangers from having any number of photos looked at, since nothing is painted there."""
    host.engine.go.clear()
    assert host.join("prepare", "a").status_code == 200
    for name in ("prepare", "try_on"):
        refused = host.join(name, "a")
        assert refused.status_code == 429 and "You already have a picture" in refused.json()["detail"]
    assert host.join("prepare", "b").status_code == 200  # others are not kept out
    host.engine.go.set()
    assert '"success":true' in host.heard("a")
    assert host.join("prepare", "a").status_code == 200
    assert '"success":true' in host.heard("a") and '"success":true' in host.heard("b")


def test_visitors_behind_a_proxy_of_this_machine_are_told_apart(serve: Callable[..., Server]) -> None:
    """Prevents one limit for all who come through the proxy, also where none is installed to try it with."""
    server = serve("--visitor-limit", "1")
    codes = [join(server, *one) for one in (("8.8.8.8", "a"), ("8.8.8.8", "b"), ("9.9.9.9", "c"))]
    assert codes == [200, 429, 200]


def test_nobody_is_believed_who_is_no_proxy(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents limits that are passed by claiming another address with every request."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.1.2.3")  # the proxy's, which is another machine
    server = serve("--visitor-limit", "1")
    codes = [join(server, *one) for one in (("8.8.8.8", "a"), ("9.9.9.9", "a"), ("8.8.8.8", "b"))]
    assert codes == [200, 429, 200]


def join(server: Server, visitor: str, session: str) -> int:
    """Ask for a picture from a claimed address; the answer's status."""
    body = {"data": [None], "fn_index": server.index("paint"), "session_hash": session}
    headers = {"X-Forwarded-For": visitor}
    return httpx.post(f"{server.address}gradio_api/queue/join", json=body, headers=headers).status_code


def test_nobody_can_guess_where_a_result_lies(host: Host) -> None:
    """Prevents anybody's pictures from being found by names that follow from seed, time or order."""

    def folder() -> str:
        random.seed(1)
        np.random.seed(1)
        return new_folder().name

    places = []
    for session in ("one", "two"):
        assert host.join("try_on", session).status_code == 200
        last = host.heard(session).splitlines()[-1]
        places.append(Path(json.loads(last.removeprefix("data:"))["output"]["data"][0]["path"]))
    folders = [place.parent.name for place in places] + [folder() for _ in range(200)]
    assert all(re.fullmatch(r"made-[0-9a-f]{32}", name) for name in folders)  # 128 bits
    assert len(set(folders)) == len(folders)
    # Every place has most digits now and then: none of them counts up or stands still.
    assert all(len({name[place] for name in folders}) >= 12 for place in range(5, 37))
    assert host.client.get(f"file={places[0]}").status_code == 200
    assert host.client.get(f"file={places[0].parent}").status_code == 403
    assert host.client.get(f"file={places[0].with_name('*')}").status_code == 403


class Listener:
    """A port of this machine that counts who comes."""

    def __init__(self) -> None:
        self.came = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/person.png"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.came += 1
            visitor.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def records(own: dict[str, Any], address: str) -> dict[str, Any]:
    """A person by an address, in every form that a record may have."""
    marked = {"meta": {"_type": "gradio.FileData"}}
    letters = base64.b64encode(address.encode()).decode()
    return {
        "path": {"path": address},
        "marked path": {"path": address} | marked,
        "loud path": {"path": address.replace("http", "HTTP")} | marked,
        "url": {"path": None, "url": address} | marked,
        "url beside an upload": own | {"url": address},
        "url in a path": {"path": f"{own['path']}/../{address}", "url": address} | marked,
        "stream": {"path": address, "url": address, "is_stream": True} | marked,
        "text": address,
        "base64": f"data:text/uri-list;base64,{letters}",
        "base64 path": {"path": f"data:text/uri-list;base64,{letters}"} | marked,
        "inside": {"image": {"path": address} | marked, "caption": None},
    }


@pytest.mark.parametrize("form", records({"path": ""}, ""))
def test_no_other_address_is_asked_for_a_picture(
    form: str, host: Host, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents strangers from having the server fetch things for them: from its own network, or anybody's."""
    fetched: list[str] = []

    async def fetch(url: str, *_: Any, **__: Any) -> Any:
        fetched.append(url)
        raise AssertionError(url)

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_get", fetch)
    for address in (listener.address, "https://example.com/person.png"):
        bad = records(host.own, address)[form]
        for field in ("person", "mask"):
            sent = {"person": host.own, "garment": host.own, field: bad}
            answer = host.client.post("call/v2/try_on", json=sent)
            if answer.status_code == 200:
                host.client.get(f"call/try_on/{answer.json()['event_id']}")
        sent = {"person": host.own, "garments": [{"image": bad}]}
        answer = host.client.post("call/v2/compare", json=sent)
        if answer.status_code == 200:
            host.client.get(f"call/compare/{answer.json()['event_id']}")
        for name in ("try_on", "prepare"):
            session = f"{name} {address}"
            if host.join(name, session, person=bad).status_code == 200:
                host.heard(session)
    assert not fetched and not listener.came


def test_the_server_fetches_nothing_for_a_browser(
    host: Host, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a server that anybody can hide behind: Gradio streams any public address to whoever asks."""
    asked: list[str] = []

    async def stream(url: str, *_: Any) -> Any:
        asked.append(url)
        raise AssertionError(url)

    monkeypatch.setattr(route_utils, "secure_url_stream_response", stream)
    monkeypatch.setattr("gradio.routes.secure_url_stream_response", stream)
    for address in (listener.address, "https://example.com/x.png", "HTTPS://example.com/x.png"):
        for route in ("file=", "file/", "proxy=", "stream/"):
            for quoted in (address, address.replace(":", "%3A", 1)):
                for method in ("GET", "HEAD"):
                    assert host.client.request(method, f"{route}{quoted}").status_code >= 400
    assert not asked and not listener.came
