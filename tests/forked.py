"""Commands as processes of their own, copied from one that has imported the libraries already.

A copy runs ``ladi.commands.main.start`` as a terminal would: in a group of its own, with Ctrl-C heard. What
it is to meet on its way is a few lines of Python that it runs first; in these, ``middle()`` says that the
moment has come, and waits to be interrupted.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 120
"""Seconds that anything is waited for."""
IN_THE_MIDDLE = "in the middle"
SERVER = """
import json, os, signal, sys, time
import torch, diffusers, transformers, mediapipe
import ladi.commands.main, ladi.engine

def middle():
    print("in the middle", flush=True)
    time.sleep(60)

def run(words, first, told):
    os.setsid()
    torch.set_num_threads(1)
    said = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1), os.dup2(said, 2)
    exec(first, {"middle": middle})
    if words:
        sys.argv[1:] = words
        ladi.commands.main.start()
    raise SystemExit(0)

for line in sys.stdin:
    asked = json.loads(line)
    for name in asked.pop("imported"):
        __import__(name)
    child = os.fork()
    if child == 0:
        try:
            run(**asked)
        except SystemExit as ended:
            os._exit(ended.code)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        os._exit(99)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Command:
    """One that runs."""

    def __init__(self, server: Forks, told: Path, process: int) -> None:
        self._server, self._told, self._process = server, told, process

    def said(self) -> str:
        """All that it printed, on either stream."""
        return self._told.read_text() if self._told.is_file() else ""

    def runs(self) -> bool:
        """Whether it has not ended yet."""
        try:
            os.kill(self._process, 0)
        except ProcessLookupError:
            return False
        return True

    def wait_for(self, came: Callable[[], bool]) -> None:
        """Wait until something is so; fails if it does not come."""
        deadline = time.monotonic() + LONGEST
        while not came():
            assert self.runs() and time.monotonic() < deadline, self.said()
            time.sleep(0.01)

    def wait_for_the_middle(self) -> None:
        """Wait until ``middle()`` was reached."""
        self.wait_for(lambda: IN_THE_MIDDLE in self.said())

    def send(self, number: int) -> None:
        """Send it, and all that it has started, a signal."""
        os.killpg(self._process, number)

    def interrupt(self) -> float:
        """Ctrl-C, which all processes of a terminal get; gives the seconds until the end, with code 130."""
        began = time.monotonic()
        self.send(signal.SIGINT)
        code = self.end()
        assert code == 128 + signal.SIGINT, self.said()
        return time.monotonic() - began

    def end(self) -> int:
        """Wait for it; gives the exit code."""
        self._server.running = None
        return int(self._server.heard())

    def kill(self) -> None:
        """End it, whatever it does."""
        self.send(signal.SIGKILL)
        self.end()


class Forks:
    """The process that the others are copies of; one at a time."""

    def __init__(self) -> None:
        self._chatter = tempfile.TemporaryFile("a+")
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._chatter,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # a copy has none of the other threads
            # Tests that run in the background are told to ignore the signal, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self._count = 0
        self.running: Command | None = None

    def start(self, folder: Path, *words: object, first: str = "", imported: tuple[str, ...] = ()) -> Command:
        """Start a command.

        Args:
            folder: where it may leave what it prints.
            *words: after ``python -m ladi``; without any, nothing but ``first`` is run.
            first: Python that it runs before; ``middle()`` in it waits for an interruption.
            imported: further modules that all copies have imported already, from this one on.
        """
        if self.running is not None:  # of a test that failed
            self.running.kill()
        self._count += 1
        told = folder / f"said-{self._count}.txt"
        asked = {
            "words": [str(word) for word in words],
            "first": first,
            "told": str(told),
            "imported": imported,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        self.running = Command(self, told, int(self.heard()))
        return self.running

    def run(self, folder: Path, *words: object, first: str = "") -> tuple[int, str]:
        """Run a command to its end: its exit code, and all that it printed."""
        command = self.start(folder, *words, first=first)
        return command.end(), command.said()

    def heard(self) -> str:
        """The next line of the process that copies are made of."""
        assert self._process.stdout is not None
        # Lines come one at a time, so that none waits in a buffer while the pipe is empty.
        ready, _, _ = select.select([self._process.stdout], [], [], LONGEST)
        assert ready, f"nothing came for {LONGEST} seconds"
        line = self._process.stdout.readline()
        assert line, f"the process that copies are made of has ended: {self.chatter()}"
        return line

    def chatter(self) -> str:
        """What that process itself has printed on stderr, as while it imported the libraries."""
        self._chatter.seek(0)
        return self._chatter.read()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._chatter.close()
