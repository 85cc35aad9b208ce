"""A download that is killed: nothing half under a file's name, and the next one goes on."""

from __future__ import annotations

from pathlib import Path

from ladi.weights.fetch import fetch, partial_of
from tests.forked import Forks
from tests.weights.server import FileServer

NAME = "unet_vitonhd.pth"


def test_a_killed_download_goes_on(forks: Forks, server: FileServer, tmp_path: Path) -> None:
    """Prevents half of a file being taken for the file, and gigabytes from coming twice."""
    folder, whole = tmp_path / "downloads", (server.folder / NAME).read_bytes()
    target, partial = folder / NAME, partial_of(folder / NAME)
    server.faults[NAME] = ["stall"]
    fetching = "from pathlib import Path\nfrom ladi.weights.fetch import fetch\n"
    fetching += f"fetch({NAME!r}, [{server.url!r}], Path({str(folder)!r}))"
    process = forks.start(tmp_path, first=fetching)
    process.wait_for(lambda: partial.is_file() and partial.stat().st_size > 0)
    process.kill()
    assert not target.exists() and 0 < partial.stat().st_size < len(whole)
    assert partial.read_bytes() == whole[: partial.stat().st_size]
    assert fetch(NAME, [server.url], folder).read_bytes() == whole
    assert server.requests(NAME)[1] is not None, "the first half came twice"
    left = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert left == {NAME, "digests.json"}
