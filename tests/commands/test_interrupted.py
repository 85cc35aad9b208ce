"""Ctrl-C in the middle of each command, as a terminal sends it: one sentence, nothing half, and on it goes.

A command is stopped where it has work behind it and before it; where that would be over too soon to be hit,
it waits there, with half of a file written.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import ROOT
from tests.drawn_shards import write_drawn_shards
from tests.forked import IN_THE_MIDDLE, Command, Forks
from tests.toy import toy_pipeline
from tests.weights.published import BASE_ID, TOY, VISION_ID, write_base, write_checkpoints, write_vision
from tests.weights.server import FileServer, serve

EXAMPLES = ROOT / "assets" / "examples"
PERSON, GARMENT = EXAMPLES / "person-anna.jpg", EXAMPLES / "garment-striped-tee.jpg"
ROWS = 40
"""More than are done before the signal comes."""
PROMPT = 10
"""Seconds, on a machine that is busy; the waiting in the middle would be longer."""
SAME = "Stopped: the same command goes on where this one was."
NOTHING = "Stopped: nothing half-made is left."
HALF_A_PICTURE = """
from pathlib import Path
from PIL import Image
save, saved = Image.Image.save, []
def half(picture, path, *more, **named):
    save(picture, path, *more, **named)
    saved.append(path)
    if len(saved) == {number}:
        Path(path).write_bytes(Path(path).read_bytes()[:200])
        middle()
Image.Image.save = half
"""
TOY_SIZE = """
from pathlib import Path
from ladi.weights import catalog, networks, stock
from tests.weights.published import TOY
networks.PUBLISHED = TOY
stock.require_space = lambda needs: None
catalog.MODELS["vitonhd"] = Path({model!r})
"""


def stop(command: Command, said: str) -> None:
    """Interrupt it, which must end it soon, with this and nothing else."""
    before = command.said()
    assert command.interrupt() < PROMPT
    told = command.said()
    assert told.startswith(before) and "Traceback" not in told, told
    assert told.count("Stopped") == 1 and told.endswith(said + "\n"), told


def left(folder: Path) -> set[str]:
    """Every file in a folder but locks, which are empty."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)) for path in files}


def whole_pictures(folder: Path) -> list[str]:
    """The names of the pictures in a folder, each of which can be decoded."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))
    for path in paths:
        with Image.open(path) as picture:
            assert np.asarray(picture).ndim >= 2
    return [path.name for path in paths]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """A server with the published files at toy size."""
    folder = tmp_path_factory.mktemp("published")
    write_checkpoints(folder, TOY)
    write_base(folder / BASE_ID, TOY)
    write_vision(folder / VISION_ID, TOY)
    with serve(folder) as running:
        yield running


def test_a_try_on(forks: Forks, tmp_path: Path) -> None:
    """Prevents a traceback, or half of a picture, for whoever has changed their mind."""
    out = tmp_path / "out"
    out.mkdir()
    words = ["tryon", PERSON, GARMENT, "--out", out / "result.png", "--steps", 1, "--device", "cpu"]
    command = forks.start(tmp_path, *words, first=HALF_A_PICTURE.format(number=1))
    command.wait_for_the_middle()
    assert left(out)
    stop(command, NOTHING)
    assert not left(out)
    assert not forks.chatter(), "libraries say nothing when they are imported"


def test_a_batch(forks: Forks, tmp_path: Path) -> None:
    """Prevents a manifest that is lost, and pictures that it does not know."""
    table, out = tmp_path / "pairs.csv", tmp_path / "out"
    rows = "".join(f"{PERSON},{GARMENT},{seed}\n" for seed in range(ROWS))
    table.write_text(f"person,garment,seed\n{rows}")
    command = forks.start(tmp_path, "batch", table, "--out", out, "--steps", 1, "--device", "cpu")
    command.wait_for(lambda: f"[1/{ROWS}]" in command.said())
    assert command.interrupt() < PROMPT
    said = command.said()
    assert "Traceback" not in said and said.endswith(SAME + "\n")
    told = json.loads((out / "manifest.json").read_text())["rows"]
    done = [entry for entry in told if entry["status"] == "done"]
    assert 1 <= len(done) < ROWS
    assert {name for entry in done for name in entry["files"]} <= set(whole_pictures(out))
    assert not [name for name in left(out) if name.endswith(".part")]


def test_preparing(forks: Forks, tmp_path: Path) -> None:
    """Prevents half of a picture in a data set, and preparing all of it anew."""
    people, garments, out = (tmp_path / name for name in ("people", "garments", "out"))
    for folder in (people, garments):
        folder.mkdir()
    (people / "anna.jpg").symlink_to(PERSON)
    for name in ("anna.jpg", "other.jpg"):
        (garments / name).symlink_to(GARMENT)
    words = ["prepare", people, garments, "--out", out, "--garment-background", "embedded", "--device", "cpu"]
    command = forks.start(tmp_path, *words, first=HALF_A_PICTURE.format(number=3))
    command.wait_for_the_middle()
    stop(command, SAME)
    made = left(out)
    assert len(whole_pictures(out)) == 2 and not [name for name in made if name.endswith(".part")]
    code, said = forks.run(tmp_path, *words)
    assert code == 0 and "pictures that were ready before: 1" in said and made < left(out)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells what processes hear")
def test_preparing_on_several_processes_that_have_just_begun(forks: Forks, tmp_path: Path) -> None:
    """Prevents one traceback for each process that is still importing when Ctrl-C reaches all of them."""
    first = """
