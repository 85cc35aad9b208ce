"""What earlier versions wrote is still read: saved models, the record of downloads, training folders.

``golden/version-before.zip`` was written by the version before its modules moved into rooms, at toy size: a
saved pipeline with parser and matting, a training folder after one step, and the record beside downloads.
Afterwards every tensor was given one number: the file is small, and a tensor under a wrong name shows.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ladi.engine import Engine
from ladi.models.parser import LABELS, HumanParser
from ladi.runtime.devices import choose_running
from ladi.runtime.loading import load_networks
from ladi.training.first_edition import Workshop
from ladi.training.loop.checkpoints import load_checkpoint, save_atomically
from ladi.training.paper_model import run_stages
from ladi.types import LadiError, ModelError
from ladi.weights.check import check_model
from ladi.weights.digests import verify
from tests.toy import HEIGHT, WIDTH
from tests.training.conftest import Places, job_from

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "version-before.zip"


@pytest.fixture
def before(tmp_path: Path) -> Path:
    shutil.unpack_archive(GOLDEN, tmp_path / "before")
    return tmp_path / "before"


def test_a_saved_model_loads_with_every_weight_in_its_place(before: Path) -> None:
    """Prevents a moved or renamed class from orphaning every model that people have saved."""
    pipeline, parser, matting = load_networks(str(before / "model"), choose_running("cpu", "fp32"))
    parts = {name: part for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}
    parts |= {"parser": parser, "matting": matting}
    assert {path.name for path in (before / "model").iterdir() if list(path.glob("*.safetensors"))} == {
        *parts
    }
    for name, part in parts.items():
        [file] = (before / "model" / name).glob("*.safetensors")
        told, state = load_file(file), part.state_dict()
        assert {key for key in state if state[key].is_floating_point()} <= {*told}
        for key in told:
            # The warp's grid follows from its size, and is computed whatever a file says.
            assert key.startswith("gridGen.") or torch.equal(state[key], told[key]), f"{name}.{key}"
    assert Engine.load(str(before / "model"), device="cpu").size == (HEIGHT, WIDTH)
    faults = check_model(before / "model").faults
    assert faults == ["the inversion adapter makes 4 pseudo-words instead of 16"]  # it is a toy


def test_a_training_goes_on(before: Path, places: Places) -> None:
    """Prevents days of training from being lost to an update."""
    work = before / "work"
    assert load_checkpoint(work / "warp")["step"] == 1
    run_stages(job_from(places, work, steps=2), ["warp"], resume=True)
    assert load_checkpoint(work / "warp")["step"] == 2
    steps = [json.loads(line)["step"] for line in (work / "warp" / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 1, 2, 2]


def test_a_checkpoint_of_another_network_is_a_sentence(before: Path, places: Places) -> None:
    """Prevents pages of torch's about shapes where a network has changed its size between versions."""
    folder = before / "work" / "warp"
    state = load_checkpoint(folder)
    name = next(key for key, value in state["modules"]["tps"].items() if value.ndim == 4)
    state["modules"]["tps"][name] = state["modules"]["tps"][name][:, :1].clone()
    save_atomically(state, folder / "checkpoint.pt")
    with pytest.raises(LadiError, match="warp: the checkpoint in .* is of a network of another size"):
        run_stages(job_from(places, before / "work", steps=2), ["warp"], resume=True)


def test_a_parser_from_before_bags_were_a_label_is_taken_over(tmp_path: Path) -> None:
    """Prevents a training folder that cannot be opened for one label more."""
    old = HumanParser(labels=LABELS - 1)
    (tmp_path / "parser").mkdir()
    save_atomically({"weights": {"parser": old.state_dict()}}, tmp_path / "parser" / "checkpoint.pt")
    workshop = Workshop(tmp_path, None)
    assert workshop.ready == {"parser"}
    taken = workshop.extras["parser"].state_dict()
    for key, value in old.state_dict().items():
        assert torch.equal(taken[key][: len(value)] if value.ndim else taken[key], value), key
    assert workshop.extras["parser"].config.labels == LABELS == len(taken["network.head.2.bias"])


def test_downloads_are_still_known(before: Path) -> None:
    """Prevents gigabytes from being downloaded again, or no longer verified."""
    record, content = before / "downloads" / "digests.json", b"published weights"
    entries = json.loads(record.read_text())
    entries["emasc_vitonhd.pth"]["sha256"] = hashlib.sha256(content).hexdigest()
    entries["emasc_vitonhd.pth"]["bytes"] = len(content)
    record.write_text(json.dumps(entries))
    file = record.with_name("emasc_vitonhd.pth")
    file.write_bytes(content)
    verify(file)
    assert json.loads(record.read_text()) == entries
    file.write_bytes(content[::-1])
    with pytest.raises(ModelError, match="emasc_vitonhd.pth"):
        verify(file)
