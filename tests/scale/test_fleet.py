"""A page's engines on a cluster of this machine: what the page promises holds wherever they compute."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from app import main
from app.page import build_page
from app.serving.visitors import GPU, let_through
from app.tryon.handlers import Handlers
from ladi.scale.cluster import Bounds
from ladi.scale.fleet import Fleet
from ladi.scale.remote import RemoteEngine
from ladi.settings import Settings, TryOnRequest
from ladi.types import Cancelled, ModelError, PersonError, Photo, SettingError
from ladi.weights.catalog import find_model, sampling_defaults
from tests.scale.noting import DEADLY, NOBODY, at_work, load, load_for_page, read, refuse, until
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured

ray: Any = pytest.importorskip("ray", reason="ray comes with requirements-scale.txt")
pytest.importorskip("ray.serve", reason="Ray Serve's packages come with requirements-scale.txt")

SOON = 5.0
"""Seconds within which a replica must have stopped; a step takes a fiftieth of one."""
PAUSE = 0.3
LONG = 3000
"""Steps of those that are to be stopped, or outlasted by another replica's start: a minute."""
PEOPLE = (100, 130, 160, 190)
"""Far apart: Gradio names files by their content, and would write one visitor's while another reads it."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A machine for three engines, beside this one, which has none."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("RAY_worker_niceness", "0")  # beside other work, a replica would not answer in time
    store = {"object_store_memory": 100_000_000, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **store})
    made.add_node(num_cpus=3, object_store_memory=100_000_000)
    ray.init(address=made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()
    patch.undo()


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diary")


@pytest.fixture(scope="module")
def two(cluster: Any, diary: Path) -> Iterator[RemoteEngine]:
    """An engine of which there are two, no more and no less; how long one is at work goes by the request."""
    fleet = Fleet(ray, lambda name: partial(load, diary=str(diary)), Bounds(2, 2))
    engine = fleet.engine("mini")
    until(lambda: fleet.running("mini") == 2)
    yield engine
    fleet.close()


@pytest.fixture(scope="module")
def slow(cluster: Any, two: RemoteEngine, diary: Path) -> Iterator[tuple[Fleet, RemoteEngine]]:
    """One that is at work for a minute, and of which there may be more."""
    fleet = Fleet(ray, lambda name: partial(load, diary=str(diary), steps=LONG), Bounds(1))
    yield fleet, fleet.engine("mini")
    fleet.close()


@pytest.fixture(autouse=True)
def _empty_diary(diary: Path) -> None:
    until(lambda: not at_work(diary))
    for path in diary.iterdir():
        path.unlink()


def photo(number: int) -> Photo:
    return Photo(coloured(number, 60, 110))


def request(person: int = 40, garment: int = 90, **settings: Any) -> TryOnRequest:
    return TryOnRequest(photo(person), photo(garment), settings=Settings(**settings))


def bytes_held() -> int:
    """In the stores of all machines together."""
    from ray._private.internal_api import get_memory_info_reply, get_state_from_address

    told = get_memory_info_reply(get_state_from_address(ray.get_runtime_context().gcs_address))
    return int(told.store_stats.object_store_bytes_used)


def test_a_far_engine_is_as_good_as_a_near_one(two: RemoteEngine) -> None:
    """Prevents other pictures, no progress or no previews where the engine is elsewhere; nothing is left."""
    told: list[tuple[str, float]] = []
    shown: list[np.ndarray] = []
    far = two.try_on(
        request(seed=3),
        progress=lambda *what: told.append(what),
        preview=shown.append,
        cancelled=lambda: False,
    )
    near = FakeEngine().try_on(request(seed=3))
    np.testing.assert_array_equal(far.images[0], near.images[0])
    assert (far.seed, far.steps, far.findings) == (near.seed, near.steps, near.findings)
    assert told[0] == ("denoise", 0.0) and len(told) > 1 and told == sorted(told)
    assert shown and shown[0].shape == (32, 24, 3)
    big = Photo(np.random.default_rng(0).integers(0, 255, (2000, 1500, 3), np.uint8))
    before = bytes_held()
    found = two.prepare_person(big)
    np.testing.assert_array_equal(found.photo.pixels, big.pixels)
    del found
    until(lambda: bytes_held() <= before)


def test_what_the_visitor_can_mend_is_said(two: RemoteEngine) -> None:
    """Prevents a traceback from a far machine where there was a sentence."""
    with pytest.raises(PersonError, match=r"^No person found in this photo\.$"):
        two.try_on(request(NOBODY))


def test_the_next_request_goes_where_the_photo_is_remembered(two: RemoteEngine, diary: Path) -> None:
    """Prevents preparing a visitor's photo anew for each garment, and one replica that gets them all."""
    people = range(50, 54)
    for person in people:
        two.prepare_person(photo(person))
        time.sleep(PAUSE)  # who answered is busy for a moment still, and what is where is told every 0.1 s
    looked = {note.photo: note.process for note in read(diary, "looked")}
    for garment in (90, 91, 92):
        for person in people:
            two.try_on(request(person, garment))
            time.sleep(PAUSE)
    back = [note.process == looked[note.photo] for note in read(diary)]
    assert len(back) == 12 and sum(back) >= 10  # by chance, that would be one run in fifty
    assert len(set(looked.values())) == 2


def test_cancel_stops_within_a_step(slow: tuple[Fleet, RemoteEngine], diary: Path) -> None:
    """Prevents a replica that goes on painting for nobody, also while it is others' turn."""
    stop = threading.Event()
    with pytest.raises(Cancelled):
        slow[1].try_on(request(), progress=lambda *_: stop.set(), cancelled=stop.is_set)
    until(lambda: read(diary, "ended"), SOON)
    with pytest.raises(Cancelled):  # before it was given to a replica
        slow[1].try_on(request(), cancelled=lambda: True)
    until(lambda: not at_work(diary), SOON)


