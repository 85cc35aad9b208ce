"""The lines of docs/hosting.md for nginx and Caddy, run as they stand before a served page."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.reading import ROOT, blocks
from tests.ui.served import Server, serve  # noqa: F401

# ruff: noqa: F811
NGINX = """
user root; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; {lines} }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
{lines}
}}
"""
STARTS = {
    "nginx": (NGINX, ["nginx", "-p", "{folder}", "-c", "{file}"]),
    "caddy": (CADDY, ["caddy", "run", "--config", "{file}", "--adapter", "caddyfile"]),
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(params=STARTS)
def proxied(
    request: pytest.FixtureRequest, serve: Callable[..., Server], tmp_path: Path
) -> Iterator[tuple[str, Server, str]]:
    """The proxy's address, what it stands before, and its name."""
    name = str(request.param)
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    server = serve("--root-path", "/tryon", "--visitor-limit", "1")
    [lines] = blocks(ROOT / "docs" / "hosting.md", name)
    assert "127.0.0.1:7860" in lines
    lines = lines.replace("127.0.0.1:7860", server.address.removeprefix("http://").rstrip("/"))
    template, command = STARTS[name]
    port, file = free_port(), tmp_path / f"{name}.conf"
    file.write_text(template.format(folder=tmp_path, port=port, lines=lines))
    words = [word.format(folder=tmp_path, file=file) for word in command]
    with (tmp_path / "proxy.log").open("wb") as log:
        proxy = subprocess.Popen(words, stdout=log, stderr=log, env=os.environ | {"HOME": str(tmp_path)})
    try:
        wait_for(f"http://127.0.0.1:{port}/tryon/", proxy, tmp_path / "proxy.log")
        yield f"http://127.0.0.1:{port}", server, name
    finally:
        proxy.terminate()
        proxy.wait(10)


def wait_for(url: str, proxy: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and proxy.poll() is None:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the proxy does not answer:\n{log.read_text()}")


def test_the_page_works_behind_it(proxied: tuple[str, Server, str]) -> None:
    """Prevents a blank page, uploads that end at a megabyte, and progress that comes only at the end."""
    address, server, name = proxied
    bare = httpx.get(f"{address}/tryon?x=1", follow_redirects=False)
    assert bare.status_code == 307 and re.search(r"/tryon/(\?x=1)?$", bare.headers["location"])
    page = httpx.get(f"{address}/tryon/")
    assert page.status_code == 200 and "gradio" in page.text
    files = re.findall(r'(?:src|href)="\.?/?((?:assets|theme)[^"]+)"', page.text)
    assert files
    for file in files[:3]:
        assert httpx.get(f"{address}/tryon/{file}").status_code == 200, file
    large = {"files": ("large.png", b"\x89PNG" + bytes(3_000_000), "image/png")}
    sent = httpx.post(f"{address}/tryon/gradio_api/upload", files=large, timeout=30)
    assert sent.status_code == 200 and sent.json()[0].endswith("large.png")

    api = f"{address}/tryon/gradio_api"
    body = {"data": [], "fn_index": server.index("wait"), "session_hash": "me"}
    assert httpx.post(f"{api}/queue/join", json=body).status_code == 200
    with httpx.stream("GET", f"{api}/queue/data?session_hash=me", timeout=20) as stream:
        told = ""
        for chunk in stream.iter_text():
            told += chunk
            if "process_starts" in told:
                server.go.set()  # only once the start has come through
            if "process_completed" in told:
                break
    assert "process_completed" in told and '"success":true' in told


def test_visitors_are_told_apart(proxied: tuple[str, Server, str]) -> None:
    """Prevents one limit for all who come through the proxy."""
    address, server, name = proxied
    if name == "caddy":
        pytest.skip("Caddy believes no address that a client claims, and this machine has no other")

    def join(visitor: str, session: str) -> int:
        body = {"data": [None], "fn_index": server.index("paint"), "session_hash": session}
        headers = {"X-Forwarded-For": visitor}
        return httpx.post(f"{address}/tryon/gradio_api/queue/join", json=body, headers=headers).status_code

    assert [join("8.8.8.8", "a"), join("8.8.8.8", "b"), join("9.9.9.9", "c")] == [200, 429, 200]
