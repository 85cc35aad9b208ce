"""A download that is killed: nothing half under a file's name, and the next one goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from ladi.weights.fetch import fetch, partial_of
from tests.conftest import ROOT
from tests.weights.server import FileServer

NAME = "unet_vitonhd.pth"
FETCH = """
import sys
from pathlib import Path
from ladi.weights.fetch import fetch
fetch(sys.argv[1], [sys.argv[2]], Path(sys.argv[3]))
"""


def test_a_killed_download_goes_on(server: FileServer, tmp_path: Path) -> None:
    """Prevents half of a file being taken for the file, and gigabytes from coming twice."""
    folder, whole = tmp_path / "downloads", (server.folder / NAME).read_bytes()
    target, partial = folder / NAME, partial_of(folder / NAME)
    server.faults[NAME] = ["stall"]
    with subprocess.Popen(
        [sys.executable, "-c", FETCH, NAME, server.url, str(folder)], cwd=ROOT, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if partial.is_file() and partial.stat().st_size:
                break
            time.sleep(0.02)
        process.kill()
    assert not target.exists() and 0 < partial.stat().st_size < len(whole)
    assert partial.read_bytes() == whole[: partial.stat().st_size]
    assert fetch(NAME, [server.url], folder).read_bytes() == whole
    assert server.requests(NAME)[1] is not None, "the first half came twice"
    left = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert left == {NAME, "digests.json"}
