"""Files that must be refused, each in its own words, with nothing overwritten."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from ladi.types import ModelError
from ladi.weights import stock
from ladi.weights.convert import convert, refuse_existing
from ladi.weights.hub import Found
from tests.weights.published import BASE_ID, TOY, VISION_ID


class Bomb:
    """Unpickled by a trusting loader, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def hubs(files: Path) -> tuple[Found, Found]:
    """Base and vision encoder from their folders."""
    return stock.require_sources("vitonhd", files, base=str(files / BASE_ID), vision=str(files / VISION_ID))


def run(files: Path, out: Path) -> None:
    """Convert the toy files."""
    convert("vitonhd", out, files, *hubs(files), recipe=TOY)


def edit(path: Path, change) -> None:
    """Load a checkpoint, change it, save it."""
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)


def lose_key(files: Path) -> str:
    edit(files / "unet_vitonhd.pth", lambda state: state.pop("conv_in.bias"))
    return r"unet_vitonhd.pth lacks the key 'conv_in.bias': get the published file"


def wrong_shape(files: Path) -> str:
    edit(files / "unet_vitonhd.pth", lambda state: state.update({"conv_in.weight": torch.zeros(8, 9, 3, 3)}))
    return r"unet_vitonhd.pth has the wrong shape .*conv_in.weight.*\(8, 9, 3, 3\) where \(8, 31, 3, 3\)"


def unknown_key(files: Path) -> str:
    edit(files / "emasc_vitonhd.pth", lambda state: state.update({"conv.9.bias": torch.zeros(1)}))
    return r"emasc_vitonhd.pth has the key 'conv.9.bias' that the network does not know"


def lose_entry(files: Path) -> str:
    edit(files / "warping_vitonhd.pth", lambda state: state.pop("refinement"))
    return r"warping_vitonhd.pth lacks the entry 'refinement'"


def code_in_zip(files: Path) -> str:
    torch.save({"conv": Bomb(files / "bang")}, files / "emasc_vitonhd.pth")
    return r"emasc_vitonhd.pth holds code .* it was not run"


def code_in_plain_pickle(files: Path) -> str:
    (files / "emasc_vitonhd.pth").write_bytes(pickle.dumps(Bomb(files / "bang"), protocol=2))
    return r"emasc_vitonhd.pth holds code .* it was not run"


def truncated(files: Path) -> str:
    path = files / "unet_vitonhd.pth"
    path.write_bytes(path.read_bytes()[:5000])
    return r"unet_vitonhd.pth is truncated or damaged"


def truncated_base(files: Path) -> str:
    path = files / BASE_ID / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    return r"diffusion_pytorch_model.safetensors of the base is truncated or damaged"


def another_base(files: Path) -> str:
    path = files / BASE_ID / "unet" / "config.json"
    path.write_text(path.read_text().replace('"cross_attention_dim": 16', '"cross_attention_dim": 24'))
    return r"reads text of width 24, but the text encoder gives 16"


FAULTS = [
    lose_key,
    wrong_shape,
    unknown_key,
    lose_entry,
    code_in_zip,
    code_in_plain_pickle,
    truncated,
    truncated_base,
    another_base,
]


@pytest.mark.parametrize("spoil", FAULTS)
def test_a_spoilt_file_is_refused(spoil, toy_files: Path, tmp_path: Path) -> None:
    """Prevents half a model under a model's name, code from a file being run, and a library's traceback."""
    out = tmp_path / "models" / "vitonhd"
    message = spoil(toy_files)
    with pytest.raises(ModelError, match=message):
        run(toy_files, out)
    assert not (toy_files / "bang").exists()
    assert not [path for path in out.parent.iterdir() if path.is_dir()]


def test_a_file_that_changed_since_is_refused(toy_files: Path, tmp_path: Path) -> None:
    """Prevents a swapped file being converted after the first one was verified."""
    run(toy_files, tmp_path / "first")
    edit(toy_files / "emasc_vitonhd.pth", lambda state: state["conv.0.0.bias"].add_(1))
    with pytest.raises(ModelError, match="emasc_vitonhd.pth is not the file that was first seen here"):
        run(toy_files, tmp_path / "second")
    assert (tmp_path / "first" / "model_index.json").is_file() and not (tmp_path / "second").exists()


def test_what_exists_is_left_alone(toy_files: Path, tmp_path: Path) -> None:
    """Prevents overwriting a model, or the photos of somebody who mistyped --out."""
    (tmp_path / "mine").mkdir()
    with pytest.raises(ModelError, match="exists already and is left alone"):
        refuse_existing(tmp_path / "mine")
    with pytest.raises(ModelError, match="exists already and is left alone"):
        run(toy_files, tmp_path / "mine")
    assert not list((tmp_path / "mine").iterdir())


def test_the_rest_of_a_killed_conversion_is_cleared(toy_files: Path, tmp_path: Path) -> None:
    """Prevents old halves among the new files."""
    (tmp_path / "model.partial" / "unet").mkdir(parents=True)
    (tmp_path / "model.partial" / "unet" / "old.safetensors").write_text("half")
    run(toy_files, tmp_path / "model")
    assert not (tmp_path / "model" / "unet" / "old.safetensors").exists()
    assert not (tmp_path / "model.partial").exists()


def test_all_that_is_missing_in_one_message(toy_files: Path, tmp_path: Path) -> None:
    """Prevents mending one file after the other without knowing how many there will be."""
    (toy_files / "unet_vitonhd.pth").unlink()
    (toy_files / VISION_ID / "model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        hubs(toy_files)
    message = str(caught.value)
    assert "unet_vitonhd.pth, " in message or ", unet_vitonhd.pth" in message
    assert "model.safetensors of the vision encoder" in message and "emasc" not in message
    assert f"python -m ladi download vitonhd --base {toy_files / BASE_ID}" in message
