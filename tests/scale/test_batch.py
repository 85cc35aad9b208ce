"""A batch on a cluster of three nodes of this machine: the same files, whatever dies on the way."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ladi.batch.book import RowDone
from ladi.batch.manifest import MANIFEST, TABLE
from ladi.batch.pairs import read_table
from ladi.batch.run import run_batch
from ladi.commands.main import main
from ladi.runtime.recall import Room
from ladi.scale.batch import Engines, run_on_cluster
from ladi.types import ModelError, SettingError
from tests.scale.drawing import DEADLY, NOBODY, count, load, load_for_command, refuse, write_pictures

ray: Any = pytest.importorskip("ray", reason="ray comes with requirements-scale.txt")

HEALTH = {
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
    "health_check_initial_delay_ms": 0,
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without an engine, which this process is connected to."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    store = {"object_store_memory": 100_000_000, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "_system_config": HEALTH, **store})
    made.add_node(num_cpus=1, object_store_memory=100_000_000)
    made.add_node(num_cpus=1, object_store_memory=100_000_000)
    ray.init(address=made.address)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """What the engines write down, in all processes."""
    (tmp_path / "diary").mkdir()
    return tmp_path / "diary"


def pairs(folder: Path, people: int, garments: int) -> Path:
    """Everybody in everything; the table."""
    write_pictures(folder, people, garments)
    lines = [
        f"people/{person:02}.png,garments/{garment:02}.png,{person}"
        for person in range(people)
        for garment in range(garments)
    ]
    path = folder / "pairs.csv"
    path.write_text("\n".join(["person,garment,seed", *lines]) + "\n")
    return path


def spread(
    table: Path, out: Path, engines: Engines, told: Callable[[str], None] = print
) -> Iterator[RowDone]:
    return run_on_cluster(read_table(table), ray, engines, out, model="drawing", told=told)


def entries(out: Path) -> list[dict[str, Any]]:
    """The manifest's rows, but for how long they took."""
    return [row | {"seconds": 0} for row in json.loads((out / MANIFEST).read_text())["rows"]]


def same_files(one: Path, other: Path) -> bool:
    names = {path.name for path in one.iterdir()} - {MANIFEST, TABLE}
    assert names == {path.name for path in other.iterdir()} - {MANIFEST, TABLE}
    assert entries(one) == entries(other)
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def repainted(path: Path, number: int) -> None:
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0, 0] = number
    Image.fromarray(pixels).save(path)


def test_a_cluster_makes_the_same_files(cluster: Any, diary: Path, tmp_path: Path) -> None:
    """Prevents results that depend on where they were made, and preparing anything on both nodes."""
    table = pairs(tmp_path / "in", 4, 6)
    repainted(tmp_path / "in" / "people" / "03.png", NOBODY)
    (tmp_path / "in" / "garments" / "05.png").write_text("a letter, not a picture\n" * 9)
    (tmp_path / "in" / "people" / "02.png").unlink()
    (tmp_path / "plain").mkdir()
    plain = load(Room(64), diary=str(tmp_path / "plain"))
    list(run_batch(read_table(table), plain, tmp_path / "one", model="drawing"))
    told: list[str] = []
    news = list(spread(table, tmp_path / "many", Engines(partial(load, diary=str(diary))), told.append))
    assert sorted(one.row.number for one in news) == list(range(1, 25))
    assert [one.status for one in news].count("done") == 2 * 5
    assert same_files(tmp_path / "one", tmp_path / "many")
    # On a busy machine one may have made everything before the other has started.
    assert count(diary, "loaded") in (1, 2) and told[0] == "2 engines on 3 machines"
    # Two people and five garments once; nothing comes of the photo without a person, which is tried again.
    assert count(diary, "prepared") - count(diary, "begun") + count(diary, "painted") == 2 + 5
    painted = count(diary, "painted")
    again = list(spread(table, tmp_path / "many", Engines(partial(load, diary=str(diary)))))
    assert [one.status for one in again].count("skipped") == 10 and count(diary, "painted") == painted


def test_a_row_that_kills_its_engine_is_given_up(cluster: Any, diary: Path, tmp_path: Path) -> None:
    """Prevents one picture from killing engine after engine, and from taking its neighbours along."""
    table = pairs(tmp_path / "in", 2, 3)
    repainted(tmp_path / "in" / "garments" / "01.png", DEADLY)
    news = list(spread(table, tmp_path / "out", Engines(partial(load, diary=str(diary)))))
    told = {one.row.number: one for one in news}
    assert sorted(told) == [1, 2, 3, 4, 5, 6] and len(news) == 6
    assert [told[number].status for number in (1, 3, 4, 6)] == ["done"] * 4
    assert all("died over this row" in told[number].message for number in (2, 5))
    assert count(diary, "painted") >= 4


def test_a_node_that_dies_loses_nothing(cluster: Any, diary: Path, tmp_path: Path) -> None:
    """Prevents rows that are lost, or written down twice, when a machine goes; a new one is put to work."""
    table = pairs(tmp_path / "in", 4, 10)
    list(run_batch(read_table(table), load(Room(64), diary=str(tmp_path)), tmp_path / "one", model="drawing"))
    node = cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    engines = Engines(partial(load, diary=str(diary), seconds=0.3))
    news: list[RowDone] = []
    for one in spread(table, tmp_path / "many", engines):
        news.append(one)
        if len(news) == 12:
            cluster.remove_node(node, allow_graceful=False)
    assert sorted(one.row.number for one in news) == list(range(1, 41))
    assert {one.status for one in news} == {"done"} and same_files(tmp_path / "one", tmp_path / "many")
    assert 40 <= count(diary, "painted") <= 43


def test_what_is_wrong_with_the_engine_is_said(cluster: Any, tmp_path: Path) -> None:
    """Prevents a traceback from a far machine, or no end, where a sentence would do."""
    table = pairs(tmp_path / "in", 1, 1)
    with pytest.raises(ModelError, match=r"^There is no model 'nothing' here: choose mini\.$"):
        list(spread(table, tmp_path / "out", Engines(refuse)))
    with pytest.raises(SettingError, match="no machine with 64 cores"):
        list(spread(table, tmp_path / "out", Engines(refuse, cpus=64)))


def test_the_command(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents flags that do not reach the cluster, and a command that leaves it connected."""
    table = pairs(tmp_path / "in", 2, 3)
    ray.shutdown()
    monkeypatch.setattr("ladi.scale.worker.load_engine", load_for_command)
    words = ["batch", str(table), "--out", str(tmp_path / "out"), "--device", "cpu", "--ray", cluster.address]
    assert main([*words, "--engines", "1"]) == 0
    said = capsys.readouterr().out
    assert "1 engine on" in said and "6 rows: 6 done" in said and "about 1 min left" in said
    assert not ray.is_initialized()
    assert main([*words[:-1], "127.0.0.1:9"]) == 2
    assert "There is no Ray cluster at '127.0.0.1:9'" in capsys.readouterr().err
