"""The tab “Batch”: a zip in, a table of what becomes of each row, a zip out."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.batch.handlers import Batching
from app.files import DISK_LIMIT, used_bytes
from app.long_work import Runs
from app.words import NO_ROOM, NO_ZIP, UNWRITABLE, in_table
from ladi.batch.archive import PUBLIC
from ladi.postprocess.png import read_settings
from ladi.preprocess.findings import INVERT_IT, TURN_IT, USE_ANYWAY
from ladi.settings import TryOnRequest
from ladi.types import GarmentError, Result
from tests.bad_files import BAD_FILES
from tests.ui.conftest import Send, page_values
from tests.ui.fake import FakeEngine
from tests.ui.pictures import coloured


def png(*colour: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(coloured(*colour)).save(file, "PNG")
    return file.getvalue()


def zipped(files: dict[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


PICTURES: dict[str, bytes | str] = {
    "ann.png": png(10, 60, 110),
    "letter.png": BAD_FILES["text.jpg"].content(),
    "shirt.png": png(100, 20, 20),
}
TABLE = "person,garment,steps\nann.png,shirt.png,\nletter.png,shirt.png,\nann.png,shirt.png,9\n"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def batching(engine: FakeEngine) -> Batching:
    return Batching(lambda model: engine, Runs())


def run(batching: Batching, upload: Any, **settings: Any) -> list[dict[str, Any]]:
    told = batching.run(None, None, upload, page_values(**settings), visitor="me")
    return [dict(zip(Batching.SHOWN, one, strict=True)) for one in told]


def test_a_row_that_fails_does_not_stop_the_rest(batching: Batching, engine: FakeEngine, send: Send) -> None:
    """Prevents one bad photo from costing everybody else's pictures, and a zip that leaves something out."""
    first, *middle, last = run(
        batching, send(zipped({**PICTURES, "pairs.csv": TABLE}), "pairs.zip"), steps=4, emasc=False
    )
    assert not first["button"]["visible"] and first["cancel"]["visible"] and not first["download"]["visible"]
    assert middle and all("progressbar" in one["status"] and one["table"]["visible"] for one in middle)
    assert all(re.search(r"row [123] of 3", one["status"]) for one in middle)
    assert last["button"]["visible"] and not last["cancel"]["visible"]
    assert "2 of 3 rows done, 1 failed" in last["status"]
    lines = last["table"]["value"]["data"]
    assert [line[2:4] for line in lines] == [
        [name, "shirt.png"] for name in ("ann.png", "letter.png", "ann.png")
    ]
    done = "Done. The photo is blurred; a sharper one <works> better."
    assert [line[1] for line in lines if line[2] == "ann.png"] == [done, done]
    assert "letter.png" in lines[1][1] and "/" not in lines[1][1]
    # The page's settings count where a row says nothing else.
    asked = [(one.settings.steps, one.settings.switches.emasc) for one in engine.requests]
    assert asked == [(4, False), (9, False)]
    with zipfile.ZipFile(last["download"]["value"]) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        assert {"manifest.json", "manifest.csv"} < set(names) and len(names) == 4
        assert [row["status"] for row in manifest["rows"]] == ["done", "failed", "done"]
        for row in (manifest["rows"][0], manifest["rows"][2]):
            picture = np.asarray(Image.open(io.BytesIO(archive.read(row["files"][0]))))
            np.testing.assert_array_equal(picture, 255 - coloured(10, 60, 110))
    shown = last["gallery"]["value"]
    assert [caption for _, caption in shown] == [f"Row {lines[place][0]}" for place in (0, 2)]
    assert read_settings(shown[1][0])["steps"] == 9


class SlowFromTheSecond(FakeEngine):
    """Needs longer for the second picture than anybody waits."""

    def try_on(self, request: TryOnRequest, **how: Any) -> Result:
        self.steps = 1500 if self.requests else 1
        return super().try_on(request, **how)


def test_the_table_calls_settings_as_the_page_does(
    batching: Batching, engine: FakeEngine, send: Send
) -> None:
    """Prevents a command's flags in a table, for visitors who have a box to tick."""
    engine.error = GarmentError(f"No garment was found.{USE_ANYWAY}")
    upload = send(zipped({**PICTURES, "pairs.csv": TABLE}), "pairs.zip")
    [became, *_] = [line[1] for line in run(batching, upload)[-1]["table"]["value"]["data"]]
    assert became == "No garment was found. To use it all the same, tick “Use it anyway” in the settings."
    for choice, label in ((TURN_IT, "Turn pictures upright"), (INVERT_IT, "Invert masks")):
        assert in_table(f"So.{choice}").endswith(f"tick “{label}” in the settings.")


