"""A model's own configuration: what no model of this project needs is refused before a library acts on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ladi.runtime.configuration import check_configuration
from ladi.types import ModelError
from ladi.weights.catalog import MODELS

RIGHT: dict[str, Any] = {
    "_class_name": "LadiVtonPipeline",
    "height": 256,
    "width": 192,
    "default_steps": 2,
    "default_guidance": 1.0,
    "unet": ["diffusers", "UNet2DConditionModel"],
    "tps": ["ladi.models.tps", "ThinPlateSplineWarp"],
    "emasc": [None, None],
}


def saved(folder: Path, index: dict[str, Any], config: Any = None) -> Path:
    (folder / "unet").mkdir()
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "config.json").write_text(json.dumps({} if config is None else config))
    return folder


def test_right_ones_are_loaded(tmp_path: Path) -> None:
    """Prevents a fence that keeps the project's own model out."""
    check_configuration(saved(tmp_path, RIGHT, {"layers": [1, 2, {"size": 3}], "vocab_size": 49408}))
    check_configuration(MODELS["mini"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"height": 10**9}, "a height that is not 16 to 4096"),
        ({"height": "256"}, "a height that is not"),
        ({"width": -1}, "a width that is not"),
        ({"default_steps": 10**6}, "a default_steps that is not"),
        ({"default_guidance": True}, "a default_guidance that is not"),
        ({"_class_name": "StableDiffusionPipeline"}, "another pipeline"),
        ({"unet": ["antigravity", "fly"]}, "a part 'unet' that is none of this project's"),
        ({"unet": ["ladi.commands.main", "run"]}, "a part 'unet'"),
        ({"more": ["os", "system", "x"]}, "a part 'more'"),
    ],
)
def test_an_odd_index_is_refused(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    """Prevents the import of any module that a folder names, and gigabytes for a picture of its size."""
    with pytest.raises(ModelError, match=f"its model_index.json (names|has) .*{sentence}|{sentence}"):
        check_configuration(saved(tmp_path, RIGHT | change))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"auto_map": {"AutoModel": "code.Model"}}, "unet/config.json brings code of its own .auto_map."),
        ({"deep": [{"trust_remote_code": True}]}, "brings code of its own"),
        ({"hidden_size": 10**9}, "has a 'hidden_size' beyond 1000000"),
        ({"block_out_channels": [32, 10**10]}, "has a 'block_out_channels' beyond"),
        ([1], "cannot be read"),
    ],
)
def test_an_odd_part_is_refused(tmp_path: Path, config: Any, sentence: str) -> None:
    """Prevents code from a model's folder, and networks that no machine holds."""
    with pytest.raises(ModelError, match=sentence):
        check_configuration(saved(tmp_path, RIGHT, config))


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, " " * (2 << 20)])
def test_what_is_no_configuration_is_a_sentence(tmp_path: Path, content: str) -> None:
    """Prevents tracebacks for an empty, cut, deep or endless file."""
    (tmp_path / "model_index.json").write_text(content)
    with pytest.raises(ModelError, match="its model_index.json (cannot be read|is no configuration)"):
        check_configuration(tmp_path)
