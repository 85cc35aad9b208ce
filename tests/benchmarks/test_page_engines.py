"""The benchmark of a page's engines kills one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from benchmarks.page_engines import newest_engine

ENGINE = ["ray::ServeReplica:engine", "-c", "import time; time.sleep(60)"]
"""A process that is named as Ray names an engine's."""
LEAVE = f"""
from subprocess import DEVNULL, Popen
import sys

print(Popen({ENGINE}, executable=sys.executable, stdout=DEVNULL).pid)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="only here are processes told by /proc")
def test_engines_of_others_are_not_killed() -> None:
    """Prevents the end of an engine in somebody else's cluster on the same machine."""
    own = subprocess.Popen(ENGINE, executable=sys.executable)
    # Whoever began it is gone, so that it is nobody's here.
    left = subprocess.check_output([sys.executable, "-c", LEAVE], timeout=60)
    try:
        assert int(left) > own.pid
        assert newest_engine() == own.pid
    finally:
        os.kill(int(left), signal.SIGKILL)
        own.kill()
        own.wait()
