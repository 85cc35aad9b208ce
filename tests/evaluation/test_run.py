"""The evaluation, for real, with a toy model on drawn pairs: what it makes, keeps, refuses and says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ladi.data.shards import read_shards
from ladi.evaluation.distribution import fid
from ladi.evaluation.generate import Generator, Share
from ladi.evaluation.options import Extra
from ladi.evaluation.pairs import make_pair, pasted
from ladi.evaluation.variants import Variant, ablation
from ladi.models.emasc import EMASC
from ladi.types import LadiError
from tests.drawn_datasets import write_dress_code
from tests.drawn_shards import write_drawn_shards
from tests.evaluation.conftest import Evaluate
from tests.toy import toy_vae

NAMES = ["000100", "000101", "000102"]


def pictures(folder: Path) -> dict[str, np.ndarray]:
    """Name → pixels of every picture of a folder."""
    return {path.stem: np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))}


def times(folder: Path) -> dict[str, int]:
    """When each picture was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in sorted(folder.rglob("*.png"))}


def scores(result: dict[str, Any], rows: str = "rows") -> dict[str, dict[str, Any]]:
    """Row → its scores."""
    return {row["row"]: row["scores"] for row in result[rows]}


def test_table_has_the_baselines_and_the_full_method(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a result without its protocol, or pictures that nobody finds again."""
    result = run()
    assert [row["row"] for row in result["rows"]] == ["grey", "warped garment pasted", "full"]
    assert all(0 <= each["masked_error"]["value"] <= 1 for each in scores(result).values())
    saved = json.loads((tmp_path / "out" / "table-paired.json").read_text())
    protocol = saved["protocol"]
    assert (protocol["steps"], protocol["pairs"], protocol["size"]) == (1, 3, [64, 48])
    assert protocol["sampler"] == "DDIMScheduler" and "torch" in protocol["libraries"]
    assert "bootstrap" in protocol["intervals"]
    assert list(pictures(tmp_path / "out" / "paired" / "full")) == NAMES
    assert "| full |" in (tmp_path / "out" / "table-paired.md").read_text()
    assert saved["rows"][2]["seconds"] > 0


def test_unpaired_order_is_never_scored_against_the_photo(run: Evaluate, tmp_path: Path) -> None:
    """There is no truth for a garment that was never worn: a score would be a lie."""
    result = run(order="unpaired")
    full = scores(result)["full"]
    assert full["ssim"]["value"] is None and "no truth" in full["ssim"]["why"]
    assert set(pictures(tmp_path / "out" / "unpaired" / "full")) == {
        "000100_000101",
        "000101_000102",
        "000102_000100",
    }


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


def test_scoring_alone_needs_no_model_and_refuses_what_is_missing_or_stale(
    run: Evaluate, tmp_path: Path
) -> None:
    """Prevents: a mean over fewer pairs than the table says, or over two kinds of pictures."""
    with pytest.raises(LadiError, match="run the stage generate first"):
        run(stage="score")
    assert run(stage="generate") == {}
    result = run(stage="score", model=None)
    assert result["protocol"]["steps"] == 1
    old = tmp_path / "old.png"
    picture = tmp_path / "out" / "paired" / "full" / "000100.png"
    shutil.copy(picture, old)
    run(stage="generate", seed=9)
    shutil.copy(old, picture)
    with pytest.raises(LadiError, match="1 pictures were made with other settings"):
        run(stage="score")
    picture.unlink()
    with pytest.raises(LadiError, match="1 of 9 pictures are missing"):
        run(stage="score")


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


def test_what_is_not_computed_says_why_everywhere(
    run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: a metric that silently drops out of a table."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run(metrics=None, with_ablation=True, ablation_limit=1)
    why = "clean-fid is not installed (requirements-eval.txt)"
    assert scores(result)["full"]["fid"] == {"value": None, "why": why}
    assert result["protocol"]["fid"] == f"not computed: {why}"
    page = (tmp_path / "out" / "report.html").read_text()
    for text in (page, (tmp_path / "out" / "table-paired.md").read_text()):
        assert f"FID, KID ×1000 not computed: {why}" in text
        many = "SSIM (torchmetrics), LPIPS (Alex), LPIPS (VGG), IS"
        assert f"{many} not computed: torchmetrics is not installed (requirements-eval.txt)" in text
        assert "linear EMASC not computed: the model has no trained linear EMASC" in text


class Colours:
    """A stand-in for a feature network: each picture's mean colour and its spread."""

    name = "mean colours"

    def __call__(self, found: Sequence[np.ndarray]) -> np.ndarray:
        flat = [picture.reshape(-1, 3) / 255 for picture in found]
        return np.stack([np.concatenate([each.mean(0), each.std(0)]) for each in flat])


def test_sets_are_compared_through_whatever_network_is_plugged_in(
    run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: FID and KID against other photos than the pairs', or in paired order only."""
    monkeypatch.setattr("ladi.evaluation.suite.CleanFidInception", lambda device: Colours())
    result = run(order="unpaired", data=write_drawn_shards(tmp_path / "more", train=1, val=10))
    names = [f"{100 + number:06d}" for number in range(10)]
    folder = tmp_path / "out" / "unpaired" / "full"
    paths = [next(folder.glob(f"{name}_*.png")) for name in names]
    made = Colours()([np.asarray(Image.open(path)) for path in paths])
    photos = Colours()([sample.image for sample in read_shards(tmp_path / "more", "val", (64, 48))])
    full = scores(result)["full"]["fid"]
    assert full["value"] == pytest.approx(fid(made, photos), rel=1e-6)
    assert full["interval"][0] < full["value"] < full["interval"][1]
    assert "mean colours" in result["protocol"]["fid"]
    grey = scores(result)["grey"]["fid"]["value"]
    shutil.rmtree(folder)
    folder.mkdir()
    for sample in read_shards(tmp_path / "more", "val", (64, 48)):
        Image.fromarray(sample.image).save(folder / f"{sample.id}.png")
    same = run(order="unpaired", data=tmp_path / "more", pictures=folder, model=None, out=tmp_path / "same")
    assert scores(same)["pictures"]["fid"]["value"] == pytest.approx(0, abs=1e-6) and grey > 0.01


def test_an_unknown_metric_is_refused(run: Evaluate) -> None:
    """Prevents: a misspelt metric that is simply missing afterwards."""
    with pytest.raises(LadiError, match="there is no metric 'fdi': choose from ssim"):
        run(metrics=("fdi",))


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


def test_pictures_of_others_are_scored_alike(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: other people's pictures measured by another rule than ours, or at another size unnoticed."""
    ours = run()
    folder = tmp_path / "theirs"
    shutil.copytree(tmp_path / "out" / "paired" / "full", folder)
    theirs = run(pictures=folder, model=None, out=tmp_path / "scored")
    assert scores(theirs)["pictures"] == scores(ours)["full"]
    assert "made by somebody else" in theirs["protocol"]["model"]
    for path in folder.glob("*.png"):
        Image.open(path).resize((96, 128)).save(path)
    larger = run(pictures=folder, model=None, out=tmp_path / "larger", size=(64, 48))
    assert "3 of 128×96 brought to 64×48" in larger["protocol"]["pictures"]
    assert run(pictures=folder, model=None, out=tmp_path / "own")["protocol"]["size"] == [128, 96]


def test_further_data_stand_beside_or_say_why_not(run: Evaluate, data: Path, tmp_path: Path) -> None:
    """Prevents: one broken folder that stops an evaluation of hours."""
    (tmp_path / "empty").mkdir()
    more = write_drawn_shards(tmp_path / "more", train=1, val=2)
    extra = (Extra("empty", tmp_path / "empty"), Extra("more", more, (128, 96)))
    result = run(extra=extra)
    empty, found = result["extra"]
    assert "holds no data set" in empty["why"]
    assert found["protocol"]["pairs"] == 2 and found["protocol"]["size"] == [128, 96]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "holds no data set" in page and "more: scores over 2 pairs" in page


def test_what_cannot_work_is_refused_in_words(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a trace, or a table of nothing."""
    with pytest.raises(LadiError, match="no pairs to evaluate"):
        run(limit=0)
    with pytest.raises(LadiError, match="name the model"):
        run(model=None)
    with pytest.raises(LadiError, match="no folder"):
        run(pictures=tmp_path / "nowhere")
    with pytest.raises(LadiError, match="leave --masks out"):
        run(pictures=tmp_path, masks="app")
    with pytest.raises(LadiError, match="nothing has been scored"):
        run(stage="report")


def test_categories_of_dress_code_are_evaluated_by_their_own_rules(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: a dress masked as a top, or a category that was not asked for in the mean."""
    root = tmp_path / "dresscode"
    write_dress_code(root, "upper_body", [1, 2])
    write_dress_code(root, "dresses", [4])
    result = run(data=root, split="test", categories=("dresses",))
    assert (result["protocol"]["pairs"], result["protocol"]["dataset"]) == (1, "Dress Code")
    assert result["protocol"]["categories"] == "dresses"
    assert run(data=root, split="test")["protocol"]["pairs"] == 3


def test_masks_of_the_app_say_where_it_found_nobody(run: Evaluate, tmp_path: Path) -> None:
    """Prevents: the data's masks passed off as the app's. A figure of rectangles is nobody to mediapipe."""
    result = run(masks="app", limit=1)
    assert "from the joints and labels that the app finds" in result["protocol"]["masks"]
    assert "it found nobody in 1 of 1" in result["protocol"]["masks"]
    assert scores(result) == scores(run(limit=1, out=tmp_path / "published"))
    # One pair has a value and no interval: nothing is known of its spread.
    assert scores(result)["full"]["ssim"]["interval"] is None


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
