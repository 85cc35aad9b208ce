"""What a link to the page shows where it is shared: our own title, sentence and picture.

Gradio's page carries its own, and those who draw such a preview read nothing but the document itself; so they
are exchanged on the way out. The page's icon lies here too.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"
PICTURE, ICON = FOLDER / "link.jpg", FOLDER / "icon.png"
PICTURE_PATH = "/link.jpg"
DESCRIPTION = "See how a garment looks on you: two photos in, one out. Photos are deleted within minutes."

_TAGS = re.compile(rb'<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>\s*')


def picture_route() -> Route:
    """``/link.jpg``; it needs no login, as those who draw previews have none."""

    async def picture(request: Request) -> FileResponse:
        return FileResponse(PICTURE, headers={"Cache-Control": "public, max-age=86400"})

    return Route(PICTURE_PATH, picture, methods=["GET", "HEAD"])


def tags(title: str, address: str) -> str:
    """The elements that tell what a link shows.

    Args:
        title: of the page.
        address: of the page, without a slash at its end.
    """
    told = {
        "og:title": title,
        "og:type": "website",
        "og:url": f"{address}/",
        "og:description": DESCRIPTION,
        "og:image": f"{address}{PICTURE_PATH}",
        "twitter:card": "summary_large_image",
        "description": DESCRIPTION,
    }
    return "".join(
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{html.escape(words)}" />'
        for name, words in told.items()
    )


class LinkPreview:
    """Puts our tags into the page's document in place of Gradio's; everything else passes as it is."""

    def __init__(self, app: ASGIApp, title: str, root_path: str | None = None) -> None:
        """Remember what to tell.

        Args:
            app: the page.
            title: of the page.
            root_path: path or address under which a proxy serves it, if any.
        """
        self.app, self.title, self.root_path = app, title, root_path
        self._paths = ("/", urlsplit(root_path or "").path.rstrip("/") + "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in self._paths:
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body") or start is None:
                return
            headers = MutableHeaders(scope=start)
            if headers.get("content-type", "").startswith("text/html"):
                body = self._told(body, Request(scope))
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, rewrite)

    def _told(self, document: bytes, request: Request) -> bytes:
        from gradio.route_utils import get_root_url

        fresh: Any = tags(self.title, get_root_url(request, "/", self.root_path)).encode()
        return _TAGS.sub(b"", document).replace(b"<head>", b"<head>" + fresh, 1)
