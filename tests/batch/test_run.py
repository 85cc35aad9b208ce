"""Batches: what is read from tables and zip files, what is written, and what a second run leaves alone."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from ladi.batch.folder import Folder
from ladi.batch.manifest import MANIFEST, TABLE, Entry, ManifestWriter
from ladi.batch.pairing import Row
from ladi.batch.pairs import read_table
from ladi.batch.run import RowDone, run_batch, zip_results
from ladi.batch.work import UNEXPECTED
from ladi.engine import Engine
from ladi.models.matting import GarmentMatting
from ladi.models.parser import HumanParser
from ladi.postprocess.png import read_settings
from ladi.settings import TryOnRequest
from ladi.types import PairsError, Result
from tests.toy import HEIGHT, WIDTH, toy_pipeline


class Counting:
    """An engine of real networks that counts, and fails when it is told to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.requests: list[TryOnRequest] = []
        self.error: BaseException | None = None
        self.loaded = False

    def try_on(
        self,
        request: TryOnRequest,
        *,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Result:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        return self._engine.try_on(request, progress=progress, cancelled=cancelled)


@pytest.fixture(scope="module")
def networks() -> Engine:
    torch.manual_seed(0)
    parser = HumanParser(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval()
    matting = GarmentMatting(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval()
    return Engine(toy_pipeline(), parser, matting)


@pytest.fixture
def engine(networks: Engine) -> Counting:
    return Counting(networks)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people, two garments and a letter; the folder that holds them."""
    people, garments = tmp_path / "in" / "people", tmp_path / "in" / "garments"
    for place in (people, garments):
        place.mkdir(parents=True)
    astronaut = data.astronaut()[::2, 40:424:2]
    for name, pixels in (("ann", astronaut), ("bea", astronaut[:, ::-1])):
        Image.fromarray(pixels).save(people / f"{name}.png")
    for name, colour in (("blue", (40, 60, 160)), ("red", (160, 40, 40))):
        shirt = np.full((128, 96, 3), 255, np.uint8)
        shirt[20:110, 25:71] = colour
        shirt[25:55, 8:88] = colour
        Image.fromarray(shirt).save(garments / f"{name}.png")
    (people / "letter.jpg").write_text("This is a letter, not a photo.\n" * 20)
    return tmp_path / "in"


def table(folder: Path, *lines: str, header: str = "person,garment,seed") -> Path:
    path = folder / "pairs.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def run(path: Path, engine: Counting, out: Path | str, **more: object) -> list[RowDone]:
    """News of all rows, in the table's order."""
    news = run_batch(read_table(path), engine, out, settings={"steps": 1}, **more)
    return sorted(news, key=lambda one: one.row.number)


GOOD = ("people/ann.png,garments/blue.png,1", "people/bea.png,garments/red.png,2")
LETTER = "people/letter.jpg,garments/red.png,3"


def test_rows_become_pictures_and_a_manifest(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents a batch without its settings, or whose manifest names other files than were written."""
    out = tmp_path / "new" / "out"
    path = table(folder, GOOD[0] + ",7,mine", GOOD[1], header="person,garment,seed,mask_grow,out")
    news = run(path, engine, out)
    assert [one.status for one in news] == ["done", "done"]
    assert [one.path for one in news] == [out / "mine.png", out / "bea_red.png"]
    made = read_settings(out / "mine.png")
    assert (made["seed"], made["steps"], made["mask_grow"]) == (1, 1, 7)
    assert read_settings(out / "bea_red.png")["mask_grow"] == 0
    assert np.asarray(Image.open(out / "mine.png")).shape == (256, 192, 3)
    rows = json.loads((out / MANIFEST).read_text())["rows"]
    assert rows[0]["settings"] == made and rows[0]["files"] == ["mine.png"]
    with (out / TABLE).open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert [line["status"] for line in lines] == ["done", "done"]
    assert (lines[1]["files"], lines[1]["seed"]) == ("bea_red.png", "2")
    assert {entry.name for entry in out.iterdir()} == {"mine.png", "bea_red.png", MANIFEST, TABLE}


def test_a_failed_row_says_why_and_the_rest_goes_on(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents one bad file from ending a night's work, and rows that fail without a reason."""
    lines = (LETTER, "people/nobody.png,garments/red.png,1", GOOD[0], ",garments/red.png,1")
    news = run(table(folder, *lines, "people/ann.png,garments/red.png,much"), engine, tmp_path / "out")
    assert [one.status for one in news] == ["failed", "failed", "done", "failed", "failed"]
    said = [one.message for one in news]
    assert "“letter.jpg” is not a picture" in said[0] and "no file “nobody.png”" in said[1]
    assert said[3] == "It names no person." and said[4] == "seed must be a number, got 'much'."
    rows = json.loads((tmp_path / "out" / MANIFEST).read_text())["rows"]
    assert [row["message"] for row in rows] == said
    assert len(engine.requests) == 1


def test_a_setting_out_of_range_fails_its_row_alone(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents a table's values from going past the checks that the command's flags go through."""
    path = table(folder, GOOD[0] + ",101", GOOD[1] + ",", header="person,garment,seed,steps")
    news = run(path, engine, tmp_path / "out")
    assert [one.status for one in news] == ["failed", "done"] and "steps" in news[0].message


def test_the_unexpected_is_told_to_the_log(
    folder: Path, engine: Counting, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Prevents tracebacks in manifests, and their loss."""
    engine.error = RuntimeError("secret path /srv/model.bin")
    [news] = run(table(folder, GOOD[0]), engine, tmp_path / "out")
    assert (news.status, news.message) == ("failed", UNEXPECTED)
    assert "secret path" in caplog.text and "secret" not in (tmp_path / "out" / MANIFEST).read_text()


def test_a_second_run_makes_what_is_missing_or_changed(
    folder: Path, engine: Counting, tmp_path: Path
) -> None:
    """Prevents computing all again, and keeping a picture whose photo or settings have changed since."""
    out, path = tmp_path / "out", table(folder, *GOOD, LETTER)
    run(path, engine, out)
    first = (out / MANIFEST).read_text()
    assert [one.status for one in run(path, engine, out)] == ["skipped", "skipped", "failed"]
    assert len(engine.requests) == 2
    assert json.loads((out / MANIFEST).read_text())["rows"][:2] == json.loads(first)["rows"][:2]
    (out / "ann_blue.png").unlink()
    assert [one.status for one in run(path, engine, out)][:2] == ["done", "skipped"]
    other = table(folder, GOOD[0], GOOD[1].replace(",2", ",5"))
    assert [one.status for one in run(other, engine, out)] == ["skipped", "done"]
    Image.fromarray(data.astronaut()[::2, 40:424:2] // 2).save(folder / "people" / "ann.png")
    assert [one.status for one in run(other, engine, out)] == ["done", "skipped"]
    assert [one.status for one in run(other, engine, out, model="other")] == ["done", "done"]


def test_an_interrupted_run_goes_on(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents losing what was done before a crash, or before a second crash in an earlier row."""
    out, path = tmp_path / "out", table(folder, *GOOD)
    rows = read_table(path)
    for _ in range(2):
        running = run_batch(rows, engine, out, settings={"steps": 1})
        next(running)
        running.close()
    assert len(engine.requests) == 1
    list(run_batch(rows, engine, out, settings={"steps": 1}))
    engine.error = KeyboardInterrupt()
    changed = table(folder, "people/ann.png,garments/blue.png,9", GOOD[1])
    with pytest.raises(KeyboardInterrupt):
        run(changed, engine, out)
    engine.error = None
    assert [one.status for one in run(changed, engine, out)] == ["done", "skipped"]


def test_a_crash_leaves_no_wrong_picture_in_the_books(
    folder: Path, engine: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents keeping, as an old row's picture, what a killed run has just written over it."""
    out = tmp_path / "out"
    run(table(folder, GOOD[0]), engine, out)
    changed = read_table(table(folder, GOOD[0].replace(",1", ",9")))
    running = run_batch(changed, engine, out, settings={"steps": 1})
    write = Folder.write

    def write_and_die(folder: Folder, name: str, content: bytes) -> None:
        write(folder, name, content)
        if name.endswith(".png"):
            monkeypatch.setattr("ladi.batch.manifest.write_manifest", lambda *_: None)  # dead from here on
            raise KeyboardInterrupt

    monkeypatch.setattr(Folder, "write", write_and_die)
    with pytest.raises(KeyboardInterrupt):
        next(running)
    monkeypatch.undo()
    assert read_settings(out / "ann_blue.png")["seed"] == 9
    [news] = run(table(folder, GOOD[0]), engine, out)
    assert news.status == "done" and read_settings(out / "ann_blue.png")["seed"] == 1


def test_the_manifest_of_many_rows_is_written_seldom(tmp_path: Path) -> None:
    """Prevents a batch of thousands that spends its time on rewriting its own list."""
    entries = [Entry(number, "p.jpg", "g.jpg", "done") for number in range(2000)]
    book, written = ManifestWriter(Folder(tmp_path), "mini"), 0
    before = None
    for _ in range(200):
        book.write(entries)
        stamp = (tmp_path / MANIFEST).stat().st_mtime_ns
        written, before = written + (stamp != before), stamp
    assert 1 <= written < 20
    book.write([*entries, Entry(2001, "last.jpg", "g.jpg")], at_once=True)
    assert "last.jpg" in (tmp_path / MANIFEST).read_text()


def test_cancelling_ends_the_batch_and_keeps_what_is_done(
    folder: Path, engine: Counting, tmp_path: Path
) -> None:
    """Prevents a cancel that waits for all rows, and one that is recorded as a failure."""
    stop = False
    running = run_batch(
        read_table(table(folder, *GOOD, LETTER)),
        engine,
        tmp_path / "out",
        settings={"steps": 1},
        cancelled=lambda: stop,
    )
    assert next(running).status == "done"
    stop = True
    assert [one.status for one in running] == ["cancelled"]
    rows = json.loads((tmp_path / "out" / MANIFEST).read_text())["rows"]
    assert [row["status"] for row in rows] == ["done", "cancelled", "waiting"]


def test_progress_of_a_row_is_told(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents a page that stands still for as long as a row takes."""
    stages: list[str] = []
    run(table(folder, GOOD[0]), engine, tmp_path / "out", progress=lambda stage, done: stages.append(stage))
    assert {"person", "garment", "denoise", "paste"} <= set(stages)


def test_nothing_is_written_over(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents a result from replacing a photo, or another row's result."""
    lines = [f"people/ann.png,garments/blue.png,{name}" for name in ("ann", "same.png", "Same")]
    path = table(folder, *lines, header="person,garment,out")
    before = (folder / "people" / "ann.png").read_bytes()
    news = run(path, engine, folder / "people")
    assert "would replace one of the photos" in news[0].message
    assert "Another row also writes" in news[1].message and "Another row" in news[2].message
    assert (folder / "people" / "ann.png").read_bytes() == before and not engine.requests
    twice = read_table(table(folder, GOOD[0], GOOD[0]))
    assert [row.out for row in twice] == ["ann_blue.png", "ann_blue_2.png"]
    numbered = [Row(1, *two, ("", ""), f"{name}.png", values) for two, name, values in (
        ((folder / "a", folder / "b"), "x", {"pictures": 2}), ((folder / "a", folder / "b"), "x-2", {}),
    )]  # fmt: skip
    news = list(run_batch(numbered, engine, tmp_path / "out"))
    assert all("Another row also writes" in one.message for one in news)


def test_results_are_packed(folder: Path, engine: Counting, tmp_path: Path) -> None:
    """Prevents a download with a stranger's files, or without the manifest."""
    out = tmp_path / "out"
    run(table(folder, GOOD[0], LETTER), engine, out)
    (out / "private.png").write_bytes(b"somebody else's")
    archive = zip_results(out)
    assert archive == tmp_path / "out.zip"
    with zipfile.ZipFile(archive) as packed:
        assert sorted(packed.namelist()) == ["ann_blue.png", TABLE, MANIFEST]
        assert packed.read("ann_blue.png") == (out / "ann_blue.png").read_bytes()
        assert packed.testzip() is None and str(tmp_path) not in packed.read(MANIFEST).decode()
    with pytest.raises(PairsError, match="holds no batch"):
        zip_results(folder)