def test_a_batch_that_is_stopped_keeps_what_is_done(send: Send) -> None:
    """Prevents a Cancel that throws finished pictures away, or starts the next row."""
    engine = SlowFromTheSecond()
    batching = Batching(lambda model: engine, Runs())
    told = batching.run(
        None,
        None,
        send(zipped({**PICTURES, "pairs.csv": TABLE.replace("letter", "ann")}), "pairs.zip"),
        page_values(),
        visitor="me",
    )
    for one in told:
        shown = dict(zip(Batching.SHOWN, one, strict=True))
        if len(engine.requests) == 2:
            batching.runs.stop("me")
    assert "1 of 3 rows done." in shown["status"] and shown["button"]["visible"]
    assert [line[1].split(" ")[0] for line in shown["table"]["value"]["data"]] == [
        "Done.",
        "Stopped",
        "Not",
    ]
    assert len(engine.requests) == 2
    with zipfile.ZipFile(shown["download"]["value"]) as archive:
        assert len(archive.namelist()) == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"person,garment\n/etc/passwd,/etc/passwd\n", "is not a zip file"),
        (zipped({"../outside.png": b"x"}), "names files outside itself"),
        (zipped({"notes.txt": "nothing here"}), "pairs.csv"),
        (zipped({"pairs.csv": "person,garment\n" + "a.png,b.png\n" * (PUBLIC.rows + 1)}), f"{PUBLIC.rows}"),
    ],
    ids=["a table", "a path outside", "no pairs", "too many rows"],
)
def test_what_is_no_batch_is_a_sentence(
    batching: Batching, engine: FakeEngine, send: Send, content: bytes, sentence: str
) -> None:
    """Prevents tables that name the server's files, and one visitor's batch that takes all day."""
    last = run(batching, send(content, "pairs.zip"))[-1]
    assert sentence in last["status"] and 'role="alert"' in last["status"]
    assert last["button"]["visible"] and not engine.requests


def test_a_missing_zip_is_asked_for(batching: Batching) -> None:
    """Prevents a click on an empty tab from failing without a word."""
    assert "or a zip file with pictures" in run(batching, None)[-1]["status"]


def test_a_bad_setting_is_a_sentence(batching: Batching, send: Send) -> None:
    """Prevents an error without words for what every row has in common."""
    upload = send(zipped({**PICTURES, "pairs.csv": TABLE}), "pairs.zip")
    assert "seed must be a number" in run(batching, upload, seed="lucky")[-1]["status"]


@pytest.mark.parametrize("content", [{"notes.txt": "nothing"}, {**PICTURES, "pairs.csv": TABLE}])
def test_what_was_unpacked_goes_at_once(
    batching: Batching, send: Send, tmp_path: Path, content: dict[str, Any]
) -> None:
    """Prevents refused zips, half a gigabyte each, from filling the disk until the broom comes."""
    upload = send(zipped(content), "pairs.zip")
    run(batching, upload)
    left = [path for path in tmp_path.rglob("*") if path.name in content]
    assert not left and Path(upload["path"]).exists()


