"""Which models can be had, and what is said of the others."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from ladi import shelf
from ladi.shelf import Shelf, choose_device, find_model, load_networks, sampling_defaults
from ladi.types import ModelError, SettingError


def test_an_unknown_model_is_answered_with_the_choices(tmp_path: Path) -> None:
    """Prevents a hub look-up or a traceback for a mistyped name."""
    with pytest.raises(
        ModelError, match="'maxi' is unknown: choose mini.* or the folder of a saved pipeline"
    ):
        find_model("maxi")
    with pytest.raises(ModelError, match="no model_index.json"):
        find_model(str(tmp_path))


def test_a_known_model_that_is_absent_says_where_it_belongs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prevents calling a published model unknown because it has not been put there yet."""
    monkeypatch.setitem(shelf.MODELS, "vitonhd", tmp_path / "vitonhd")
    with pytest.raises(ModelError, match="not on this machine: put its saved pipeline into .*vitonhd"):
        find_model("vitonhd")


def test_a_damaged_model_is_said_to_be_damaged(tmp_path: Path) -> None:
    """Prevents a library's own traceback for a half-copied folder."""
    (tmp_path / "model_index.json").write_text('{"_class_name": "LadiVtonPipeline", "vae": ["x", "Y"]}')
    with pytest.raises(ModelError, match="incomplete or damaged"):
        load_networks(str(tmp_path), "cpu")
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(ModelError, match="incomplete or damaged"):
        sampling_defaults(tmp_path)


def test_sampling_defaults_are_read_without_loading(tmp_path: Path) -> None:
    """Prevents a page whose sliders start elsewhere than the model's own settings."""
    (tmp_path / "model_index.json").write_text('{"default_steps": 30, "default_guidance": 3.5}')
    assert sampling_defaults(tmp_path) == (30, 3.5)


def test_a_missing_device_is_refused() -> None:
    """Prevents a CUDA traceback on a machine without a GPU."""
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(SettingError, match="device must be cuda, mps or cpu, got 'tpu'"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(SettingError, match="no cuda device"):
            choose_device("cuda")


def test_a_model_is_loaded_once_however_many_wait_for_it() -> None:
    """Prevents loading the weights once per visitor while the server starts."""
    loads: list[str] = []

    def load(name: str) -> Any:
        loads.append(name)
        time.sleep(0.05)
        return object()

    models: Shelf = Shelf(("mini",), load)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(models.get("mini"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["mini"] and len(set(map(id, got))) == 1
    with pytest.raises(ModelError, match="choose mini"):
        models.get("assets/mini")