def test_a_replica_that_dies_costs_a_retry(two: RemoteEngine, diary: Path) -> None:
    """Prevents an answer that is lost with a process; and a picture that kills one after the other."""

    def kill(*_: Any) -> None:
        if len(read(diary)) == 1:
            os.kill(read(diary)[0].process, signal.SIGKILL)

    result = two.try_on(request(60), progress=kill)
    np.testing.assert_array_equal(result.images[0], 255 - photo(60).pixels)
    assert len({note.process for note in read(diary)}) == 2
    with pytest.raises(ModelError, match="died over this, 2 times: try again"):
        two.try_on(request(61, DEADLY))
    # Serve hands a call on by itself where a replica dies before it has said that it takes it: once a try.
    assert 2 <= len([note for note in read(diary) if note.photo == 61]) <= 4
    two.try_on(request(62))


def test_everybody_gets_their_own_through_the_page(
    two: RemoteEngine, diary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents pictures that are mixed up, or an error, when a replica dies among many visitors."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    page = build_page(Handlers(lambda name: two, at_once=2))
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    let_through(page, 2)
    Image.fromarray(coloured(90, 60, 110)).save(tmp_path / "garment.png")

    def visit(number: int) -> None:
        Image.fromarray(coloured(number, 60, 110)).save(tmp_path / f"person-{number}.png")
        sent = [handle_file(tmp_path / f"person-{number}.png"), handle_file(tmp_path / "garment.png")]
        patience = {"timeout": 120}
        folder = str(tmp_path / str(number))
        client = Client(address, verbose=False, download_files=folder, httpx_kwargs=patience)
        for _ in range(4):
            picture = client.predict(*sent, api_name="/try_on")[0]
            np.testing.assert_array_equal(np.asarray(Image.open(picture)), 255 - coloured(number, 60, 110))

    try:
        with ThreadPoolExecutor(4) as visitors:
            visits = [visitors.submit(visit, number) for number in PEOPLE]
            until(lambda: len(read(diary, "ended")) >= 4)
            os.kill(until(lambda: at_work(diary))[0].process, signal.SIGKILL)
            for one in visits:
                one.result()
    finally:
        page.close(verbose=False)
    assert len(read(diary, "ended")) == 16 and len({note.process for note in read(diary)}) > 1


def test_there_are_more_engines_as_people_wait_and_machines_join(
    cluster: Any, slow: tuple[Fleet, RemoteEngine], diary: Path
) -> None:
    """Prevents a queue in front of one engine while a machine stands idle."""
    fleet, engine = slow
    told: list[int] = []
    fleet.watch(told.append)
    assert fleet.most == 3  # of which another model has two
    cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    assert until(lambda: told) == [4] and fleet.most == 4
    stop = threading.Event()

    def ask(number: int) -> None:
        with pytest.raises(Cancelled):
            engine.try_on(request(number), cancelled=stop.is_set)

    with ThreadPoolExecutor(3) as visitors:
        asked = [visitors.submit(ask, number) for number in (70, 71, 72)]
        try:
            until(lambda: len({note.process for note in at_work(diary)}) == 2)
        finally:
            stop.set()
        for one in asked:
            one.result()
    fleet.close()  # the last test that needs it; the next ones have room


def test_the_page_is_served_by_a_cluster(
    cluster: Any, diary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents flags that do not reach the cluster, and a page that lets through more than it has engines."""
    shelves: list[Any] = []

    def visit(page: gr.Blocks) -> None:
        far = until(lambda: shelves)[0].get("mini")
        np.testing.assert_array_equal(far.try_on(request(80)).images[0], 255 - photo(80).pixels)
        limits = {one.concurrency_limit for one in page.fns.values() if one.concurrency_id == GPU}
        assert limits == {2} and far.defaults == sampling_defaults(find_model("mini"))

    monkeypatch.setattr("ladi.scale.cluster.connected", lambda address: nullcontext(ray))
    monkeypatch.setattr("ladi.scale.fleet.load_engine", partial(load_for_page, diary=str(diary)))
    monkeypatch.setattr(main, "warm_up", lambda shelf, readiness: shelves.append(shelf))
    monkeypatch.setattr(gr.Blocks, "launch", lambda page, **_: None)
    monkeypatch.setattr(gr.Blocks, "block_thread", visit)
    assert main.main(["--ray", "auto", "--engines", "1-2", "--keep-minutes", "7"]) == 0
    assert read(diary), capsys.readouterr().err
    monkeypatch.undo()
    assert main.main(["--ray", "127.0.0.1:9"]) == 2
    assert "There is no Ray cluster at '127.0.0.1:9'" in capsys.readouterr().err


def test_what_is_wrong_with_model_or_cluster_is_said(cluster: Any, two: RemoteEngine) -> None:
    """Prevents a page that waits for ever for engines that cannot come."""
    fleet = Fleet(ray, lambda name: refuse)
    with pytest.raises(ModelError, match=r"^There is no model 'broken' here: choose mini\.$"):
        fleet.engine("mini")
    with pytest.raises(SettingError, match="no machine with 64 cores"):
        Fleet(ray, lambda name: refuse, cpus=64)
    with pytest.raises(SettingError, match="not for 9: ask for fewer"):
        Fleet(ray, lambda name: refuse, Bounds(9, 9))
