"""How long others wait after a cancelled request: ``python -m benchmarks.cancelled``.

Starts the page as a process of its own with the embedded model, and asks for a picture of two steps, alone,
for its own time. Then ten requests of 100 steps and 8 pictures are cancelled, each when it has come further
than the one before: at the start, while it is refined, decoded and put back; by turns by Gradio's ``cancel``
and by closing the stream of news, as a closed page does. After each the two steps are asked for at once.
It talks to 127.0.0.1 only. Linux only, as ``soak.py``. The exit status says whether any of them waited for
more than two seconds longer than alone; beside the seconds by the clock, which say little on a machine that
others use, stand those that the server computed. What was measured stands in ``docs/hosting.md``.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from app.fields import Defaults
from benchmarks.soak import EXAMPLES, served

PERSON, GARMENT = EXAMPLES / "person-anna.jpg", EXAMPLES / "garment-printed-tee.jpg"
OTHERS = (None, "", None, True)
"""What the page sends beside pictures and settings: no mask by hand, and that its steps are to be shown."""
STEPS, PICTURES = 100, 8
PERCENT = (0, 20, 35, 50, 65, 80, 90, 93, 97, 98)
"""How far each request may come; 20 to 89 are steps, 90 to 96 decoding, from 97 on pictures are put back."""
WITHIN = 2.0
"""Seconds beyond its own that a request may take."""


class Page:
    """The server, as a browser and a program see it."""

    def __init__(self, address: str, process: int, steps: int) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self._http = httpx.Client(base_url=f"{address}/gradio_api/", timeout=600)
        files = [("files", path.read_bytes()) for path in (PERSON, GARMENT)]
        self._files = [
            {"path": path, "meta": {"_type": "gradio.FileData"}}
            for path in self._http.post("upload", files=files).json()
        ]
        config = httpx.get(f"{address}/config").json()
        sliders = {one["id"] for one in config["components"] if one["type"] == "imageslider"}
        self._values: dict[str, Any] = Defaults().values | {"steps": steps, "pictures": PICTURES}
        self._try_on = next(
            one["id"]
            for one in config["dependencies"]
            if sliders & set(one["outputs"]) and len(one["inputs"]) == len(OTHERS) + 2 + len(self._values)
        )

    def computed(self) -> float:
        """Seconds of processor time that the server has taken so far."""
        user, system = self._stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def two_steps(self) -> tuple[float, float]:
        """The seconds of a short request, from asking to the answer: by the clock, and computed."""
        began, computed = time.perf_counter(), self.computed()
        person, garment = self._files
        asked = {"person": person, "garment": garment, "steps": 2, "seed": 1}
        sent = self._http.post("call/v2/try_on", json=asked).json()
        with self._http.stream("GET", f"call/try_on/{sent['event_id']}") as news:
            assert "event: complete" in "".join(news.iter_text())
        return time.perf_counter() - began, self.computed() - computed

    def cancel_at(self, percent: int, session: str, *, leaving: bool) -> int:
        """Ask for much, and do not want it any more when so much is done; the percent that were done."""
        data = [*self._files, *OTHERS, *self._values.values()]
        event = {"fn_index": self._try_on, "session_hash": session}
        sent = self._http.post("queue/join", json=event | {"data": data}).json()
        done = -1
        with self._http.stream("GET", f"queue/data?session_hash={session}") as news:
            for line in news.iter_lines():
                done = max([done, *map(int, re.findall(r'aria-valuenow=\\?"(\d+)', line))])
                if done >= percent:
                    break
            if not leaving:
                self._http.post("cancel", json=event | {"event_id": sent["event_id"]})
        return done


def main() -> int:
    """Measure; 1 where somebody waited for too long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alone", type=int, default=3, help="how often the short request is measured alone")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the requests that are cancelled")
    parser.add_argument("--at", type=int, nargs="+", default=PERCENT, help="percent after which they are")
    options = parser.parse_args()
    with served([]) as (server, address, _):
        page = Page(address, server.pid, options.steps)
        page.two_steps()  # which prepares both pictures
        alone = [page.two_steps() for _ in range(options.alone)]
        own = [statistics.median(seconds) for seconds in zip(*alone, strict=True)]
        print(f"alone {own[0]:.2f} s, computed {own[1]:.2f} s")
        print(f"{'done':>8} {'by':>8} {'after':>8} {'computed':>10}")
        most = [0.0, 0.0]
        for number, percent in enumerate(options.at):
            leaving = number % 2 == 1
            done = page.cancel_at(percent, f"s{number}", leaving=leaving)
            more = [taken - usual for taken, usual in zip(page.two_steps(), own, strict=True)]
            most = [max(pair) for pair in zip(most, more, strict=True)]
            way = "leaving" if leaving else "cancel"
            print(f"{done:>7}% {way:>8} {more[0]:>+6.2f} s {more[1]:>+8.2f} s", flush=True)
    print(f"most beyond its own: {most[0]:.2f} s of {WITHIN:.0f}, computed {most[1]:.2f} s")
    return int(most[0] > WITHIN)


if __name__ == "__main__":
    sys.exit(main())
