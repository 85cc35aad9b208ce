"""The evaluation's pictures, for real, with a toy model on drawn pairs: which are made, kept, made again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ladi.data.shards import read_shards
from ladi.evaluation.generate import Generator, Share
from ladi.evaluation.pairs import make_pair, pasted
from ladi.evaluation.variants import Variant, ablation
from ladi.models.emasc import EMASC
from ladi.types import LadiError
from tests.evaluation.conftest import NAMES, Evaluate, pictures, scores, times
from tests.toy import toy_vae


def test_nothing_outside_the_mask_is_scored_differently(data: Path) -> None:
    """Prevents: rows that are pasted back differently."""
    sample = next(read_shards(data, "val"))
    pair = make_pair(sample)
    picture = pasted(pair.inputs["image"] * 0 - 1, pair)
    outside = pair.inputs["mask"][0, 0].numpy() < 0.5
    assert np.allclose(picture[outside], sample.image[outside] / 255, atol=1e-6)
    assert not picture[~outside].any()


def test_the_ablation_turns_off_one_part_at_a_time() -> None:
    """Prevents: a row that leaves out something else than its name says."""
    rows = ablation(Variant("full", steps=20, guidance=2.0))
    parts = {
        "no EMASC": "emasc",
        "no pseudo-words": "pseudo_words",
        "no warped garment": "warped_garment",
        "no pose": "pose",
        "no garment skips": "garment_skips",
    }
    for row in rows:
        off = [part for part in parts.values() if not getattr(row.switches, part)]
        assert off == ([parts[row.name]] if row.name in parts else [])
    assert [row.name for row in rows if row.emasc] == ["linear EMASC"]
    assert {row.guidance for row in rows} == {2.0}
    # 20 steps are the full method's own: no second row of the same.
    assert [row.name for row in rows if row.steps != 20] == [
        *("4 steps", "8 steps", "50 steps", "dpm++, 8 steps", "unipc, 8 steps"),
    ]
    assert {row.sampler for row in rows if "," not in row.name} == {None}


def test_another_sampler_makes_other_pictures(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a row, or a flag, that names a sampler and keeps the model's own."""
    before = scores(run(limit=1, steps=3))["full"]["masked_error"]["value"]
    result = run(limit=1, steps=3, sampler="dpm++")
    assert scores(result)["full"]["masked_error"]["value"] != before
    assert result["protocol"]["sampler"] == "DPMSolverMultistepScheduler"


def test_generation_goes_on_where_it_was_killed(
    run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: hours of sampling lost, and pictures that differ from those of an undisturbed run."""
    sampled = Generator._sample
    calls = []

    def killed(self: Generator, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return sampled(self, *arguments)

    monkeypatch.setattr(Generator, "_sample", killed)
    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        run(out=out)
    monkeypatch.setattr(Generator, "_sample", sampled)
    before = times(out)
    assert list(pictures(out / "paired" / "full")) == NAMES[:2]
    resumed = run(out=out)
    after = times(out)
    assert {name: after[name] for name in before} == before
    undisturbed = run(out=tmp_path / "undisturbed")
    for name, pixels in pictures(tmp_path / "undisturbed" / "paired" / "full").items():
        assert np.array_equal(pixels, pictures(out / "paired" / "full")[name])
    assert scores(resumed) == scores(undisturbed)
    assert not list(out.rglob("*.part"))


def test_a_picture_that_was_cut_off_is_made_again(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a disk that was full once spoiling every later score."""
    first = run()
    broken = tmp_path / "out" / "paired" / "full" / "000101.png"
    broken.write_bytes(broken.read_bytes()[:200])
    assert scores(run()) == scores(first)


def test_other_settings_make_other_pictures(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: pictures of an older run scored as if they were this one's."""
    run()
    folder = tmp_path / "out" / "paired"
    before = pictures(folder / "full")
    run(seed=5)
    assert any(not np.array_equal(before[name], pixels) for name, pixels in pictures(folder / "full").items())
    again = times(folder)
    run(seed=5)
    assert times(folder) == again


def test_two_runs_give_equal_numbers(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a table that nobody can repeat."""
    first, second = (
        run(out=tmp_path / name, with_ablation=True, ablation_limit=1, causes=True, limit=2)
        for name in ("one", "other")
    )
    assert scores(first) == scores(second)
    assert scores(first, "ablation") == scores(second, "ablation")
    assert first["slices"] == second["slices"] and first["causes"] == second["causes"]


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
def test_shares_cover_each_pair_exactly_once(processes: int) -> None:
    """Prevents: pairs that nobody makes, or two processes writing the same file."""
    found = [index for process in range(processes) for index in Share(process, processes).indices(7)]
    assert sorted(found) == list(range(7))


def test_batches_make_the_pictures_that_pairs_make_alone(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a score that depends on how many fit into the memory."""
    run()
    run(out=tmp_path / "batch", batch_size=2)
    alone = pictures(tmp_path / "out" / "paired" / "full")
    for name, pixels in pictures(tmp_path / "batch" / "paired" / "full").items():
        assert np.abs(pixels.astype(int) - alone[name]).max() <= 1


def test_a_linear_emasc_is_used_where_there_is_one(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: the paper's row computed with the wrong weights, or the model's own changed by it."""
    features, skips = toy_vae().skip_channels
    EMASC(features, skips, kind="linear").save_pretrained(tmp_path / "linear")
    result = run(with_ablation=True, other_emasc=tmp_path / "linear", ablation_limit=2, paste_back=False)
    rows = {row["row"]: row for row in result["ablation"]}
    assert rows["linear EMASC"]["pairs"] == 2 and rows["full"]["pairs"] == 2
    assert rows["linear EMASC"]["differences"]["ssim"]["value"] != 0
    assert {row["row"]: row["pairs"] for row in result["rows"]}["full"] == 3
    with pytest.raises(LadiError, match="give a linear one"):
        EMASC(features, skips).save_pretrained(tmp_path / "nonlinear")
        run(with_ablation=True, other_emasc=tmp_path / "nonlinear")


@pytest.mark.slow
def test_two_processes_make_what_one_makes(run: Evaluate, model: Path, data: Path, tmp_path: Path) -> None:
    """Several processes for real: the same numbers, scored once. Slow: it starts three interpreters.

    By torchrun, as ``accelerate launch`` does for GPUs; with ``--cpu`` that starts one process only.
    """
    alone = run()
    out = tmp_path / "two"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += ["-m", "ladi", "evaluate", str(model), "--data", str(data), "--out", str(out)]
    command += ["--device", "cpu", "--steps", "1", "--guidance", "1", "--metrics", "ssim,masked_error,fid"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "table-paired.json").read_text())
    assert found["protocol"]["processes"] == 2
    assert done.stdout.count("| full |") == 1
    assert list(pictures(out / "paired" / "full")) == NAMES
    for row, own in scores(found).items():
        assert own["ssim"]["value"] == pytest.approx(scores(alone)[row]["ssim"]["value"], abs=1e-4)
