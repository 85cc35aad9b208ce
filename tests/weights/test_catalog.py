"""Which models can be had, and what is said of the others."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from ladi.models.parser import HumanParser
from ladi.runtime import loading
from ladi.runtime.devices import Running
from ladi.runtime.loading import is_large, load_networks
from ladi.shelf import Shelf
from ladi.types import CATEGORIES, ModelError
from ladi.weights import catalog
from ladi.weights.catalog import (
    find_model,
    garment_background,
    mask_scheme,
    model_to_open,
    sampling_defaults,
    trained_categories,
)
from tests.toy import HEIGHT, WIDTH, toy_pipeline, toy_segformer


def test_an_unknown_model_is_answered_with_the_choices(tmp_path: Path) -> None:
    """Prevents a hub look-up or a traceback for a mistyped name."""
    with pytest.raises(
        ModelError, match="'maxi' is unknown: choose mini.* or the folder of a saved pipeline"
    ):
        find_model("maxi")
    with pytest.raises(ModelError, match="no model_index.json"):
        find_model(str(tmp_path))


def test_a_known_model_that_is_absent_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prevents calling a published model unknown, or no page at all, because it is not there yet."""
    monkeypatch.setitem(catalog.MODELS, "vitonhd", tmp_path / "vitonhd")
    with pytest.raises(ModelError) as caught:
        find_model("vitonhd")
    message = str(caught.value)
    assert "'vitonhd' is not on this machine. Missing: " in message
    assert "Get it by `python -m ladi download vitonhd`, put its saved pipeline into" in message
    name, notice = model_to_open("vitonhd")
    assert name == "mini" and notice.startswith(message) and "runs on the embedded model" in notice
    assert model_to_open("mini") == ("mini", "")
    with pytest.raises(ModelError, match="'maxi' is unknown"):
        model_to_open("maxi")


def test_a_damaged_model_is_said_to_be_damaged(tmp_path: Path) -> None:
    """Prevents a library's own traceback for a half-copied folder."""
    (tmp_path / "model_index.json").write_text('{"_class_name": "LadiVtonPipeline", "vae": ["x", "Y"]}')
    with pytest.raises(ModelError, match="incomplete or damaged"):
        load_networks(str(tmp_path), Running(torch.device("cpu")))
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(ModelError, match="incomplete or damaged"):
        sampling_defaults(tmp_path)


def test_sampling_defaults_are_read_without_loading(tmp_path: Path) -> None:
    """Prevents a page whose sliders start elsewhere than the model's own settings."""
    (tmp_path / "model_index.json").write_text('{"default_steps": 30, "default_guidance": 3.5}')
    assert sampling_defaults(tmp_path) == (30, 3.5)


def test_what_a_model_has_learnt_is_known_by_name_and_by_folder() -> None:
    """Prevents another mask, background or set of categories for the same model, asked for by its path."""
    for model in ("vitonhd", str(catalog.MODELS["vitonhd"])):
        assert (garment_background(model), mask_scheme(model)) == ("light", "lip")
        assert trained_categories(model) == ("upper_body",)
    assert (garment_background("dresscode"), mask_scheme("dresscode")) == ("white", "dresscode")
    assert trained_categories("dresscode") == CATEGORIES
    assert not is_large("mini")


def test_a_model_brings_its_parser_or_borrows_the_best_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prevents a model's own parser from being replaced, and weights that lie here from being left unused."""
    toy_pipeline().save_pretrained(tmp_path / "plain")
    toy_pipeline().save_pretrained(tmp_path / "own")
    HumanParser(height=HEIGHT, width=WIDTH, widths=(8, 8)).save_pretrained(tmp_path / "own" / "parser")
    toy_segformer().save_pretrained(tmp_path / "segformer")
    running = Running(torch.device("cpu"))
    monkeypatch.setattr(loading, "SEGFORMER", tmp_path / "nothing")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    assert isinstance(load_networks(str(tmp_path / "plain"), running)[1], HumanParser)
    monkeypatch.setattr(loading, "SEGFORMER", tmp_path / "segformer")
    assert type(load_networks(str(tmp_path / "plain"), running)[1]).__name__.startswith("Segformer")
    own = load_networks(str(tmp_path / "own"), running)[1]
    assert isinstance(own, HumanParser) and own.size == (HEIGHT, WIDTH)


def test_a_model_is_loaded_in_the_precision_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prevents a full-size model in float32 on a GPU it does not fit, and a warp in half precision."""
    toy_pipeline().save_pretrained(tmp_path)
    monkeypatch.setattr(loading, "SEGFORMER", tmp_path / "nothing")
    half = Running(torch.device("cpu"), torch.bfloat16, low_memory=True)
    pipeline, parser, matting = load_networks(str(tmp_path), half)
    assert pipeline.unet.dtype == pipeline.vision_encoder.dtype == torch.bfloat16
    assert pipeline.tps.dtype == pipeline.refinement.dtype == parser.dtype == matting.dtype == torch.float32
    assert pipeline.vae.use_slicing


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
