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

work.make_row = row
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
random.seed(0)
for _ in range({TIMES}):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + random.random() * 0.006)
        for _ in work.make_rows(iter(range(10**6)), None, None, at_once=3):
            pass
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts")
def test_ctrl_c_at_any_moment_ends_a_batch() -> None:
    """Prevents: a batch that never ends, because Ctrl-C came while the main thread held a lock."""
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
