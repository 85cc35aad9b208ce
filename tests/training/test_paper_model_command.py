"""``train vitonhd`` from the outside: what it refuses, rehearses, computes once and exports."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from ladi.commands import train as command
from ladi.commands.main import main
from ladi.diffusion.pipeline import LadiVtonPipeline
from ladi.training import paper_model
from ladi.training.loop.checkpoints import load_checkpoint, save_checkpoint, stage_weights
from ladi.training.loop.draws import Draws
from ladi.training.paper_model import PaperTraining, build_stage, export_model, options_of, run_stages
from ladi.training.samples.pairs import TrainingPairs
from ladi.training.stages import denoising
from ladi.training.stages.denoising import TryOnOptions, tryon_stage
from ladi.types import LadiError, SettingError
from tests.toy import toy_inputs
from tests.training.conftest import Places, job_from


def flags(places: Places, work: Path, *more: str) -> list[str]:
    """The command's words for the toy data."""
    words = ["train", "vitonhd", "--data", str(places.data), "--work", str(work), "--device", "cpu"]
    return [*words, "--workers", "0", "--precision", "no", *more]


def test_the_command_knows_the_stages_and_every_option() -> None:
    """Prevents: a stage or a setting that can be written down but not be asked for."""
    assert paper_model.STAGES == command.FULL_SIZE_NAMES
    assert (*paper_model.MODELS,) == command.MODELS[2:]
    fields = {
        entry.name for row in paper_model.STAGE_TABLE.values() for entry in dataclasses.fields(row.options)
    }
    assert fields - set(command.OPTION_FLAGS) == {"betas", "weight_decay", "clip_norm"}
    subparsers = argparse.ArgumentParser().add_subparsers()
    command.add_parser(subparsers)
    assert set(command.OPTION_FLAGS) <= vars(subparsers.choices["train"].parse_args(["vitonhd"])).keys()


def test_passes_over_the_data_become_steps() -> None:
    """Prevents: 50 epochs of one data set taken for 50 of another."""
    assert options_of("warp", {}, 11_647).steps == 36_397  # 50 · 11647 / 16, rounded up
    assert options_of("tryon", {}, 11_647).steps == 200_000
    assert options_of("tryon", {"epochs": 2.0}, 100).steps == 13
    assert options_of("warp", {"steps": 7, "drop": 0.5}, 100).steps == 7


def test_published_settings_are_the_defaults() -> None:
    """Prevents: a default that drifts away from the paper."""
    warp, refinement = (options_of(name, {}, 16) for name in ("warp", "refinement"))
    for options in (warp, refinement):
        assert (options.learning_rate, options.betas, options.batch_size) == (1e-4, (0.5, 0.99), 16)
        assert (options.steps, options.weight_decay, options.clip_norm) == (50, 0.0, None)
    for name, steps in (("emasc", 40_000), ("inversion_adapter", 200_000), ("tryon", 200_000)):
        options = options_of(name, {}, 16)
        assert (options.learning_rate, options.batch_size, options.steps) == (1e-5, 16, steps)
        assert (options.clip_norm, options.warmup_steps, options.schedule) == (
            1.0,
            500,
            "constant_with_warmup",
        )
    assert options_of("tryon", {}, 1).precision == "fp16" and options_of("tryon", {}, 1).drop == 0.2
    assert (refinement.perceptual_weight, options_of("emasc", {}, 1).perceptual_weight) == (0.25, 0.5)


