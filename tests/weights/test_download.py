"""From a server's files to a model that paints: the commands ``download`` and ``check``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from ladi.commands.main import main
from ladi.types import ModelError
from ladi.weights import catalog, stock, table
from tests.toy import pictures
from tests.weights.published import BASE_ID, TOY, VISION_ID
from tests.weights.server import COMMIT, FileServer


def test_from_download_to_picture(
    toy_world: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Prevents a download whose result the pipeline cannot read, or whose values went astray on the way."""
    from ladi.diffusion.pipeline import LadiVtonPipeline

    server, downloads = toy_world, tmp_path / "downloads"
    server.faults["unet_vitonhd.pth"] = ["drop"]
    server.faults["warping_vitonhd.pth"] = ["truncate"]
    server.faults["diffusion_pytorch_model.safetensors"] = ["drop"]
    words = ["download", "vitonhd", "--dir", str(downloads)]
    assert main(words) == 0
    folder = catalog.MODELS["vitonhd"]
    assert main(["check", str(folder)]) == 0
    assert "31 input channels = 3·4 + 19, 16 pseudo-words" in capsys.readouterr().out

    pipeline = LadiVtonPipeline.from_pretrained(folder, local_files_only=True)
    assert (pipeline.config.default_steps, pipeline.config.default_guidance) == (50, 7.5)
    assert (pipeline.config.height, pipeline.config.width) == TOY.size and pipeline.garment_skips is None
    scheduler = pipeline.scheduler.config
    assert (scheduler.prediction_type, scheduler.steps_offset, scheduler.clip_sample) == ("epsilon", 1, False)
    published = torch.load(downloads / "unet_vitonhd.pth", weights_only=True)
    for key, tensor in pipeline.unet.state_dict().items():
        assert torch.equal(tensor, published[key]), key
    assert torch.isfinite(torch.from_numpy(pictures(pipeline, num_inference_steps=2))).all()

    origin = json.loads((folder / "origin.json").read_text())["sources"]
    assert origin["base"]["from"] == BASE_ID and origin["vision encoder"]["commit"] == COMMIT
    assert origin["checkpoints vitonhd"]["licence"][0] == "CC BY-NC 4.0"

    before = len(server.seen)
    assert main(words) == 0
    assert len(server.seen) == before, "everything was there already"


def test_another_base_goes_first_and_a_vanished_one_is_passed_over(
    toy_world: FileServer, tmp_path: Path
) -> None:
    """Prevents depending on one hub name, as everybody did on the base that was deleted."""
    words = ["download", "vitonhd", "--dir", str(tmp_path / "downloads"), "--base"]
    assert main([*words, "gone/away"]) == 0
    folder = catalog.MODELS["vitonhd"]
    assert json.loads((folder / "origin.json").read_text())["sources"]["base"]["from"] == BASE_ID

    # One that is here already does not keep the given one from being asked.
    shutil.rmtree(folder)
    shutil.copytree(toy_world.folder / BASE_ID, toy_world.folder / "my" / "base")
    assert main([*words, "my/base"]) == 0
    base = json.loads((folder / "origin.json").read_text())["sources"]["base"]
    assert base["from"] == "my/base" and base["commit"] == COMMIT


def test_nothing_can_be_reached(
    toy_world: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Prevents a traceback of the hub's library."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    toy_world.shutdown()
    toy_world.server_close()
    assert main(["download", "vitonhd", "--dir", str(tmp_path / "downloads")]) == 2
    assert "The base could not be downloaded from" in capsys.readouterr().err


def test_offline_lists_all_that_is_missing(
    toy_world: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Prevents asking the network where that is forbidden, and one message per missing file."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["download", "vitonhd", "--dir", str(tmp_path / "downloads")]) == 2
    message = capsys.readouterr().err
    assert "HF_HUB_OFFLINE is set" in message and not toy_world.seen
    for name in ("unet_vitonhd.pth", "warping_vitonhd.pth", "vae/diffusion_pytorch_model.safetensors"):
        assert name in message


def test_dry_run_lists_and_fetches_nothing(
    toy_world: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """Prevents ten gigabytes coming before anybody has seen their licence."""
    assert main(["download", "all", "--dry-run", "--dir", str(tmp_path / "downloads")]) == 0
    shown = capsys.readouterr().out
    for model in table.RELEASES:
        for source in table.sources_of(model):
            assert source.licence.name in shown
            assert all(file.name in shown for file in source.files)
    assert not toy_world.seen and not (tmp_path / "downloads").exists()


def test_disk_space_is_counted_first(tmp_path: Path) -> None:
    """Prevents filling a disk for an hour before saying that it is too small."""
    with pytest.raises(ModelError, match="GB free, but about 1000000.0 GB are needed"):
        stock.require_space({tmp_path / "not" / "yet": 10**15 - 10, tmp_path: 10})


def test_folders_instead_of_the_hub(toy_world: FileServer, toy_files: Path, tmp_path: Path) -> None:
    """Prevents a machine without the hub being unable to convert, and half precision reaching the warp."""
    out = tmp_path / "half"
    words = ["convert", "vitonhd", "--out", str(out), "--from", str(toy_files), "--precision", "fp16"]
    assert main([*words, "--base", str(toy_files / BASE_ID), "--vision", str(toy_files / VISION_ID)]) == 0
    from ladi.weights.headers import read_weights_headers

    types = {name: read_weights_headers(out / name).dtypes for name in ("unet", "vision_encoder", "tps")}
    assert types == {"unet": {"F16"}, "vision_encoder": {"F16"}, "tps": {"F32", "I64"}}
    assert main(["check", str(out)]) == 0
    assert not toy_world.seen
