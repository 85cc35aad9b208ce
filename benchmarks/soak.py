"""Many requests from many clients, on this machine alone: ``python -m benchmarks.soak``.

Starts the page as a process of its own with the embedded model, has clients ask for pictures over HTTP, and
prints the server's memory, threads, open files and visitors' pictures after every hundred answers, and in
idle minutes after them. Every fifth client opens a session for each request and closes it after, as people's
pages do; the others make plain calls. Bounded in requests and in minutes; it talks to 127.0.0.1 only. Linux
only. The exit status says whether memory grew by more than 5 % between the 200th answer (or the first fifth)
and the last look, or threads or open files grew at all. What was measured stands in ``docs/hosting.md``.
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
from gradio_client import Client as Session
from gradio_client import handle_file

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "assets" / "examples"
GROWTH = 1.05
"""Of the memory."""
SPARE = 2
"""Threads or files more or less that are only a connection being opened or closed."""
START_SECONDS = 180
SESSION_EVERY = 5
"""Of so many clients, one opens sessions."""


@dataclass(frozen=True)
class State:
    """What the server uses."""

    answers: int
    megabytes: float
    threads: int
    files: int
    pictures: float
    """Megabytes that uploads and results take on the disk."""

    def __str__(self) -> str:
        used = f"{self.answers:>8} {self.megabytes:>7.0f} {self.threads:>8} {self.files:>6}"
        return f"{used} {self.pictures:>8.1f}"


def look(process: int, answers: int, folder: Path) -> State:
    """Read what the kernel knows of a process, and what lies in its folder."""
    status = Path(f"/proc/{process}/status").read_text()
    memory, threads = (re.search(rf"{name}:\s+(\d+)", status) for name in ("VmRSS", "Threads"))
    assert memory is not None and threads is not None
    files = len(os.listdir(f"/proc/{process}/fd"))
    lying = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # swept meanwhile
            lying += path.lstat().st_size
    return State(answers, int(memory[1]) / 1024, int(threads[1]), files, lying / 1e6)


@contextlib.contextmanager
def served(flags: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The page in a process of its own, its address, and the folder that visitors' pictures lie in."""
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
            yield process, address, Path(folder)
        finally:
            process.terminate()
            process.wait(30)


class Client:
    """Asks again and again, each time for another person, garment and seed."""

    def __init__(self, address: str, number: int, steps: int) -> None:
        people, garments = sorted(EXAMPLES.glob("person-*.jpg")), sorted(EXAMPLES.glob("garment-*.jpg"))
        self._pairs = itertools.islice(itertools.cycle(itertools.product(people, garments)), number, None)
        self._address = address
        self._http = httpx.Client(base_url=f"{address}/gradio_api/", timeout=600)
        self._number, self._steps = number, steps

    def ask(self, turn: int) -> bool:
        """One request, from upload to answer; whether there was a picture."""
        pair = next(self._pairs)
        if self._number % SESSION_EVERY == 0:
            return self._visit(*pair, turn)
        files = [("files", path.open("rb")) for path in pair]
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

    def _visit(self, person: Path, garment: Path, turn: int) -> bool:
        """The same in a session that is open only meanwhile."""
        with tempfile.TemporaryDirectory() as folder:
            session = Session(self._address, verbose=False, download_files=folder)
            try:
                asked = {"person": handle_file(person), "garment": handle_file(garment)}
                return bool(session.predict(**asked, steps=self._steps, seed=turn, api_name="/try_on"))
            except Exception as error:
                # Whatever the client makes of a full queue; that there were pictures is counted.
                print(f"{type(error).__name__}: {str(error)[:120]}", file=sys.stderr)
                time.sleep(1)
                return False
            finally:
                session.close()


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--every", type=int, default=100, help="answers between two lines")
    parser.add_argument("--minutes", type=float, default=60, help="ends after so many in any case")
    parser.add_argument("--idle", type=int, default=0, help="minutes to wait then, with a look after each")
    options = parser.parse_args()
    states: list[State] = []
    done, pictures, lock = itertools.count(1), [0], threading.Lock()
    deadline = time.monotonic() + 60 * options.minutes
    with served(["--keep-minutes", "1"]) as (process, address, folder):
        print(f"{'answers':>8} {'MB':>7} {'threads':>8} {'files':>6} {'disk MB':>8}  pictures")

        def note(answers: int) -> None:
            states.append(look(process.pid, answers, folder))
            print(f"{states[-1]}  {pictures[0]}", flush=True)

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
        for _ in range(options.idle):
            time.sleep(60)
            note(options.requests)
    first = next((state for state in states if state.answers >= min(200, options.requests // 5)), states[-1])
    last = states[-1]
    grown = last.megabytes / first.megabytes
    print(f"memory {grown:.3f} of that after {first.answers} answers")
    steady = last.threads <= first.threads + SPARE and last.files <= first.files + SPARE
    return int(grown > GROWTH or not steady)


if __name__ == "__main__":
    sys.exit(main())
