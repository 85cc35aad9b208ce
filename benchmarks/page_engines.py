"""The page with one engine and with two, on a cluster of this machine: ``python benchmarks/page_engines.py``.

Clients ask over HTTP on this machine alone, each with a photo of its own, for one picture after the other, as
programs do. First one engine answers them, then two, of a core each; with ``--break`` two again, of which
one is killed when a third of the answers is there, and a machine for a third joins at two thirds. Printed are
answers a minute, the ratio of the first two, and how many answers were missing or of another client's photo.

``--wait S`` takes engines that wait S seconds for each picture in place of computing: that measures what page
and cluster cost, where there are too few cores for the engines. Two engines that compute want two cores, and
page and clients a part of a third.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SIZE = (768, 576)
STORE = 400_000_000


def main() -> int:
    """Measure and print."""
    options = _options()
    os.environ.setdefault("RAY_worker_niceness", "0")  # engines are what is measured, beside whatever runs
    with tempfile.TemporaryDirectory(prefix="ladi-page-engines-") as name:
        os.environ["GRADIO_TEMP_DIR"] = name
        people = [write_photo(Path(name), number) for number in range(options.clients)]
        with machines() as cluster, served(options) as (fleet, address, page):
            asked = partial(measure, fleet, address, page, people, options.requests)
            rates = [asked(engines, inverted=bool(options.wait)) for engines in (1, 2)]
            print(f"two engines to one: {rates[1] / rates[0]:.2f}", flush=True)
            if options.breaking:
                asked(2, inverted=bool(options.wait), cluster=cluster)
    return 0


@contextmanager
def machines() -> Iterator[Any]:
    """A cluster of two cores beside this process, and of none in it."""
    import ray
    from ray.cluster_utils import Cluster

    store = {"object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **store})
    cluster.add_node(num_cpus=2, object_store_memory=STORE)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@contextmanager
def served(options: argparse.Namespace) -> Iterator[tuple[Any, str, Any]]:
    """The page over two engines, both loaded."""
    import ray

    from app.page import build_page
    from app.tryon.handlers import Handlers
    from ladi.scale.cluster import Bounds
    from ladi.scale.fleet import Fleet, load_engine

    load: Any = partial(load_engine, model="mini", running={"device": "cpu"})
    if options.wait:
        load = partial(load_waiting, seconds=options.wait)
    fleet = Fleet(ray, lambda name: load, Bounds(2, 3 if options.breaking else 2))
    engine = fleet.engine("mini")
    while fleet.running("mini") < 2:
        time.sleep(0.2)
    page = build_page(Handlers(lambda name: engine, at_once=3))
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        yield fleet, address, page
    finally:
        page.close(verbose=False)
        fleet.close()


def measure(
    fleet: Any,
    address: str,
    page: Any,
    people: list[Path],
    requests: int,
    engines: int,
    *,
    inverted: bool,
    cluster: Any = None,
) -> float:
    """Answers a minute of so many engines, after one that warms up and does not count.

    Args:
        fleet: of the engines.
        address: of the page.
        page: served there.
        people: a photo for each client.
        requests: of all clients.
        engines: that may be at work at once.
        inverted: what the pictures are to be; see ``own``.
        cluster: in which an engine is killed, and which a machine joins; nothing of the kind unless given.
    """
    from gradio_client import Client, handle_file

    from app.serving.visitors import let_through

    let_through(page, engines)
    done, lock, times = count(1), threading.Lock(), []
    joins = threading.Event()
    garment = handle_file(ROOT / "assets" / "examples" / "garment-striped-tee.jpg")
    patience: Any = {"timeout": 300}
    clients = [
        Client(address, verbose=False, download_files=str(path.parent / path.stem), httpx_kwargs=patience)
        for path in people
    ]

    def ask(client: Any, path: Path) -> np.ndarray:
        picture = client.predict(handle_file(path), garment, seed="1", api_name="/try_on")[0]
        return np.asarray(Image.open(picture))

    def visit(client: Any, path: Path) -> list[str]:
        wrong = []
        for _ in range(requests // len(people)):
            picture = None
            try:
                picture = ask(client, path)
            except Exception as error:  # counted: there is to be none
                wrong.append(f"{path.stem}: {error}")
            with lock:
                number = next(done)
                if picture is not None:
                    times.append(time.perf_counter())
            if picture is not None and not own(picture, np.asarray(Image.open(path)), inverted=inverted):
                wrong.append(f"{path.stem}: a picture of another")
            if cluster and number == requests // 3:
                os.kill(newest_engine(), signal.SIGKILL)
            if cluster and number == requests * 2 // 3:
                joins.set()
        return wrong

    ask(clients[0], people[0])
    started = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as crew:
        visits = [crew.submit(visit, *one) for one in zip(clients, people, strict=True)]
        while cluster and not joins.wait(1) and not all(one.done() for one in visits):
            pass
        if joins.is_set():
            # Here, since Ray starts nodes in the main thread alone.
            cluster.add_node(num_cpus=1, object_store_memory=STORE)
            let_through(page, 3)
        wrong = [one for told in visits for one in told.result()]
    rate = len(times) / (max(times) - started) * 60
    words = f"{engines} engine{'s' * (engines > 1)}"
    if cluster:
        words += f", one killed, {fleet.running('mini')} at the end"
    told = f"{words}: {len(times)} answers, {rate:.1f} a minute, {len(wrong)} wrong"
    print(told, *wrong, sep="\n  ", flush=True)
    return rate


def own(picture: np.ndarray, before: np.ndarray, *, inverted: bool) -> bool:
    """Whether a picture was made of this photo: all of it, or what lies far above any garment."""
    if inverted:
        return np.array_equal(picture, 255 - before)
    changed = float((picture[200:] != before[200:]).any(axis=2).mean())
    return np.array_equal(picture[:16], before[:16]) and changed > 0.05


def newest_engine() -> int:
    """The process of an engine: one that Ray has named so, in a cluster that this process began."""
    names, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names[int(folder.name)] = (folder / "cmdline").read_text("utf-8")
            # The name before it, in brackets, may hold anything.
            parents[int(folder.name)] = int(
                (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1]
            )
        except (OSError, UnicodeDecodeError):
            continue  # it has ended, or is none of ours

    def is_ours(pid: int) -> bool:
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    engines = [pid for pid, name in names.items() if name.startswith("ray::") and "ServeReplica" in name]
    return max(pid for pid in engines if is_ours(pid))


def write_photo(folder: Path, number: int) -> Path:
    """An example person, tinted to be one client's own."""
    pictures = sorted((ROOT / "assets" / "examples").glob("person-*.jpg"))
    picture = Image.open(pictures[number % len(pictures)]).convert("RGB").resize(SIZE[::-1])
    pixels = np.asarray(picture).astype(int) + 12 * (number // len(pictures))
    path = folder / f"client-{number:02}.png"
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    return path


def load_waiting(room: Any, *, seconds: float) -> Any:
    """What a replica loads where ``--wait`` is given: its pictures are the photos, inverted."""
    from tests.ui.fake import FakeEngine

    engine = FakeEngine()
    engine.steps, engine.pause = 10, seconds / 10
    return engine


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=40, help="of all clients (%(default)s)")
    parser.add_argument("--clients", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--wait", type=float, default=0.0, metavar="S", help="see above")
    parser.add_argument("--break", dest="breaking", action="store_true", help="see above")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
