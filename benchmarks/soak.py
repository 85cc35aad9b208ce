"""Many requests from many clients, on this machine alone: ``python -m benchmarks.soak``.

Starts the page as a process of its own with the embedded model, has clients ask for pictures over HTTP, and
prints the server's memory, threads and open files after every hundred answers. Bounded in requests and in
minutes; it talks to 127.0.0.1 only. Linux only. The exit status says whether memory grew by more than 5 %
between the 200th answer (or the first fifth) and the last, or threads or open files grew at all.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "assets" / "examples"
GROWTH = 1.05
"""Of the memory."""
SPARE = 2
"""Threads or files more or less that are only a connection being opened or closed."""
START_SECONDS = 180


@dataclass(frozen=True)
class State:
    """What the server uses."""

    answers: int
    megabytes: float
    threads: int
    files: int


def look(process: int, answers: int) -> State:
    """Read what the kernel knows of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    memory, threads = (re.search(rf"{name}:\s+(\d+)", status) for name in ("VmRSS", "Threads"))
    assert memory is not None and threads is not None
    files = len(os.listdir(f"/proc/{process}/fd"))
    return State(answers, int(memory[1]) / 1024, int(threads[1]), files)


@contextlib.contextmanager
def served(flags: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The page in a process of its own, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "GRADIO_TEMP_DIR": folder, "MALLOC_ARENA_MAX": "2"}
        command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), "--model", "mini"]
        process = subprocess.Popen([*command, "--device", "cpu", *flags], cwd=ROOT, env=environment)
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{address}/health").status_code == 200:
                        break
                time.sleep(0.5)
            yield process, address
        finally:
            process.terminate()
            process.wait(30)


class Client:
    """Asks again and again, each time for another person, garment and seed."""

    def __init__(self, address: str, number: int, steps: int) -> None:
        people, garments = sorted(EXAMPLES.glob("person-*.jpg")), sorted(EXAMPLES.glob("garment-*.jpg"))
        self._pairs = itertools.islice(itertools.cycle(itertools.product(people, garments)), number, None)
        self._http = httpx.Client(base_url=f"{address}/gradio_api/", timeout=600)
        self._number, self._steps = number, steps

    def ask(self, turn: int) -> bool:
        """One request, from upload to answer; whether there was a picture."""
        files = [("files", path.open("rb")) for path in next(self._pairs)]
        paths = self._http.post("upload", files=files).json()
        for _, file in files:
            file.close()
        person, garment = ({"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths)
        asked = {"person": person, "garment": garment, "steps": self._steps, "seed": turn}
        sent = self._http.post("call/v2/try_on", json=asked)
        if sent.status_code != 200:
            time.sleep(1)  # the queue is full, which is an answer too
            return False
        with self._http.stream("GET", f"call/v2/try_on/{sent.json()['event_id']}") as stream:
            return "event: complete" in "".join(stream.iter_text())


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--every", type=int, default=100, help="answers between two lines")
    parser.add_argument("--minutes", type=float, default=60, help="ends after so many in any case")
    parser.add_argument("--idle", type=float, default=0, help="minutes to wait then, before a last look")
    options = parser.parse_args()
    states: list[State] = []
    done, pictures, lock = itertools.count(1), [0], threading.Lock()
    deadline = time.monotonic() + 60 * options.minutes
    with served(["--keep-minutes", "1"]) as (process, address):
        print(f"{'answers':>8} {'MB':>7} {'threads':>8} {'files':>6}  pictures")

        def note(answers: int) -> None:
            states.append(look(process.pid, answers))
            one = states[-1]
            line = f"{one.answers:>8} {one.megabytes:>7.0f} {one.threads:>8} {one.files:>6}  {pictures[0]}"
            print(line, flush=True)

        def work(number: int) -> None:
            client = Client(address, number, options.steps)
            while time.monotonic() < deadline:
                made = client.ask(number)
                with lock:
                    pictures[0] += made
                    answers = next(done)
                    if answers % options.every == 0:
                        note(answers)
                    if answers >= options.requests - options.clients + 1:
                        return

        note(0)
        with ThreadPoolExecutor(options.clients) as clients:
            list(clients.map(work, range(options.clients)))
        if options.idle:
            time.sleep(60 * options.idle)
            note(options.requests)
    first = next((state for state in states if state.answers >= min(200, options.requests // 5)), states[-1])
    last = states[-1]
    grown = last.megabytes / first.megabytes
    print(f"memory {grown:.3f} of that after {first.answers} answers")
    steady = last.threads <= first.threads + SPARE and last.files <= first.files + SPARE
    return int(grown > GROWTH or not steady)


if __name__ == "__main__":
    sys.exit(main())