import multiprocessing.context
start = multiprocessing.context.SpawnProcess.start
def begin(process):
    start(process)
    children = multiprocessing.active_children()
    if len(children) == 2:
        for child in children:
            print(open(f"/proc/{child.pid}/status").read())
        print("in the middle", flush=True)
multiprocessing.context.SpawnProcess.start = begin
"""
    words = ["--out", tmp_path / "out", "--processes", 2, "--device", "cpu"]
    command = forks.start(tmp_path, "prepare", EXAMPLES, EXAMPLES, *words, first=first)
    command.wait_for_the_middle()
    unheard = [int(mask, 16) for mask in re.findall(r"SigBlk:\s+(\w+)", command.said())]
    assert len(unheard) == 2 and all(mask >> signal.SIGINT - 1 & 1 for mask in unheard)
    stop(command, SAME)
    assert left(tmp_path / "out") == {"test/prepared.json"}


def test_converting(forks: Forks, published: FileServer, tmp_path: Path) -> None:
    """Prevents a model folder that looks whole and lacks a network."""
    out = tmp_path / "models" / "vitonhd"
    words = ["convert", "vitonhd", "--out", out, "--from", published.folder]
    words += ["--base", published.folder / BASE_ID, "--vision", published.folder / VISION_ID]
    toy = TOY_SIZE.format(model=str(out))
    half = """
from pathlib import Path
from ladi.weights import writing
save, saved = writing.save_file, []
def half(tensors, path, **named):
    save(tensors, path, **named)
    saved.append(path)
    if len(saved) == 2:
        Path(path).write_bytes(Path(path).read_bytes()[:200])
        middle()