def test_a_stage_without_what_it_needs_names_the_command(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents: a traceback about a missing file where one sentence would do."""
    for stage, needed in (("refinement", "warp"), ("tryon", "warp")):
        assert main(flags(places, tmp_path, "--stage", stage)) == 2
        said = capsys.readouterr().err
        wanted = f"run `python -m ladi train vitonhd --stage {needed} --data"
        assert f"Stage {stage} needs {needed}: {wanted}" in said
    assert main(flags(places, tmp_path, "--stage", "export")) == 2
    assert "Not trained yet: warp, refinement, emasc, tryon" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--stage", "warp", "--drop", "0.1"], "--drop means nothing to warp"),
        (["--stage", "parser"], "has no stage parser: choose from warp"),
        (["--stage", "warp", "--batch-size", "5", "--accumulate", "2"], "choose a multiple of 2"),
        (["--stage", "warp", "--schedule", "sawtooth"], "schedule must be one of constant"),
        (["--stage", "emasc", "--vgg", "nowhere.pth"], "There is no file nowhere.pth"),
    ],
)
def test_what_cannot_work_is_one_sentence(
    more: list[str], sentence: str, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents: a flag that is silently ignored, or refused by a traceback."""
    assert main(flags(places, tmp_path, "--init", str(places.model), *more)) == 2
    assert sentence in capsys.readouterr().err


def test_mini_refuses_what_is_for_the_papers_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Prevents: ``train mini --dry-run`` that trains for hours."""
    assert main(["train", "mini", "--dry-run"]) == 2
    assert "--dry-run is for vitonhd and dresscode" in capsys.readouterr().err


@pytest.mark.parametrize("edition", ["first_edition.Workshop.export", "second_edition.SecondWorkshop.export"])
def test_the_model_that_the_app_opens_on_is_never_overwritten_unasked(
    edition: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents: ``train mini`` that puts a first edition in the place of ``assets/mini``."""
    written: list[Path] = []
    monkeypatch.setattr(f"ladi.training.{edition}", lambda self, out: written.append(out))
    model = "mini" if edition.startswith("first") else "second"
    words = ["train", model, "--stage", "export", "--data", str(tmp_path), "--work", str(tmp_path)]
    assert main([*words, "--device", "cpu"]) == 0
    assert main([*words, "--device", "cpu", "--out", str(tmp_path / "mine")]) == 0
    assert written == [tmp_path / "model", tmp_path / "mine"]


def test_optimizers_of_other_packages_are_refused_in_words_where_they_are_absent(
    places: Places, tmp_path: Path
) -> None:
    """Prevents: an ImportError after minutes of loading."""
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        with pytest.raises(SettingError, match="pip install bitsandbytes.*leave out --adam-8bit"):
            run_stages(job_from(places, tmp_path, optimizer="adamw_8bit"), ["warp"])
    else:
        pytest.skip("bitsandbytes is installed here, so there is nothing to refuse")


def test_a_checkpoint_is_not_overwritten_by_accident(places: Places, tmp_path: Path) -> None:
    """Prevents: days of training lost to a forgotten --resume."""
    job = job_from(places, tmp_path, steps=1)
    run_stages(job, ["warp"])
    with pytest.raises(LadiError, match="holds a checkpoint already: continue with --resume"):
        run_stages(job, ["warp"])


def test_a_dry_run_says_memory_and_time_and_leaves_nothing(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents: finding out after a night that a week is needed."""
    work = tmp_path / "work"
    more = [
        "--init",
        str(places.model),
        "--stage",
        "warp",
        "--dry-run",
        "--batch-size",
        "4",
        "--accumulate",
        "2",
    ]
    assert main(flags(places, work, *more)) == 0
    said = capsys.readouterr().out
    assert "stage warp on cpu" in said and "5 pairs, batch 4 = 1 process(es) × 2 part(s) × 2" in said
    assert "2 steps in" in said and "peak memory" in said and "63 steps to the end: about" in said
    assert not work.exists()


def test_checkpoints_are_kept_as_many_as_asked_for(tmp_path: Path) -> None:
    """Prevents: a full disk, and a moment in which there is no checkpoint at all."""
    last = None
    for step in (10, 20, 30, 40):
        save_checkpoint({"step": step, "weights": {}}, tmp_path, keep=3, last=last)
        last = step
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-0000020.pt",
        "checkpoint-0000030.pt",
        "checkpoint.pt",
    ]
    assert load_checkpoint(tmp_path)["step"] == 40
    assert torch.load(tmp_path / "checkpoint-0000030.pt", weights_only=True)["step"] == 30
    with pytest.raises(AttributeError):
        save_checkpoint({"step": 50, "weights": lambda: None}, tmp_path, keep=3, last=40)
    assert load_checkpoint(tmp_path)["step"] == 40


def test_what_is_computed_once_is_what_would_be_computed_each_time(places: Places, tmp_path: Path) -> None:
    """Prevents: training on features of other garments, of other weights, or of an older warp."""
    job = job_from(places, tmp_path)
    plain = build_stage(job, "tryon")
    stored = build_stage(PaperTraining(**{**vars(job), "precompute": True}), "tryon")
    indices, rng = np.array([3, 1]), np.random.default_rng(0)
    for module in (*plain.modules.values(), *stored.modules.values()):
        module.eval()
    losses = [
        stage.loss(stage.modules, stage.batch(indices, rng), Draws(0, 0, range(2)))[0].item()
        for stage in (plain, stored)
    ]
    assert abs(losses[0] - losses[1]) < 2e-3  # of warped garments rounded to 8 bits
    assert {"garment_features", "warped"} <= stored.batch(indices, rng).keys()
    store = tmp_path / "cache" / "train"
    before = {path.name: path.stat().st_mtime_ns for path in store.glob("*.npy")}
    run_stages(job, ["warp"])
    build_stage(PaperTraining(**{**vars(job_from(places, tmp_path)), "precompute": True}), "tryon")
    after = {path.name: path.stat().st_mtime_ns for path in store.glob("*.npy")}
    assert after["garment_features.npy"] == before["garment_features.npy"]
    assert after["warped.npy"] != before["warped.npy"]


def test_from_the_base_to_a_model_that_the_app_loads(places: Places, tmp_path: Path) -> None:
    """Prevents: a chain of stages that do not fit each other, and an export that misses what was trained."""
    job = job_from(places, tmp_path, scratch=True, steps=1)
    run_stages(job, paper_model.STAGES)
    export_model(job, tmp_path / "model")
    pipeline = LadiVtonPipeline.from_pretrained(tmp_path / "model")
    for stage, names in (("warp", ["tps"]), ("emasc", ["emasc"]), ("tryon", ["unet", "inversion_adapter"])):
        weights = stage_weights(tmp_path / stage)
        assert weights is not None and sorted(weights) == sorted(names)
        for name in names:
            for key, value in getattr(pipeline, name).state_dict().items():
                assert torch.equal(value, weights[name][key]), f"{name}.{key}"
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline(**toy_inputs(), generator=torch.Generator().manual_seed(0), output_type="np").images
    assert images.shape == (1, 64, 48, 3) and np.isfinite(images).all()
    with pytest.raises(LadiError, match="exists already"):
        export_model(job, tmp_path / "model")


def test_stage_4_begins_as_the_inpainting_model(places: Places, tmp_path: Path) -> None:
    """Prevents: new channels that do not start at zero, and channels in another order."""
    job = job_from(places, tmp_path, scratch=True)
    parts = {name: job.parts.network(name) for name in denoising.ENCODERS}
    parts |= {"tokenizer": job.parts.tokenizer(), "scheduler": job.parts.scheduler()}
    plain = {**parts, "unet": job.parts.plain_unet()}
    whole = {**parts, **{name: job.parts.network(name) for name in ("tps", "refinement", "emasc", "unet")}}
    pairs = TrainingPairs(job.open("train", job.parts.size))
    tryon_stage(whole, pairs, TryOnOptions(steps=1))
    assert whole["unet"].config.in_channels == 31
    sample = torch.randn(1, 31, 16, 12)
    text = torch.randn(1, 32, 16)
    timesteps = torch.tensor([10])
    answers = [
        found["unet"](sample[:, : found["unet"].config.in_channels], timesteps, text).sample
        for found in (plain, whole)
    ]
    assert torch.allclose(*answers, atol=1e-6)


def test_every_trained_parameter_gets_a_gradient(places: Places, tmp_path: Path) -> None:
    """Prevents: several processes that wait forever for a gradient that nobody computes."""
    for name in paper_model.STAGES:
        stage = build_stage(job_from(places, tmp_path), name)
        batch = stage.batch(np.array([0, 1]), np.random.default_rng(0))
        stage.loss(stage.modules, batch, Draws(0, 0, range(2)))[0].backward()
        idle = [
            key
            for module in stage.modules.values()
            for key, parameter in module.named_parameters()
            if parameter.grad is None
        ]
        assert not idle and not stage.unused_parameters


def test_tensorboard_gets_scalars_and_pictures(places: Places, tmp_path: Path) -> None:
    """Prevents: an empty board after a night of training."""
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed: it is optional")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run_stages(job_from(places, tmp_path, steps=2, tensorboard=True), ["warp"])
    board = EventAccumulator(str(tmp_path / "warp" / "tensorboard"))
    board.Reload()
    assert {"loss", "l1", "rate", "val_l1", "waiting"} <= set(board.Tags()["scalars"])
    assert board.Tags()["images"] == ["validation"]
