"""Calls as nobody should make them, generated from the endpoints' own fields: each gets a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app import words
from app.page import build_page
from app.serving.calls import MOST_QUOTED
from app.serving.hosting import Readiness, launch_page
from app.serving.options import parse
from app.serving.privacy import PictureFolder
from app.tryon.handlers import Handlers
from ladi.shelf import Shelf
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured
from tests.ui.served import served_apart

ENDPOINTS = ("try_on", "prepare", "compare")
odd_text = st.text(max_size=60) | st.sampled_from(
    [
        "",
        " ",
        "false",
        "True",
        "1e999",
        "-0",
        "nan",
        "../../etc/passwd",
        "a\0b",
        "\ud800",
        "“”",
        "512x384",
        "ddim",
    ]
)
numbers = st.integers() | st.floats() | st.sampled_from([2**64, -(10**400), 10**9, 0.5, 1e308])
plain = st.none() | st.booleans() | numbers | odd_text
values = st.recursive(
    plain | st.fixed_dictionaries({"path": odd_text | numbers | st.none()}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)


class Host:
    """The page behind the real hosting, with a fake engine, and one uploaded picture."""

    def __init__(self, folder: Path) -> None:
        self.engine = FakeEngine()
        self.engine.steps = 0
        self.pictures = PictureFolder(60)
        shelf: Any = Shelf(("mini",), lambda _: self.engine)  # type: ignore[arg-type,return-value]
        self.page = build_page(Handlers(shelf.get))
        _, address, _ = launch_page(self.page, parse([]), Readiness("mini"), self.pictures, quiet=True)
        self.client = httpx.Client(base_url=f"{address}gradio_api/", timeout=20)
        Image.fromarray(coloured(9, 60, 110)).save(folder / "own.png")
        own = {"files": (folder / "own.png").read_bytes()}
        [path] = self.client.post("upload", files=own).json()
        self.record = {"path": path, "meta": {"_type": "gradio.FileData"}}
        named = self.client.get("info").json()["named_endpoints"]
        self.fields = {
            name: {
                one["parameter_name"]: one.get("parameter_default") for one in named[f"/{name}"]["parameters"]
            }
            for name in ENDPOINTS
        }

    def right(self, name: str) -> dict[str, Any]:
        """A call that succeeds."""
        pictures = {"person": self.record, "garment": self.record, "garments": [{"image": self.record}]}
        return {field: pictures.get(field, default) for field, default in self.fields[name].items()}

    def answer(self, route: str, body: Any) -> tuple[int, str]:
        """Status and sentence of a call; the sentence is empty where it succeeded."""
        sent = self.client.post(
            route, content=json.dumps(body).encode(), headers={"content-type": "application/json"}
        )
        if sent.status_code != 200:
            told = sent.json()["detail"]
            assert isinstance(told, str), told
            return sent.status_code, told
        name = route.rsplit("/", 1)[1]
        events = self.client.get(f"call/{name}/{sent.json()['event_id']}").text
        last = [
            block for block in events.split("\n\n") if block.startswith(("event: complete", "event: error"))
        ][-1]
        kind, data = last.split("\n", 1)
        return 200, "" if "complete" in kind else json.loads(data.removeprefix("data: "))[
            "error"
        ] or "NOTHING"

    def close(self) -> None:
        self.client.close()
        self.page.close(verbose=False)
        self.pictures.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    yield from served_apart(Host, tmp_path_factory, "calls")


def is_sentence(text: str) -> bool:
    whole = text.strip()
    return (
        whole.endswith((".", ":", "]", "…"))
        and "\n" not in whole
        and whole not in ("NOTHING", words.UNEXPECTED)
    )


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_right_call_succeeds(name: str, host: Host) -> None:
    """Prevents a fence that keeps everybody out."""
    assert host.answer(f"call/v2/{name}", host.right(name)) == (200, "")
    assert host.answer(f"call/{name}", {"data": list(host.right(name).values())}) == (200, "")


@pytest.mark.parametrize("name", ENDPOINTS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_wrong_call_is_answered_in_a_sentence(name: str, host: Host, data: st.DataObject) -> None:
    """Prevents 500, {"error": null} and “something went wrong” for what the caller can mend."""
    body = host.right(name)
    changed = data.draw(st.lists(st.sampled_from(sorted(body)), min_size=1, max_size=2, unique=True))
    for field in changed:
        if data.draw(st.integers(0, 9)) == 0:
            del body[field]
        else:
            body[field] = data.draw(values)
    if data.draw(st.integers(0, 4)) == 0:
        body |= data.draw(st.dictionaries(odd_text, values, min_size=1, max_size=2))
    status, told = host.answer(f"call/v2/{name}", body)
    assert 200 <= status < 500
    assert told == "" or is_sentence(told), (body, told)


@pytest.mark.parametrize("name", ENDPOINTS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_wrong_list_of_values_too(name: str, host: Host, data: st.DataObject) -> None:
    """Prevents the same by position, and by a list that is too short, too long or none at all."""
    right = list(host.right(name).values())
    place = data.draw(st.integers(0, len(right) - 1))
    kind = data.draw(st.sampled_from(["changed", "cut", "longer", "no list", "no object"]))
    right[place] = data.draw(values)
    longer = [*right, data.draw(values)]
    sent = {"changed": right, "cut": right[:place], "longer": longer, "no list": data.draw(values)}.get(kind)
    body = data.draw(values) if kind == "no object" else {"data": sent}
    status, told = host.answer(f"call/{name}", body)
    assert 200 <= status < 500
    assert told == "" or is_sentence(told), (body, told)


FILE = "a picture that was uploaded"
WRONG: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "unknown endpoint": ("nope", {}, 404, 'no endpoint "/nope": there is /try_on, /prepare or /compare.'),
    "extra": ("prepare", {"stepz": 1}, 422, '/prepare knows no field "stepz"'),
    "misspelt": ("try_on", {"stepz": 1}, 422, "did you mean 'steps'?"),
    "missing": ("try_on", {"garment": None}, 422, "/try_on needs the field 'garment'"),
    "a path": ("prepare", {"person": "/etc/passwd"}, 422, f'person must be {FILE}, .*got "/etc/passwd"'),
    "base64": ("prepare", {"person": "data:image/png;base64," + "A" * 500}, 422, f"person must be {FILE}"),
    "a list": ("prepare", {"person": [1]}, 422, f"person must be {FILE}"),
    "a number": ("prepare", {"person": 7}, 422, f"person must be {FILE}"),
    "garments": ("compare", {"garments": ["x"]}, 422, "garments must be a list of pictures"),
    "a switch": ("try_on", {"emasc": "perhaps"}, 422, 'emasc must be true or false, got "perhaps"'),
    "a word": ("try_on", {"steps": "many"}, 422, 'steps must be a number, got "many"'),
    "true": ("try_on", {"steps": True}, 422, "steps must be a number, got true"),
    "text": ("try_on", {"sampler": ["ddim"]}, 422, "sampler must be text"),
    "absurd": ("try_on", {"steps": 10**400}, 200, "steps must be"),
    "odd path": ("prepare", {"person": {"path": "a\0b"}}, 200, "not uploaded to this page"),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_mistake_has_its_own_sentence_and_status(case: str, host: Host) -> None:
    """Prevents one sentence for everything, of which nobody knows what to mend."""
    name, change, wanted, match = WRONG[case]
    body = (host.right(name) if name in ENDPOINTS else {}) | change
    status, told = host.answer(f"call/v2/{name}", body)
    assert status == wanted
    with pytest.raises(ValueError, match=match):
        raise ValueError(told)
    assert len(told) < 250 + MOST_QUOTED


def test_false_as_a_word_is_not_true(host: Host) -> None:
    """Prevents a part of the method from being left on by whoever switches it off in words."""
    for word in ("false", "no", 0, False):
        host.engine.requests.clear()
        assert host.answer("call/v2/try_on", host.right("try_on") | {"emasc": word}) == (200, "")
        assert not host.engine.requests[0].settings.switches.emasc


def test_no_json_and_other_routes_get_a_sentence(host: Host) -> None:
    """Prevents FastAPI's lists, and 500 for what is no JSON or lies too deep."""
    for content in (b"{", b"\xff\xfe", b"[" * 100_000, b"7"):
        sent = host.client.post("call/try_on", content=content)
        assert sent.status_code == 400 and "JSON object" in sent.json()["detail"]
    for route, body in (("cancel", {}), ("queue/join", {"data": []}), ("queue/join", {"fn_index": 10**9})):
        sent = host.client.post(route, json=body)
        assert 400 <= sent.status_code < 500 and is_sentence(sent.json()["detail"])
    told = host.client.post("queue/join", json={"fn_index": 0, "data": {}, "session_hash": "s"})
    assert told.status_code == 422 and is_sentence(told.json()["detail"])
