"""Every command of README and docs is run: here, by another test or by ``.ci/run``; or it is said why not.

Here they run as they are written, in a folder where files of those names lie, with toy models and flags added
that make them short.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import pytest

from app import main as page
from ladi.commands.main import main
from ladi.engine import Engine
from tests.docs.reading import ROOT, commands
from tests.docs.setting import SHORT, Setting


class Here(NamedTuple):
    """How a command is run here."""

    ready: Callable[[Setting], object]
    left: str
    """A file that it leaves."""
    added: str = ""
    """Flags that make it short."""


HERE = {
    "tryon person.jpg garment.jpg --out result.png": Here(Setting.photos, "result.png"),
    "batch pairs.csv --out DIR": Here(Setting.photos, "DIR/manifest.json"),
    "prepare PEOPLE GARMENTS --out data/own": Here(Setting.photos, "data/own/test/prepared.json"),
    "download vitonhd --dry-run": Here(Setting.published, "FOLDER"),
    "download vitonhd": Here(Setting.published, "models/vitonhd/model_index.json"),
    "convert vitonhd --out DIR --from FOLDER --base FOLDER --vision FOLDER --precision fp16": Here(
        Setting.published, "DIR/model_index.json"
    ),
    "check models/vitonhd": Here(Setting.downloaded, "models/vitonhd"),
    "check DATASET --report faults.json": Here(Setting.dataset, "faults.json"),
    "train vitonhd --data DIR --base PLACE --dry-run --stage warp": Here(Setting.training, "DIR", SHORT),
    "train vitonhd --data DIR --work runs/vitonhd": Here(
        Setting.from_scratch, "runs/vitonhd/model/model_index.json", f"{SHORT} --no-vgg"
    ),
    "train vitonhd --data DIR --init models/vitonhd --stage tryon --precompute": Here(
        Setting.training, "runs/vitonhd/cache/train/warped.npy", SHORT
    ),
    "train dresscode --data DIR --stage tryon --accumulate 2 --gradient-checkpointing": Here(
        lambda setting: setting.training("dresscode"),
        "runs/dresscode/tryon/checkpoint.pt",
        f"{SHORT} --init models/dresscode",
    ),
    "evaluate vitonhd --data DIR --split test --order paired --ablation": Here(
        Setting.training,
        "outputs/evaluation/report.html",
        "--steps 1 --limit 1 --ablation-limit 1 --device cpu --metrics ssim,masked_error --no-causes",
    ),
    "python app.py --model runs/vitonhd/model": Here(Setting.training, "runs/vitonhd/model"),
}
"""By the words behind ``python -m ladi``, ``ladi`` or ``accelerate launch -m ladi``; the page's whole."""

BUILDS = "tests/docs/test_pages.py::test_every_command_is_understood"
MINI, SECOND = "tests/training/test_first_edition.py", "tests/training/test_second_edition.py"
STREET = "python -m ladi train second --data SHARDS --street STREET --work runs/second"
BY_ANOTHER_TEST = {
    "python app.py": "tests/browser/conftest.py::address",
    "python app.py --mcp": "tests/ui/test_mcp.py::tools",
    "python docs/map.py": "tests/docs/test_pages.py::test_the_architecture_names_every_module",
    "python -m ladi": "tests/commands/test_main.py::test_the_process_answers_without_a_command",
    "python -m ladi tryon --help": BUILDS,
    "python app.py --help": BUILDS,
    "python -m ladi train mini": f"{MINI}::trained",
    "python -m ladi train mini --data SHARDS --stage STAGE --steps N": f"{MINI}::trained",
    "python -m ladi train second": f"{SECOND}::trained",
    "python -m ladi train second --stage end_to_end": f"{SECOND}::trained",
    f"{STREET} --stage autoencoder": f"{SECOND}::trained",
    **{
        f"{STREET} --stage {stage} --resume": f"{SECOND}::trained"
        for stage in ("placing", "bending", "end_to_end", "sharpening")
    },
    "python -m ladi train second --work runs/second --stage export": f"{SECOND}::trained",
    "python -m ladi batch pairs.csv --out DIR --ray auto": "tests/scale/test_batch.py::test_the_command",
    "python app.py --ray": "tests/scale/test_fleet.py::test_the_page_is_served_by_a_cluster",
    "python app.py --ray auto --engines 2-8": "tests/scale/test_fleet.py::"
    "test_the_page_is_served_by_a_cluster",
    "accelerate launch --multi_gpu … --device cpu": "tests/training/test_paper_model.py::"
    "test_two_processes_equal_one_of_twice_the_batch",
}
"""Who runs it; the embedded models' stages run there as functions, for a step at their real size."""

