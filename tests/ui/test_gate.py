"""What every request passes: sizes, disk, logins, descriptions, a missing slash, and answers in sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from PIL import Image

from app import files, words
from app.files import DISK_LIMIT, check_room, new_folder, used_bytes
from app.serving import gate
from app.serving.gate import BODY_BYTES, Logins, with_slash
from app.serving.privacy import PrivateFormatter
from ladi.types import LadiError
from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811


def told(answer: httpx.Response) -> str:
    """The one sentence of a refusal."""
    text = answer.json()["detail"]
    assert isinstance(text, str) and text.endswith((".", "]")) and "\n" not in text
    return text


def test_a_request_that_is_no_upload_has_a_largest_size(serve: Callable[..., Server]) -> None:
    """Prevents a gigabyte of JSON from being read into memory, where only uploads were limited."""
    server = serve()
    for path in ("gradio_api/queue/join", "gradio_api/call/look", "gradio_api/cancel"):
        answer = httpx.post(f"{server.address}{path}", content=b" " * (BODY_BYTES + 1))
        assert answer.status_code == 413 and "at most 1 MB" in told(answer)


def test_uploads_have_room_as_a_whole(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents strangers from filling the disk, each with files that are small enough."""
    monkeypatch.setenv(DISK_LIMIT, "1")
    server = serve()
    picture = tmp_path / "p.png"

    def upload() -> httpx.Response:
        Image.effect_noise((700, 700), 90).save(picture)
        with picture.open("rb") as file:
            return httpx.post(f"{server.address}gradio_api/upload", files={"files": file})

    codes = [upload().status_code for _ in range(4)]
    assert codes[0] == 200 and codes[-1] == 507
    assert told(upload()) == words.NO_ROOM
    assert used_bytes(server.pictures.path) <= 1 << 20
    with pytest.raises(LadiError, match="no room"):
        check_room(1 << 20)


def test_results_have_room_as_a_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prevents results, which are larger than uploads, from filling the disk."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv(DISK_LIMIT, "1")
    assert new_folder().is_dir()
    (tmp_path / "large").write_bytes(b" " * (1 << 20) + b" ")
    with pytest.raises(LadiError, match="no room"):
        new_folder()


def test_a_nearly_full_disk_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prevents the last bytes of a disk, which the log and the system need, from being used."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    check_room(10)
    monkeypatch.setattr(files, "SPARE_BYTES", 1 << 60)
    with pytest.raises(LadiError, match="no room"):
        check_room(10)


def test_a_disk_that_is_full_during_an_upload_is_a_sentence(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents “Internal Server Error” for what the host, not the visitor, has to mend."""

    async def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gradio.routes.upload_fn", full)
    server = serve()
    answer = httpx.post(f"{server.address}gradio_api/upload", files={"files": b"x"})
    assert answer.status_code == 507 and told(answer) == words.NO_ROOM


def test_wrong_logins_cost_a_growing_pause(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents passwords from being guessed by the thousand; others may log in meanwhile."""
    server = serve("--auth", "anna:secret", "--auth", "ben:word")

    def log_in(user: str, password: str) -> httpx.Response:
        return httpx.post(f"{server.address}login", data={"username": user, "password": password})

    assert [log_in("anna", "guess").status_code for _ in range(4)] == [400, 400, 400, 429]
    answer = log_in("anna", "secret")  # also the right one has to wait
    assert answer.status_code == 429 and "please wait 1 second" in told(answer)
    assert log_in("ben", "word").status_code == 200
    monkeypatch.setattr(gate, "LONGEST_PAUSE", 0.0)
    assert log_in("anna", "secret").status_code == 200


def test_the_pause_grows_to_a_minute_and_a_right_login_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a pause that stays a second, one of years, and a list of names that grows for ever."""
    now = [0.0]
    monkeypatch.setattr(gate, "time", SimpleNamespace(monotonic=lambda: now[0]))
    logins, who, pauses = Logins(), ("127.0.0.1", "anna"), []
    for _ in range(12):
        logins.note(who, right=False)
        pauses.append(logins.pause(who))
        now[0] += pauses[-1]
        assert logins.pause(who) == 0
    assert pauses == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    logins.note(who, right=True)
    logins.note(who, right=False)
    assert logins.pause(who) == 0
    monkeypatch.setattr(gate, "REMEMBERED_LOGINS", 3)
    for number in range(9):
        logins.note(("", str(number)), right=False)
    assert len(logins._wrong) == 3


@pytest.mark.parametrize(
    "path", ["openapi.json", "docs", "redoc", "gradio_api/openapi.json", "gradio_api/info"]
)
def test_no_description_without_a_login(path: str, serve: Callable[..., Server]) -> None:
    """Prevents a page for invited people from telling strangers what it can do."""
    server = serve("--auth", "anna:secret")
    assert httpx.get(f"{server.address}{path}").status_code in (401, 404)
    answer = httpx.post(f"{server.address}gradio_api/call/none", json={})
    assert answer.status_code == 401 and "look" not in answer.text


def test_the_page_under_a_path_is_found_without_its_last_slash(serve: Callable[..., Server]) -> None:
    """Prevents a blank page at /tryon, whose files a browser then looks for at /."""
    server = serve("--root-path", "/tryon")
    answer = httpx.get(f"{server.address}tryon", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/tryon/")
    page = httpx.get(server.address).text  # a proxy that takes the path away leaves this much
    assert with_slash("/tryon") in page and 'location.pathname === "/tryon"' in page
    assert httpx.get(f"{server.address}health").status_code in (200, 503)


def test_a_page_at_the_root_is_left_as_it_is(serve: Callable[..., Server]) -> None:
    """Prevents a page that is reloaded for ever, and a path that is taken for HTML."""
    assert "location.replace" not in httpx.get(serve("--root-path", "https://a.example/").address).text
    assert "</script>x" not in with_slash("/</script>x")


def test_an_unexpected_error_is_a_sentence_and_names_stay_out_of_the_log(
    serve: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Prevents {"error": null}, and tracebacks that Gradio prints past the log's own rules."""
    server = serve()
    name = f"{server.pictures.path}/0f/grandmother.png"

    async def broken(*_: Any, **__: Any) -> Any:
        raise KeyError(name)

    monkeypatch.setattr(server.page, "preprocess_data", broken)
    event = server.call("look").json()["event_id"]
    with httpx.stream("GET", f"{server.address}gradio_api/call/look/{event}", timeout=10) as stream:
        answer = stream.read().decode()
    assert "event: error" in answer and words.UNEXPECTED[:20] in answer
    assert "Traceback" not in capfd.readouterr().err
    [record] = [one for one in caplog.records if one.name == "app.errors"]
    logged = PrivateFormatter(server.pictures.path).format(record)
    assert "KeyError" in logged and "grandmother" not in logged


def test_a_body_arrives_whole_behind_the_gate() -> None:
    """Prevents a request in several parts from being cut, or from being waited for after its end."""
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"c", "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return parts.pop(0)

    async def read() -> list[Any]:
        again = gate.replay(b"abc", receive)
        del parts[:2]
        return [await again(), await again()]

    first, second = asyncio.run(read())
    assert first == {"type": "http.request", "body": b"abc", "more_body": False}
    assert second == {"type": "http.disconnect"}
