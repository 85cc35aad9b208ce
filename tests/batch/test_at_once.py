"""Batches of several rows at once, and results that go elsewhere than to a folder."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image

from ladi.batch.manifest import MANIFEST, TABLE
from ladi.batch.pairs import read_table
from ladi.batch.run import run_batch
from ladi.batch.work import PhotoFiles
from ladi.types import PairsError, Photo
from tests.batch.test_run import GOOD, LETTER, Counting, engine, folder, networks, run, table  # noqa: F401

# ruff: noqa: F811


def test_several_rows_at_once_make_the_same_files(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents rows that get into each other's way, and books that depend on who is ready first."""
    lines = [
        f"people/{person}.png,garments/{garment}.png,{seed}"
        for seed, (person, garment) in enumerate(product(("ann", "bea"), ("blue", "red")))
    ]
    path = table(folder, *lines, LETTER, ",garments/red.png,1")
    run(path, engine, tmp_path / "one")
    news = run(path, engine, tmp_path / "three", at_once=3)
    assert [one.status for one in news] == ["done"] * 4 + ["failed"] * 2
    one, three = (json.loads((tmp_path / name / MANIFEST).read_text())["rows"] for name in ("one", "three"))
    for first, second in zip(one, three, strict=True):
        assert first | {"seconds": 0} == second | {"seconds": 0}
        for name in first["files"]:
            pictures = [np.asarray(Image.open(tmp_path / out / name)) for out in ("one", "three")]
            assert np.array_equal(*pictures)


def test_a_batch_that_is_left_stops_its_threads(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents rows that go on being painted after the command was interrupted."""
    path = table(folder, *(f"people/ann.png,garments/blue.png,{seed}" for seed in range(8)))
    running = run_batch(read_table(path), engine, tmp_path / "out", settings={"steps": 1}, at_once=2)
    next(running)
    running.close()
    begun = len(engine.requests)
    assert begun <= 4 and not [one for one in threading.enumerate() if one.name.startswith("row")]
    rows = json.loads((tmp_path / "out" / MANIFEST).read_text())["rows"]
    assert [row["status"] for row in rows].count("waiting") >= 4


def test_results_go_to_any_place_that_fsspec_knows(folder: Path, engine: Counting) -> None:
    """Prevents a bucket taken for a folder called s3:, and a second run that does not find the first."""
    path = table(folder, *GOOD)
    for status in ("done", "skipped"):
        news = run(path, engine, "memory://results")
        assert [one.status for one in news] == [status] * 2
        assert [one.path for one in news] == ["memory://results/ann_blue.png", "memory://results/bea_red.png"]
    files = fsspec.filesystem("memory")
    assert {Path(name).name for name in files.ls("/results", detail=False)} == {
        "ann_blue.png",
        "bea_red.png",
        MANIFEST,
        TABLE,
    }
    with pytest.raises(PairsError, match="nosuch"):
        run(path, engine, "nosuch://results")


def test_large_photos_are_at_work_one_at_a_time() -> None:
    """Prevents three rows of fifty megapixels in memory, and a photo that is too large to get its turn."""
    photos, large = PhotoFiles(most=100), Photo(np.zeros((9, 9, 3), np.uint8))
    larger = Photo(np.zeros((20, 20, 3), np.uint8))
    at_work, most = 0, 0
    count = threading.Lock()

    def work(photo: Photo) -> None:
        nonlocal at_work, most
        with photos.at_work(photo):
            with count:
                at_work += 1
                most = max(most, at_work)
            time.sleep(0.02)
            with count:
                at_work -= 1

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [large, larger, large, large]))
    assert most == 1
    small = Photo(np.zeros((5, 5, 3), np.uint8))
    with photos.at_work(small), photos.at_work(small), photos.at_work(small):
        pass
