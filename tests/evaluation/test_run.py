"""The evaluation, for real, with a toy model on drawn pairs: what it scores, refuses and says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ladi.data.shards import read_shards
from ladi.evaluation.options import Extra
from ladi.evaluation.scores.distribution import fid
from ladi.models.lpips import Lpips
from ladi.types import LadiError
from ladi.weights.lpips import FILES
from tests.drawn_datasets import write_dress_code
from tests.drawn_shards import write_drawn_shards
from tests.evaluation.conftest import NAMES, Evaluate, pictures, scores


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


def test_what_is_not_computed_says_why_everywhere(
    run: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: a metric that silently drops out of a table."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("LADI_NETS", "nowhere")
    result = run(metrics=None, with_ablation=True, ablation_limit=1)
    why = "clean-fid is not installed (requirements-eval.txt)"
    assert scores(result)["full"]["fid"] == {"value": None, "why": why}
    assert result["protocol"]["fid"] == f"not computed: {why}"
    page = (tmp_path / "out" / "report.html").read_text()
    for text in (page, (tmp_path / "out" / "table-paired.md").read_text()):
        assert f"FID, KID ×1000 not computed: {why}" in text
        assert "LPIPS (Alex) not computed: LADI_NETS names" in text
        assert (
            "SSIM (torchmetrics), IS not computed: torchmetrics is not installed (requirements-eval.txt)"
            in text
        )
        assert "linear EMASC not computed: the model has no trained linear EMASC" in text


def test_lpips_is_scored_with_the_weights_of_a_folder(
    run: Evaluate, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: an LPIPS that is only ever described, or that is not 0 for the photo itself."""
    torch.manual_seed(0)
    network = Lpips("alex")
    for head in network.lin:
        torch.nn.init.uniform_(head.weight)
    (tmp_path / "nets").mkdir()
    save_file(network.state_dict(), tmp_path / "nets" / FILES["alex"])
    monkeypatch.setenv("LADI_NETS", str(tmp_path / "nets"))
    result = run(metrics=("lpips_alex",))
    assert scores(result)["full"]["lpips_alex"]["value"] > 0
    photos = tmp_path / "photos"
    photos.mkdir()
    for sample in read_shards(data, "val", (64, 48)):
        Image.fromarray(sample.image).save(photos / f"{sample.id}.png")
    same = run(pictures=photos, model=None, metrics=("lpips_alex",), out=tmp_path / "same")
    assert scores(same)["pictures"]["lpips_alex"]["value"] == 0


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
    monkeypatch.setattr("ladi.evaluation.scores.suite.CleanFidInception", lambda device: Colours())
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
