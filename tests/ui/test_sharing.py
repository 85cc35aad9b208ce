"""What a shared link shows, and whether the page's own document is otherwise left alone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import httpx
from PIL import Image

from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811


def told(document: str) -> dict[str, list[str]]:
    """The contents of all elements that previews are drawn from, by name."""
    found: dict[str, list[str]] = {}
    for name, content in re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', document):
        found.setdefault(name, []).append(content)
    return found


def test_a_link_shows_our_title_and_a_picture_that_is_there(serve: Callable[..., Server]) -> None:
    """Prevents a shared link that shows the name and the picture of the library that serves it."""
    server = serve()
    document = httpx.get(server.address).text
    tags = told(document)
    assert all(len(contents) == 1 for name, contents in tags.items() if name.startswith(("og:", "twitter:")))
    assert tags["og:title"] == [server.page.title] and "two photos in" in tags["og:description"][0]
    assert "twitter:creator" not in tags and "githubusercontent" not in str(tags)
    assert tags["og:url"] == [server.address]
    picture = httpx.get(tags["og:image"][0])
    assert Image.open(io.BytesIO(picture.content)).size == (1200, 630)
    icon = Image.open(io.BytesIO(httpx.get(f"{server.address}favicon.ico").content))
    assert icon.size == (64, 64)


def test_a_proxys_address_is_the_one_that_is_told(serve: Callable[..., Server]) -> None:
    """Prevents a picture that nobody outside can load, from the server's own address."""
    server = serve("--root-path", "https://example.org/tryon")
    tags = told(httpx.get(server.address).text)
    assert tags["og:image"] == ["https://example.org/tryon/link.jpg"]


def test_the_page_still_starts(serve: Callable[..., Server]) -> None:
    """Prevents a document that is cut off, or whose length is told wrongly."""
    answer = httpx.get(serve().address)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "window.gradio_config" in answer.text and answer.text.rstrip().endswith("</html>")
