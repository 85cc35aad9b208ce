"""A training that is killed while it saves: what is there is whole, and it goes on from there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ladi.training.loop.checkpoints import load_checkpoint
from ladi.training.paper_model import run_stages
from tests.conftest import ROOT
from tests.training.conftest import Places, job_from

TRAIN = """
import sys, time
from pathlib import Path
import torch
from ladi.training.paper_model import run_stages
from tests.training.conftest import Places, job_from

saved, save = [], torch.save

def half(state, path):
    saved.append(path)
    save(state, path)
    if len(saved) == 3:
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[: len(content) // 2])
        print("half", flush=True)
        time.sleep(60)

torch.save = half
places = Places(*map(Path, sys.argv[1:6]))
run_stages(job_from(places, Path(sys.argv[6]), steps=9, save_minutes=0.0), ["warp"])
"""


def test_a_killed_training_goes_on(places: Places, tmp_path: Path) -> None:
    """Prevents a checkpoint that cannot be read after days, and halves that fill the disk."""
    words = [sys.executable, "-c", TRAIN, *map(str, vars(places).values()), str(tmp_path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        assert said == "half\n", process.stderr.read()
        process.kill()
    folder = tmp_path / "warp"
    assert len(list(folder.glob(".checkpoint.pt.*"))) == 1
    assert load_checkpoint(folder)["step"] == 2
    run_stages(job_from(places, tmp_path, steps=4), ["warp"], resume=True)
    assert load_checkpoint(folder)["step"] == 4
    assert not list(folder.glob(".checkpoint.pt.*"))