writing.save_file = half
"""
    command = forks.start(tmp_path, *words, first=toy + half)
    command.wait_for_the_middle()
    stop(command, NOTHING)
    assert not left(out.parent)
    assert forks.run(tmp_path, *words, first=toy)[0] == 0
    assert forks.run(tmp_path, "check", out)[0] == 0


def test_downloading(forks: Forks, published: FileServer, tmp_path: Path) -> None:
    """Prevents half of a file being taken for the file, and gigabytes from coming twice."""
    downloads, model, name = tmp_path / "downloads", tmp_path / "models" / "vitonhd", "unet_vitonhd.pth"
    words = ["download", "vitonhd", "--dir", downloads]
    words += ["--base", published.folder / BASE_ID, "--vision", published.folder / VISION_ID]
    first = (
        TOY_SIZE.format(model=str(model)) + f"import os\nos.environ['LADI_WEIGHTS_URL'] = {published.url!r}"
    )
    published.faults[name] = ["stall"]
    command = forks.start(tmp_path, *words, first=first)
    partial = downloads / f"{name}.partial"
    command.wait_for(lambda: partial.is_file() and partial.stat().st_size > 0)
    assert command.interrupt() < PROMPT
    said = command.said()
    assert "Traceback" not in said and said.endswith(SAME + "\n"), said
    assert not (downloads / name).exists() and not model.exists()
    code, said = forks.run(tmp_path, *words, first=first)
    assert code == 0, said
    assert published.requests(name)[-1] is not None, "the first half came twice"


def test_checking(forks: Forks, tmp_path: Path) -> None:
    """Prevents Ctrl-C that is only heard when every file of a large data set has been looked at."""
    data = write_drawn_shards(tmp_path / "shards", train=60, val=1)
    first = f"""
import time
from ladi.data.checking import dataset
inspect, count = dataset.inspect, []
def slowly(item):
    count.append(item)
    if len(count) == 3:
        print({IN_THE_MIDDLE!r}, flush=True)
    time.sleep(0.5)
    return inspect(item)
dataset.inspect = slowly
"""
    command = forks.start(tmp_path, "check", data, "--threads", 2, first=first)
    command.wait_for_the_middle()
    stop(command, NOTHING)


def test_training(forks: Forks, tmp_path: Path) -> None:
    """Prevents steps that are lost, and stages that begin after whoever trains has had enough."""
    data, work = write_drawn_shards(tmp_path / "shards"), tmp_path / "work"
    words = ["train", "mini", "--stage", "sleeves", "--stage", "lining", "--data", data, "--work", work]
    words += ["--device", "cpu", "--batch-size", 2, "--log-every", 1, "--warmup-steps", 0, "--workers", 0]
    command = forks.start(tmp_path, *words, "--steps", 100_000)
    command.wait_for(lambda: (work / "sleeves" / "log.jsonl").is_file())
    assert command.interrupt() < PROMPT
    step = torch.load(work / "sleeves" / "checkpoint.pt", weights_only=True)["step"]
    again = "the same command with --resume goes on from the last checkpoint"
    said = command.said()
    assert said.endswith(f"Stopped: the stage sleeves after step {step}, which is saved; {again}.\n"), said
    assert "Traceback" not in said and not (work / "lining").exists()
    assert not [name for name in left(work) if name.endswith(".part")]
    more = ["--resume", "--stage", "sleeves", "--steps", step + 1]
    code, said = forks.run(tmp_path, *words[:2], *words[6:], *more)
    assert code == 0 and f"sleeves: resuming at step {step}" in said, said


def test_evaluating(forks: Forks, tmp_path: Path) -> None:
    """Prevents half of a picture being scored, and whole ones from being made twice."""
    torch.manual_seed(0)
    model, out = tmp_path / "model", tmp_path / "out"
    toy_pipeline().save_pretrained(model)
    data = write_drawn_shards(tmp_path / "shards", train=1, val=2)
    words = ["evaluate", model, "--data", data, "--out", out, "--steps", 1, "--stage", "generate"]
    words += ["--device", "cpu", "--no-causes"]
    command = forks.start(tmp_path, *words, first=HALF_A_PICTURE.format(number=2))
    command.wait_for_the_middle()
    stop(command, SAME)
    [first] = out.rglob("*.png")
    assert len(whole_pictures(out)) == 1 and not [name for name in left(out) if name.endswith(".part")]
    written = first.stat().st_mtime_ns
    code, said = forks.run(tmp_path, *words)
    assert code == 0 and first.stat().st_mtime_ns == written and len(list(out.rglob("*.png"))) > 1, said