def test_room_is_asked_for_before_unpacking(
    batching: Batching, send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a zip from being unpacked to where there is no room for it."""
    monkeypatch.setenv(DISK_LIMIT, "1")
    upload = send(zipped({"large.png": b"\0" * (1 << 20)}), "pairs.zip")
    assert Path(upload["path"]).stat().st_size < 10_000
    assert "no room for more pictures" in run(batching, upload)[-1]["status"]
    assert not list(tmp_path.rglob("large.png"))


def filling(engine: FakeEngine, folder: Path, rows: int) -> None:
    """Have others' uploads leave room for so many results of the drawn photos, which are noise."""
    paint = engine.try_on

    def noisy(request: TryOnRequest, **how: Any) -> Result:
        result = paint(request, **how)
        noise = np.random.default_rng(len(engine.requests)).integers(0, 256, (400, 300, 3), np.uint8)
        if len(engine.requests) == 1:
            needed = rows * 380_000  # as PNG, with their settings
            (folder / "others").write_bytes(b"\0" * ((1 << 20) - used_bytes(folder) - needed))
        return replace(result, images=(noise,))

    engine.try_on = noisy  # type: ignore[method-assign]


@pytest.mark.parametrize("rows", [0, 1])
def test_results_have_room_as_a_whole(
    batching: Batching, engine: FakeEngine, send: Send, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Prevents a hundred rows of large photos from filling the disk far beyond its limit."""
    monkeypatch.setenv(DISK_LIMIT, "1")
    people = [send(coloured(10 * number, 60, 110), f"person-{number}.png") for number in range(3)]
    folder = Path(people[0]["path"]).parent
    filling(engine, folder, rows)
    told = list(
        batching.run(people, [send(coloured(100, 20, 20), "s.png")], None, page_values(), visitor="me")
    )
    last = dict(zip(Batching.SHOWN, told[-1], strict=True))
    assert f"{rows} of 3 rows done, {3 - rows} failed" in last["status"]
    became = [line[1] for line in last["table"]["value"]["data"]]
    assert became[rows:] == [NO_ROOM] * (3 - rows)
    assert used_bytes(folder) <= (1 << 20) + 20_000  # the list of rows is written in any case
    assert not list(folder.rglob("*.zip")) and len(list(folder.rglob("results/*.png"))) == rows
    if rows:
        assert NO_ZIP in last["status"] and len(last["gallery"]["value"]) == rows


def test_a_visitor_is_not_told_where_the_server_keeps_results(
    batching: Batching, send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Prevents paths of the server in the table; the host needs them, and finds them in the log."""

    def full(draft: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(draft))

    upload = send(zipped({**PICTURES, "pairs.csv": "person,garment\nann.png,shirt.png\n"}), "pairs.zip")
    write = Path.write_bytes
    monkeypatch.setattr(
        Path, "write_bytes", lambda path, data: (full if ".png" in path.name else write)(path, data)
    )
    [row] = run(batching, upload)[-1]["table"]["value"]["data"]
    assert row[1] == UNWRITABLE
    assert "results" in caplog.text and os.strerror(errno.ENOSPC) in caplog.text
    monkeypatch.setattr(Path, "write_bytes", full)  # not even the list of rows
    last = run(batching, upload)[-1]["status"]
    assert UNWRITABLE in last and "results" not in last


def test_pictures_need_no_zip(batching: Batching, engine: FakeEngine, send: Send) -> None:
    """Prevents a batch that nobody can try without making an archive first."""
    people = [send(coloured(10 * number, 60, 110), f"person-{number}.png") for number in range(3)]
    shirt = send(coloured(100, 20, 20), "shirt.png")
    told = list(batching.run(people, [shirt], None, page_values(), visitor="me"))
    last = dict(zip(Batching.SHOWN, told[-1], strict=True))
    assert "3 of 3 rows done" in last["status"]
    assert [line[2:4] for line in last["table"]["value"]["data"]] == [
        [f"person-{number}.png", "shirt.png"] for number in range(3)
    ]
    assert [int(one.person.pixels[0, 0, 0]) for one in engine.requests] == [0, 10, 20]


def test_pictures_of_one_name_are_all_used(batching: Batching, engine: FakeEngine, send: Send) -> None:
    """Prevents a phone's photos, all of them called image.jpg, from overwriting each other."""
    people = [send(coloured(10 * number, 60, 110), f"{number}/image.png") for number in range(1, 4)]
    shirts = [send(coloured(100, 20, 10 * number), f"shirt-{number}/image.png") for number in range(1, 4)]
    for garments, seen in ((shirts[:1], [10, 10, 10]), (shirts, [10, 20, 30])):
        engine.requests.clear()
        told = list(batching.run(people, garments, None, page_values(), visitor="me"))
        last = dict(zip(Batching.SHOWN, told[-1], strict=True))
        assert "3 of 3 rows done" in last["status"]
        assert [int(one.person.pixels[0, 0, 0]) for one in engine.requests] == [10, 20, 30]
        assert [int(one.garment.pixels[0, 0, 2]) for one in engine.requests] == seen
        assert [line[2] for line in last["table"]["value"]["data"]] == [
            "image.png",
            "image.png (2)",
            "image.png (3)",
        ]
        with zipfile.ZipFile(last["download"]["value"]) as archive:
            assert len({name for name in archive.namelist() if name.endswith(".png")}) == 3


def test_half_a_batch_is_a_sentence(batching: Batching, send: Send) -> None:
    """Prevents people without a garment from failing without a word, and foreign files from being taken."""
    shirt = send(coloured(100, 20, 20), "shirt.png")
    for people, garments in ((None, None), ([], [shirt]), ([shirt], None)):
        told = list(batching.run(people, garments, None, page_values(), visitor="me"))
        assert "at least one person and one garment" in str(told[-1])
    told = list(batching.run([{"path": "/etc/passwd"}], [shirt], None, page_values(), visitor="me"))
    assert "was not uploaded to this page" in str(told[-1])
