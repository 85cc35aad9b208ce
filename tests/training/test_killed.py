"""A training that is stopped or killed: what is there is whole, and it goes on from there."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from ladi.progress import Interrupted
from ladi.training.loop import train
from ladi.training.loop.checkpoints import load_checkpoint
from ladi.training.paper_model import run_stages
from tests.forked import Forks
from tests.training.conftest import Places, job_from

TRAIN = """
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
        middle()

torch.save = half
places = Places(*map(Path, {places}))
run_stages(job_from(places, Path({work!r}), steps=9, save_minutes=0.0), ["warp"])
"""


def test_a_killed_training_goes_on(forks: Forks, places: Places, tmp_path: Path) -> None:
    """Prevents a checkpoint that cannot be read after days, and halves that fill the disk."""
    given = [str(place) for place in vars(places).values()]
    process = forks.start(tmp_path, first=TRAIN.format(places=given, work=str(tmp_path)))
    process.wait_for_the_middle()
    process.kill()
    folder = tmp_path / "warp"
    assert len(list(folder.glob(".checkpoint.pt.*"))) == 1
    assert load_checkpoint(folder)["step"] == 2
    run_stages(job_from(places, tmp_path, steps=4), ["warp"], resume=True)
    assert load_checkpoint(folder)["step"] == 4
    assert not list(folder.glob(".checkpoint.pt.*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wish_to_stop_is_heard_after_the_step(
    number: signal.Signals, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents Ctrl-C, and the end of a cluster's hours, from costing what was learnt since the last save."""
    take = train.take_step

    def take_and_stop(stage: Any, bench: Any, step: int, share: Any) -> dict[str, float]:
        if step == 2:
            signal.raise_signal(number)
        return take(stage, bench, step, share)

    monkeypatch.setattr(train, "take_step", take_and_stop)
    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match="the stage warp after step 3, which is saved") as stopped:
        run_stages(job_from(places, tmp_path, steps=9), ["warp", "refinement"])
    assert stopped.value.signal == number
    assert load_checkpoint(tmp_path / "warp")["step"] == 3 and not (tmp_path / "refinement").exists()
    assert signal.getsignal(number) is before
