"""Toy files in the published format, and a server that has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ladi.weights import catalog, fetch, networks
from tests.weights.published import BASE_ID, TOY, VISION_ID, write_base, write_checkpoints, write_vision
from tests.weights.server import FileServer, serve


@pytest.fixture(scope="session")
def _toy_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    write_checkpoints(folder, TOY)
    write_base(folder / BASE_ID, TOY)
    write_vision(folder / VISION_ID, TOY)
    return folder


@pytest.fixture
def toy_files(_toy_files: Path, tmp_path: Path) -> Path:
    """The four checkpoints of vitonhd, and two hub repositories in ``owner/name``; a copy to spoil."""
    return shutil.copytree(_toy_files, tmp_path / "published")


@pytest.fixture
def server(toy_files: Path) -> Iterator[FileServer]:
    """Serves ``toy_files``."""
    with serve(toy_files) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tries, at once; and no proxy or place of whoever runs the tests."""
    monkeypatch.setattr(fetch, "PAUSES", (0.0,) * 4)
    for name in ("LADI_BASE_MODEL", "LADI_VISION_MODEL", "LADI_WEIGHTS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def toy_world(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """The commands with toy sizes, model folders in ``tmp_path``, and the server for all that is online."""
    from huggingface_hub import constants

    monkeypatch.setattr(networks, "PUBLISHED", TOY)
    monkeypatch.setattr("ladi.weights.stock.require_space", lambda needs: None)
    for name in ("vitonhd", "dresscode"):
        monkeypatch.setitem(catalog.MODELS, name, tmp_path / "models" / name)
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("LADI_WEIGHTS_URL", server.url)
    return server
