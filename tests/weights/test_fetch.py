"""One file over an unreliable connection."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
import torch

from ladi.types import ModelError
from ladi.weights.fetch import fetch, partial_of
from tests.weights.server import FileServer, serve

NAME = "emasc_vitonhd.pth"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A folder with one file as ``torch.save`` writes it."""
    folder = tmp_path / "origin"
    folder.mkdir()
    torch.save({"weight": torch.arange(200_000.0)}, folder / NAME)
    return folder


@pytest.fixture
def files(origin: Path):
    """Serves it."""
    with serve(origin) as running:
        yield running


def test_a_dropped_connection_is_taken_up_where_it_broke(
    files: FileServer, origin: Path, tmp_path: Path
) -> None:
    """Prevents downloading gigabytes again, and a file with a hole or a doubled piece at the seam."""
    files.faults[NAME] = ["drop"]
    path = fetch(NAME, [files.url], tmp_path / "here")
    assert path.read_bytes() == (origin / NAME).read_bytes()
    half = (origin / NAME).stat().st_size // 2
    assert files.requests(NAME) == [None, f"bytes={half}-"]
    assert not partial_of(path).exists()


def test_a_truncated_file_is_not_taken_for_a_whole_one(
    files: FileServer, origin: Path, tmp_path: Path
) -> None:
    """Prevents half a file with a matching Content-Length getting the whole file's name."""
    files.faults[NAME] = ["truncate"]
    assert fetch(NAME, [files.url], tmp_path / "here").read_bytes() == (origin / NAME).read_bytes()
    files.faults[NAME] = ["truncate"] * 5
    with pytest.raises(ModelError, match="keeps breaking off .*truncated.*run the command again later"):
        fetch(NAME, [files.url], tmp_path / "there")
    assert not list((tmp_path / "there").glob("emasc*"))


def test_what_was_left_by_a_killed_download_is_continued(
    files: FileServer, origin: Path, tmp_path: Path
) -> None:
    """Prevents a partial file being ignored, or used after the server's file has changed."""
    files.faults[NAME] = [*["drop"], *[503] * 5]
    with pytest.raises(ModelError, match="answered 503"):
        fetch(NAME, [files.url], tmp_path)
    partial = partial_of(tmp_path / NAME)
    had = partial.stat().st_size
    assert 0 < had < (origin / NAME).stat().st_size and not (tmp_path / NAME).exists()
    fetch(NAME, [files.url], tmp_path)
    assert files.requests(NAME)[-1] == f"bytes={had}-"

    files.faults[NAME] = [*["drop"], *[503] * 5]
    with pytest.raises(ModelError, match="answered 503"):
        fetch(NAME, [files.url], tmp_path / "again")
    torch.save({"weight": -torch.arange(200_000.0)}, origin / NAME)
    path = fetch(NAME, [files.url], tmp_path / "again")
    assert path.read_bytes() == (origin / NAME).read_bytes()


def test_a_digest_that_changed_is_refused(files: FileServer, origin: Path, tmp_path: Path) -> None:
    """Prevents weights being swapped, on disk or at the server, without anybody noticing."""
    path = fetch(NAME, [files.url], tmp_path / "here")
    entry = json.loads((path.parent / "digests.json").read_text())[NAME]
    assert entry["bytes"] == path.stat().st_size and entry["from"] == f"{files.url}/{NAME}"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"x")
    with pytest.raises(ModelError, match=f"{NAME} is not the file that was first seen here"):
        fetch(NAME, [files.url], path.parent)
    assert path.read_bytes() == kept[:-1] + b"x"

    path.unlink()
    torch.save({"weight": torch.zeros(200_000)}, origin / NAME)
    with pytest.raises(ModelError, match="not the file that was first seen"):
        fetch(NAME, [files.url], path.parent)
    assert not path.exists() and not partial_of(path).exists()


def test_two_processes_at_once(files: FileServer, origin: Path, tmp_path: Path) -> None:
    """Prevents two downloads writing into one partial file."""
    files.faults[NAME] = ["drop"]
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=fetch, args=(NAME, [files.url], tmp_path)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert (tmp_path / NAME).read_bytes() == (origin / NAME).read_bytes()
    assert len(files.requests(NAME)) == 2  # the dropped one and its continuation


def test_mirrors_are_tried_in_order(files: FileServer, tmp_path: Path) -> None:
    """Prevents one vanished place ending the download, or a web page being saved as weights."""
    (files.folder / "page").mkdir()
    (files.folder / "page" / NAME).write_text("<html>moved</html>")
    fetch(NAME, [f"{files.url}/gone", f"{files.url}/page", files.url], tmp_path / "here")
    with pytest.raises(ModelError, match="could not be downloaded from .*gone.*404.*page.*no checkpoint"):
        fetch(NAME, [f"{files.url}/gone", f"{files.url}/page"], tmp_path / "there")


def test_no_network(tmp_path: Path) -> None:
    """Prevents a library's traceback on a machine that is not connected."""
    with serve(tmp_path) as gone:
        url = gone.url
    with pytest.raises(ModelError, match="cannot be reached .*check the network, or the proxy"):
        fetch(NAME, [url], tmp_path)


def test_a_full_disk(files: FileServer, tmp_path: Path) -> None:
    """Prevents a traceback, and a half-written file under the final name."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full to write to")
    partial_of(tmp_path / NAME).symlink_to(full)
    with pytest.raises(ModelError, match="is full: free some space and run the command again"):
        fetch(NAME, [files.url], tmp_path)
    assert not (tmp_path / NAME).exists()


def test_a_proxy_is_used(files: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents going past the proxy of a network that allows nothing else."""
    monkeypatch.setenv("HTTP_PROXY", files.url)
    fetch(NAME, ["http://weights.invalid"], tmp_path)
    assert files.requests(NAME) == [None]
