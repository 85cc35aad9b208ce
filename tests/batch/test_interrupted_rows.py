"""Rows that are interrupted at any moment: their threads end, and the batch with them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.forked import Forks

TIMES = 400
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
        print("stopped", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts")
def test_ctrl_c_at_any_moment_ends_a_batch(forks: Forks, tmp_path: Path) -> None:
    """Prevents: a batch that never ends, because Ctrl-C came while the main thread held a lock."""
    code, said = forks.run(tmp_path, first=INTERRUPTED)
    assert code == 0 and said.split() == ["stopped"] * TIMES, said
