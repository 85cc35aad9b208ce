"""Rows that are interrupted at any moment: their threads end, and the batch with them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

TIMES, LONGEST = 400, 60
INTERRUPTED = f"""
import random, signal, time
from types import SimpleNamespace
from ladi.batch import work

def row(*_, **__):
    time.sleep(random.random() * 0.002)
    return SimpleNamespace(status="done")

def interrupt(*_):
    raise KeyboardInterrupt

work.make_row = row
signal.signal(signal.SIGALRM, interrupt)
random.seed(0)
for _ in range({TIMES}):
    signal.setitimer(signal.ITIMER_REAL, 0.0005 + random.random() * 0.006)
    try:
        for _ in work.make_rows(iter(range(10**6)), None, None, at_once=3):
            pass
    except KeyboardInterrupt:
        print("stopped")
    signal.setitimer(signal.ITIMER_REAL, 0)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts")
def test_ctrl_c_at_any_moment_ends_a_batch() -> None:
    """Prevents: a batch that never ends, because Ctrl-C came while this thread held the lock of a row's."""
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        cwd=root,
        timeout=LONGEST,
        check=True,
        capture_output=True,
        text=True,
    )
    assert ended.stdout.split() == ["stopped"] * TIMES
