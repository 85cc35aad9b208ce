"""What every request passes before Gradio sees it: sizes, disk, logins, the form of calls, a missing slash.

An ASGI layer: it reads requests and may answer them itself, always with a sentence. What a call may hold is
``calls.py``'s, who may wait ``visitors.py``'s.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections import OrderedDict
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import words
from app.files import check_room
from app.serving.calls import CALL, ELSEWHERE, JOIN, WrongCall, in_one_sentence, judge_call
from ladi.types import LadiError

LOGGER = logging.getLogger(__name__)

LOGIN, MCP = "/login", "/gradio_api/mcp"
FETCH = ("/gradio_api/file=http", "/gradio_api/file/http")
"""Where Gradio would stream any public address to whoever asks for it."""
BODY_BYTES = 1 << 20
"""Of everything but uploads, which Gradio writes to disk and limits itself; a call is a few kilobytes."""
FREE_LOGINS, FIRST_PAUSE, LONGEST_PAUSE = 3, 1.0, 60.0
"""So many wrong logins cost nothing; then the pause doubles from the first to the longest, in seconds."""
REMEMBERED_LOGINS = 10_000


class Logins:
    """Wrong logins by visitor and user name, each with a growing pause."""

    def __init__(self) -> None:
        """Nobody has tried."""
        self._wrong: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def pause(self, who: tuple[str, str]) -> float:
        """Seconds until they may try again; 0 for now."""
        count, last = self._wrong.get(who, (0, 0.0))
        if count < FREE_LOGINS:
            return 0.0
        wanted = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(count - FREE_LOGINS, 30))
        return max(0.0, last + wanted - time.monotonic())

    def note(self, who: tuple[str, str], *, right: bool) -> None:
        """Remember how it went; a right one clears the rest."""
        count, _ = self._wrong.pop(who, (0, 0.0))
        if not right:
            self._wrong[who] = (count + 1, time.monotonic())
            while len(self._wrong) > REMEMBERED_LOGINS:
                self._wrong.popitem(last=False)


class Gate:
    """The layer.

    Args:
        app: what is behind it.
        page: whose calls are judged.
        root_path: under which a proxy serves the page, if any.
        fetching: pictures may be fetched from other addresses.
    """

    def __init__(self, app: ASGIApp, page: gr.Blocks, root_path: str = "", *, fetching: bool = False) -> None:
        self._app, self._page, self._fetching = app, page, fetching
        self._prefix = urlsplit(root_path).path.rstrip("/")
        self._script = with_slash(self._prefix).encode()
        self._logins = Logins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if self._prefix and path == self._prefix:
            await RedirectResponse(f"{self._prefix}/")(scope, receive, send)
            return
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        if path == "/" and self._prefix and scope["method"] == "GET":
            await self._app(scope, receive, insert(self._script, b"<head>", send))
            return
        if path.startswith(FETCH):  # no file of ours is named so: their paths are absolute
            await sentence(ELSEWHERE, HTTPStatus.FORBIDDEN)(scope, receive, send)
            return
        if scope["method"] != "POST" or path.startswith(MCP):
            await self._app(scope, receive, send)
            return
        answer: Response | None
        headers = Headers(scope=scope)
        login = path.rstrip("/") == LOGIN
        if not login and headers.get("content-type", "").startswith("multipart/"):
            answer = refuse_files(headers)
        else:
            answer, receive = await self._judge(scope, path, receive)
        if answer is not None:
            await answer(scope, receive, send)
        elif login:
            await self._log_in(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _judge(self, scope: Scope, path: str, receive: Receive) -> tuple[Response | None, Receive]:
        """The whole body, read and judged, and what gives it again to whoever is next."""
        body = bytearray()
        try:
            async for part in Request(scope, receive).stream():
                body += part
                if len(body) > BODY_BYTES:
                    text = f"A request may be at most {BODY_BYTES >> 20} MB: pictures are uploaded first."
                    return sentence(text, HTTPStatus.REQUEST_ENTITY_TOO_LARGE), receive
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST), receive
        # A stranger to a page with logins is told so by Gradio, and nothing of its endpoints.
        if (path.startswith(CALL) or path.rstrip("/") == JOIN) and is_let_in(scope):
            try:
                judge_call(self._page, path, bytes(body), fetching=self._fetching)
            except WrongCall as wrong:
                return sentence(str(wrong), wrong.status), receive
        return None, replay(bytes(body), receive)

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A login, unless it comes too soon after wrong ones."""
        message = await receive()
        form = await Request(scope, replay(message["body"], receive)).form()
        host = scope["client"][0] if scope.get("client") else ""
        who = host, str(form.get("username", "")).strip()
        left = self._logins.pause(who)
        if left > 0:
            # Not rounded down: "wait 0 seconds" would be no pause.
            text = f"Too many wrong logins: please wait {math.ceil(left)} seconds and try again."
            await sentence(text, HTTPStatus.TOO_MANY_REQUESTS)(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._logins.note(who, right=message["status"] < HTTPStatus.BAD_REQUEST)
            await send(message)

        await self._app(scope, replay(message["body"], receive), noting)


def refuse_files(headers: Headers) -> Response | None:
    """The answer where the disk has no room for what is sent."""
    length = headers.get("content-length", "")
    try:
        check_room(int(length) if length.isdecimal() else 0)
    except LadiError as error:
        return sentence(str(error), HTTPStatus.INSUFFICIENT_STORAGE)
    return None


def is_let_in(scope: Scope) -> bool:
    """Whether whoever asks is logged in, or need not be."""
    server = scope["app"]
    if server.auth is None:
        return True
    cookies = Request(scope).cookies
    names = (f"access-token-{server.cookie_id}", f"access-token-unsecure-{server.cookie_id}")
    return any(cookies.get(name) in server.tokens for name in names)


def replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that has been read once more, and after it whatever comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def with_slash(path: str) -> str:
    """A script that adds the last slash to the page's address, where a proxy takes the path away unseen.

    Without the slash, a browser looks for the page's files one folder too high, and shows nothing.
    """
    there = json.dumps(path).replace("<", "\\u003c")
    return (
        f"<script>if (location.pathname === {there}) "
        "location.replace(location.pathname + '/' + location.search + location.hash);</script>"
    )


def insert(text: bytes, after: bytes, send: Send) -> Send:
    """Sends an answer with a text put in after the first of some marks."""
    start: Message = {}
    body = bytearray()

    async def inserting(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        whole = bytes(body).replace(after, after + text, 1)
        MutableHeaders(raw=start["headers"])["content-length"] = str(len(whole))
        await send(start)
        await send({"type": "http.response.body", "body": whole})

    return inserting


def sentence(text: str, status: int) -> JSONResponse:
    """An answer as FastAPI's own, of which the page and clients show ``detail``."""
    return JSONResponse({"detail": text, "error": text}, status)


async def on_wrong_form(request: Request, error: Exception) -> Response:
    """Instead of FastAPI's list of what does not fit."""
    assert isinstance(error, RequestValidationError)
    return sentence(in_one_sentence(error.errors()), HTTPStatus.UNPROCESSABLE_ENTITY)


async def on_full_disk(request: Request, error: Exception) -> Response:
    """For what the disk does to uploads."""
    LOGGER.error("the disk: %s", getattr(error, "strerror", None) or type(error).__name__)
    return sentence(words.NO_ROOM, HTTPStatus.INSUFFICIENT_STORAGE)


async def on_anything_else(request: Request, error: Exception) -> Response:
    """Nothing gets past here but a sentence: the server's log has the traceback."""
    return sentence(words.UNEXPECTED, HTTPStatus.INTERNAL_SERVER_ERROR)


EXCEPTION_HANDLERS: dict[Any, Any] = {
    RequestValidationError: on_wrong_form,
    OSError: on_full_disk,
    Exception: on_anything_else,
}
