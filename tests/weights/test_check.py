"""Faults of model folders, found in their headers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ladi.commands.check import refuse_unknown
from ladi.commands.main import main
from ladi.types import ModelError
from ladi.weights.catalog import MODELS
from ladi.weights.check import check_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the embedded model, to spoil."""
    return shutil.copytree(MODELS["mini"], tmp_path / "mini")


def faults(folder: Path) -> str:
    return "; ".join(check_model(folder).faults)


def test_the_embedded_model_is_whole(capsys: pytest.CaptureFixture) -> None:
    """Prevents shipping a model with a part or a shard left out."""
    assert main(["check", str(MODELS["mini"])]) == 0
    shown = capsys.readouterr().out
    assert "116 input channels = 3·32 + 20, 16 pseudo-words" in shown and "whole and consistent" in shown


def test_missing_and_short_shards(model: Path) -> None:
    """Prevents a half-copied folder failing only once somebody waits for a picture."""
    shards = sorted((model / "unet").glob("*.safetensors"))
    shards[0].unlink()
    shards[1].write_bytes(shards[1].read_bytes()[:-100])
    found = faults(model)
    assert f"unet: {shards[0].name} is missing" in found
    assert f"{shards[1].name} is truncated or no safetensors file" in found


def test_weights_that_do_not_fit_their_configuration(model: Path) -> None:
    """Prevents mixing a configuration of one model with the weights of another."""
    path = model / "unet" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"in_channels": config["in_channels"] - 1}))
    assert "unet has the wrong shape for the key 'conv_in.weight'" in faults(model)


def test_parts_that_do_not_fit_each_other(model: Path) -> None:
    """Prevents parts of two models in one folder, each in order by itself."""
    from ladi.models.emasc import EMASC

    shutil.rmtree(model / "emasc")
    EMASC((8,), (8,)).save_pretrained(model / "emasc")
    assert "EMASC's inputs and the VAE's features do not agree" in faults(model)


def test_a_class_from_elsewhere_is_not_imported(model: Path) -> None:
    """Prevents a model's index having code imported."""
    path = model / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vae": ["os", "system"]}))
    assert "system is no class of this project's models" in faults(model)


def test_what_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """Prevents a traceback for a mistyped folder."""
    with pytest.raises(ModelError, match="There is no folder"):
        refuse_unknown(tmp_path / "nowhere")
    assert main(["check", str(tmp_path)]) == 2
    assert "holds nothing that can be checked: it has no model_index.json (model)" in capsys.readouterr().err