NEEDED = " ".join((ROOT / "packages.txt").read_text("utf-8").split())
BY_CI = {
    f"apt-get install {NEEDED}": r"apt-get install .*\$\{missing\[@\]\}",
    "pip install -r requirements.txt && python app.py": "pip install -qq .* -r requirements.txt",
    "pip install -r requirements.txt && pytest": "^pytest",
    "pip install -r requirements.txt -r requirements-scale.txt": "-r requirements-scale.txt",
    "pip install .": r"pip install .* \.$",
    ".ci/run": "^#!/usr/bin/env bash",
}
"""A pattern of the line of ``.ci/run``; the page itself is started by the tests in a browser."""

NOT_RUN = {
    "git clone --depth 1": "needs the place where the project is published",
    "pip install 'gradio[mcp]==6.31.0'": "downloads; tests/ui/test_mcp.py needs what it brings",
    "ray start --object-store-memory": "starts a cluster of one's own",
    "serve shutdown": "ends what a whole cluster serves",
    "docker build --build-arg VARIANT=cpu .": "needs Docker and gigabytes of downloads",
    "python -m ladi evaluate assets/mini --data SHARDS --order paired --ablation": "takes hours on a CPU "
    "with the data that it is about; vitonhd's is run with a toy",
    "python -m benchmarks.real_photos": "needs photos that are not part of the project",
    "python -m benchmarks.cases": "needs photos that are not part of the project",
    "python -m benchmarks.catalogue": "takes minutes",
    "python -m benchmarks.catalogue --ray local --engines 2": "takes minutes, and Ray",
    "python -m benchmarks.soak --minutes 110 --idle 10": "takes an hour",
    "python -m benchmarks.cancelled": "takes minutes",
    "python benchmarks/page_engines.py": "takes minutes",
    "python benchmarks/page_engines.py --wait 1 --break": "takes minutes",
    "python benchmarks/page_engines.py --break": "takes minutes",
    "python -m benchmarks.photo_memory": "takes minutes, and gigabytes of memory",
    "python -m benchmarks.content_filter": "needs photos that are not part of the project",
}
"""Commands that nothing runs, and why; ``tests/benchmarks/test_imports.py`` imports the benchmarks."""


def words_of(command: str) -> str:
    """What of a command ``HERE`` knows it by."""
    return re.sub(r"^(accelerate launch |python )?(-m )?ladi ", "", command)


def test_no_command_is_left_out() -> None:
    """Prevents an instruction that nobody ever followed, and a list that documents have left behind."""
    written = commands()
    known = {*BY_ANOTHER_TEST, *BY_CI, *NOT_RUN}
    assert [command for command in written if words_of(command) not in HERE and command not in known] == []
    assert known <= {*written} and {*HERE} <= {words_of(command) for command in written}


@pytest.mark.parametrize("place", sorted(set(BY_ANOTHER_TEST.values())))
def test_the_other_test_is_there(place: str) -> None:
    """Prevents a reference to a test that was renamed."""
    file, name = place.split("::")
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")


@pytest.mark.parametrize("line", BY_CI.values())
def test_ci_has_the_line(line: str) -> None:
    """Prevents the same of ``.ci/run``."""
    assert re.search(line, (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("words", HERE)
def test_a_command_does_what_is_written(
    words: str,
    embedded: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Prevents documentation that its program has left behind."""
    monkeypatch.chdir(tmp_path)
    row = HERE[words]
    row.ready(Setting(tmp_path, monkeypatch, request))
    monkeypatch.setattr(Engine, "load", lambda *_, **__: embedded)
    if words.startswith("python app.py"):
        shown: list[Any] = []
        monkeypatch.setattr(gr.Blocks, "launch", lambda blocks, **_: shown.append(blocks))
        monkeypatch.setattr(gr.Blocks, "block_thread", lambda blocks: None)
        monkeypatch.setattr(page, "warm_up", lambda *_: None)
        assert page.main(shlex.split(words)[2:]) == 0 and shown
    else:
        assert main([*shlex.split(words), *shlex.split(row.added)]) == 0
    assert (tmp_path / row.left).exists()
